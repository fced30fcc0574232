import { expect, test } from "vitest";
import type { CostCurve } from "./equal-cost.ts";
import { withPlainFloor } from "./plain-floor.ts";

const items = ["a", "b", "c", "d"];
const point = (samples: number, accuracy: number) => ({
  samples,
  accuracy,
  interval: [0, 1] as [number, number],
  generated: samples * 10,
  all: samples * 10,
  passAtK: accuracy,
  passAllK: accuracy,
});
const curve: CostCurve = {
  rule: "vote",
  pool: { method: "resampling", rule: "vote", samples: 2, items: 4, itemsLeftOut: 0, prompts: "paid once" },
  items,
  points: [point(1, 0.4), point(2, 0.8)],
  perItem: [
    [0.4, 0.4, 0.4, 0.4],
    [1, 1, 1, 0.2],
  ],
};
const scores = (...values: number[]) => new Map(values.map((value, index) => [items[index], value]));
const floored = (plain: ReadonlyMap<string, number>) => withPlainFloor(curve, plain, (item) => item, 1);

test("where samples do worse than the plain answer, the plain answer stands, with its own interval and items", () => {
  const { points, perItem, pool } = floored(scores(1, 1, 0, 0));
  expect(points.map(({ accuracy }) => accuracy)).toEqual([0.5, 0.8]);
  expect(points[0].interval[0]).toBeLessThan(0.5);
  expect(points[0].generated).toBe(10);
  expect(perItem).toEqual([
    [1, 1, 0, 0],
    [1, 1, 1, 0.2],
  ]);
  expect(pool.floor).toBe("plain answer");
});

test("samples that are never worse are left alone, and so is a pool with items that have no plain answer", () => {
  expect(floored(scores(1, 0, 0, 0))).toBe(curve);
  expect(floored(scores(1, 1, 1))).toBe(curve);
});
