/**
 * Every constant of PASR (pasr.ts) as an option. “Paper” is arXiv 2508.12903v2 with its section; “code” is the authors' release
 * (github.com/JinyiHan99/Proactive-Self-Refine-in-LLMs), which says what the paper leaves open.
 */
import type { AdamWOptions } from "#kernel/engine.ts";
import { refineInstruction } from "#methods/plain/pasr-format.ts";
import { worldPrompts } from "#tasks/world/solutions.ts";
import type { Normaliser } from "#training/losses.ts";
import type { GroupAdvantageOptions } from "#training/policy/advantages.ts";
import type { PolicyGradientOptions } from "#training/policy/policy-gradient.ts";
import type { Schedule } from "#training/steps.ts";
import type { PasrRewardOptions } from "../shared/refinement-reward.ts";

export interface PasrOptions extends PasrRewardOptions {
  /** G, refined answers per question. Paper 8 (A.1: “For each group, 8 answers are generated”). */
  refinedSamples: number;
  /** n, plain answers per question. Paper: several (2.3); code 8, the same sampling for both kinds. */
  plainSamples: number;
  /** Code 0.9 for training (pasr_main.py); evaluation is greedy. */
  temperature: number;
  /** Not named: 1, all tokens. */
  topP: number;
  /** Not named: 0, all tokens. */
  topK: number;
  /** Largest number of new tokens. Code 1500. */
  maxTokens: number;
  /** Questions per step. Paper: 8 answers per optimiser step and GPU (A.1: batch 2 × accumulation 4), which is one question's group. */
  questionsPerStep: number;
  /** Paper 3000 (A.1). The code counts batches of two answers, four to an optimiser step; here a step is a batch of whole questions. */
  steps: number;
  /** Paper 1e-6 (A.1). */
  learningRate: number;
  /** Not named, and the code sets none: constant. */
  schedule: Schedule["shape"];
  warmupSteps: number;
  /** AdamW (A.1); the code leaves the rest at its library's defaults and clips no gradient. */
  adamW: Omit<AdamWOptions, "learningRate">;
  /** ε of eq. 3, both ways. Paper 0.2 (A.1). */
  clipLow: number;
  clipHigh: number;
  /** β of eq. 3. Paper 0.04 (A.1); the estimator is k3. */
  klCoefficient: number;
  /** Steps between refreshes of the sampler's weights; 1 is strictly on-policy. Code 16 (gen_update_steps). */
  samplerRefresh: number;
  /** Optimiser steps per batch of rollouts. Code 1: every answer is used once. */
  miniBatches: number;
  /** ξ of eq. 2. Code 1e-4. */
  advantageEpsilon: number;
  /** Groups whose rewards differ by less are dropped. Code 1e-4. */
  smallestRewardRange: number;
  /** σ of eq. 2. Code: over G − 1 (torch.std). */
  advantageDeviation: GroupAdvantageOptions["deviation"];
  /** Code: mean over a sequence's tokens, then over sequences. */
  normaliser: Normaliser;
  /** Keep only questions whose mean plain accuracy is strictly inside. Not in the paper: every question is used. */
  plainAccuracyWindow?: readonly [low: number, high: number];
  /** No loss on answers cut at the largest length. Not in the paper: they are trained, with the format term −1. */
  maskTruncated: boolean;
  /** System messages of the two kinds of answer. */
  prompts: { refine: string; plain: string };
  /** How the loss's weights reach the engine; both give the same numbers. */
  path: PolicyGradientOptions["path"];
}

/** What the paper asks of a model that already follows instructions (Table B.3), in our own words. */
export const paperPrompts = {
  refine: refineInstruction,
  plain: "You are a helpful assistant. Work out the user's question and give the answer.",
} as const;

/** The paper's own setting, for models of several billion parameters. */
export const paperPasrOptions: PasrOptions = {
  refinedSamples: 8,
  plainSamples: 8,
  temperature: 0.9,
  topP: 1,
  topK: 0,
  maxTokens: 1500,
  questionsPerStep: 1,
  steps: 3000,
  learningRate: 1e-6,
  schedule: "constant",
  warmupSteps: 0,
  adamW: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: Number.POSITIVE_INFINITY },
  clipLow: 0.2,
  clipHigh: 0.2,
  klCoefficient: 0.04,
  samplerRefresh: 16,
  miniBatches: 1,
  advantageEpsilon: 1e-4,
  smallestRewardRange: 1e-4,
  advantageDeviation: "sample",
  normaliser: "sequence-mean",
  tolerance: 0,
  refineReward: "versus-group",
  maskTruncated: false,
  prompts: paperPrompts,
  path: "fused",
};

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
