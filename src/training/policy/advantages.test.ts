import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { groupAdvantages } from "./advantages.ts";

const options = { epsilon: 1e-4, smallestRange: 1e-4, deviation: "sample" } as const;
const rewards = fc
  .array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 2, maxLength: 16 })
  .filter((values) => Math.max(...values) - Math.min(...values) > 0.01);

describe("group advantages", () => {
  test("sum to zero and keep the order of the rewards", () => {
    fc.assert(
      fc.property(rewards, fc.constantFrom("sample" as const, "population" as const, "none" as const), (values, deviation) => {
        const advantages = groupAdvantages(values, { ...options, deviation }) as number[];
        expect(Math.abs(advantages.reduce((sum, value) => sum + value, 0))).toBeLessThan(1e-8);
        for (const [i, first] of values.entries()) {
          for (const [j, second] of values.entries()) {
            if (first > second) expect(advantages[i]).toBeGreaterThanOrEqual(advantages[j]);
          }
        }
      }),
    );
  });

  test("do not change when all rewards are shifted, and scale with epsilon alone", () => {
    fc.assert(
      fc.property(
        rewards,
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.double({ min: 0.5, max: 4, noNaN: true }),
        (values, by, times) => {
          const plain = groupAdvantages(values, options) as number[];
          const moved = groupAdvantages(
            values.map((value) => value + by),
            options,
          ) as number[];
          const scaled = groupAdvantages(
            values.map((value) => value * times),
            { ...options, epsilon: options.epsilon * times },
          ) as number[];
          plain.forEach((value, index) => {
            expect(moved[index]).toBeCloseTo(value, 7);
            expect(scaled[index]).toBeCloseTo(value, 7);
          });
        },
      ),
    );
  });

  test("the two deviations, by hand", () => {
    expect(groupAdvantages([0, 1], { ...options, epsilon: 0 })?.[1]).toBeCloseTo(Math.SQRT1_2, 12);
    expect(groupAdvantages([0, 1], { ...options, epsilon: 0, deviation: "population" })).toEqual([-1, 1]);
    expect(groupAdvantages([0, 1], { ...options, deviation: "none" })).toEqual([-0.5, 0.5]);
  });

  test("a group without a difference, or of one, is dropped", () => {
    expect(groupAdvantages([2, 2, 2], options)).toBeUndefined();
    expect(groupAdvantages([2, 2.00005], options)).toBeUndefined();
    expect(groupAdvantages([2], options)).toBeUndefined();
    expect(groupAdvantages([], options)).toBeUndefined();
  });
});
