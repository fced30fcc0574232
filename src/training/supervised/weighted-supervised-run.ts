/**
 * Supervised training over a finite set of weighted examples: epochs or steps, steps filled by length, warm-up and decay, validation loss,
 * the best weights kept, an early end where nothing improves, and resuming. Which examples a step takes follows from the seed and its
 * number alone.
 */
import path from "node:path";
import { packByTokens, stepOrder, stepsOfExamples } from "#data/training-files/packing.ts";
import { replaceFolder } from "#files/durable.ts";
import type { JsonObject } from "#files/json-lines.ts";
import type { Engine } from "#kernel/engine.ts";
import { userError } from "#kernel/errors.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { type Progress, runTrainingLoop } from "../loop.ts";
import { learningRateAt, type Schedule } from "../steps.ts";
import {
  isLearnable,
  type WeightedExample,
  type WeightedMetrics,
  type WeightedStepOptions,
  weightedLoss,
  weightedStep,
} from "./supervised.ts";

export interface WeightedRunOptions extends WeightedStepOptions {
  /** Passes over the examples, and optimiser steps: whichever is reached first. Infinity leaves one of them out. */
  epochs: number;
  maxSteps: number;
  /** An optimiser step holds at most so many tokens, prompts included. */
  tokensPerStep: number;
  /** An optimiser step holds so many examples instead, whatever their length; the last step of an epoch what is left. */
  examplesPerStep?: number | undefined;
  /** Longer examples are left out and counted. */
  maxTokens: number;
  learningRate: number;
  schedule: Schedule["shape"];
  /** Steps of warm-up from 1 on; below 1 the share of all steps. */
  warmup: number;
  warmupShape?: Schedule["warmupShape"];
  /** Share of the learning rate that is left at the last step. */
  learningRateFloor: number;
  /** Steps between checkpoints, and between evaluations. Infinity: at the end alone. */
  saveEvery: number;
  evaluateEvery: number;
  /** End after so many evaluations without a lower validation loss; Infinity never does. */
  patience: number;
}

export interface WeightedTraining {
  engine: Engine;
  examples: readonly WeightedExample[];
  /** Never trained on; decides which weights are kept. Without any, the last are. */
  validation?: readonly WeightedExample[];
  options: WeightedRunOptions;
  seed: number;
  /** The weights that are kept lie under `model` in it. */
  run: RunDirectory;
  /** More to be recorded with the validation loss. */
  evaluate?: ((stepsDone: number, signal: AbortSignal | undefined) => Promise<JsonObject>) | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: (((progress: Progress<EpochMetrics>) => void) | undefined) | undefined;
}

export interface EpochMetrics extends WeightedMetrics {
  /** Passes over the data after this step. */
  epoch: number;
}

export interface WeightedResult {
  /** False when the signal stopped it; the same call goes on from there. */
  finished: boolean;
  stepsDone: number;
  /** It ended early because nothing improved. */
  stoppedEarly: boolean;
  /** The weights that were kept; undefined without validation examples. */
  best: Evaluated | undefined;
  /** Folder of the weights that were kept. */
  model: string;
}

interface Evaluated {
  step: number;
  validationLoss: number;
}

/** Trains from the newest checkpoint of the run, or from the engine's weights. The engine ends with the last weights, not the best. */
export async function trainWeighted(training: WeightedTraining): Promise<WeightedResult> {
  const { engine, validation = [], options, run, seed } = training;
  const plan = planSteps(training.examples, options, seed);
  const rates = scheduleOf(plan.steps, options);
  const model = path.join(run.folder, "model");
  const evaluations = run
    .readLines<Evaluated>("evaluations")
    .map(({ step, validationLoss }): Evaluated => ({ step, validationLoss }));

  const evaluate = async (step: number, signal: AbortSignal | undefined): Promise<JsonObject> => {
    const own = await training.evaluate?.(step, signal);
    if (validation.length === 0) return own ?? {};
    const { loss, trainedTokens } = await weightedLoss(engine, validation, options, signal);
    const evaluated = { step, validationLoss: loss };
    if (isSound(evaluated) && loss < (best(evaluations)?.validationLoss ?? Number.POSITIVE_INFINITY))
      await replaceFolder(model, (folder) => engine.save(folder));
    evaluations.push(evaluated);
    return { validationLoss: loss, validationTokens: trainedTokens, ...own };
  };

  const isStale = () => sinceBest(evaluations) >= options.patience;
  const isEvaluated = validation.length > 0 || training.evaluate !== undefined;
  const result = await runTrainingLoop<EpochMetrics, JsonObject>({
    engine,
    run,
    steps: plan.steps,
    checkpointEvery: Math.min(options.saveEvery, plan.steps),
    initialState: {},
    takeStep: async ({ step, state, signal }) => {
      const metrics = await weightedStep(engine, plan.batchAt(step), options, {
        learningRate: learningRateAt(step, rates),
        signal,
      });
      return { metrics: { ...metrics, epoch: (step + 1) / plan.stepsPerEpoch }, state };
    },
    ...(isEvaluated ? { evaluate, evaluateEvery: Math.min(options.evaluateEvery, plan.steps) } : {}),
    isEnough: isStale,
    signal: training.signal,
    onProgress: training.onProgress,
  });
  const kept = best(evaluations);
  if (result.finished && kept === undefined) await replaceFolder(model, (folder) => engine.save(folder));
  const { finished, stepsDone } = result;
  return { finished, stepsDone, stoppedEarly: finished && stepsDone < plan.steps, best: kept, model };
}

export interface StepPlan {
  steps: number;
  stepsPerEpoch: number;
  /** Examples left out because they were too long or had nothing to learn. */
  leftOut: number;
  batchAt(step: number): WeightedExample[];
}

export function planSteps(examples: readonly WeightedExample[], options: StepLimits, seed: number): StepPlan {
  const { epochs, maxSteps, tokensPerStep, examplesPerStep, maxTokens } = options;
  const most = examplesPerStep === undefined ? Math.min(maxTokens, tokensPerStep) : maxTokens;
  const usable = examples.filter((example) => example.ids.length <= most && isLearnable(example) && (example.weight ?? 1) > 0);
  if (usable.length === 0) throw nothingToLearn(examples.length, most);
  const lengths = usable.map(({ ids }) => ids.length);
  const packing = examplesPerStep === undefined ? packByTokens(lengths, tokensPerStep) : undefined;
  const stepsPerEpoch = packing?.steps.length ?? Math.ceil(usable.length / (examplesPerStep ?? 1));
  const orderOf = (epochSeed: number) =>
    packing ? stepOrder(packing, epochSeed) : stepsOfExamples(usable.length, examplesPerStep ?? 1, epochSeed);
  const steps = Math.min(maxSteps, Math.ceil(epochs * stepsPerEpoch));
  if (!(Number.isFinite(steps) && steps >= 1)) throw endless();
  let order: { epoch: number; batches: number[][] } | undefined;
  return {
    steps,
    stepsPerEpoch,
    leftOut: examples.length - usable.length,
    batchAt(step) {
      const epoch = Math.floor(step / stepsPerEpoch);
      if (order?.epoch !== epoch) order = { epoch, batches: orderOf(deriveSeed(seed, "epoch", epoch)) };
      return order.batches[step % stepsPerEpoch].map((index) => usable[index]);
    },
  };
}

type StepLimits = Pick<WeightedRunOptions, "epochs" | "maxSteps" | "tokensPerStep" | "examplesPerStep" | "maxTokens">;

function scheduleOf(steps: number, options: WeightedRunOptions): Schedule {
  const { schedule, learningRate, learningRateFloor, warmup, warmupShape = "linear" } = options;
  const warmupSteps = warmup < 1 ? Math.round(warmup * steps) : Math.floor(warmup);
  return { shape: schedule, peak: learningRate, floor: learningRateFloor, warmupSteps, warmupShape, totalSteps: steps };
}

/** A loss that is no number is in the record as null. */
function isSound({ validationLoss }: { validationLoss: unknown }): boolean {
  return typeof validationLoss === "number" && Number.isFinite(validationLoss);
}

function best(evaluations: readonly Evaluated[]): Evaluated | undefined {
  return evaluations.filter(isSound).reduce<Evaluated | undefined>((lowest, each) => {
    return lowest === undefined || each.validationLoss < lowest.validationLoss ? each : lowest;
  }, undefined);
}

function sinceBest(evaluations: readonly Evaluated[]): number {
  const lowest = best(evaluations);
  return lowest === undefined ? 0 : evaluations.length - 1 - evaluations.indexOf(lowest);
}

function nothingToLearn(examples: number, most: number) {
  return userError(
    "no-usable-examples",
    `none of ${examples} training examples has something to learn within ${most} tokens`,
    "Raise the largest length and the tokens of a step, or look at the data.",
  );
}

function endless() {
  return userError("training-endless", "the training has no end, or no step", "Give a number of epochs or of steps above 0.");
}
