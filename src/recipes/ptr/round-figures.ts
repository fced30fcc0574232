/** What the records of `ptr-rounds` say round by round: accuracy, what changed, what it cost, and the vote at equal cost. Pure. */
import { type EvaluationRecord, knownFields } from "#evaluation/records/evaluation-record.ts";
import type { SlimRecord } from "#evaluation/records/slim-record.ts";
import { bootstrapColumns } from "#evaluation/statistics/bootstrap.ts";
import { type Interval, meanKnown } from "#evaluation/statistics/statistics.ts";
import { countTransitions } from "#evaluation/statistics/transitions.ts";
import { type AtCost, type CostCurve, costCurve, curveAt } from "#evaluation/summary/cost-curve.ts";
import { clusterName } from "#evaluation/summary/method-figures.ts";
import { pairedDifference } from "#evaluation/summary/paired-columns.ts";
import { mean } from "#kernel/numbers.ts";

/** A mean difference over items, from −1 to 1, with its 95 % bootstrap interval. */
export type Gain = { difference: number; interval: Interval; pValue: number };

/** Tokens are means of an answer; absent where they are not known of more than one answer in ten. */
export type RoundFigures = {
  round: number;
  /** Mean over all items; of a conversation that ended earlier, as at the model's context, the last answer stands. */
  accuracy: number;
  /** 95 %, bootstrap over items. */
  interval: Interval;
  /** Items that had an answer of this round. */
  answered: number;
  /** Sampled tokens of all rounds up to this one. */
  generated?: number;
  /** The same with the prompts of every call: each round reads the whole conversation again. */
  all?: number;
  /** Items against the round before; 0 in round 1. */
  wrongToRight: number;
  rightToWrong: number;
  /** Against round 1, from round 2 on. */
  againstFirst?: Gain & { wrongToRight: number; rightToWrong: number };
  /** Plain answers, as many as the sampled tokens up to this round pay for, put to the vote. */
  vote?: VoteFigures;
};

export type VoteFigures = {
  accuracy: number;
  /** Plain answers; a broken number is interpolated between two votes. */
  samples: number;
  /** Fewer tokens than one plain answer has, or more than there were samples for. */
  outside?: "below" | "above";
  /** The round minus the vote. */
  gain: Gain;
};

export interface RoundOptions {
  rounds: number;
  seed: number;
  /** Answers of a vote over plain samples of the same items by the same model. */
  pool?: readonly SlimRecord[];
}

type RoundRecord = Pick<EvaluationRecord, "item" | "cluster" | "accuracy" | "attempts" | "usage" | "text">;

/** From records of `ptr-rounds`, one an item; none for no records. */
export function roundFigures(records: readonly RoundRecord[], options: RoundOptions): RoundFigures[] {
  const { rounds, seed, pool = [] } = options;
  if (records.length === 0) return [];
  const accuracies = Array.from({ length: rounds }, (_, index) => accuracyBy(records, index + 1));
  const first = accuracies[0];
  const clusters = records.map(clusterName);
  const clusterAt = new Map(records.map(({ item }, index) => [item, clusters[index]]));
  const intervals = bootstrapColumns(accuracies, clusters, { seed });
  const found = costCurve(pool, { rule: "vote", seed, clusterOf: (item) => clusterAt.get(item) ?? `item ${item}` });
  const curve = "missing" in found ? undefined : found;
  return accuracies.map((now, index): RoundFigures => {
    const round = index + 1;
    const generated = meanKnown(records.map((record) => tokensBy(record, round, ({ outputTokens }) => outputTokens)));
    const all = meanKnown(records.map((record) => tokensBy(record, round, withPrompts)));
    const { wrongToRight, rightToWrong } = changes(accuracies[index - 1] ?? now, now);
    const vote = curve && generated !== undefined ? curveAt(curve, generated, (point) => point.generated) : undefined;
    return {
      round,
      accuracy: mean(now),
      interval: intervals[index].interval,
      answered: records.filter((record) => answersOf(record) >= round).length,
      ...knownFields({ generated, all }),
      wrongToRight,
      rightToWrong,
      ...(round === 1 ? {} : { againstFirst: { ...gain(now, first, clusters, seed), ...changes(first, now) } }),
      ...(curve && vote ? { vote: voteFigures(records, now, curve, vote, seed) } : {}),
    };
  });
}

/** Round by round the second set of records minus the first, on the items that both have. */
export function roundGains(before: readonly RoundRecord[], after: readonly RoundRecord[], options: RoundOptions): Gain[] {
  const { rounds, seed } = options;
  const earlier = new Map(before.map((record) => [record.item, record]));
  const pairs = after.flatMap((record) => {
    const other = earlier.get(record.item);
    return other === undefined ? [] : [[other, record] as const];
  });
  if (pairs.length === 0) return [];
  const [first, second] = [pairs.map(([record]) => record), pairs.map(([, record]) => record)];
  return Array.from({ length: rounds }, (_, index) =>
    gain(accuracyBy(second, index + 1), accuracyBy(first, index + 1), second.map(clusterName), seed),
  );
}

/** A record of one attempt holds no list of attempts. */
function answersOf({ attempts, text }: RoundRecord): number {
  return attempts?.length ?? (text === "" ? 0 : 1);
}

function accuracyBy(records: readonly RoundRecord[], round: number): number[] {
  return records.map(({ accuracy, attempts }) => attempts?.[Math.min(round, attempts.length) - 1]?.accuracy ?? accuracy);
}

type Counted = { inputTokens?: number | undefined; outputTokens?: number | undefined };

function withPrompts({ inputTokens, outputTokens }: Counted): number | undefined {
  return inputTokens === undefined || outputTokens === undefined ? undefined : inputTokens + outputTokens;
}

/** Over all calls up to a round; undefined where one of them is unknown. */
function tokensBy(
  { attempts, usage }: RoundRecord,
  round: number,
  of: (counted: Counted) => number | undefined,
): number | undefined {
  const counts: Counted[] = attempts?.slice(0, round) ?? [usage];
  return counts.reduce<number | undefined>((sum, counted) => {
    const count = of(counted);
    return sum === undefined || count === undefined ? undefined : sum + count;
  }, 0);
}

function changes(before: readonly number[], after: readonly number[]): { wrongToRight: number; rightToWrong: number } {
  const { wrongToRight, rightToWrong } = countTransitions(after.map((accuracy, item) => [before[item], accuracy] as const));
  return { wrongToRight, rightToWrong };
}

function gain(now: readonly number[], other: readonly number[], clusters: readonly string[], seed: number): Gain {
  const { difference, interval, pValue } = pairedDifference(now, other, clusters, seed);
  return { difference, interval, pValue };
}

function voteFigures(
  records: readonly RoundRecord[],
  now: readonly number[],
  { items }: CostCurve,
  { accuracy, samples, perItem, outside }: AtCost,
  seed: number,
): VoteFigures {
  // Items whose samples failed are in no pool; the difference is over the others.
  const voted = new Map(items.map((item, index) => [item, perItem[index]]));
  const both = records.flatMap((record, index) => {
    const expected = voted.get(record.item);
    return expected === undefined ? [] : [{ own: now[index], expected, cluster: clusterName(record) }];
  });
  const against = gain(
    both.map(({ own }) => own),
    both.map(({ expected }) => expected),
    both.map(({ cluster }) => cluster),
    seed,
  );
  return { accuracy, samples, ...(outside ? { outside } : {}), gain: against };
}
