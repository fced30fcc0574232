/** An evaluation as a command or a program asks for it: opens the model and what grading needs, keeps what decides the run, and evaluates. */
import path from "node:path";
import type { EvaluationProgress } from "#evaluation/records/evaluate.ts";
import type { ModelOptions } from "#models/model-options.ts";
import { openModel } from "#models/open-model.ts";
import { readConfiguration } from "#record/configuration.ts";
import { withRun } from "#record/run-directory.ts";
import { withOpened } from "../shared/opened.ts";
import { type BenchmarkOutcome, type BenchmarkSettings, evaluateBenchmarks } from "./benchmark.ts";
import { type HelpWanted, openHelp } from "./help.ts";
import { checkNames, keepTasks, prepareTasks, type TasksWanted } from "./tasks.ts";

export interface EvaluationWanted {
  /** Run directory; the same evaluation goes on where it stopped. */
  folder: string;
  /** Answers are kept in the run directory when `cache` is left out. */
  model: ModelOptions;
  /** Which benchmarks is told when it is known whether the model is the shipped one, which knows its own alone. */
  tasks: (isShipped: boolean) => TasksWanted;
  help: HelpWanted;
  settings: BenchmarkSettings;
}

export interface EvaluationContext {
  /** The command that makes these numbers again, and the version it was. */
  command: string;
  version: string;
  signal: AbortSignal;
  onProgress: (progress: EvaluationProgress) => void;
  /** What a reader should know before the numbers. */
  onNote: (note: string) => void;
}

/** Throws user errors: for what cannot be opened, fetched or read, and for a folder that holds another evaluation. */
export async function evaluate(wanted: EvaluationWanted, context: EvaluationContext): Promise<BenchmarkOutcome> {
  const { folder, settings } = wanted;
  const { signal, onNote } = context;
  const { cache = path.join(folder, "answers") } = wanted.model;
  const models = { ...wanted.model, cache, seed: settings.seed, signal };
  await checkNames(wanted.tasks(true));
  return withOpened(await openModel(models), async (opened) => {
    const description = opened.describe();
    const tasksWanted = wanted.tasks(description.folder === "shipped");
    const tasks = await prepareTasks(tasksWanted, { signal, onNote });
    return withOpened(await openHelp(wanted.help, tasks, { ...models, topP: undefined, topK: undefined }), (help) => {
      const { allowance: _, budget, ...decisive } = settings;
      const options = {
        model: description,
        ...decisive,
        budget: budget && { ...budget },
        // Runs of before have one number here; worked examples are compared by task (tasks.json).
        shots: readConfiguration(folder)?.options.shots,
        ...help.describe(),
      };
      return withRun(folder, { command: "eval", options }, (run) => {
        keepTasks(run, tasks);
        return evaluateBenchmarks({
          ...context,
          model: opened.model,
          modelName: String(description.model),
          run,
          tasks,
          settings,
          grading: help.grading,
          help: help.methods,
          concurrency: opened.limiter ? opened.limiter.most * 2 : (wanted.model.concurrency ?? 256),
        });
      });
    });
  });
}
