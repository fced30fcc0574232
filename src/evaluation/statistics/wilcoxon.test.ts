import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { signedRank } from "./wilcoxon.ts";

/** Every assignment of signs, written out. */
function enumerated(differences: readonly number[]): number {
  const kept = differences.filter((difference) => difference !== 0);
  const rank = (value: number) => {
    const below = kept.filter((other) => Math.abs(other) < Math.abs(value)).length;
    const equal = kept.filter((other) => Math.abs(other) === Math.abs(value)).length;
    return below + (equal + 1) / 2;
  };
  const observed = kept.reduce((sum, value) => sum + (value > 0 ? rank(value) : 0), 0);
  let atMost = 0;
  let atLeast = 0;
  for (let signs = 0; signs < 2 ** kept.length; signs++) {
    const sum = kept.reduce((all, value, index) => all + ((signs >> index) & 1 ? rank(value) : 0), 0);
    if (sum <= observed) atMost++;
    if (sum >= observed) atLeast++;
  }
  return Math.min(1, (2 * Math.min(atMost, atLeast)) / 2 ** kept.length);
}

describe("signed ranks", () => {
  test("Darwin's maize, as scipy and the books have it", () => {
    const maize = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75];
    const { pValue, rankSum, pairs, by } = signedRank(maize);
    expect(pValue).toBeCloseTo(0.041259765625, 12);
    expect({ rankSum, pairs, by }).toEqual({ rankSum: 96, pairs: 15, by: "exact" });
  });

  test("counts every assignment of signs, ties included", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 9 }), (differences) => {
        expect(signedRank(differences).pValue).toBeCloseTo(enumerated(differences), 10);
      }),
    );
  });

  test("differences that are alike but for rounding share their rank, and what rounding alone tells apart is a tie", () => {
    const first = [0.5, 0.825, 0.375, 0.5];
    const second = [0.525, 0.775, 0.325, 0.55];
    const differences = first.map((score, index) => score - second[index]);
    expect(signedRank(differences)).toEqual(signedRank([-1, 2, 2, -2]));
    expect(signedRank([0.1 + 0.2 - 0.3, 0.5, 0.7 - 0.2])).toEqual(signedRank([0, 1, 1]));
    expect(signedRank([1e-300, -2e-300]).rankSum).toBe(1);
    expect(signedRank([1e9, 0.25, -0.5]).rankSum).toBe(4);
  });

  test("0/1 scores: the sign test", () => {
    // 7 of 8: (1 + 8) / 256, twice.
    expect(signedRank([1, 1, 1, 1, 1, 1, 1, -1, 0, 0]).pValue).toBeCloseTo(18 / 256, 12);
    expect(signedRank([1, 1, 1, 1, 1, 1, 1, -1]).pGreater).toBeCloseTo(9 / 256, 12);
  });

  test("no difference is no evidence", () => {
    expect(signedRank([])).toMatchObject({ pValue: 1, pairs: 0 });
    expect(signedRank([0, 0])).toMatchObject({ pValue: 1, ties: 2 });
    expect(signedRank([1, -1]).pValue).toBe(1);
  });

  test("the normal form goes on where the exact one ends", () => {
    const differences = (pairs: number) =>
      Array.from({ length: pairs }, (_, index) => ((index * 37) % 10 < 6 ? 1 : -1) * (1 + (index % 7)));
    const exact = signedRank(differences(200));
    const normal = signedRank(differences(201));
    expect([exact.by, normal.by]).toEqual(["exact", "normal"]);
    expect(Math.abs(exact.pValue - normal.pValue)).toBeLessThan(0.005);
    expect(normal.pValue).toBeGreaterThan(0);
    expect(signedRank(Array.from({ length: 5000 }, (_, index) => index + 1)).pValue).toBeLessThan(1e-100);
  });
});
