/**
 * Resampling needs a temperature, and a model's greedy answer is often better than any one of its samples. Whoever has tokens for k samples
 * has them for the greedy answer too, so in a greedy run the baseline at each cost is the better of the two on average: the plain answer,
 * or the vote of k samples. Without this every method that starts from the greedy answer would seem to beat resampling.
 */
import { deriveSeed } from "#kernel/seed.ts";
import { bootstrapColumns } from "../statistics/bootstrap.ts";
import { mean } from "../statistics/statistics.ts";
import type { CostCurve } from "./equal-cost.ts";

/** The curve with the plain answers' accuracy wherever the samples do worse; the same curve where they never do or an item has no answer. */
export function withPlainFloor(
  curve: CostCurve,
  plain: ReadonlyMap<string, number>,
  clusterOf: (item: string) => string,
  seed: number,
): CostCurve {
  const own = curve.items.map((item) => plain.get(item));
  if (own.some((value) => value === undefined)) return curve;
  const perPlain = own as number[];
  const accuracy = mean(perPlain);
  if (curve.points.every((point) => point.accuracy >= accuracy)) return curve;
  const [bounds] = bootstrapColumns([perPlain], curve.items.map(clusterOf), {
    seed: deriveSeed(seed, "plain-floor"),
    draws: 2000,
  });
  const isBelow = curve.points.map((point) => point.accuracy < accuracy);
  return {
    ...curve,
    pool: { ...curve.pool, floor: "plain answer" },
    points: curve.points.map((point, index) => (isBelow[index] ? { ...point, accuracy, interval: bounds!.interval } : point)),
    perItem: curve.perItem.map((values, index) => (isBelow[index] ? perPlain : values)),
  };
}
