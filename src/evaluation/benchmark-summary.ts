/** Slim records of a benchmark run to results.json: each task, then each method over all tasks. */
import type { BenchmarkResults, OverallDifference, OverallResult } from "./benchmark-results.ts";
import { percentileInterval } from "./bootstrap.ts";
import { bootstrapP } from "./paired-columns.ts";
import type { SlimRecord } from "./slim-record.ts";
import { holm, mean } from "./statistics.ts";
import { type SummaryTask, summariseTask, type TaskSummary } from "./task-summary.ts";

/** The internal method whose samples are the resampling pool. It is a baseline, and no row of its own. */
export const resamplingMethod = "resampling";

export interface BenchmarkSummaryPlan
  extends Pick<BenchmarkResults, "run" | "model" | "command" | "version" | "commit" | "seed" | "temperature" | "samples"> {
  tasks: readonly SummaryTask[];
  /** Of all tasks and methods, in any order. `task` may be absent where there is one task. */
  records: Iterable<SlimRecord>;
  /** Order of the rows; by name, the baseline first, when left out. */
  methods?: readonly string[];
  /** What methods are compared with; `vanilla` when left out. */
  baseline?: string;
  /** The method whose attempts are plain samples; `resampling`, else a self-consistency, when left out. */
  pool?: string;
  /** The method whose attempts are plain samples with a scorer's verdicts; the pool, else a best-of-n, when left out. */
  scoredPool?: string;
}

export function summariseBenchmark(plan: BenchmarkSummaryPlan): BenchmarkResults {
  const { run, model, command, version, commit, seed, temperature, samples, baseline = "vanilla" } = plan;
  const byTask = Map.groupBy(plan.records, (record) => record.task ?? plan.tasks[0]?.id);
  // Records arrive in the order answers were finished, which no two runs share.
  for (const records of byTask.values()) records.sort(byIdentity);
  const ids = [...new Set([...byTask.values()].flatMap((records) => records.map((record) => record.method)))].sort();
  const rows = plan.methods ?? [baseline, ...ids.filter((id) => id !== baseline)];
  const pool = plan.pool ?? findMethod(ids, resamplingMethod) ?? findMethod(ids, "self-consistency");
  const methods = rows.filter((id) => ids.includes(id) && id !== resamplingMethod);
  const summaries = plan.tasks.flatMap((task): TaskSummary[] => {
    const records = byTask.get(task.id) ?? [];
    const scoredPool = plan.scoredPool ?? scoredMethod(records, [pool, findMethod(ids, "best-of-n")]);
    return records.length === 0
      ? []
      : [summariseTask(task, records, { seed, baseline, methods, pool, scoredPool, greedy: temperature === 0 })];
  });
  return {
    schema: 2,
    run,
    model,
    command,
    version,
    ...(commit === undefined ? {} : { commit }),
    seed,
    temperature,
    samples,
    tasks: summaries.map(({ result }) => result),
    overall: overallResults(methods, summaries),
    times: summaries.flatMap(({ times }) => times),
  };
}

function byIdentity(first: SlimRecord, second: SlimRecord): number {
  if (first.method !== second.method) return first.method < second.method ? -1 : 1;
  if (first.item !== second.item) return first.item < second.item ? -1 : 1;
  return first.sample - second.sample;
}

/** The method of that name, options behind it or not. */
function findMethod(ids: readonly string[], name: string): string | undefined {
  return ids.find((id) => id === name) ?? ids.find((id) => id.startsWith(name));
}

function scoredMethod(records: readonly SlimRecord[], candidates: readonly (string | undefined)[]): string | undefined {
  return candidates.find((id) =>
    records.some((record) => record.method === id && (record.attempts ?? []).some((attempt) => attempt.score !== undefined)),
  );
}

function overallResults(methods: readonly string[], summaries: readonly TaskSummary[]): OverallResult[] {
  const rows = methods.flatMap((id) => {
    const own = summaries.flatMap(({ result, draws }) => {
      const accuracy = draws.accuracy.get(id);
      return accuracy ? [{ accuracy, draws, figures: result.methods.find((method) => method.id === id)! }] : [];
    });
    if (own.length === 0) return [];
    const weights = own.map(({ accuracy }) => accuracy.items);
    const parts = own.map(({ accuracy }) => accuracy);
    const tokens = (of: (figures: (typeof own)[number]["figures"]) => number | undefined) => {
      const values = own.map(({ figures }) => of(figures));
      return values.every((value) => value !== undefined) ? mean(values) : undefined;
    };
    const [tokensPerAnswer, allTokensPerAnswer] = [
      tokens((figures) => figures.tokensPerAnswer),
      tokens((figures) => figures.allTokensPerAnswer),
    ];
    return [
      {
        result: {
          id,
          oracle: own.some(({ figures }) => figures.oracle),
          tasks: own.length,
          macro: combined(
            parts,
            parts.map(() => 1),
          ),
          micro: combined(parts, weights),
          ...(tokensPerAnswer === undefined ? {} : { tokensPerAnswer }),
          ...(allTokensPerAnswer === undefined ? {} : { allTokensPerAnswer }),
        } satisfies OverallResult,
        versusBaseline: differenceOver(own.flatMap(({ draws }) => draws.versusBaseline.get(id) ?? [])),
        versusResampling: differenceOver(own.flatMap(({ draws }) => draws.versusResampling.get(id) ?? [])),
      },
    ];
  });
  const correct = (kind: "versusBaseline" | "versusResampling") => holm(rows.flatMap((row) => row[kind]?.pValue ?? []));
  const corrected = { versusBaseline: correct("versusBaseline"), versusResampling: correct("versusResampling") };
  return rows.map(({ result, ...differences }): OverallResult => {
    const finished = (["versusBaseline", "versusResampling"] as const).flatMap((kind) => {
      const difference = differences[kind];
      return difference ? [[kind, { ...difference, pHolm: corrected[kind].shift()! }] as const] : [];
    });
    return { ...result, ...Object.fromEntries(finished) };
  });
}

interface Part {
  mean: number;
  draws: Float64Array;
}

/** Stratified: each draw resamples the items within every task, and the weighted mean over tasks is taken of each draw. */
function combined(parts: readonly Part[], weights: readonly number[]): OverallResult["macro"] {
  return {
    accuracy: weighted(
      parts.map((part) => part.mean),
      weights,
    ),
    interval: percentileInterval(combinedDraws(parts, weights)),
  };
}

function combinedDraws(parts: readonly Part[], weights: readonly number[]): Float64Array {
  const count = Math.min(...parts.map((part) => part.draws.length));
  return Float64Array.from({ length: count }, (_, draw) =>
    weighted(
      parts.map((part) => part.draws[draw]!),
      weights,
    ),
  );
}

function weighted(values: readonly number[], weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return values.reduce((sum, value, index) => sum + value * weights[index]!, 0) / total;
}

function differenceOver(parts: readonly Part[]): Omit<OverallDifference, "pHolm"> | undefined {
  if (parts.length === 0) return undefined;
  const draws = combinedDraws(
    parts,
    parts.map(() => 1),
  );
  return {
    difference: mean(parts.map((part) => part.mean)),
    interval: percentileInterval(draws),
    pValue: bootstrapP(draws),
    tasks: parts.length,
  };
}
