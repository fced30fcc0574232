/**
 * One evaluation run from start to report: methods × benchmarks over one model, every answer on the disk as it comes, plain resampling
 * beside everything. The same call goes on wherever an earlier one stopped, and more tasks, items, methods or samples may be added.
 */
import path from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type EvaluationEnd, type EvaluationProgress, type EvaluationTask, evaluate } from "#evaluation/records/evaluate.ts";
import type { SlimRecord } from "#evaluation/records/slim-record.ts";
import { renderReport } from "#evaluation/report/report.ts";
import type { Results } from "#evaluation/summary/results.ts";
import { resamplingMethod, summarise } from "#evaluation/summary/summary.ts";
import type { Budget } from "#kernel/budget.ts";
import { userError } from "#kernel/errors.ts";
import type { Grader, Item } from "#kernel/item.ts";
import type { Model, Usage } from "#kernel/model.ts";
import type { BoundMethod } from "#kernel/trace.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import type { GradingTools, Task } from "#tasks/task.ts";
import { judgeGrader } from "#verifiers/judges/judge.ts";
import { RecordStore } from "./store.ts";
import { resamplingFor } from "./task-methods.ts";
import { type MethodHelp, missingHelp, toolsFor } from "./tools.ts";

export interface BenchmarkSettings {
  /** Answers of each method to each item. */
  samples: number;
  temperature: number;
  /** New tokens of one call; the task's own when left out. */
  maxTokens?: number | undefined;
  seed: number;
  /** `judge`: a model grades every answer against the reference, as PASR's evaluation does; the task's own rule when left out. */
  gradeBy?: "judge" | undefined;
  /** Most that one answer, and the whole run, may cost. */
  budget?: Budget | undefined;
  allowance?: Budget | undefined;
  /** Plain samples of each item that the resampling baseline is read from; none for 0. */
  poolSamples: number;
  poolTemperature: number;
}

/** A benchmark with its items at hand. */
export interface PreparedTask {
  task: Task;
  items: readonly Item[];
  shots: readonly Item[];
  methods: readonly BoundMethod[];
}

export interface BenchmarkSetup {
  model: Model;
  /** As the report names it. */
  modelName: string;
  run: RunDirectory;
  tasks: readonly PreparedTask[];
  settings: BenchmarkSettings;
  grading: GradingTools;
  help: MethodHelp;
  concurrency: number;
  /** The command that makes these numbers again, and the version it was. */
  command: string;
  version: string;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: EvaluationProgress) => void) | undefined;
  /** What a reader should know before the numbers: a method that cannot run on a task, say. */
  onNote?: (note: string) => void;
}

export interface BenchmarkOutcome {
  end: EvaluationEnd;
  /** Of what there is, also when the run was stopped. */
  results: Results;
  /** By the whole run so far, failed answers and grading included. */
  spent: Usage;
  resultsFile: string;
  reportFile: string;
}

/** Every so many records what became garbage is collected; some 60 ms each time, while answers take far longer. */
const recordsPerCollection = 4096;

export async function evaluateBenchmarks(setup: BenchmarkSetup): Promise<BenchmarkOutcome> {
  const { model, run, settings, concurrency, signal, onProgress } = setup;
  const tasks = setup.tasks.map((prepared) => benchmarkTask(setup, prepared));
  const store = new RecordStore(run.folder, { sameAnswer: sameAnswerOf(setup.tasks) });
  let written = 0;
  try {
    const end = await evaluate({
      model,
      tasks,
      temperature: settings.temperature,
      seed: settings.seed,
      concurrency,
      keepTrace: true,
      keepTime: true,
      budget: settings.budget,
      allowance: settings.allowance,
      isKnown: (key) => store.index.isKnown(key),
      spentBefore: store.index.spent,
      onRecord: (record) => {
        store.append(record);
        if (++written % recordsPerCollection === 0) collectGarbage();
      },
      onProgress,
      signal,
    });
    return { end, spent: store.index.spent, ...writeResults(setup, tasks, store) };
  } finally {
    store.close();
  }
}

let collect: (() => void) | undefined;

/**
 * A long run turns over gigabytes of texts and keeps a few tens of megabytes of figures; left to itself the heap grows to several times of
 * what it holds before it is collected, and what comes after the run is added on top. Takes as long as what is alive is large; does nothing
 * where the engine offers no such call.
 */
function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    const found: unknown = runInNewContext("globalThis.gc");
    collect = typeof found === "function" ? (found as () => void) : () => {};
  }
  collect();
}

function benchmarkTask(setup: BenchmarkSetup, { task, items, shots, methods }: PreparedTask): EvaluationTask {
  const { settings, grading, help, onNote } = setup;
  const runnable = methods.filter((bound) => {
    const missing = missingHelp(bound, task, help);
    if (missing) onNote?.(`${bound.method.id} is left out of ${task.id}: ${missing}.`);
    return missing === undefined;
  });
  const { poolSamples, poolTemperature } = settings;
  const verify = settings.gradeBy === "judge" ? judgeFor(task, grading) : task.grader(grading);
  return {
    task: task.id,
    items,
    promptVersion: task.version,
    maxTokens: settings.maxTokens ?? task.maxTokens,
    methods: [
      ...runnable.map(({ method }) => ({ method, samples: settings.samples })),
      ...(poolSamples > 1 ? [{ method: resamplingFor(task, resamplingMethod, poolSamples, poolTemperature), samples: 1 }] : []),
    ],
    verify,
    ask: (item) => task.ask(item, shots),
    tools: (item) => toolsFor(task, item, verify, help),
    // A judge is asked about final answers alone: it costs as much as an answer.
    gradeAttempts: settings.gradeBy !== "judge" && (grading.judge === undefined || task.answerKind !== "summary"),
  };
}

/** With the kinds of prompt that PASR's evaluation has: options, summaries, anything else. */
function judgeFor(task: Task, { judge }: GradingTools): Grader {
  if (!judge) throw userError("no-judge", "there is no judge to grade by", "Name one with --judge MODEL.");
  const kind = task.answerKind === "choice" || task.answerKind === "summary" ? task.answerKind : "general";
  return judgeGrader({ ...judge, kind });
}

function writeResults(
  setup: BenchmarkSetup,
  tasks: readonly EvaluationTask[],
  store: RecordStore,
): Omit<BenchmarkOutcome, "end" | "spent"> {
  const { run, settings, modelName, command, version } = setup;
  const asked = new Map(
    tasks.map(({ task, items, methods }) => [
      task,
      { items: new Set(items.map(({ id }) => id)), samples: new Map(methods.map(({ method, samples }) => [method.id, samples])) },
    ]),
  );
  // A folder may hold more than this command asked for: other methods, more items.
  const isAsked = ({ task, item, method, sample }: SlimRecord) => {
    const wanted = asked.get(task ?? "");
    return wanted?.items.has(item) === true && sample < (wanted.samples.get(method) ?? 0);
  };
  const records = store.index.records(isAsked);
  const results = summarise({
    run: path.basename(path.resolve(run.folder)),
    model: modelName,
    command,
    version,
    seed: settings.seed,
    temperature: settings.temperature,
    samples: settings.samples,
    budget: settings.budget,
    tasks: setup.tasks.map(({ task, items }) => ({
      id: task.id,
      title: task.title,
      promptVersion: task.version,
      items: items.length,
      votable: task.answerKind !== "program" && task.answerKind !== "summary",
      chance: task.chance,
    })),
    records,
    methods: [...new Set(tasks.flatMap(({ methods }) => methods.map(({ method }) => method.id)))],
  });
  const resultsFile = run.writeFile("results.json", `${JSON.stringify(results, null, 2)}\n`);
  const itemsOf = new Map(setup.tasks.map(({ task, items }) => [task.id, new Map(items.map((item) => [item.id, item]))]));
  const report = renderReport({
    results,
    records,
    readTraces: (keys) => store.index.readTraces(keys),
    itemsOf: (task, ids) => ids.flatMap((id) => itemsOf.get(task)?.get(id) ?? []),
  });
  return { results, resultsFile, reportFile: run.writeFile("report.html", report) };
}

function sameAnswerOf(tasks: readonly PreparedTask[]) {
  const byId = new Map(tasks.map(({ task }) => [task.id, task]));
  return (id: string | undefined) => {
    const task = byId.get(id ?? "");
    return task && ((first: string, second: string) => task.sameAnswer(first, second));
  };
}
