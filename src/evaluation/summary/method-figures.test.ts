import { describe, expect, test } from "vitest";
import type { SlimRecord } from "../records/slim-record.ts";
import { wilsonInterval } from "../statistics/statistics.ts";
import { meanWithInterval } from "./method-figures.ts";

/** One list of samples an item. */
const intervalOf = (scores: readonly (readonly number[])[]) =>
  meanWithInterval(
    scores.flatMap((samples, item) =>
      samples.map((accuracy, sample) => ({ item: String(item), sample, accuracy }) as SlimRecord),
    ),
  );

describe("accuracy with its interval", () => {
  test("is Wilson's for one 0/1 sample an item", () => {
    const scores = [...Array<number[]>(27).fill([1]), ...Array<number[]>(3).fill([0])];
    expect(intervalOf(scores)).toEqual({ accuracy: 0.9, interval: wilsonInterval(27, 30) });
  });

  test("counts items, not samples, where there are several", () => {
    const few = intervalOf([[1], [0], [1], [0]]);
    const repeated = intervalOf([
      [1, 1, 1, 1],
      [0, 0, 0, 0],
      [1, 1, 1, 1],
      [0, 0, 0, 0],
    ]);
    expect(repeated.accuracy).toBe(0.5);
    // The same answer four times over is no more evidence than once.
    expect(repeated.interval[1] - repeated.interval[0]).toBeGreaterThan((few.interval[1] - few.interval[0]) * 0.8);
    expect(intervalOf([[1, 0], [0.5]]).accuracy).toBe(0.5);
  });

  test("leaves doubt where every item is alike", () => {
    const { interval } = intervalOf([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    expect(interval[0]).toBeLessThan(0.5);
    expect(interval[1]).toBe(1);
  });
});
