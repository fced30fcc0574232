import { describe, expect, test } from "vitest";
import { type PoolItem, poolFromRecords, resamplingAt, resamplingCurve } from "./resampling.ts";

function pool(item: string, votes: string, right: string, promptTokens = 10, outputTokens = 4): PoolItem {
  const samples = [...votes].map((vote) => ({ vote: vote.trim(), accuracy: vote === right ? 1 : 0, outputTokens }));
  return { item, promptTokens, samples };
}

describe("the curve", () => {
  test("begins at one sample's mean accuracy and ends at the vote of the whole pool", () => {
    const curve = resamplingCurve([pool("x", "aab", "a"), pool("y", "cdd", "c")], { seed: 1, orders: 4000 });
    expect(curve.map((point) => point.samples)).toEqual([1, 2, 3]);
    expect(curve[0].perItem[0]).toBeCloseTo(2 / 3, 1);
    expect(curve[0].perItem[1]).toBeCloseTo(1 / 3, 1);
    expect(curve[2].perItem).toEqual([1, 0]);
  });

  test("splits the credit of a tie", () => {
    const [, two] = resamplingCurve([pool("x", "ab", "a")], { seed: 1 });
    expect(two!.accuracy).toBe(0.5);
  });

  test("agrees with the exact expectation over all subsets", () => {
    // Three of five right: the vote of three is right with probability 1 − C(2,2)·C(3,1)/C(5,3) = 0.7 when the wrong ones agree.
    const [, , three] = resamplingCurve([pool("x", "aaabb", "a")], { seed: 3, orders: 20_000 });
    expect(three!.accuracy).toBeCloseTo(0.7, 2);
  });

  test("counts no vote of an empty answer and is wrong where all are empty", () => {
    const [, two] = resamplingCurve([pool("x", " a", "a")], { seed: 1 });
    expect(two!.accuracy).toBe(1);
    expect(resamplingCurve([pool("x", "  ", "a")], { seed: 1 })[1].accuracy).toBe(0);
  });

  test("pays for the prompt once", () => {
    const curve = resamplingCurve([pool("x", "aaa", "a", 10, 4), pool("y", "aaa", "a", 20, 6)], { seed: 1 });
    expect(curve.map((point) => point.generated)).toEqual([5, 10, 15]);
    expect(curve.map((point) => point.all)).toEqual([20, 25, 30]);
  });

  test("is the same for the same seed", () => {
    const items = [pool("x", "aabbc", "a"), pool("y", "abcde", "b")];
    expect(resamplingCurve(items, { seed: 9 })).toEqual(resamplingCurve(items, { seed: 9 }));
  });
});

describe("at a cost", () => {
  const curve = resamplingCurve([pool("x", "aaa", "a"), pool("y", "bbc", "b")], { seed: 2, orders: 3000 });

  test("between two points it lies between them", () => {
    const at = resamplingAt(curve, 10, "generated", 1)!;
    expect(at.samples).toBe(2.5);
    expect(at.accuracy).toBeCloseTo((curve[1].accuracy + curve[2].accuracy) / 2, 12);
    expect(at.outside).toBeUndefined();
    expect(resamplingAt(curve, 20, "all", 1)!.samples).toBe(2.5);
  });

  test("outside of the curve the nearest end stands in and says so", () => {
    expect(resamplingAt(curve, 1, "generated", 1)).toMatchObject({ samples: 1, outside: "below" });
    expect(resamplingAt(curve, 100, "generated", 1)).toMatchObject({
      samples: 3,
      outside: "above",
      accuracy: curve[2].accuracy,
    });
    expect(resamplingAt(curve, 4, "generated", 1)!.outside).toBeUndefined();
    expect(resamplingAt([], 4, "generated", 1)).toBeUndefined();
  });
});

test("a pool is made from a voting method's attempts; unknown tokens make no pool", () => {
  const usage = { calls: 1, inputTokens: 7, outputTokens: 4, milliseconds: 0 };
  const attempts = [
    { answer: "The answer is 4", extracted: " 4 ", accuracy: 1, outputTokens: 2 },
    { answer: "5", accuracy: 0, outputTokens: 2 },
  ];
  const record = {
    item: "x",
    method: "self-consistency",
    sample: 0,
    text: "",
    answer: "",
    accuracy: 1,
    verdict: "ok",
    refinements: 0,
    reason: "done",
    usage,
  } as const;
  expect(poolFromRecords([{ ...record, attempts }])).toEqual([
    {
      item: "x",
      promptTokens: 7,
      samples: [
        { vote: "4", accuracy: 1, outputTokens: 2 },
        { vote: "5", accuracy: 0, outputTokens: 2 },
      ],
    },
  ]);
  expect(poolFromRecords([{ ...record, attempts: [{ answer: "5", accuracy: 0 }] }])).toEqual([]);
  expect(poolFromRecords([{ ...record, attempts, usage: { ...usage, inputTokens: undefined } }])).toEqual([]);
  expect(poolFromRecords([record])).toEqual([]);
});
