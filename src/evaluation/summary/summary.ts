/** Slim records to results.json: each task, then each method over all tasks. */

import type { Budget } from "#kernel/budget.ts";
import {
  type CallSpecs,
  checkCall,
  list,
  needed,
  seedOption,
  temperatureOption,
  text,
  texts,
  thing,
  whole,
} from "#kernel/call-options.ts";
import { mean, sum } from "#kernel/numbers.ts";
import { isRecord } from "#kernel/values.ts";
import { knownFields } from "../records/evaluation-record.ts";
import type { SlimRecord } from "../records/slim-record.ts";
import { holm, type Interval } from "../statistics/statistics.ts";
import { askedInVain } from "./asked-in-vain.ts";
import { flipP } from "./paired-columns.ts";
import { reasoningOf, settledRecords } from "./reasoning.ts";
import type { OverallDifference, OverallResult, Results } from "./results.ts";
import { type SummaryTask, summariseTask, type TaskDifference, type TaskSummary } from "./task-summary.ts";

/** The internal method whose samples are the resampling pool. It is a baseline, and no row of its own. */
export const resamplingMethod = "resampling";

export interface SummaryPlan
  extends Pick<Results, "run" | "model" | "command" | "version" | "commit" | "seed" | "temperature" | "samples"> {
  tasks: readonly SummaryTask[];
  /** Of all tasks and methods, in any order. `task` may be absent where there is one task. */
  records: Iterable<SlimRecord>;
  /** Order of the rows; by name, the baseline first, when left out. */
  methods?: readonly string[];
  /** What methods are compared with; `vanilla` when left out. */
  baseline?: string;
  /** Further pairs to compare in each task, first minus second. */
  comparisons?: readonly (readonly [a: string, b: string])[] | undefined;
  /** The method whose attempts are plain samples; `resampling`, else a self-consistency, when left out. */
  pool?: string;
  /** The method whose attempts are plain samples with a scorer's verdicts; the pool, else a best-of-n, when left out. */
  scoredPool?: string;
  /** What one answer was to cost at most. */
  budget?: Budget | undefined;
}

const specs: CallSpecs<SummaryPlan> = {
  run: needed(text("name of the run")),
  model: needed(text("name of the model")),
  command: text("the command that makes these numbers again"),
  version: text("version of the package"),
  commit: text("commit of the code"),
  seed: needed(seedOption),
  temperature: needed(temperatureOption),
  samples: needed(whole("runs of each method on each item", 1)),
  tasks: needed(list("the benchmarks", isRecord)),
  records: needed(thing("the answers", "a list or another iterable", (value) => isIterable(value))),
  methods: texts("order of the rows"),
  baseline: text("what methods are compared with"),
  comparisons: list("further pairs to compare", (pair) => Array.isArray(pair) && pair.length === 2),
  pool: text("the method whose attempts are plain samples"),
  scoredPool: text("the method whose attempts have a scorer's verdicts"),
  budget: thing("what one answer was to cost at most"),
};

function isIterable(value: unknown): boolean {
  return typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === "function";
}

export function summarise(plan: SummaryPlan): Results {
  checkCall("summarise", specs, plan);
  const { run, model, command, version, commit, seed, temperature, samples, baseline = "vanilla", comparisons } = plan;
  const given = [...plan.records];
  const reasoning = reasoningOf(given);
  const byTask = Map.groupBy(settledRecords(given, reasoning?.convention), (record) => record.task ?? plan.tasks[0]?.id);
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
      : [
          summariseTask(task, records, {
            seed,
            baseline,
            methods,
            pool,
            scoredPool,
            greedy: temperature === 0,
            comparisons,
            budget: plan.budget,
          }),
        ];
  });
  return {
    schema: 2,
    run,
    model,
    ...knownFields({ command, version, commit }),
    seed,
    temperature,
    samples,
    tasks: summaries.map(({ result }) => result),
    overall: overallResults(methods, summaries, seed),
    times: summaries.flatMap(({ times }) => times),
    ...askedInVain(given),
    ...knownFields({ reasoning }),
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

function overallResults(methods: readonly string[], summaries: readonly TaskSummary[], seed: number): OverallResult[] {
  const rows = methods.flatMap((id) => {
    const own = summaries.flatMap(({ result, differences }) => {
      const figures = result.methods.find((method) => method.id === id);
      return figures ? [{ differences, figures }] : [];
    });
    if (own.length === 0) return [];
    const weights = own.map(({ figures }) => figures.items);
    const parts = own.map(({ figures }): Part => ({ mean: figures.accuracy, interval: figures.interval }));
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
          ...knownFields({ tokensPerAnswer, allTokensPerAnswer }),
        } satisfies OverallResult,
        versusBaseline: differenceOver(
          own.flatMap(({ differences }) => differences.versusBaseline.get(id) ?? []),
          seed,
        ),
        versusResampling: differenceOver(
          own.flatMap(({ differences }) => differences.versusResampling.get(id) ?? []),
          seed,
        ),
      },
    ];
  });
  const correct = (kind: "versusBaseline" | "versusResampling") => holm(rows.map((row) => [row.result.id, row[kind]?.pValue]));
  const corrected = { versusBaseline: correct("versusBaseline"), versusResampling: correct("versusResampling") };
  return rows.map(({ result, ...differences }): OverallResult => {
    const finished = (["versusBaseline", "versusResampling"] as const).flatMap((kind) => {
      const difference = differences[kind];
      return difference ? [[kind, { pHolm: corrected[kind].get(result.id)!, ...difference }] as const] : [];
    });
    return { ...result, ...Object.fromEntries(finished) };
  });
}

interface Part {
  mean: number;
  interval: Interval;
}

/**
 * The weighted mean of tasks that have nothing in common, with its interval from theirs: each side is as far off as the weighted sides of
 * the tasks are together (√ of the sum of squares; Zou and Donner 2008, "Construction of confidence limits about effect measures"). A task
 * whose answers are all alike keeps the doubt of its own interval, where resampling its items would show none.
 */
function combined(parts: readonly Part[], weights: readonly number[]): OverallResult["macro"] {
  const total = sum(weights);
  const shares = weights.map((weight) => weight / total);
  const accuracy = parts.reduce((sum, part, index) => sum + part.mean * shares[index], 0);
  const side = (bound: 0 | 1) =>
    Math.sqrt(parts.reduce((sum, part, index) => sum + (shares[index] * (part.interval[bound] - part.mean)) ** 2, 0));
  return { accuracy, interval: [accuracy - side(0), accuracy + side(1)] };
}

/** Over several tasks it is a test of its own; over a single one it is that task's, whose p it keeps, corrected too. */
function differenceOver(
  parts: readonly TaskDifference[],
  seed: number,
): (Omit<OverallDifference, "pHolm"> & { pHolm?: number }) | undefined {
  if (parts.length === 0) return undefined;
  const [{ mean: ofOne, interval: within, pValue, pHolm }] = parts;
  if (parts.length === 1) return { difference: ofOne, interval: within, pValue, pHolm, tasks: 1 };
  const { accuracy: difference, interval } = combined(
    parts,
    parts.map(() => 1),
  );
  const shares = parts.flatMap((part) => part.shares.map((share) => share / parts.length));
  return { difference, interval, pValue: flipP(shares, seed), tasks: parts.length };
}
