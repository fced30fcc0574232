/** The shape of results.json. Accuracies, shares and differences are in [0, 1] (or [−1, 1]); an absent field is unknown, never 0. */
import type { ResamplingPoint, TokenConvention } from "./statistics/resampling.ts";
import type { Interval } from "./statistics/statistics.ts";

export interface MethodResult {
  /** `vanilla`, `pasr-prompt`, `self-refine-1`, `self-refine-3`, `self-consistency`, `pasr`, or a user's own. */
  id: string;
  /** Mean over items, with its 95 % interval. */
  accuracy: number;
  interval: Interval;
  answers: number;
  items: number;
  /** Answers on whose way something failed; what they had by then is graded, nothing is wrong. */
  failures: number;
  /** Sampled tokens of an answer, drafts and feedback included. */
  tokensPerAnswer?: number | undefined;
  medianTokensPerAnswer?: number | undefined;
  /** Sampled tokens and every prompt. */
  allTokensPerAnswer?: number | undefined;
  callsPerAnswer: number;
  /** Prompts and sampled tokens of all answers, divided by the right ones; absent when none is right. */
  tokensPerCorrect?: number | undefined;
  generatedTokensPerCorrect?: number | undefined;
  /** Dollars; absent without known prices. */
  costPerCorrect?: number | undefined;
  /** Share of answers whose text keeps the refine grammar. */
  formatRate: number;
  refinementsPerAnswer: number;
  /** From the baseline's answer to this one's, as shares of all answers. */
  rightToWrong: number;
  wrongToRight: number;
  rightToRight: number;
  wrongToWrong: number;
  /** From the method's own first attempt to its final answer; absent where there is one attempt. */
  ownRightToWrong?: number;
  ownWrongToRight?: number;
  /** Voting over plain samples at this method's mean tokens, by both conventions; absent without a pool or with unknown tokens. */
  resampling?: Record<TokenConvention, ResamplingResult>;
}

export interface ResamplingResult {
  accuracyAtSameTokens: number;
  interval: Interval;
  /** Plain samples that the same tokens pay for. */
  samples: number;
  /** This method minus resampling, paired by item. */
  difference: number;
  differenceInterval: Interval;
  /** The method costs less than one sample or more than the whole pool: the nearest end stands in. */
  outside?: "below" | "above";
}

export interface Comparison {
  a: string;
  b: string;
  /** Accuracy of a minus that of b, on the items both have. */
  difference: number;
  interval: Interval;
  pValue: number;
  /** Corrected for all comparisons of this file (Holm). */
  pHolm: number;
  test: "mcnemar" | "sign-flip";
  items: number;
}

export interface Results {
  schema: 1;
  run: string;
  temperature: number;
  items: number;
  /** The method that transitions start from. */
  baseline: string;
  methods: MethodResult[];
  comparisons: Comparison[];
  resamplingCurve: Omit<ResamplingPoint, "perItem">[];
  /** The same evaluation at other temperatures. */
  others?: Results[];
}
