import fc from "fast-check";
import { expect, test } from "vitest";
import { bestOfK, passAllK, passAtK } from "./sample-metrics.ts";

test.each([
  [10, 3, 1, 0.3],
  [10, 3, 5, 0.916667],
  [20, 1, 10, 0.5],
  [5, 0, 5, 0],
  [5, 5, 1, 1],
])("pass@k of n=%i, c=%i, k=%i is %f", (samples, right, k, share) => {
  expect(passAtK(samples, right, k)).toBeCloseTo(share, 6);
});

test("pass^k of n=10, c=3, k=2 is 0.0667", () => {
  expect(passAllK(10, 3, 2)).toBeCloseTo(0.066667, 6);
  expect(passAllK(10, 1, 2)).toBe(0);
  expect(passAllK(4, 4, 4)).toBe(1);
});

const ranked = (accuracies: number[]) => accuracies.map((accuracy, index) => ({ accuracy, score: -index }));

test.each([
  [[1, 0, 1, 0], 2, 0.666667],
  [[0, 1, 1, 0, 0], 3, 0.4],
  [[1, 0, 0, 0], 1, 0.25],
])("the best of k of %j, k=%i, is right with %f", (accuracies, k, expected) => {
  expect(bestOfK(ranked(accuracies), k)).toBeCloseTo(expected, 6);
});

const bit = fc.constantFrom(0, 1);

test("best-of-k, pass@k and pass^k agree with counting all subsets", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ accuracy: bit, score: fc.integer({ min: 0, max: 3 }) }), { minLength: 1, maxLength: 7 }),
      fc.nat(),
      (samples, any) => {
        const k = 1 + (any % samples.length);
        const subsets = allSubsets(samples, k);
        const share = (of: (subset: typeof samples) => number) =>
          subsets.reduce((sum, subset) => sum + of(subset), 0) / subsets.length;
        const right = samples.filter((sample) => sample.accuracy === 1).length;
        const best = (subset: typeof samples) => {
          const top = Math.max(...subset.map((sample) => sample.score));
          const tied = subset.filter((sample) => sample.score === top);
          return tied.reduce((sum, sample) => sum + sample.accuracy, 0) / tied.length;
        };
        expect(bestOfK(samples, k)).toBeCloseTo(share(best), 9);
        expect(passAtK(samples.length, right, k)).toBeCloseTo(
          share((subset) => Math.max(...subset.map((sample) => sample.accuracy))),
          9,
        );
        expect(passAllK(samples.length, right, k)).toBeCloseTo(
          share((subset) => Math.min(...subset.map((sample) => sample.accuracy))),
          9,
        );
      },
    ),
  );
});

function allSubsets<T>(values: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return values.flatMap((value, index) => allSubsets(values.slice(index + 1), size - 1).map((rest) => [value, ...rest]));
}
