/**
 * Every constant of SCoRe (recipe.ts) as an option. “Paper” is arXiv 2409.12917, its setting for MATH the defaults. The paper trains Gemini
 * models with code that was not released, so what it leaves open is ours and says so.
 */
import { worldPrompts } from "#tasks/world/solutions.ts";
import { defaultsOf, type RecipeValues, recipeOptions } from "../recipe-options.ts";
import { adamWOptions, normaliserOption, scheduleOption } from "../shared/option-groups.ts";

/** What the paper asks before the second turn, in our own words. */
export const retryRequest =
  "Your solution may contain a mistake. Look for one, put right whatever is wrong, and write out the whole solution again.";

export const scoreOptions = recipeOptions({
  samples: {
    type: "integer",
    default: 4,
    minimum: 2,
    description: "conversations to each question, each with its own first answer; an answer is compared with its siblings",
    paper: "not named: 4",
  },
  questionsPerStep: {
    type: "integer",
    default: 128,
    minimum: 1,
    description: "questions of a step",
    paper: "512 conversations a batch for MATH, 128 for code",
  },
  stageOneSteps: {
    type: "integer",
    default: 1500,
    description: "steps of stage I; 0 is the ablation without it",
    paper: "3000 in all for MATH, 1500 for code; how they are divided is not named: halves",
  },
  stageTwoSteps: { type: "integer", default: 1500, description: "steps of stage II", paper: "as stageOneSteps" },
  learningRate: { type: "number", default: 5e-6, above: 0, description: "peak learning rate", paper: "5e-6 (MATH), 1e-5 (code)" },
  schedule: { ...scheduleOption, description: "what the rate does, in each stage by itself", paper: "not named: constant" },
  warmupSteps: { type: "integer", default: 0, description: "steps until the rate is at its peak" },
  adamW: adamWOptions,
  progressBonus: {
    type: "number",
    default: 10,
    description: "α of the progress bonus; 0 is the ablation without it",
    paper: "10",
  },
  stageOneKl: {
    type: "number",
    default: 0.1,
    description: "β2: KL of the first turn in stage I",
    paper: "0.1 (MATH), 0.25 (code)",
  },
  stageOneSecondTurnKl: {
    type: "number",
    default: 0,
    description: "KL of the second turn in stage I; 0: stage I holds the first turn alone",
    paper: "lets the small β1 of stage II act here too",
  },
  stageTwoKl: { type: "number", default: 0.01, description: "β1: KL of both turns in stage II", paper: "0.01" },
  klPlacement: {
    type: "choice",
    choices: ["reward", "loss"],
    default: "reward",
    description: "the KL term is taken from the reward, or is a term of the loss",
    paper: "reward",
  },
  /**
   * `to-go`, the gradient of the written objective, also pays the first answer for what follows; with α = 10 a right first answer then loses
   * 9 and a second one that is right earns it 11, so that in stage II failing first and mending pays best.
   */
  credit: {
    type: "choice",
    choices: ["own-turn", "to-go"],
    default: "own-turn",
    description: "the first answer is paid for itself alone, or for what follows too",
    paper: "the sum of both rewards",
  },
  normaliser: { ...normaliserOption, default: "token-mean", paper: "not named: every token counts the same" },
  temperature: { type: "number", default: 1, above: 0, description: "of sampling; REINFORCE is only right at 1", paper: "1" },
  topP: {
    type: "number",
    default: 1,
    minimum: 1,
    maximum: 1,
    description: "1: REINFORCE is only right for answers drawn from all tokens",
  },
  topK: { type: "integer", default: 0, maximum: 0, description: "0, for the same reason" },
  maxTokens: { type: "integer", default: 1024, minimum: 1, description: "most new tokens of a turn", paper: "not named: 1024" },
  maskTruncated: {
    type: "boolean",
    default: false,
    description: "no loss on turns cut at the largest length",
    paper: "not in it",
  },
  baseFirstShare: {
    type: "number",
    default: 0,
    maximum: 1,
    description:
      "share of stage II's questions whose first answers the base writes, untrained, so that the second turn meets more mistakes",
    paper: "described as an option: 0",
  },
  keep: {
    type: "choice",
    choices: ["last", "best-reward"],
    default: "best-reward",
    description: "the weights each stage ends with: its last, or those with the highest training reward",
    paper: "best-reward",
  },
  rewardWindow: {
    type: "integer",
    default: 20,
    minimum: 1,
    description: "steps over which that reward is averaged, so that one lucky step does not decide",
    paper: "not in it",
  },
  prompts: {
    system: { type: "text", default: "", mayBeEmpty: true, description: "system message of a conversation; none when empty" },
    retry: { type: "text", default: retryRequest, description: "the fixed request for a second answer", paper: "fixed" },
  },
  earlierTurns: {
    type: "choice",
    choices: ["as-shown", "as-sampled"],
    default: "as-shown",
    description: "how the second turn sees the first where the chat template would show it otherwise",
    paper: "not in it: as a server would",
  },
});

export type ScoreOptions = RecipeValues<typeof scoreOptions>;

/** The paper's setting for MATH. */
export const paperScoreOptions: ScoreOptions = defaultsOf(scoreOptions);

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
