import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pairedDifference } from "./paired-columns.ts";

const bits = (text: string) => [...text].map(Number);
const apart = (count: number) => Array.from({ length: count }, (_, index) => `item ${index}`);

describe("a paired difference", () => {
  const first = bits("1110101101");
  const second = bits("1010001110");

  test("of the known vectors", () => {
    const result = pairedDifference(first, second, apart(10), 1);
    expect(result.difference).toBeCloseTo(0.2, 12);
    expect(result.standardError).toBeCloseTo(0.2, 12);
    expect(result.interval[0]).toBeCloseTo(-0.2, 1);
    expect(result.interval[1]).toBeCloseTo(0.6, 1);
    expect(result).toMatchObject({ test: "mcnemar", items: 10, pValue: 0.625 });
  });

  test("is the same for the same seed, and its interval moves little with another", () => {
    const [one, again, other] = [7, 7, 8].map((seed) => pairedDifference(first, second, apart(10), seed).interval);
    expect(again).toEqual(one);
    expect(Math.abs(other![0] - one![0])).toBeLessThanOrEqual(0.1 + 1e-9);
  });

  test("of graded scores is tested by sign flips, which agree with the exact test on 0/1 scores", () => {
    const noise = first.map((score, index) => score * 0.999999 + (index % 2) * 1e-9);
    const graded = pairedDifference(noise, second, apart(10), 3);
    expect(graded.test).toBe("sign-flip");
    expect(graded.pValue).toBeCloseTo(0.625, 1);
  });

  test("turns its sign with the order of the methods", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })), {
          minLength: 2,
          maxLength: 20,
        }),
        (pairs) => {
          const [a, b] = [pairs.map(([value]) => value), pairs.map(([, value]) => value)];
          const forward = pairedDifference(a, b, apart(a.length), 5);
          const backward = pairedDifference(b, a, apart(a.length), 5);
          expect(backward.difference).toBeCloseTo(-forward.difference, 12);
          expect(forward.interval[0]).toBeLessThanOrEqual(forward.interval[1]);
          expect(forward.pValue).toBeGreaterThan(0);
          expect(forward.pValue).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 30 },
    );
  });

  test("of items in clusters flips and draws whole clusters", () => {
    const pairs = Array.from({ length: 10 }, (_, index) => `pair ${Math.floor(index / 2)}`);
    const together = pairedDifference(bits("1111000000"), bits("0000000000"), pairs, 1);
    const alone = pairedDifference(bits("1111000000"), bits("0000000000"), apart(10), 1);
    expect(together).toMatchObject({ test: "sign-flip", difference: 0.4 });
    expect(together.pValue).toBeGreaterThan(alone.pValue);
    expect(together.interval[1] - together.interval[0]).toBeGreaterThan(alone.interval[1] - alone.interval[0]);
  });
});
