import { describe, expect, test } from "vitest";
import { slimAnswer } from "../../../test/support/records.ts";
import type { SlimRecord } from "../records/slim-record.ts";
import { type CostCurve, costCurve, curveAt, withPlainFloor } from "./cost-curve.ts";

/** One answer of a vote over samples, one letter each; a blank is a sample without an answer. */
function pool(item: string, votes: string, right: string, inputTokens: number | undefined = 10, outputTokens = 4): SlimRecord {
  const samples = [...votes].map((vote) => ({ vote: vote.trim(), accuracy: vote === right ? 1 : 0, outputTokens }));
  const usage = { calls: 1, inputTokens, outputTokens: samples.length * outputTokens };
  return slimAnswer(item, 1, { method: "self-consistency", usage, attempts: samples });
}

function curveOf(...records: SlimRecord[]): CostCurve {
  const curve = costCurve(records, { rule: "vote", seed: 1, clusterOf: (item) => item });
  if ("missing" in curve) throw new Error(curve.missing);
  return curve;
}

/** The same samples for as many items, each drawn in orders of its own: their mean is as good as many orders. */
const many = (votes: string, right: string) =>
  curveOf(...Array.from({ length: 60 }, (_, index) => pool(`x${index}`, votes, right))).points;

describe("the curve", () => {
  test("begins at one sample's mean accuracy and ends at the vote of the whole pool", () => {
    const { points, perItem } = curveOf(pool("x", "aab", "a"), pool("y", "cdd", "c"));
    expect(points.map((point) => point.samples)).toEqual([1, 2, 3]);
    expect(perItem[0][0]).toBeCloseTo(2 / 3, 12);
    expect(perItem[0][1]).toBeCloseTo(1 / 3, 12);
    expect(perItem[2]).toEqual([1, 0]);
  });

  test("splits the credit of a tie", () => {
    const [, two] = curveOf(pool("x", "ab", "a"), pool("y", "ab", "a")).points;
    expect(two.accuracy).toBe(0.5);
  });

  test("agrees with the exact expectation over all subsets", () => {
    // Three of five right: the vote of three is right with probability 1 − C(2,2)·C(3,1)/C(5,3) = 0.7 when the wrong ones agree.
    const [, , three] = many("aaabb", "a");
    expect(three.accuracy).toBeCloseTo(0.7, 2);
  });

  test("counts no vote of an empty answer and is wrong where all are empty", () => {
    const [, two] = curveOf(pool("x", " a", "a"), pool("y", " a", "a")).points;
    expect(two.accuracy).toBe(1);
    expect(curveOf(pool("x", "  ", "a"), pool("y", "  ", "a")).points[1].accuracy).toBe(0);
  });

  test("pays for the prompt once, where one call drew the samples", () => {
    const { points } = curveOf(pool("x", "aaa", "a", 10, 4), pool("y", "aaa", "a", 20, 6));
    expect(points.map((point) => point.generated)).toEqual([5, 10, 15]);
    expect(points.map((point) => point.all)).toEqual([20, 25, 30]);
  });

  test("is the same for the same seed", () => {
    const items = [pool("x", "aabbc", "a"), pool("y", "abcde", "b")];
    expect(curveOf(...items)).toEqual(curveOf(...items));
  });

  test("is missing where there are no samples or their tokens are unknown, and says why", () => {
    const missing = (...records: SlimRecord[]) => costCurve(records, { rule: "vote", seed: 1, clusterOf: (item) => item });
    const { attempts: _, ...plain } = pool("x", "a", "a");
    const unmetered = (item: string) => ({
      ...pool(item, "ab", "a"),
      usage: { calls: 1, inputTokens: undefined, outputTokens: 8 },
    });
    expect(missing()).toEqual({ missing: "no plain samples were drawn" });
    expect(missing(plain)).toEqual({ missing: "self-consistency has fewer than two graded samples an answer" });
    expect(missing(unmetered("x"), unmetered("y"))).toEqual({ missing: "tokens unknown: the server gave no usage" });
    expect(missing(pool("x", "ab", "a"))).toEqual({ missing: "self-consistency has samples of one item alone" });
  });
});

describe("at a cost", () => {
  const curve = curveOf(pool("x", "aaa", "a"), pool("y", "bbc", "b"));
  const at = (tokens: number, kind: "generated" | "all" = "generated") => curveAt(curve, tokens, (point) => point[kind]);

  test("between two points it lies between them", () => {
    const found = at(10);
    expect(found.samples).toBe(2.5);
    expect(found.accuracy).toBeCloseTo((curve.points[1].accuracy + curve.points[2].accuracy) / 2, 12);
    expect(found.outside).toBeUndefined();
    expect(at(20, "all").samples).toBe(2.5);
  });

  test("outside of the curve the nearest end stands in and says so", () => {
    expect(at(1)).toMatchObject({ samples: 1, outside: "below" });
    expect(at(100)).toMatchObject({ samples: 3, outside: "above", accuracy: curve.points[2].accuracy });
    expect(at(4).outside).toBeUndefined();
  });
});

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
const sampled: CostCurve = {
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
const floored = (plain: ReadonlyMap<string, number>) => withPlainFloor(sampled, plain, (item) => item, 1);

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
  expect(floored(scores(1, 0, 0, 0))).toBe(sampled);
  expect(floored(scores(1, 1, 1))).toBe(sampled);
});
