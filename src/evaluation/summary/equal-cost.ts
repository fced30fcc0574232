/** One method against resampling at its own cost, by any of the ways to count cost. */
import { mean } from "#kernel/numbers.ts";
import type { SlimRecord } from "../records/slim-record.ts";
import { meanKnown } from "../statistics/statistics.ts";
import { type CostCurve, curveAt } from "./cost-curve.ts";
import { meanCost } from "./costs.ts";
import { clusterShares, flipP, type PairedColumns } from "./paired-columns.ts";
import type { CostKind, CurvePoint, EqualCost } from "./results.ts";

export interface PendingCost {
  result: Omit<EqualCost, "interval" | "differenceInterval">;
  baselineColumn: symbol;
  column: symbol;
  /** What each cluster adds to the difference. */
  shares: number[];
}

export interface CostComparison {
  /** The method's answers, and its mean accuracy on each item. */
  own: readonly SlimRecord[];
  means: ReadonlyMap<string, number>;
  curve: CostCurve;
  kind: CostKind;
  /** Plain answers, for what one sample takes in seconds. */
  plain: readonly SlimRecord[];
  columns: PairedColumns;
  clusterOf: (item: string) => string;
  seed: number;
}

/** Undefined where the cost is unknown, or fewer than two items are shared. */
export function equalCost(comparison: CostComparison): PendingCost | undefined {
  const { own, means, curve, kind, plain, columns, clusterOf, seed } = comparison;
  const shared = [...curve.items.keys()].filter((index) => means.has(curve.items[index]));
  if (shared.length < 2) return undefined;
  const items = new Set(shared.map((index) => curve.items[index]));
  const cost = meanCost(
    own.filter((record) => items.has(record.item)),
    kind,
  );
  const secondsOfOne = kind === "seconds" ? meanKnown(plain.map((record) => record.seconds)) : undefined;
  const pointCost = (point: CurvePoint) => (kind === "seconds" ? secondsOfOne && secondsOfOne * point.samples : point[kind]);
  if (cost === undefined || curve.points.some((point) => pointCost(point) === undefined)) return undefined;
  const { samples, accuracy, perItem, outside } = curveAt(curve, cost, (point) => pointCost(point)!);
  const names = shared.map((index) => curve.items[index]);
  const baseline = shared.map((index) => perItem[index]);
  const differences = shared.map((index) => means.get(curve.items[index])! - perItem[index]);
  const shares = clusterShares(differences, names.map(clusterOf));
  return {
    result: {
      rule: curve.rule,
      accuracyAtSameTokens: accuracy,
      samples,
      difference: mean(differences),
      ...(outside ? { outside } : {}),
      pValue: flipP(shares, seed),
    },
    baselineColumn: columns.add(names, baseline, 0),
    column: columns.add(names, differences, -1),
    shares,
  };
}

export function finishCost(pending: PendingCost, columns: PairedColumns): EqualCost;
export function finishCost(pending: PendingCost | undefined, columns: PairedColumns): EqualCost | undefined;
export function finishCost(pending: PendingCost | undefined, columns: PairedColumns): EqualCost | undefined {
  if (!pending) return undefined;
  return {
    ...pending.result,
    interval: columns.of(pending.baselineColumn).interval,
    differenceInterval: columns.of(pending.column).interval,
  };
}
