/** `midcourse eval`: opens what the options name, runs methods × benchmarks, and prints the table. */
import path from "node:path";
import type { BenchmarkProgress } from "#evaluation/records/benchmark-run.ts";
import { renderBenchmarkTable } from "#evaluation/report/benchmark-table.ts";
import { resamplingMethod } from "#evaluation/summary/benchmark-summary.ts";
import { userError } from "#kernel/errors.ts";
import type { ModelOptions } from "#models/open-model.ts";
import { openModel } from "#models/open-model.ts";
import { type BenchmarkOutcome, type BenchmarkSettings, evaluateBenchmarks } from "#recipes/benchmark/benchmark.ts";
import { keepTasks, prepareTasks } from "#recipes/benchmark/tasks.ts";
import { withRun } from "#record/run-directory.ts";
import { allowanceWords, filesByTask, parseBudget, parseNames } from "../options/eval-options.ts";
import { interruptSignal } from "../terminal/interrupt.ts";
import { packageVersion, shownCommand } from "../terminal/package-version.ts";
import { Progress } from "../terminal/progress.ts";
import { harmless } from "../terminal/trace-text.ts";
import { openBenchmarkHelp } from "./benchmark-help.ts";

export interface EvaluateOptions extends ModelOptions {
  methods: string;
  tasks?: string;
  data?: string[];
  shots: number;
  shotsData?: string[];
  limit?: number;
  shuffle?: boolean;
  skipBadRows?: boolean;
  samples: number;
  temperature?: number;
  maxTokens?: number;
  seed: number;
  budget?: string;
  runBudget?: string;
  pool: number;
  poolTemperature?: number;
  judge?: string;
  judgeBaseUrl?: string;
  judgeSamples: number;
  gradeBy: "rule" | "judge";
  embeddings?: string;
  scorer?: string;
  sandbox: "auto" | "process" | "pyodide";
  allowBare?: boolean;
  out: string;
  json?: boolean;
}

export async function evaluateCommand(options: EvaluateOptions): Promise<void> {
  const { out, seed } = options;
  const settings = settingsOf(options);
  const signal = interruptSignal();
  const progress = new Progress();
  const note = (text: string) => process.stderr.write(`${harmless(text)}\n`);
  const told: Told = { progress };

  const opened = await openModel({ ...options, cache: options.cache ?? path.join(out, "answers"), signal, onRetry: undefined });
  try {
    const names = taskNames(options, opened.describe().folder === "shipped");
    const tasks = await prepareTasks({
      names,
      methods: options.methods,
      data: filesByTask(options.data ?? [], names, "--data"),
      shotsData: filesByTask(options.shotsData ?? [], names, "--shots-data"),
      shots: options.shots,
      seed,
      signal,
      onNote: note,
      ...(options.limit === undefined ? {} : { limit: options.limit }),
      ...(options.shuffle ? { shuffle: true } : {}),
      ...(options.skipBadRows ? { badRows: "skip" } : {}),
    });
    const help = await openBenchmarkHelp(options, tasks, signal);
    try {
      const { budget, allowance: _, ...decisive } = settings;
      await withRun(
        out,
        {
          command: "eval",
          options: {
            model: opened.describe(),
            ...decisive,
            ...(budget ? { budget: { ...budget } } : {}),
            shots: options.shots,
            ...help.describe(),
          },
        },
        async (run) => {
          keepTasks(run, tasks);
          const outcome = await evaluateBenchmarks({
            model: opened.model,
            modelName: String(opened.describe().model),
            run,
            tasks,
            settings,
            grading: help.grading,
            help: help.methods,
            concurrency: opened.limiter ? opened.limiter.most * 2 : 256,
            command: shownCommand(),
            version: packageVersion(),
            signal,
            onNote: note,
            onProgress: showProgress(told),
          });
          progress.finish();
          report(outcome, options, told);
          if (outcome.end === "interrupted") signal.throwIfAborted();
        },
      );
    } finally {
      await help.close();
    }
  } finally {
    progress.finish();
    await opened.close();
  }
}

function settingsOf(options: EvaluateOptions): BenchmarkSettings {
  const { samples, maxTokens, seed, pool } = options;
  const temperature = options.temperature ?? (samples > 1 ? 0.7 : 0);
  return {
    samples,
    temperature,
    seed,
    poolSamples: pool,
    poolTemperature: options.poolTemperature ?? (temperature > 0 ? temperature : 0.7),
    ...(options.gradeBy === "judge" ? { gradeBy: options.gradeBy } : {}),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(options.budget === undefined ? {} : { budget: parseBudget(options.budget, "--budget") }),
    ...(options.runBudget === undefined ? {} : { allowance: parseBudget(options.runBudget, "--run-budget") }),
  };
}

function taskNames({ tasks }: EvaluateOptions, isShipped: boolean): string[] {
  if (tasks !== undefined) return parseNames(tasks, "--tasks");
  if (isShipped) return ["world"];
  throw userError("no-tasks", "it is not said on which benchmarks", "Name them, such as --tasks gsm8k,math-500.");
}

/** What was seen of the answers while they came. */
interface Told {
  progress: Progress;
  /** What the last failed answer says. */
  failure?: string;
}

/** Accuracy so far of each method, as many as fit on a line. */
function showProgress(told: Told): (state: BenchmarkProgress) => void {
  const methods = new Map<string, { right: number; answers: number }>();
  let failures = 0;
  return ({ done, total, record }) => {
    if (record.error !== undefined) {
      failures++;
      told.failure = record.error;
    }
    if (record.method !== resamplingMethod) {
      const { right, answers } = methods.get(record.method) ?? { right: 0, answers: 0 };
      methods.set(record.method, { right: right + record.accuracy, answers: answers + 1 });
    }
    const figures = [...methods].slice(0, 6).map(([id, { right, answers }]) => [id, `${Math.round((100 * right) / answers)} %`]);
    told.progress.update({
      label: "Evaluate",
      done,
      total,
      figures: { ...Object.fromEntries(figures), ...(failures > 0 ? { failures: String(failures) } : {}) },
    });
  };
}

function report({ end, results, spent, resultsFile, reportFile }: BenchmarkOutcome, options: EvaluateOptions, told: Told): void {
  if (options.json) {
    process.stdout.write(`${JSON.stringify(results)}\n`);
  } else {
    const table = renderBenchmarkTable(results, {
      width: process.stdout.columns ?? 110,
      styled: process.stdout.isTTY === true,
    });
    process.stdout.write(`\n${table}\n\nresults  ${resultsFile}\nreport   ${reportFile}\n`);
  }
  const failures = results.tasks.flatMap(({ methods }) => methods).reduce((sum, method) => sum + method.failures, 0);
  const lost = results.tasks.reduce((sum, { pool }) => sum + (pool?.itemsLeftOut ?? 0), 0);
  if (failures > 0 || told.failure !== undefined) {
    const what = [
      ...(failures > 0
        ? [`${failures} ${failures === 1 ? "answer" : "answers"} failed and ${failures === 1 ? "counts" : "count"} as wrong`]
        : []),
      ...(lost > 0 ? [`${lost} ${lost === 1 ? "item has" : "items have"} no whole resampling pool`] : []),
    ];
    const last = told.failure === undefined ? "" : ` The last failure: ${harmless(told.failure)}.`;
    process.stderr.write(
      `${what.join("; ") || "Samples of the resampling pool failed"}. The same command tries them again; ${path.join(options.out, "records.jsonl")} has every reason.${last}\n`,
    );
  }
  if (end === "allowance")
    process.stderr.write(`${allowanceWords(parseBudget(options.runBudget ?? "", "--run-budget"), spent)}\n`);
}
