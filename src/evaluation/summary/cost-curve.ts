/**
 * Resampling at a method's own cost, from one pool of plain samples an item: k samples for every k up to the pool's size cost no further
 * call. Between two whole numbers of samples accuracy is interpolated; outside of the pool its nearest end stands in, and says so.
 *
 * What k samples cost is measured, not assumed: the prompt tokens of the pool's own calls say whether a server charges one prompt for
 * many samples or one for each.
 */
import { mean, sum } from "#kernel/numbers.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import type { SlimRecord } from "../records/slim-record.ts";
import { bootstrapColumns } from "../statistics/bootstrap.ts";
import { bestOfK, passAllK, passAtK } from "../statistics/sample-metrics.ts";
import { isRight } from "../statistics/transitions.ts";
import { expectedVotes } from "../statistics/votes.ts";
import { unknownCost } from "./costs.ts";
import type { CurvePoint, ResamplingPool, ResamplingRule } from "./results.ts";

/** One curve with what is needed to compare a method to it. */
export interface CostCurve {
  rule: ResamplingRule;
  pool: ResamplingPool;
  items: string[];
  points: CurvePoint[];
  /** `perItem[k − 1][i]`: expected accuracy of item i with k samples. */
  perItem: number[][];
}

export interface CurveOptions {
  rule: ResamplingRule;
  seed: number;
  clusterOf: (item: string) => string;
  /** Mean dollars of one plain answer, where known. */
  dollarsOfOne?: number | undefined;
}

/** One answer's pool: what its samples cost together. */
interface Sampled {
  item: string;
  record: SlimRecord;
  size: number;
}

/** The curve, or why there is none. */
export function costCurve(records: readonly SlimRecord[], options: CurveOptions): CostCurve | { missing: string } {
  const { rule } = options;
  const method = records[0]?.method;
  if (method === undefined) return { missing: "no plain samples were drawn" };
  const several = records.flatMap((record): Sampled[] => {
    const size = record.attempts?.length ?? 0;
    return size > 1 ? [{ item: record.item, record, size }] : [];
  });
  if (several.length === 0) return { missing: `${method} has fewer than two graded samples an answer` };
  const metered = several.filter(({ record }) => isMetered(record));
  if (metered.length < several.length * 0.9) return { missing: unknownCost(several.map(({ record }) => record)) };
  const scored = rule === "best-of-n" ? metered.filter(({ record }) => isScored(record)) : metered;
  if (rule === "best-of-n" && scored.length === 0) return { missing: `${method} has no scores of its samples` };
  if (scored.length < 2) return { missing: `${method} has samples of one item alone` };
  const largest = commonSize(scored.map(({ size }) => size));
  const used = scored.filter(({ size }) => size >= largest);
  const byItem = Map.groupBy(used, ({ item }) => item);
  const items = [...byItem.keys()];
  const expected = items.map((item) => {
    const own = byItem.get(item)!.map(({ record }) => expectedAccuracies(record, largest, rule, options.seed));
    return Array.from({ length: largest }, (_, index) => mean(own.map((accuracies) => accuracies[index])));
  });
  const perItem = Array.from({ length: largest }, (_, index) => expected.map((accuracies) => accuracies[index]));
  const intervals = bootstrapColumns(perItem, items.map(options.clusterOf), {
    seed: deriveSeed(options.seed, "curve", rule),
    draws: 2000,
  });
  const costs = costsOf(used, options.dollarsOfOne);
  const points = perItem.map((accuracies, index): CurvePoint => {
    const k = index + 1;
    const share = (of: typeof passAtK) =>
      mean(items.map((item) => mean(byItem.get(item)!.map(({ record, size }) => of(size, rightOf(record), k)))));
    return {
      samples: k,
      accuracy: mean(accuracies),
      interval: intervals[index].interval,
      ...costs.at(k),
      passAtK: share(passAtK),
      passAllK: share(passAllK),
    };
  });
  const asked = new Set(records.map(({ item }) => item)).size;
  const pool = {
    method,
    rule,
    samples: largest,
    items: items.length,
    itemsLeftOut: asked - items.length,
    prompts: costs.prompts,
  };
  return { rule, pool, items, points, perItem };
}

/**
 * Resampling needs a temperature, and a model's greedy answer is often better than any one of its samples. Whoever has tokens for k samples
 * has them for the greedy answer too, so in a greedy run the baseline at each cost is the better of the two on average: the plain answer,
 * or the vote of k samples. Without this every method that starts from the greedy answer would seem to beat resampling.
 *
 * The curve with the plain answers' accuracy wherever the samples do worse; the same curve where they never do or an item has no answer.
 */
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

export interface AtCost {
  /** Samples that the cost pays for. */
  samples: number;
  accuracy: number;
  /** Expected accuracy of each item of the curve. */
  perItem: number[];
  outside?: "below" | "above";
}

/** The curve where `costOf` a point reaches `cost`. */
export function curveAt(curve: CostCurve, cost: number, costOf: (point: CurvePoint) => number): AtCost {
  const { points, perItem } = curve;
  const costs = points.map(costOf);
  const last = points.length - 1;
  if (cost <= costs[0])
    return { samples: 1, accuracy: points[0].accuracy, perItem: perItem[0], ...(cost < costs[0] ? { outside: "below" } : {}) };
  if (cost >= costs[last]) {
    const end = { samples: points[last].samples, accuracy: points[last].accuracy, perItem: perItem[last] };
    return { ...end, ...(cost > costs[last] ? { outside: "above" } : {}) };
  }
  const above = costs.findIndex((value) => value > cost);
  const share = (cost - costs[above - 1]) / (costs[above] - costs[above - 1]);
  const between = perItem[above - 1].map((value, item) => value + (perItem[above][item] - value) * share);
  return { samples: above + share, accuracy: mean(between), perItem: between };
}

function isMetered({ usage }: SlimRecord): boolean {
  return usage.inputTokens !== undefined && usage.outputTokens !== undefined;
}

function isScored({ attempts }: SlimRecord): boolean {
  return attempts!.every((attempt) => attempt.score !== undefined);
}

/** The size that 95 % of the pools reach: one lost sample shortens no other item's pool. */
function commonSize(sizes: readonly number[]): number {
  const sorted = [...sizes].sort((first, second) => first - second);
  return sorted[Math.floor(sorted.length * 0.05)];
}

function rightOf({ attempts }: SlimRecord): number {
  return attempts!.filter((attempt) => isRight(attempt.accuracy)).length;
}

function expectedAccuracies(
  { item, sample, attempts }: SlimRecord,
  largest: number,
  rule: ResamplingRule,
  seed: number,
): number[] {
  if (rule === "single") return new Array<number>(largest).fill(mean(attempts!.map((attempt) => attempt.accuracy)));
  if (rule === "best-of-n") {
    const scored = attempts!.map(({ accuracy, score }) => ({ accuracy, score: score! }));
    return Array.from({ length: largest }, (_, index) => bestOfK(scored, index + 1));
  }
  const [, ...votes] = expectedVotes(attempts!, largest, 200, new Random(deriveSeed(seed, "orders", item, sample)));
  // Of one sample the expectation is known exactly.
  return [mean(attempts!.map(({ vote, accuracy }) => (vote === "" ? 0 : accuracy))), ...votes];
}

/** Mean cost of k samples. The first sample pays for the prompt, and each further one for as much of it as the pool's calls did. */
function costsOf(pools: readonly Sampled[], dollarsOfOne: number | undefined) {
  const parts = pools.map(({ record, size }) => {
    const { calls, inputTokens, outputTokens, dollars } = record.usage;
    const prompts = promptsOf(record, calls, size);
    return { ...prompts, other: (inputTokens! - prompts.total) / size, output: outputTokens! / size, dollars, size };
  });
  const first = mean(parts.map((part) => part.first));
  const further = mean(parts.map((part) => part.further));
  const other = mean(parts.map((part) => part.other));
  const output = mean(parts.map((part) => part.output));
  const dollars = parts.every((part) => part.dollars !== undefined) ? dollarLine(parts, dollarsOfOne) : undefined;
  const prompts = further < first * 0.01 ? "paid once" : further > first * 0.99 ? "paid by each sample" : "partly shared";
  return {
    prompts: prompts as ResamplingPool["prompts"],
    at: (k: number) => ({
      generated: k * output,
      all: first + (k - 1) * further + k * (other + output),
      ...(dollars ? { dollars: dollars(k) } : {}),
    }),
  };
}

/** Prompt tokens of the first sample and of each further one. */
function promptsOf({ usage, attempts }: SlimRecord, calls: number, size: number) {
  const known = attempts!.map((attempt) => attempt.inputTokens);
  if (known.every((tokens) => tokens !== undefined) && known[0] > 0) {
    const total = sum(known);
    if (total <= usage.inputTokens!) return { first: known[0], further: (total - known[0]) / (size - 1), total };
  }
  // All prompts are alike, so the number of calls says how often it was paid.
  const first = usage.inputTokens! / Math.min(size, Math.max(1, calls));
  return { first, further: (usage.inputTokens! - first) / (size - 1), total: usage.inputTokens! };
}

/** Dollars are known for one plain answer and for the whole pool; between them they grow in a line. */
function dollarLine(parts: readonly { dollars: number | undefined; size: number }[], dollarsOfOne: number | undefined) {
  const whole = mean(parts.map((part) => part.dollars!));
  const size = mean(parts.map((part) => part.size));
  const one = dollarsOfOne !== undefined && dollarsOfOne <= whole ? dollarsOfOne : whole / size;
  return (k: number) => one + ((k - 1) * (whole - one)) / (size - 1);
}
