import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mean } from "#kernel/numbers.ts";
import {
  clusteredStandardError,
  holm,
  itemsForDifference,
  mcnemarExact,
  mcnemarMidP,
  meanKnown,
  median,
  minimumDetectableDifference,
  unpairedStandardError,
  variance,
  wilsonInterval,
} from "./statistics.ts";

const bits = (text: string) => [...text].map(Number);

test.each([
  [10, 30, 0.1923, 0.5122],
  [27, 30, 0.7438, 0.9654],
  [400, 500, 0.7627, 0.8327],
  [1187, 1319, 0.8825, 0.915],
])("Wilson's interval of %i/%i is [%f, %f]", (successes, trials, low, high) => {
  const [computedLow, computedHigh] = wilsonInterval(successes, trials);
  expect(computedLow).toBeCloseTo(low, 4);
  expect(computedHigh).toBeCloseTo(high, 4);
});

test.each([
  [15, 5, 0.04139],
  [10, 10, 1],
  [3, 0, 0.25],
  [30, 12, 0.00792],
  [0, 0, 1],
])("McNemar's exact p for %i and %i discordant items is %f", (first, second, p) => {
  expect(mcnemarExact(first, second)).toBeCloseTo(p, 5);
  expect(mcnemarExact(second, first)).toBeCloseTo(p, 5);
});

test("McNemar's p stays finite for thousands of discordant items", () => {
  expect(mcnemarExact(3000, 3000)).toBe(1);
  expect(mcnemarExact(2000, 3000)).toBeLessThan(1e-40);
  expect(mcnemarExact(2000, 3000)).toBeGreaterThan(0);
});

test.each([
  [15, 5, 0.0266],
  [3, 0, 0.125],
  [0, 0, 1],
])("McNemar's mid-p for %i and %i discordant items is %f", (first, second, p) => {
  expect(mcnemarMidP(first, second)).toBeCloseTo(p, 4);
  expect(mcnemarMidP(second, first)).toBeCloseTo(p, 4);
});

test("mid-p lies below the exact p, by less than it, and tends to the chi-square test", () => {
  fc.assert(
    fc.property(fc.nat(300), fc.nat(300), (first, second) => {
      const [exact, mid] = [mcnemarExact(first, second), mcnemarMidP(first, second)];
      expect(mid).toBeGreaterThanOrEqual(exact / 2 - 1e-12);
      expect(mid).toBeLessThanOrEqual(exact + 1e-12);
    }),
  );
  // χ² = (b − c)²/(b + c): 5.0 for (15, 5) with p = 0.02535, 7.7143 for (30, 12) with p = 0.00548.
  expect(Math.abs(mcnemarMidP(15, 5) - 0.02535)).toBeLessThan(0.002);
  expect(Math.abs(mcnemarMidP(30, 12) - 0.00548)).toBeLessThan(0.001);
});

test("clusters of {1,1,0}, {0,0}, {1} have the standard error 0.2041", () => {
  expect(clusteredStandardError([1, 1, 0, 0, 0, 1], ["a", "a", "a", "b", "b", "c"])).toBeCloseTo(0.204124, 6);
  expect(clusteredStandardError([1, 1, 0, 0, 0, 1], [0, 1, 2, 3, 4, 5])).toBeCloseTo(0.204124, 6);
  // With the small-sample factor √(G/(G − 1)), as other programs have it, it would be 0.25.
  expect(clusteredStandardError([1, 1, 0, 0, 0, 1], ["a", "a", "a", "b", "b", "c"]) * Math.sqrt(3 / 2)).toBeCloseTo(0.25, 6);
  expect(Math.sqrt(variance([1, 1, 0, 0, 0, 1]) / 6)).toBeCloseTo(0.223607, 6);
  // Values that move together carry less information.
  expect(clusteredStandardError([1, 1, 0, 0], [0, 0, 1, 1])).toBeGreaterThan(clusteredStandardError([1, 1, 0, 0], [0, 1, 2, 3]));
});

test("unpaired, the same scores have a larger error", () => {
  expect(unpairedStandardError(bits("1110101101"), bits("1010001110"))).toBeCloseTo(0.226078, 6);
});

test("Holm's correction steps down and never reorders", () => {
  const inOrder = (pValues: readonly number[]) => {
    const corrected = holm(pValues.entries());
    return pValues.map((_, index) => corrected.get(index)!);
  };
  expect(inOrder([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
  expect(inOrder([])).toEqual([]);
  const byKey = holm([
    ["first", 0.01],
    ["unknown", undefined],
    ["second", 0.04],
  ]);
  expect([...byKey]).toEqual([
    ["first", 0.02],
    ["second", 0.04],
  ]);
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }), (pValues) => {
      const corrected = inOrder(pValues);
      for (const [index, value] of corrected.entries()) {
        expect(value).toBeGreaterThanOrEqual(pValues[index]);
        expect(value).toBeLessThanOrEqual(1);
        for (const [other, otherValue] of corrected.entries()) {
          if (pValues[index] < pValues[other]) expect(value).toBeLessThanOrEqual(otherValue);
        }
      }
    }),
  );
});

// One item in five is right under one method alone: the standard error is √0.2 / √n.
test.each([
  [30, 0.229],
  [100, 0.125],
  [164, 0.098],
  [313, 0.071],
  [500, 0.056],
  [1319, 0.035],
  [14042, 0.011],
])("with %i items, a fifth of them discordant, a difference of %f is found four times in five", (items, difference) => {
  expect(Math.abs(minimumDetectableDifference(Math.sqrt(0.2 / items))! - difference)).toBeLessThan(0.0006);
  expect(itemsForDifference(minimumDetectableDifference(Math.sqrt(0.2 / items))!, 0.2)).toBeCloseTo(items, -1);
});

test("nothing is said of power where no item differs", () => {
  expect(minimumDetectableDifference(0)).toBeUndefined();
  expect(minimumDetectableDifference(Number.NaN)).toBeUndefined();
});

test("mean and median", () => {
  expect(mean([1, 2, 6])).toBe(3);
  expect(median([5, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

describe("means of what is known", () => {
  // The two that there were parted at one unknown in ten: with ten answers a run would lose its tokens for a single reply without usage.
  test("one unknown value in ten is left out, more make the mean unknown", () => {
    expect(meanKnown([...new Array(9).fill(2), undefined])).toBe(2);
    expect(meanKnown([...new Array(8).fill(2), undefined])).toBeUndefined();
    expect(meanKnown([...new Array(17).fill(2), undefined, undefined, undefined])).toBeUndefined();
    expect(meanKnown([])).toBeUndefined();
  });
});
