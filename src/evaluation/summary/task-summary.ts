/** One task of a benchmark run: every method by itself, against plain answers, and against resampling at the same cost. */
import type { Budget } from "#kernel/budget.ts";
import { mean } from "#kernel/numbers.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { knownFields } from "../records/evaluation-record.ts";
import type { SlimRecord } from "../records/slim-record.ts";
import { holm, holmOfFamilies, type Interval, median } from "../statistics/statistics.ts";
import { countTransitions, transitionShares } from "../statistics/transitions.ts";
import { type CostCurve, costCurve, withPlainFloor } from "./cost-curve.ts";
import { meanCost, unknownCost } from "./costs.ts";
import { equalCost, finishCost } from "./equal-cost.ts";
import { clusterName, itemMeans, ownFigures } from "./method-figures.ts";
import { clusterShares, comparePaired, PairedColumns } from "./paired-columns.ts";
import { passAtTokens, passOfPool } from "./pass-at-tokens.ts";
import type { CostKind, EqualCost, MethodResult, PairedResult, TaskResult, TimeResult } from "./results.ts";

export interface SummaryTask {
  id: string;
  title?: string | undefined;
  promptVersion?: string | undefined;
  chance?: number | undefined;
  /** Items asked for. */
  items: number;
  /** False where answers cannot be voted on: programs, summaries. */
  votable?: boolean;
}

export interface TaskSetting {
  seed: number;
  baseline: string;
  /** Order of the rows. */
  methods: readonly string[];
  /** The method whose samples are the pool, and the one whose samples carry scores, where there are such. */
  pool: string | undefined;
  scoredPool: string | undefined;
  budget?: Budget | undefined;
  /** Plain answers are the model's likeliest ones, which resampling need not do worse than. */
  greedy: boolean;
  /** Further pairs, first minus second. */
  comparisons?: readonly (readonly [a: string, b: string])[] | undefined;
}

/** What the means over all tasks are made from. */
export interface TaskDifferences {
  versusBaseline: Map<string, TaskDifference>;
  versusResampling: Map<string, TaskDifference>;
}

export interface TaskDifference {
  mean: number;
  interval: Interval;
  /** What each cluster of items adds to the mean. */
  shares: readonly number[];
  pValue: number;
  /** Corrected over the methods of the task. */
  pHolm: number;
}

export interface TaskSummary {
  result: TaskResult;
  times: TimeResult[];
  differences: TaskDifferences;
}

export function summariseTask(plan: SummaryTask, records: readonly SlimRecord[], setting: TaskSetting): TaskSummary {
  const { baseline, pool, scoredPool } = setting;
  const seed = deriveSeed(setting.seed, "task", plan.id);
  const byMethod = Map.groupBy(records, (record) => record.method);
  const rows = setting.methods.filter((id) => byMethod.has(id));
  const clusters = new Map(records.map((record) => [record.item, clusterName(record)]));
  const clusterOf = (item: string) => clusters.get(item)!;
  const plain = byMethod.get(baseline) ?? [];
  const dollarsOfOne = meanCost(plain, "dollars");
  const curveOf = (id: string | undefined, rule: "vote" | "single" | "best-of-n") =>
    costCurve(byMethod.get(id ?? "") ?? [], { rule, seed, clusterOf, dollarsOfOne });
  const plainScores = itemMeans(plain);
  const found = curveOf(pool, plan.votable === false ? "single" : "vote");
  const sampled = "missing" in found ? undefined : found;
  const curve = sampled && setting.greedy ? withPlainFloor(sampled, plainScores, clusterOf, seed) : sampled;
  const scored = scoredPool === undefined ? undefined : curveOf(scoredPool, "best-of-n");
  const bestCurve = scored === undefined || "missing" in scored ? undefined : scored;

  // What resampling begins with is not compared with it.
  const isFloor = (id: string) => id === baseline && setting.greedy && curve !== undefined;

  const columns = new PairedColumns(seed, clusterOf);
  const paired = { clusterOf, seed, columns };
  const scores = new Map(rows.map((id) => [id, itemMeans(byMethod.get(id)!)]));
  const passRates = sampled ? new Map(sampled.items.map((item, index) => [item, sampled.perItem[0][index]])) : plainScores;
  const pending = rows.map((id) => {
    const own = byMethod.get(id)!;
    const means = scores.get(id)!;
    const at = (target: CostCurve | undefined, kind: CostKind) =>
      target && id !== target.pool.method && !isFloor(id)
        ? equalCost({ own, means, curve: target, kind, plain, columns, clusterOf, seed })
        : undefined;
    return {
      id,
      own,
      versusBaseline: id === baseline ? undefined : versus(means, plainScores, paired),
      atCost: {
        generated: at(curve, "generated"),
        all: at(curve, "all"),
        dollars: at(curve, "dollars"),
        seconds: at(curve, "seconds"),
      },
      best: { generated: at(bestCurve, "generated"), all: at(bestCurve, "all") },
    };
  });

  const comparisons = (setting.comparisons ?? []).flatMap(([a, b]) => {
    const [first, second] = [scores.get(a), scores.get(b)];
    const compared = first && second && versus(first, second, paired);
    return compared ? [{ a, b, compared }] : [];
  });
  const corrected = holmOfFamilies(
    pending.map(({ id, versusBaseline }) => [pairKey(id, baseline), versusBaseline?.result.pValue]),
    comparisons.map(({ a, b, compared }) => [pairKey(a, b), compared.result.pValue]),
  );
  const correctedCost = holm(pending.map(({ id, atCost }) => [id, atCost.generated?.result.pValue]));
  const differences: TaskDifferences = { versusBaseline: new Map(), versusResampling: new Map() };
  const times: TimeResult[] = [];
  const methods = pending.map(({ id, own, versusBaseline, atCost, best }): MethodResult => {
    const fromPlain = versusBaseline && finishPaired(versusBaseline, columns, corrected.get(pairKey(id, baseline))!);
    if (versusBaseline && fromPlain)
      differences.versusBaseline.set(id, {
        mean: fromPlain.difference,
        interval: fromPlain.interval,
        shares: versusBaseline.shares,
        pValue: fromPlain.pValue,
        pHolm: fromPlain.pHolm,
      });
    const generated = atCost.generated && { ...finishCost(atCost.generated, columns), pHolm: correctedCost.get(id)! };
    if (atCost.generated && generated)
      differences.versusResampling.set(id, {
        mean: generated.difference,
        interval: generated.differenceInterval,
        shares: atCost.generated.shares,
        pValue: generated.pValue,
        pHolm: generated.pHolm,
      });
    const resampling = present({ generated, all: finishCost(atCost.all, columns), dollars: finishCost(atCost.dollars, columns) });
    const bestOfN = present({ generated: finishCost(best.generated, columns), all: finishCost(best.all, columns) });
    const time = timeOf(plan.id, id, own, finishCost(atCost.seconds, columns));
    if (time) times.push(time);
    return {
      ...ownFigures(id, own, passRates),
      ...knownFields({ overBudget: setting.budget && overBudget(own, setting.budget) }),
      ...transitionFigures(own, plain, id === baseline),
      ...knownFields({ versusBaseline: fromPlain }),
      ...(resampling ? { resampling } : isFloor(id) ? {} : { notComparable: reasonAgainst(id, own, found, pool) }),
      ...knownFields({ bestOfN }),
    };
  });
  const units = new Set(clusters.values()).size;
  const passes = [
    ...(curve ? [passOfPool(curve.pool.method, curve.points)] : []),
    ...rows.filter((id) => id !== curve?.pool.method).flatMap((id) => passAtTokens(id, byMethod.get(id)!) ?? []),
  ];
  const result: TaskResult = {
    task: plan.id,
    ...knownFields({ title: plan.title, promptVersion: plan.promptVersion, chance: plan.chance }),
    items: plan.items,
    ...(units < clusters.size ? { clusters: units } : {}),
    baseline,
    methods,
    ...(curve ? { pool: curve.pool } : {}),
    resamplingCurve: curve?.points ?? [],
    ...("missing" in found ? { poolMissing: found.missing } : {}),
    ...(bestCurve ? { bestOfN: bestCurve.pool, bestOfNCurve: bestCurve.points } : {}),
    passAtTokens: passes,
    ...(setting.comparisons === undefined
      ? {}
      : {
          comparisons: comparisons.map((pair) => ({
            a: pair.a,
            b: pair.b,
            ...finishPaired(pair.compared, columns, corrected.get(pairKey(pair.a, pair.b))!),
          })),
        }),
  };
  return { result, times, differences };
}

/** A budget is asked before each call, so that the call which goes over it is finished; a first one that does is all there is. */
function overBudget(own: readonly SlimRecord[], budget: Budget): MethodResult["overBudget"] {
  const isOver = ({ usage: { calls, inputTokens = 0, outputTokens = 0, dollars = 0 } }: SlimRecord) =>
    inputTokens + outputTokens > (budget.tokens ?? Number.POSITIVE_INFINITY) ||
    outputTokens > (budget.outputTokens ?? Number.POSITIVE_INFINITY) ||
    calls > (budget.calls ?? Number.POSITIVE_INFINITY) ||
    dollars > (budget.dollars ?? Number.POSITIVE_INFINITY);
  const over = own.filter(isOver);
  return over.length === 0
    ? undefined
    : { answers: over.length, byFirstCall: over.filter(({ usage }) => usage.calls <= 1).length };
}

/** Of two methods in either order, which are one comparison. */
function pairKey(first: string, second: string): string {
  return JSON.stringify([first, second].sort());
}

interface PendingPair {
  result: Omit<PairedResult, "interval" | "pHolm">;
  column: symbol;
  shares: number[];
}

function versus(
  means: ReadonlyMap<string, number>,
  others: ReadonlyMap<string, number>,
  { clusterOf, seed, columns }: { clusterOf: (item: string) => string; seed: number; columns: PairedColumns },
): PendingPair | undefined {
  const shared = [...means.keys()].filter((item) => others.has(item));
  if (shared.length < 2) return undefined;
  const [first, second] = [means, others].map((scores) => shared.map((item) => scores.get(item)!)) as [number[], number[]];
  const differences = first.map((score, index) => score - second[index]);
  const clusters = shared.map(clusterOf);
  return {
    result: comparePaired(first, second, clusters, seed),
    column: columns.add(shared, differences, -1),
    shares: clusterShares(differences, clusters),
  };
}

function finishPaired({ result, column }: PendingPair, columns: PairedColumns, pHolm: number): PairedResult {
  return { ...result, interval: columns.of(column).interval, pHolm };
}

function reasonAgainst(
  id: string,
  own: readonly SlimRecord[],
  found: CostCurve | { missing: string },
  pool: string | undefined,
): string {
  if (id === pool) return "its own samples are the resampling pool";
  if ("missing" in found) return `no resampling pool: ${found.missing}`;
  if (meanCost(own, "all") === undefined) return unknownCost(own);
  return "it shares fewer than two items with the resampling pool";
}

/** From the baseline's answer to this method's, paired by item and sample. */
function transitionFigures(own: readonly SlimRecord[], plain: readonly SlimRecord[], isBaseline: boolean) {
  const before = new Map(plain.map((record) => [JSON.stringify([record.item, record.sample]), record.accuracy]));
  const pairs = own.flatMap((record): [number, number][] => {
    const accuracy = before.get(JSON.stringify([record.item, record.sample]));
    return accuracy === undefined ? [] : [[accuracy, record.accuracy]];
  });
  const transitions = countTransitions(pairs);
  const shares = transitionShares(transitions);
  if (isBaseline || pairs.length === 0) return shares;
  const wrong = transitions.wrongToRight + transitions.wrongToWrong;
  const right = transitions.rightToRight + transitions.rightToWrong;
  return {
    ...shares,
    transitions,
    ...(wrong > 0 ? { correctionRate: transitions.wrongToRight / wrong } : {}),
    ...(right > 0 ? { damageRate: transitions.rightToWrong / right } : {}),
  };
}

function timeOf(
  task: string,
  method: string,
  own: readonly SlimRecord[],
  resampling: EqualCost | undefined,
): TimeResult | undefined {
  const seconds = own.flatMap((record) => record.seconds ?? []);
  if (seconds.length === 0) return undefined;
  const figures = { task, method, answers: seconds.length, meanSeconds: mean(seconds), medianSeconds: median(seconds) };
  return { ...figures, ...knownFields({ resampling }) };
}

function present<T extends object>(entries: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } | undefined {
  const known = Object.entries(entries).filter(([, value]) => value !== undefined);
  return known.length > 0 ? (Object.fromEntries(known) as never) : undefined;
}
