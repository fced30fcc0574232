import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { groupAdvantages, leaveOneOut, turnAdvantages, turnReturns } from "./advantages.ts";

const options = { epsilon: 1e-4, smallestRange: 1e-4, deviation: "sample" } as const;
const differing = fc
  .array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 2, maxLength: 16 })
  .filter((values) => Math.max(...values) - Math.min(...values) > 0.01);

describe("group advantages", () => {
  test("sum to zero and keep the order of the rewards", () => {
    fc.assert(
      fc.property(differing, fc.constantFrom("sample" as const, "population" as const, "none" as const), (values, deviation) => {
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
        differing,
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

const reward = fc.double({ min: -12, max: 12, noNaN: true });
const rewards = fc.array(reward, { minLength: 2, maxLength: 16 });

describe("leave-one-out advantages", () => {
  test("are n/(n−1) times those of the group mean, and sum to zero", () => {
    fc.assert(
      fc.property(rewards, (values) => {
        const advantages = leaveOneOut(values) as number[];
        const centred = groupAdvantages(values, { epsilon: 0, smallestRange: -1, deviation: "none" }) as number[];
        const factor = values.length / (values.length - 1);
        for (const [j, value] of centred.entries()) expect(advantages[j]).toBeCloseTo(factor * value, 9);
        expect(Math.abs(advantages.reduce((sum, value) => sum + value, 0))).toBeLessThan(1e-9 * values.length * 12);
      }),
    );
  });

  test("have a baseline that the answer itself does not move", () => {
    fc.assert(
      fc.property(rewards, reward, (values, other) => {
        const changed = [other, ...values.slice(1)];
        const baseline = (of: number[]) => of[0] - (leaveOneOut(of) as number[])[0];
        expect(baseline(changed)).toBeCloseTo(baseline(values), 9);
      }),
    );
  });

  test("by hand, and nothing where there are no siblings", () => {
    expect(leaveOneOut([1, 0])).toEqual([1, -1]);
    expect(leaveOneOut([3, 0, 0])).toEqual([3, -1.5, -1.5]);
    expect(leaveOneOut([2, 2, 2])).toEqual([0, 0, 0]);
    expect(leaveOneOut([1])).toBeUndefined();
    expect(leaveOneOut([])).toBeUndefined();
    expect(turnAdvantages([[1, 0]], "to-go")).toBeUndefined();
    expect(turnAdvantages([], "own-turn")).toBeUndefined();
  });
});

describe("turns", () => {
  test("answer for their own reward, or for all that follows", () => {
    expect(turnReturns([1, 10, 4], "own-turn")).toEqual([1, 10, 4]);
    expect(turnReturns([1, 10, 4], "to-go")).toEqual([15, 14, 4]);
    expect(turnReturns([], "to-go")).toEqual([]);
  });

  test("are compared within their own turn", () => {
    const group = [
      [1, 0],
      [0, 6],
      [0, 0],
    ];
    expect(turnAdvantages(group, "own-turn")).toEqual([
      [1, -3],
      [-0.5, 6],
      [-0.5, -3],
    ]);
    expect(turnAdvantages(group, "to-go")).toEqual([
      [-2, -3],
      [5.5, 6],
      [-3.5, -3],
    ]);
  });
});
