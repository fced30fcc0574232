/**
 * The first run: measure the shipped model, train it with PASR, measure it again on problems it was never trained on, write a report.
 * Everything lands in one run directory, and the same call goes on wherever an earlier one stopped.
 */

import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { type EvaluationProgress, evaluateTask } from "#evaluation/records/evaluate.ts";
import type { Results } from "#evaluation/summary/results.ts";
import type { JsonObject } from "#files/json-lines.ts";
import { modelIdentity } from "#files/model-content.ts";
import { shippedModel } from "#files/shipped-model.ts";
import type { Engine } from "#kernel/engine.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method } from "#kernel/trace.ts";
import { EmbeddedModel } from "#models/embedded.ts";
import { type RunDirectory, withRun } from "#record/run-directory.ts";
import { type WorldItem, worldItems, worldStream } from "#tasks/world/items.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { generatedStream } from "#training/stream.ts";
import { smallWorldPasrOptions } from "../pasr/options.ts";
import { pasr } from "../pasr/recipe.ts";
import type { RecipeProgress } from "../run-recipe.ts";
import { answersFile, keepingAnswers } from "../shared/answers-file.ts";
import { withOpened } from "../shared/opened.ts";
import {
  askWorld,
  plainMethod,
  refiningMethod,
  samplingTemperature,
  untrainedMethods,
  worldVerifier,
} from "../shared/world-methods.ts";
import { worldSource } from "../sources/world-source.ts";
import { checkQuickStart, type QuickStartOptions, quickStartItems } from "./plan.ts";
import { reportRuns, startResults } from "./report.ts";

interface QuickStart {
  /** Holds the shipped model's weights; left trained. */
  engine: Engine;
  tokenizer: Tokenizer;
  run: RunDirectory;
  options: QuickStartOptions;
  signal?: AbortSignal | undefined;
  onEvaluation?: (phase: string, progress: EvaluationProgress) => void;
  onTraining?: (progress: Pick<RecipeProgress, "done" | "total" | "figures">) => void;
}

export interface QuickStartResult {
  results: Results;
  reportFile: string;
  resultsFile: string;
}

/** One pass over the evaluation items: a model's weights at one temperature. */
interface Phase {
  name: string;
  label: string;
  temperature: number;
  methods: Method[];
}

const beforeTraining: readonly Phase[] = [
  { name: "base-greedy", label: "base", temperature: 0, methods: untrainedMethods() },
  {
    name: "base-sampled",
    label: "base",
    temperature: samplingTemperature,
    methods: [plainMethod("vanilla"), refiningMethod("pasr-prompt")],
  },
];

const afterTraining: readonly Phase[] = [
  {
    name: "trained-greedy",
    label: "trained",
    temperature: 0,
    methods: [refiningMethod("pasr"), plainMethod("pasr-plain-prompt")],
  },
  {
    name: "trained-sampled",
    label: "trained",
    temperature: samplingTemperature,
    methods: [refiningMethod("pasr"), plainMethod("pasr-plain-prompt")],
  },
];

export interface StartWanted {
  /** Run directory. */
  folder: string;
  /** Checkpoint folder to start from; the shipped model when left out. */
  model?: string | undefined;
  seed: number;
  /** Held-out problems each method answers. */
  items: number;
  steps?: number | undefined;
  /** A smoke of the same code: few steps, few problems; proves nothing. */
  isFast: boolean;
  threads?: number | undefined;
}

/** `quickStart` on a checkpoint that is opened for it. Throws user errors for numbers that prove nothing before anything is opened. */
export async function startQuickly(
  { folder, model = shippedModel, seed, items, steps, isFast, threads }: StartWanted,
  context: Pick<QuickStart, "signal" | "onEvaluation" | "onTraining">,
): Promise<QuickStartResult> {
  const options: QuickStartOptions = {
    model: modelIdentity(model),
    seed,
    items: isFast ? Math.min(items, 24) : items,
    pasr: { ...smallWorldPasrOptions, steps: steps ?? (isFast ? 4 : smallWorldPasrOptions.steps) },
  };
  checkQuickStart(options);
  EmbeddedEngine.requireRuntime();
  const tokenizer = await Tokenizer.load(model);
  return withRun(folder, { command: "start", options: { ...options } as unknown as JsonObject }, async (run) =>
    withOpened(await EmbeddedEngine.open({ folder: model, threads }), (engine) =>
      quickStart({ ...context, engine, tokenizer, run, options }),
    ),
  );
}

/** Stops with the signal's reason when interrupted; what was done stays in the run directory. */
async function quickStart(setup: QuickStart): Promise<QuickStartResult> {
  const { run, options, signal } = setup;
  const items = quickStartItems(options);

  for (const phase of beforeTraining) await answerAll(setup, items, phase);
  await train(setup);
  for (const phase of afterTraining) await answerAll(setup, items, phase);

  const results = startResults(run.folder, options);
  const resultsFile = run.writeFile("results.json", `${JSON.stringify(results, null, 2)}\n`);
  const reportFile = run.writeFile("report.html", reportRuns([run.folder]));
  signal?.throwIfAborted();
  return { results, resultsFile, reportFile };
}

async function train({ engine, tokenizer, run, options, signal, onTraining }: QuickStart): Promise<void> {
  const { pasr: own, seed } = options;
  const { model } = await pasr.train({
    options: own,
    engine,
    tokenizer,
    run,
    seed,
    // Questions of its own: those of a later run with the same seed are others.
    source: {
      ...worldSource,
      problems: () => generatedStream(() => worldStream({ split: "train", seed: deriveSeed(seed, "quick-start-train") })),
      validation: (count) => worldItems(count, { split: "validation", seed: deriveSeed(seed, "quick-start-validation") }),
    },
    material: undefined,
    openEngine: (folder) => EmbeddedEngine.open({ folder }),
    signal,
    onSteps: ({ stepsDone, steps }, { figures = {} } = {}) => onTraining?.({ done: stepsDone, total: steps, figures }),
    onEvaluation: () => {},
    onNote: () => {},
  });
  if (model === undefined) signal?.throwIfAborted();
}

/** Every answer of a phase into its file, but those that an earlier process wrote. */
async function answerAll(setup: QuickStart, items: readonly WorldItem[], phase: Phase): Promise<void> {
  const { engine, tokenizer, run, signal, onEvaluation } = setup;
  const { seed, pasr } = setup.options;
  await keepingAnswers(answersFile(run.folder, phase.name), (kept) =>
    evaluateTask({
      model: new EmbeddedModel(engine, tokenizer, { id: phase.label }),
      items,
      methods: phase.methods,
      verify: worldVerifier,
      ask: askWorld,
      temperature: phase.temperature,
      maxTokens: pasr.maxTokens,
      seed,
      keepTrace: true,
      ...kept,
      onProgress: (progress) => onEvaluation?.(`${phase.label}, temperature ${phase.temperature}`, progress),
      signal,
    }),
  );
}
