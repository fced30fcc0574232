/**
 * Supervised training on conversations: cross-entropy on what the assistant is to write, averaged over those tokens; AdamW with warm-up and
 * cosine decay (Loshchilov and Hutter 2017, 2019). Attempts marked as wrong are shown and not learned.
 */
import type { JsonObject } from "#files/json-lines.ts";
import type { AdamWOptions, Engine } from "#kernel/engine.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { type LoopResult, type Progress, runTrainingLoop, type StepContext } from "#training/loop.ts";
import { learningRateAt, type Schedule } from "#training/steps.ts";
import type { Stream } from "#training/stream.ts";
import {
  type SupervisedExample,
  type SupervisedMetrics,
  supervisedStep,
  validationLoss,
} from "#training/supervised/supervised.ts";

export interface SftOptions {
  steps: number;
  /** Tokens per optimiser step, prompts included. */
  tokensPerStep: number;
  /** Examples longer than this are left out. */
  maxTokens: number;
  /** Tokens per call to the engine; gradients of several calls are added up. */
  tokensPerCall: number;
  learningRate: number;
  schedule: Schedule["shape"];
  warmupSteps: number;
  /** Share of the learning rate that is left at the last step. */
  learningRateFloor: number;
  adamW: Omit<AdamWOptions, "learningRate">;
}

/** For models of a few million parameters trained from scratch. */
export const defaultSftOptions: SftOptions = {
  steps: 2000,
  tokensPerStep: 8192,
  maxTokens: 256,
  tokensPerCall: 8192,
  learningRate: 2e-3,
  schedule: "cosine",
  warmupSteps: 100,
  learningRateFloor: 0.05,
  adamW: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.01, maxGradientNorm: 1 },
};

/** How the shipped model was trained on the small world. */
export const worldSftOptions: SftOptions = {
  ...defaultSftOptions,
  steps: 5000,
  tokensPerStep: 2048,
  maxTokens: 600,
  learningRate: 3e-3,
  adamW: { ...defaultSftOptions.adamW, beta2: 0.98 },
};

/** For files of a few thousand short problems: a small model, many passes, and weights kept small. */
export const fileSftOptions: SftOptions = {
  ...defaultSftOptions,
  steps: 2400,
  tokensPerStep: 1024,
  learningRate: 3e-3,
  adamW: { ...defaultSftOptions.adamW, weightDecay: 0.1 },
};

export interface SupervisedTraining {
  engine: Engine;
  /** Example i of the run, as `Tokenizer.encodeTraining` makes them. */
  examples: Stream<SupervisedExample>;
  /** Examples never trained on; their mean loss is recorded with every evaluation. */
  validation?: readonly SupervisedExample[];
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
  const { engine, examples, validation, options, run, checkpointEvery = 200, evaluateEvery = 200 } = training;
  const { learningRate, schedule, warmupSteps, learningRateFloor, steps } = options;
  const rates: Schedule = { shape: schedule, peak: learningRate, floor: learningRateFloor, warmupSteps, totalSteps: steps };

  const takeStep = async ({ step, state, signal }: StepContext<SupervisedState>) => {
    const at = { cursor: state.cursor, learningRate: learningRateAt(step, rates), signal };
    const { metrics, cursor } = await supervisedStep(engine, examples, options, at);
    return { metrics, state: { cursor } };
  };

  const evaluate = async (stepsDone: number, signal: AbortSignal | undefined): Promise<JsonObject> => {
    const held = validation === undefined ? undefined : await validationLoss(engine, validation, options.tokensPerCall, signal);
    const own = await training.evaluate?.(stepsDone, signal);
    return { ...(held === undefined ? {} : { validationLoss: held.loss, validationTokens: held.trainedTokens }), ...own };
  };

  const isEvaluated = validation !== undefined || training.evaluate !== undefined;
  return runTrainingLoop<SupervisedMetrics, SupervisedState>({
    engine,
    run,
    steps,
    checkpointEvery,
    initialState: { cursor: 0 },
    takeStep,
    ...(isEvaluated ? { evaluate, evaluateEvery } : {}),
    signal: training.signal,
    onProgress: training.onProgress,
  });
}
