/**
 * Supervised training on conversations: cross-entropy on what the assistant is to write, averaged over those tokens; AdamW with warm-up and
 * cosine decay (Loshchilov and Hutter 2017, 2019). Attempts marked as wrong are shown and not learned.
 */

import type { JsonObject } from "#files/json-lines.ts";
import type { Engine } from "#kernel/engine.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { fixed } from "#text/numbers.ts";
import { type LoopResult, type Progress, runTrainingLoop, type StepContext } from "#training/loop.ts";
import { learningRateAt, type Schedule } from "#training/steps.ts";
import type { Stream } from "#training/stream.ts";
import {
  likelihoodOnly,
  type SupervisedExample,
  type SupervisedMetrics,
  supervisedStep,
  weightedLoss,
} from "#training/supervised/supervised.ts";
import { defineRecipe, modelWhenFinished } from "../recipe-card.ts";
import { checkedOptions, defaultsOf, type RecipeValues, recipeOptions, withDefaults } from "../recipe-options.ts";
import { adamWOptions, scheduleOption } from "../shared/option-groups.ts";
import { methodsOf, probeSource } from "../shared/source-evaluation.ts";
import { type Source, toExample } from "../sources/source.ts";
import { worldSource } from "../sources/world-source.ts";
import { modelSizes, newModel } from "./new-model.ts";

/** The defaults are for models of a few million parameters trained from scratch. */
export const sftOptions = recipeOptions({
  steps: { type: "integer", default: 2000, minimum: 1, description: "optimiser steps" },
  tokensPerStep: { type: "integer", default: 8192, minimum: 1, description: "tokens of an optimiser step, prompts included" },
  maxTokens: { type: "integer", default: 256, minimum: 1, description: "longer examples are left out" },
  tokensPerCall: { type: "integer", default: 8192, minimum: 1, description: "tokens of one forward and backward pass" },
  learningRate: { type: "number", default: 2e-3, above: 0, description: "peak learning rate" },
  schedule: { ...scheduleOption, default: "cosine" },
  warmupSteps: { type: "integer", default: 100, description: "steps until the rate is at its peak" },
  learningRateFloor: {
    type: "number",
    default: 0.05,
    maximum: 1,
    description: "share of the rate that is left at the last step",
  },
  adamW: withDefaults(adamWOptions, { beta2: 0.95, weightDecay: 0.01 }),
});

export type SftOptions = RecipeValues<typeof sftOptions>;

export const defaultSftOptions: SftOptions = defaultsOf(sftOptions);

/** How the shipped model was trained on the small world. */
export const worldSftOptions: SftOptions = {
  ...defaultSftOptions,
  steps: 5000,
  tokensPerStep: 2048,
  maxTokens: 600,
  learningRate: 3e-3,
  adamW: { ...defaultSftOptions.adamW, beta2: 0.98, decayed: "all" },
};

/** For files of a few thousand short problems: a small model, many passes, and weights kept small. */
export const fileSftOptions: SftOptions = {
  ...defaultSftOptions,
  steps: 2400,
  tokensPerStep: 1024,
  learningRate: 3e-3,
  adamW: { ...defaultSftOptions.adamW, weightDecay: 0.1, decayed: "all" },
};

export interface SupervisedTraining {
  engine: Engine;
  /** Example i of the run, as `Tokenizer.encodeTraining` makes them. */
  examples: Stream<SupervisedExample>;
  /** Examples never trained on; their mean loss is recorded with every evaluation. */
  validation?: readonly SupervisedExample[] | undefined;
  options: SftOptions;
  run: RunDirectory;
  checkpointEvery?: number;
  /** Steps between evaluations. */
  evaluateEvery?: number;
  /** More to be recorded with the validation loss. */
  evaluate?: ((stepsDone: number, signal: AbortSignal | undefined) => Promise<JsonObject>) | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress<SupervisedMetrics>) => void) | undefined;
}

/** Where the next step begins in the stream. */
type SupervisedState = { cursor: number };

/** Trains from the newest checkpoint of the run, or from the start. */
export async function trainSupervised(training: SupervisedTraining): Promise<LoopResult<SupervisedState>> {
  const { engine, examples, validation, run, checkpointEvery = 200, evaluateEvery = 200 } = training;
  const options = checkedOptions("sft", sftOptions, training.options);
  const { learningRate, schedule, warmupSteps, learningRateFloor, steps } = options;
  const rates: Schedule = { shape: schedule, peak: learningRate, floor: learningRateFloor, warmupSteps, totalSteps: steps };

  const takeStep = async ({ step, state, signal }: StepContext<SupervisedState>) => {
    const at = { cursor: state.cursor, learningRate: learningRateAt(step, rates), signal };
    const { metrics, cursor } = await supervisedStep(engine, examples, options, at);
    return { metrics, state: { cursor } };
  };

  const evaluate = async (stepsDone: number, signal: AbortSignal | undefined): Promise<JsonObject> => {
    const held = validation && (await weightedLoss(engine, validation, { ...likelihoodOnly, ...options }, signal));
    const own = await training.evaluate?.(stepsDone, signal);
    return { validationLoss: held?.loss, validationTokens: held?.trainedTokens, ...own };
  };

  const isEvaluated = validation !== undefined || training.evaluate !== undefined;
  return runTrainingLoop<SupervisedMetrics, SupervisedState>({
    engine,
    run,
    steps,
    checkpointEvery,
    initialState: { cursor: 0 },
    takeStep,
    evaluate: isEvaluated ? evaluate : undefined,
    evaluateEvery,
    signal: training.signal,
    onProgress: training.onProgress,
  });
}

const validationConversations = 200;

export const sft = defineRecipe({
  id: "sft",
  name: "SFT",
  status: "stable",
  summary: "supervised training: the small world's base model, or question–answer files",
  options: {
    ...sftOptions,
    size: {
      type: "choice",
      choices: ["tiny", "small", "medium"],
      default: "small",
      description: "of a new model: tiny (0.26 M, for files), small (1.03 M, the shipped one), medium (4.8 M)",
    },
  },
  presets: {
    small: (source: Source) =>
      source === worldSource ? { ...worldSftOptions, size: "small" } : { ...fileSftOptions, size: "tiny" },
  },
  flags: {
    "--size <name>": { option: "size" },
    "--steps <number>": { option: "steps" },
    "--learning-rate <number>": { option: "learningRate" },
  },
  learnsFrom: "questions",
  longestExample: ({ maxTokens }) => maxTokens,
  newModel: ({ size }, source, run, seed) => newModel(modelSizes[size], source, run, seed),
  baseMethods: () => [],
  methods: (_options, source) => methodsOf(source),
  async train({ options: { size: _size, ...options }, engine, tokenizer, run, seed, source, signal, onSteps }) {
    const conversations = source.conversations(deriveSeed(seed, "examples"));
    const held = source.heldConversations(validationConversations, seed).map((each) => toExample(tokenizer, each));
    // As among the examples, longer ones are left out.
    const fitting = held.filter(({ ids }) => ids.length <= options.maxTokens);
    if (fitting.length < held.length) run.event("note", { validationTooLong: held.length - fitting.length });
    const isWatched = source.validation(1, seed).length > 0;
    const every = Math.max(1, Math.round(options.steps / 10));
    const result = await trainSupervised({
      engine,
      examples: (index) => toExample(tokenizer, conversations(index)),
      validation: fitting.length > 0 ? fitting : undefined,
      options,
      run,
      evaluate: isWatched ? (_done, stop) => probeSource(source, engine, tokenizer, seed, stop) : undefined,
      evaluateEvery: every,
      checkpointEvery: every,
      signal,
      onProgress: (progress) => {
        const { loss, timing } = progress.metrics;
        const figures = { loss: fixed(loss, 4), "tokens/s": fixed(timing.tokensPerSecond, 0) };
        onSteps(progress, { label: "Supervised training", figures });
      },
    });
    return { model: await modelWhenFinished(result, engine, run) };
  },
  costs: ({ steps }) => ({ answers: 0, steps }),
  examples: [
    "midcourse train sft --out runs/base                      how the shipped model was made",
    "midcourse train sft --data train.csv --test test.csv --out runs/word-problems",
  ],
});
