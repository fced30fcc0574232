/** Records to results.json: each method's accuracy and cost, what became of plain answers, the resampling baseline, paired comparisons. */
import type { Item } from "#kernel/item.ts";
import { allTokens, type EvaluationRecord } from "./records/evaluation-record.ts";
import type { Comparison, MethodResult, ResamplingResult, Results } from "./results.ts";
import {
  poolFromRecords,
  type ResamplingPoint,
  resamplingAt,
  resamplingCurve,
  type TokenConvention,
} from "./statistics/resampling.ts";
import { accuracyWithInterval, bootstrapMean, holm, mean, median, pairedDifference } from "./statistics/statistics.ts";
import { countTransitions, transitionShares } from "./statistics/transitions.ts";

export interface Prices {
  /** Dollars for a million tokens. */
  inputPerMillion: number;
  outputPerMillion: number;
}

export interface SummaryPlan {
  /** Name of the run. */
  run: string;
  temperature: number;
  items: readonly Item[];
  /** Records of every method; method ids tell models apart too (`vanilla` of the base, `pasr` of the trained one). */
  records: readonly EvaluationRecord[];
  seed: number;
  /** Order of the rows; that of first appearance when left out. */
  methods?: readonly string[];
  /** What transitions start from; `vanilla` when left out. */
  baseline?: string;
  /** The voting method whose samples are the resampling pool; `self-consistency` when left out. */
  pool?: string;
  /** The form in which that method counts votes. */
  normalise?: (answer: string) => string;
  /** Pairs to compare; the last method with each other one when left out. */
  comparisons?: readonly (readonly [a: string, b: string])[];
  /** Known prices; without them no dollars are given. */
  prices?: Prices;
}

export function summarise(plan: SummaryPlan): Results {
  const { run, temperature, items, records, seed, baseline = "vanilla", pool = "self-consistency", prices } = plan;
  const byMethod = Map.groupBy(records, (record) => record.method);
  const ids = (plan.methods ?? [...byMethod.keys()]).filter((id) => byMethod.has(id));
  const samples = poolFromRecords(byMethod.get(pool) ?? [], plan.normalise);
  const curve = resamplingCurve(samples, { seed });
  const poolItems = samples.map((entry) => entry.item);
  const methods = ids.map((id): MethodResult => {
    const own = byMethod.get(id)!;
    return {
      id,
      ...measure(own, prices),
      ...compareWithBaseline(own, byMethod.get(baseline) ?? []),
      ...resample(own, curve, poolItems, seed),
    };
  });
  const last = ids.at(-1);
  const pairs = plan.comparisons ?? ids.slice(0, -1).map((id) => [last!, id] as const);
  return {
    schema: 1,
    run,
    temperature,
    items: items.length,
    baseline,
    methods,
    comparisons: compareAll(pairs, byMethod, seed),
    resamplingCurve: curve.map(({ perItem: _, ...point }) => point),
  };
}

/** What can be said of one method by itself. */
function measure(records: readonly EvaluationRecord[], prices: Prices | undefined) {
  const scores = scoresByItem(records);
  const generated = known(records.map((record) => record.usage.outputTokens));
  const all = known(records.map((record) => allTokens(record.usage)));
  const right = records.reduce((sum, record) => sum + record.accuracy, 0);
  const perCorrect = (total: number | undefined) => (total === undefined || right === 0 ? undefined : total / right);
  const dollars =
    prices &&
    all &&
    generated &&
    (prices.inputPerMillion * (sum(all) - sum(generated)) + prices.outputPerMillion * sum(generated)) / 1e6;
  const ownTransitions = transitionShares(
    countTransitions(
      records.filter((record) => record.attempts).map((record) => [record.attempts![0].accuracy, record.accuracy]),
    ),
  );
  const several = records.some((record) => record.attempts);
  return {
    ...accuracyWithInterval([...scores.values()]),
    answers: records.length,
    items: scores.size,
    failures: records.filter((record) => record.error !== undefined).length,
    tokensPerAnswer: generated && mean(generated),
    medianTokensPerAnswer: generated && median(generated),
    allTokensPerAnswer: all && mean(all),
    callsPerAnswer: mean(records.map((record) => record.usage.calls)),
    tokensPerCorrect: perCorrect(all && sum(all)),
    generatedTokensPerCorrect: perCorrect(generated && sum(generated)),
    costPerCorrect: perCorrect(dollars),
    formatRate: mean(records.map((record) => (record.verdict === "ok" ? 1 : 0))),
    refinementsPerAnswer: mean(records.map((record) => record.refinements)),
    ...(several ? { ownRightToWrong: ownTransitions.rightToWrong, ownWrongToRight: ownTransitions.wrongToRight } : {}),
  };
}

/** Shares of answers that were right in the baseline and are wrong here, and the reverse; paired by item and sample. */
function compareWithBaseline(records: readonly EvaluationRecord[], baseline: readonly EvaluationRecord[]) {
  const before = new Map(baseline.map((record) => [JSON.stringify([record.item, record.sample]), record.accuracy]));
  const pairs = records.flatMap((record): [number, number][] => {
    const accuracy = before.get(JSON.stringify([record.item, record.sample]));
    return accuracy === undefined ? [] : [[accuracy, record.accuracy]];
  });
  const { rightToWrong, wrongToRight, rightToRight, wrongToWrong } = transitionShares(countTransitions(pairs));
  return { rightToWrong, wrongToRight, rightToRight, wrongToWrong };
}

/** The resampling baseline at this method's tokens, on the items both have. */
function resample(
  records: readonly EvaluationRecord[],
  curve: readonly ResamplingPoint[],
  poolItems: readonly string[],
  seed: number,
): { resampling?: Record<TokenConvention, ResamplingResult> } {
  const generated = known(records.map((record) => record.usage.outputTokens));
  const all = known(records.map((record) => allTokens(record.usage)));
  if (!generated || !all || curve.length === 0) return {};
  const scores = scoresByItem(records);
  const shared = [...poolItems.keys()].filter((index) => scores.has(poolItems[index]));
  if (shared.length === 0) return {};
  const at = (tokens: number, convention: TokenConvention): ResamplingResult => {
    const { accuracy, interval, perItem, samples, outside } = resamplingAt(curve, tokens, convention, seed)!;
    const differences = shared.map((index) => mean(scores.get(poolItems[index])!) - perItem[index]);
    return {
      accuracyAtSameTokens: accuracy,
      interval,
      samples,
      difference: mean(differences),
      differenceInterval: bootstrapMean(differences, { seed }),
      ...(outside ? { outside } : {}),
    };
  };
  return { resampling: { generated: at(mean(generated), "generated"), all: at(mean(all), "all") } };
}

function compareAll(
  pairs: readonly (readonly [string, string])[],
  byMethod: ReadonlyMap<string, readonly EvaluationRecord[]>,
  seed: number,
): Comparison[] {
  const comparisons = pairs.flatMap(([a, b]): Comparison[] => {
    const first = scoresByItem(byMethod.get(a) ?? []);
    const second = scoresByItem(byMethod.get(b) ?? []);
    const shared = [...first.keys()].filter((item) => second.has(item));
    if (shared.length < 2) return [];
    const means = (scores: Map<string, number[]>) => shared.map((item) => mean(scores.get(item)!));
    const { difference, interval, pValue, test, items } = pairedDifference(means(first), means(second), { seed });
    return [{ a, b, difference, interval, pValue, pHolm: pValue, test, items }];
  });
  const corrected = holm(comparisons.map((comparison) => comparison.pValue));
  return comparisons.map((comparison, index) => ({ ...comparison, pHolm: corrected[index] }));
}

function scoresByItem(records: readonly EvaluationRecord[]): Map<string, number[]> {
  const scores = new Map<string, number[]>();
  for (const { item, accuracy } of records) {
    const samples = scores.get(item);
    if (samples) samples.push(accuracy);
    else scores.set(item, [accuracy]);
  }
  return scores;
}

/** The values, or undefined when one of them is: a sum with an unknown part is unknown. */
function known(values: readonly (number | undefined)[]): readonly number[] | undefined {
  return values.every((value) => value !== undefined) && values.length > 0 ? values : undefined;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
