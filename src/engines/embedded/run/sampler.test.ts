/** Drawing tokens: the right shares, nothing impossible, truncation as defined, and an error for what is not a distribution. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "#kernel/seed.ts";
import { drawIndex, drawTruncated, largestIndex } from "./sampler.ts";

const weights = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1, noNaN: true })), {
  minLength: 1,
  maxLength: 40,
});
const distribution = weights
  .map((values) => {
    const total = values.reduce((sum, value) => sum + value, 0);
    return Float32Array.from(values, (value) => value / total);
  })
  .filter((row) => Number.isFinite(row[0]));
const uniform = fc.oneof(
  fc.constant(0),
  fc.constant(1 - 2 ** -32),
  fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
);

/** What truncation keeps, by its definition. */
function keptByDefinition(row: Float32Array, topK: number, topP: number): Set<number> {
  let order = [...row.keys()].filter((index) => row[index] > 0).sort((a, b) => row[b] - row[a] || a - b);
  if (topK > 0) order = order.slice(0, topK);
  const total = order.reduce((sum, index) => sum + row[index], 0);
  const kept = new Set<number>();
  let sum = 0;
  for (const index of order) {
    kept.add(index);
    sum += row[index];
    if (topP < 1 && sum >= topP * total) break;
  }
  return kept;
}

describe("a draw", () => {
  it("is always a possible token inside its row", () => {
    fc.assert(
      fc.property(distribution, uniform, (row, draw) => {
        const padded = Float32Array.of(9, ...row, 9);
        expect(row[drawIndex(padded, 1, row.length + 1, draw)]).toBeGreaterThan(0);
      }),
    );
  });

  it("has each token's share", () => {
    const row = Float32Array.of(0.5, 0, 0.2, 0.3);
    const random = new Random(1);
    const counts = [0, 0, 0, 0];
    for (let trial = 0; trial < 20_000; trial++) counts[drawIndex(row, 0, 4, random.uniform())]++;
    // Four standard deviations of a count of 20 000 draws are under 0.015.
    counts.forEach((count, index) => {
      expect(Math.abs(count / 20_000 - row[index])).toBeLessThan(0.015);
    });
  });

  it("keeps exactly the truncated set", () => {
    const topK = fc.integer({ min: 0, max: 12 });
    const topP = fc.oneof(fc.constant(1), fc.double({ min: 0.01, max: 0.99, noNaN: true }));
    fc.assert(
      fc.property(distribution, topK, topP, (row, k, p) => {
        const kept = keptByDefinition(row, k, p);
        const drawn = new Set(
          Array.from({ length: 200 }, (_, index) => drawTruncated(row, 0, row.length, { topK: k, topP: p }, (index + 0.5) / 200)),
        );
        for (const index of drawn) expect(kept).toContain(index);
        // Draws half a percent apart cannot step over a token of one percent.
        const keptTotal = [...kept].reduce((sum, index) => sum + row[index], 0);
        for (const index of kept) if (row[index] / keptTotal > 0.01) expect(drawn).toContain(index);
      }),
    );
  });

  it("takes the first of equals when greedy", () => {
    expect(largestIndex(Float32Array.of(9, 0.2, 0.4, 0.4, 9), 1, 4)).toBe(1);
  });

  it.each([[Float32Array.of(Number.NaN, Number.NaN)], [Float32Array.of(0, 0)]])("of %s is an error", (row) => {
    const truncation = { topK: 1, topP: 0.5 };
    expect(() => drawIndex(row, 0, 2, 1 - 2 ** -32)).toThrow(/finite/);
    expect(() => drawTruncated(row, 0, 2, truncation, 0.5)).toThrow(/finite/);
  });

  it("greedy from NaN is an error", () => {
    expect(() => largestIndex(Float32Array.of(Number.NaN, Number.NaN), 0, 2)).toThrow(/finite/);
  });
});
