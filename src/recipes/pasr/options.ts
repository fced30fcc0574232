/**
 * Every constant of PASR (recipe.ts) as an option. “Paper” is arXiv 2508.12903v2 with its section; “code” is the authors' release
 * (github.com/JinyiHan99/Proactive-Self-Refine-in-LLMs), which says what the paper leaves open. The defaults are the paper's setting, for
 * models of several billion parameters.
 */
import { worldPrompts } from "#tasks/world/solutions.ts";
import { defaultsOf, type RecipeValues, recipeOptions, withDefaults } from "../recipe-options.ts";
import { adamWOptions, normaliserOption, scheduleOption } from "../shared/option-groups.ts";
import { answerPrompts, rewardOptions } from "../shared/refinement-reward.ts";

export const pasrOptions = recipeOptions({
  refinedSamples: {
    type: "integer",
    default: 8,
    minimum: 2,
    description: "G, refined answers to each question",
    paper: "8 (A.1)",
  },
  plainSamples: { type: "integer", default: 8, description: "n, plain answers to each question", paper: "several (2.3); code 8" },
  temperature: { type: "number", default: 0.9, above: 0, description: "of sampling; evaluation is greedy", paper: "code 0.9" },
  topP: { type: "number", default: 1, above: 0, maximum: 1, description: "share of the likeliest tokens; 1 for all" },
  topK: { type: "integer", default: 0, description: "the likeliest tokens alone; 0 for all" },
  maxTokens: { type: "integer", default: 1500, minimum: 1, description: "most new tokens of an answer", paper: "code 1500" },
  questionsPerStep: {
    type: "integer",
    default: 1,
    minimum: 1,
    description: "questions of a step",
    paper: "one question's 8 answers per optimiser step and GPU (A.1: batch 2 × accumulation 4)",
  },
  steps: {
    type: "integer",
    default: 3000,
    minimum: 1,
    description: "optimiser steps, each on the answers to whole questions",
    paper: "3000 (A.1); the code counts batches of two answers, four to an optimiser step",
  },
  learningRate: { type: "number", default: 1e-6, above: 0, description: "peak learning rate", paper: "1e-6 (A.1)" },
  schedule: { ...scheduleOption, paper: "not named, and the code sets none: constant" },
  warmupSteps: { type: "integer", default: 0, description: "steps until the rate is at its peak" },
  /** The code leaves the rest at its library's defaults and clips no gradient (A.1). */
  adamW: withDefaults(adamWOptions, { maxGradientNorm: Number.POSITIVE_INFINITY }),
  clipLow: { type: "number", default: 0.2, description: "ε of eq. 3, downwards", paper: "0.2 (A.1)" },
  clipHigh: { type: "number", default: 0.2, description: "ε of eq. 3, upwards", paper: "0.2 (A.1)" },
  klCoefficient: { type: "number", default: 0.04, description: "β of eq. 3; the estimator is k3", paper: "0.04 (A.1)" },
  samplerRefresh: {
    type: "integer",
    default: 4,
    minimum: 1,
    description: "steps between refreshes of the sampler's weights; 1 is strictly on-policy",
    paper: "code 16 (gen_update_steps), passes of two answers, four to an optimiser step",
  },
  miniBatches: { type: "integer", default: 1, minimum: 1, description: "optimiser steps on a batch of answers", paper: "code 1" },
  advantageEpsilon: { type: "number", default: 1e-4, above: 0, description: "ξ of eq. 2", paper: "code 1e-4" },
  smallestRewardRange: {
    type: "number",
    default: 1e-4,
    description: "groups whose rewards differ by less are dropped",
    paper: "code 1e-4",
  },
  advantageDeviation: {
    type: "choice",
    choices: ["sample", "population", "none"],
    default: "sample",
    description: "σ of eq. 2: over G − 1, over G, or left out",
    paper: "code: over G − 1 (torch.std)",
  },
  normaliser: { ...normaliserOption, paper: "code: sequence-mean" },
  ...rewardOptions,
  plainWeight: {
    type: "number",
    default: 0,
    description: "share of a loss on the plain answers too, their advantages by accuracy alone; 0 trains refined answers alone",
    paper: "0: only refined answers are trained (2.2)",
  },
  plainKlCoefficient: {
    type: "number",
    default: 0,
    description: "β of a KL to the first weights on the plain answers, which keeps plain answering as it was",
    paper: "0",
  },
  plainAccuracyWindow: {
    type: "numbers",
    length: 2,
    rising: true,
    maximum: 1,
    default: undefined,
    description: "keep only questions whose mean plain accuracy is strictly inside",
    paper: "every question is used",
  },
  maskTruncated: {
    type: "boolean",
    default: false,
    description: "no loss on answers cut at the largest length",
    paper: "they are trained, with the format term −1",
  },
  keep: {
    type: "choice",
    choices: ["last", "best-validation"],
    default: "last",
    description: "which weights are kept: the last, or those that answered 100 validation problems best, looked at ten times",
    paper: "the last",
  },
  prompts: answerPrompts,
  path: {
    type: "choice",
    choices: ["fused", "two-pass"],
    default: "fused",
    description: "how the loss's weights reach the engine; both give the same numbers",
  },
});

export type PasrOptions = RecipeValues<typeof pasrOptions>;

export const paperPasrOptions: PasrOptions = defaultsOf(pasrOptions);

/**
 * For the shipped model of about a million parameters and its world of arithmetic. Higher rate and more questions per step, because a small
 * model moves little and learns from noise; ζ > 0, so that refining is paid only where plain answers really fail; every token counts the
 * same, because with a mean per answer the decision to refine weighs least in the long answers that refine. docs/pasr.md has the figures
 * behind each choice, and what the paper's values do here.
 */
export const smallWorldPasrOptions: PasrOptions = {
  ...paperPasrOptions,
  maxTokens: 160,
  questionsPerStep: 12,
  steps: 250,
  learningRate: 3e-4,
  adamW: { ...paperPasrOptions.adamW, maxGradientNorm: 1 },
  samplerRefresh: 1,
  normaliser: "token-mean",
  tolerance: 0.25,
  prompts: { refine: worldPrompts.refine, plain: worldPrompts.plain },
};
