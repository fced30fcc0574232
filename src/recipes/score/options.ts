/**
 * Every constant of SCoRe (score.ts) as an option. “Paper” is arXiv 2409.12917. The paper trains Gemini models with code that was not
 * released, so what it leaves open is ours and says so.
 */
import type { AdamWOptions } from "#kernel/engine.ts";
import { worldPrompts } from "#tasks/world/solutions.ts";
import type { Normaliser } from "#training/losses.ts";
import type { Credit } from "#training/policy/advantages.ts";
import type { KlPlacement } from "#training/policy/turn-kl.ts";
import type { Schedule } from "#training/steps.ts";
import type { EarlierTurns, RetryPrompts } from "./turns.ts";

export interface ScoreOptions {
  /** Conversations per question, each with its own first answer. Not named: 4; at least 2, because an answer is compared with its siblings. */
  samples: number;
  /** Questions per step. Paper: 512 conversations a batch for MATH, 128 for code. */
  questionsPerStep: number;
  /** Steps of stage I and of stage II. Paper: 3000 in all for MATH, 1500 for code; how they are divided is not named: halves. */
  stageOneSteps: number;
  stageTwoSteps: number;
  /** Paper 5e-6 (MATH), 1e-5 (code). */
  learningRate: number;
  /** Over each stage by itself. Not named: constant. */
  schedule: Schedule["shape"];
  warmupSteps: number;
  adamW: Omit<AdamWOptions, "learningRate">;
  /** α of the progress bonus. Paper 10. */
  progressBonus: number;
  /** β2: KL of the first turn in stage I. Paper 0.1 (MATH), 0.25 (code). */
  stageOneKl: number;
  /** KL of the second turn in stage I. 0: stage I holds the first turn alone. The paper lets the small β1 of stage II act here too. */
  stageOneSecondTurnKl: number;
  /** β1: KL of both turns in stage II. Paper 0.01. */
  stageTwoKl: number;
  /** `reward`: the KL term is taken from the reward (the paper's estimator); `loss`: it is a term of the loss. */
  klPlacement: KlPlacement;
  /**
   * `own-turn`: the first answer is paid for itself alone, the second for itself and its progress. `to-go`: the first answer is also paid
   * for what follows, the gradient of the written objective; with α = 10 a right first answer then loses 9 and a second one that is
   * right earns it 11, so that in stage II failing first and mending pays best.
   */
  credit: Credit;
  /** How tokens are averaged. Not named: every token counts the same. */
  normaliser: Normaliser;
  /** Paper 1. REINFORCE is only right at 1, with all tokens. */
  temperature: number;
  topP: number;
  topK: number;
  /** Largest number of new tokens per turn. Not named: 1024. */
  maxTokens: number;
  /** No loss on turns cut at the largest length. Not in the paper. */
  maskTruncated: boolean;
  /**
   * Share of the questions of stage II whose first answers the base model writes, so that the second turn meets more kinds of mistakes;
   * those first answers are not trained. The paper describes it as an option: 0.
   */
  baseFirstShare: number;
  /** The weights each stage ends with: its last, or those with the highest training reward, as in the paper. */
  keep: "last" | "best-reward";
  /** Steps over which that reward is averaged, so that one lucky step does not decide. Not in the paper. */
  rewardWindow: number;
  /** The system message of a conversation (none when empty), and the fixed request for a second answer. */
  prompts: RetryPrompts;
  /** How the second turn sees the first where the chat template would show it otherwise. Not in the paper: as a server would. */
  earlierTurns: EarlierTurns;
}

/** What the paper asks before the second turn, in our own words. */
export const retryRequest =
  "Your solution may contain a mistake. Look for one, put right whatever is wrong, and write out the whole solution again.";

/** The paper's setting for MATH. */
export const paperScoreOptions: ScoreOptions = {
  samples: 4,
  questionsPerStep: 128,
  stageOneSteps: 1500,
  stageTwoSteps: 1500,
  learningRate: 5e-6,
  schedule: "constant",
  warmupSteps: 0,
  adamW: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 },
  progressBonus: 10,
  stageOneKl: 0.1,
  stageOneSecondTurnKl: 0,
  stageTwoKl: 0.01,
  klPlacement: "reward",
  credit: "own-turn",
  normaliser: "token-mean",
  temperature: 1,
  topP: 1,
  topK: 0,
  maxTokens: 1024,
  maskTruncated: false,
  baseFirstShare: 0,
  keep: "best-reward",
  rewardWindow: 20,
  prompts: { system: "", retry: retryRequest },
  earlierTurns: "as-shown",
};

/** The paper's setting for programs: trained on MBPP, tested on HumanEval. */
export const paperCodeScoreOptions: ScoreOptions = {
  ...paperScoreOptions,
  questionsPerStep: 32,
  stageOneSteps: 750,
  stageTwoSteps: 750,
  learningRate: 1e-5,
  stageOneKl: 0.25,
};

/** For the shipped model of about a million parameters and its world of arithmetic: a higher rate, fewer and smaller steps. */
export const smallWorldScoreOptions: ScoreOptions = {
  ...paperScoreOptions,
  samples: 4,
  questionsPerStep: 24,
  stageOneSteps: 60,
  stageTwoSteps: 120,
  learningRate: 3e-4,
  maxTokens: 160,
  keep: "last",
  prompts: { system: worldPrompts.plain, retry: worldPrompts.improve },
};
