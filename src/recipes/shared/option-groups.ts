/** Options that recipes have in common: the optimiser's, those of supervised training on weighted examples, and two presets of them. */
import type { Message } from "#kernel/model.ts";
import { defaultsOf, type RecipeValues, recipeOptions } from "../recipe-options.ts";

const none = Number.POSITIVE_INFINITY;

export const scheduleOption = {
  type: "choice",
  choices: ["constant", "linear", "cosine"],
  default: "constant",
  description: "what the rate does after the warm-up",
} as const;

export const normaliserOption = {
  type: "choice",
  choices: ["sequence-mean", "token-mean", "token-sum"],
  default: "sequence-mean",
  description: "how the loss is averaged: over each answer and then over answers, over all tokens, or summed",
} as const;

/** Which tokens answers are drawn from, beside a temperature. */
export const tokenChoiceOptions = recipeOptions({
  topP: {
    type: "number",
    default: undefined,
    above: 0,
    maximum: 1,
    description: "share of the likeliest tokens that answers are drawn from; all unless given",
  },
  topK: {
    type: "integer",
    default: undefined,
    minimum: 0,
    description: "so many of the likeliest tokens; all for 0 or unless given",
  },
});

export const questionsOption = {
  type: "integer",
  default: 200,
  minimum: 1,
  description: "training questions that are asked",
} as const;

export const adamWOptions = recipeOptions({
  beta1: { type: "number", default: 0.9, maximum: 1, below: 1, description: "decay of the mean of gradients" },
  beta2: { type: "number", default: 0.999, maximum: 1, below: 1, description: "decay of the mean of their squares" },
  epsilon: { type: "number", default: 1e-8, above: 0, description: "added to the root of that mean" },
  weightDecay: { type: "number", default: 0, description: "share of the rate that weights lose in a step" },
  decayed: {
    type: "choice",
    choices: ["all", "matrices"],
    default: "matrices",
    description: "what weightDecay shrinks: all weights, or matrices alone, without norm gains and biases",
  },
  maxGradientNorm: { type: "number", default: 1, above: 0, maximum: none, description: "largest norm of a step's gradient" },
});

/** Of `trainWeighted` (training/supervised/weighted-supervised-run.ts). */
export const weightedOptions = recipeOptions({
  normaliser: { ...normaliserOption, default: "token-mean" },
  likelihood: { type: "number", default: 1, description: "weight of −log p of what is learned" },
  confidence: { type: "number", default: 0, description: "weight of its confidence term; costs a second pass" },
  confidenceScale: { type: "number", default: 1, above: 0, description: "β_0 of the confidence term" },
  confidenceRamp: { type: "choice", choices: ["rising", "flat"], default: "rising", description: "β over the answer's tokens" },
  epochs: { type: "number", default: 3, above: 0, maximum: none, description: "most passes over the examples" },
  maxSteps: { type: "integer", default: none, minimum: 1, maximum: none, description: "most optimiser steps" },
  tokensPerStep: {
    type: "integer",
    default: 8192,
    minimum: 1,
    description: "most tokens of an optimiser step, prompts included",
  },
  examplesPerStep: {
    type: "integer",
    default: undefined,
    minimum: 1,
    description: "examples of an optimiser step, whatever their length, in place of tokensPerStep",
  },
  maxTokens: { type: "integer", default: 4096, minimum: 1, description: "longer examples are left out and counted" },
  tokensPerCall: { type: "integer", default: 4096, minimum: 1, description: "tokens of one forward and backward pass" },
  learningRate: { type: "number", default: 1e-5, above: 0, description: "peak learning rate" },
  schedule: { ...scheduleOption, default: "cosine" },
  warmup: { type: "number", default: 0.1, description: "steps of warm-up from 1 on; below 1 the share of all steps" },
  warmupShape: {
    type: "choice",
    choices: ["linear", "logarithmic"],
    default: "linear",
    description: "how the rate rises in the warm-up",
  },
  learningRateFloor: { type: "number", default: 0, maximum: 1, description: "share of the rate that is left at the last step" },
  saveEvery: { type: "integer", default: 100, minimum: 1, maximum: none, description: "steps between checkpoints" },
  evaluateEvery: {
    type: "integer",
    default: none,
    minimum: 1,
    maximum: none,
    description: "steps between looks at the validation loss",
  },
  patience: {
    type: "integer",
    default: none,
    minimum: 1,
    maximum: none,
    description: "end after so many looks without a lower one",
  },
  adamW: adamWOptions,
});

/** How PASR's authors trained the supervised baselines: two examples to a step, cosine, a tenth of warm-up, 2 epochs (arXiv 2508.12903). */
export const rerunWeighted: RecipeValues<typeof weightedOptions> = {
  ...defaultsOf(weightedOptions),
  epochs: 2,
  examplesPerStep: 2,
  saveEvery: 1000,
  evaluateEvery: 1000,
};

/** For models of about a million parameters, which move little at a paper's rate. */
export const smallWeighted: RecipeValues<typeof weightedOptions> = {
  ...rerunWeighted,
  epochs: 3,
  examplesPerStep: undefined,
  tokensPerStep: 4096,
  maxTokens: 1024,
  learningRate: 3e-4,
  saveEvery: 100,
  evaluateEvery: 50,
  adamW: { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.01, decayed: "all", maxGradientNorm: 1 },
};

/** Flags of recipes that train on examples which they collect. */
export const collectingFlags = {
  "--questions <number>": { option: "questions" },
  "--learning-rate <number>": { option: "training.learningRate" },
  "--epochs <number>": { option: "training.epochs", description: "passes over the examples of a round" },
};

export function isMessages(value: unknown): value is readonly Message[] {
  const isMessage = (each: unknown) =>
    typeof each === "object" &&
    each !== null &&
    ["system", "user", "assistant"].includes((each as Message).role) &&
    typeof (each as Message).content === "string";
  return Array.isArray(value) && value.every(isMessage);
}
