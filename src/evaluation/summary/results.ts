/**
 * The shape of results.json: methods × tasks of one model, or of one before and after its training. Accuracies, shares and differences are
 * in [0, 1] (or [−1, 1]); an absent field is unknown, never 0. Everything but `times` is the same again for the same answers.
 */
import type { NotHonoured } from "#kernel/model.ts";
import type { ReasoningConvention } from "#kernel/reasoning-count.ts";
import type { Interval } from "../statistics/statistics.ts";
import type { Transitions } from "../statistics/transitions.ts";
import type { VerifierMetrics } from "./verifier-metrics.ts";

/**
 * How plain samples become one answer: the majority of their votes; the best by a scorer; or, where answers cannot be voted on (programs,
 * summaries) and nothing scores them, a single one, whose accuracy no number of samples changes.
 */
export type ResamplingRule = "vote" | "best-of-n" | "single";

/** `generated`: sampled tokens alone. `all`: prompts too. */
export type TokenConvention = "generated" | "all";

export type CostKind = TokenConvention | "dollars" | "seconds";

/** The resampling baseline at one method's cost, and the method against it. */
export interface EqualCost {
  rule: ResamplingRule;
  accuracyAtSameTokens: number;
  interval: Interval;
  /** Plain samples that the same cost pays for; between two whole numbers the accuracy is interpolated. */
  samples: number;
  /** This method minus resampling, paired by item. */
  difference: number;
  differenceInterval: Interval;
  /** The method costs less than one sample or more than the whole pool: the nearest end stands in. */
  outside?: "below" | "above";
  pValue: number;
  /** Corrected for the methods of this task (Holm), for sampled tokens. */
  pHolm?: number;
}

/** This method minus another on the items both have. */
export interface PairedResult {
  difference: number;
  interval: Interval;
  standardError: number;
  /** Smallest true difference that these items would show four times in five; absent where no item differs. */
  minimumDetectableEffect?: number;
  pValue: number;
  /** Corrected for the methods compared in this task (Holm). */
  pHolm: number;
  /** `mcnemar` is exact; `sign-flip` by permutation, whole clusters at a time, for graded scores, several samples and clusters. */
  test: "mcnemar" | "sign-flip";
  /** McNemar's mid-p, beside the exact one. */
  midP?: number;
  /** The method alone right, and the other alone right, where scores are 0/1. */
  onlyThis?: number;
  onlyOther?: number;
  items: number;
}

/** Two methods that were to be compared with each other, `a` minus `b`; p is corrected for the comparisons of the task. */
export interface Comparison extends PairedResult {
  a: string;
  b: string;
}

export interface GroupResult {
  group: string;
  accuracy: number;
  interval: Interval;
  items: number;
}

export interface VerificationResult extends VerifierMetrics {
  /** Who gave the verdicts, as the method says. */
  by: string;
  byGroup?: (VerifierMetrics & { group: string })[];
  /** By how often plain answers to the item are right: precision collapses where that is rare. */
  byPassRate?: (VerifierMetrics & { passRate: Interval })[];
}

export interface MethodResult {
  /** `vanilla`, `self-refine(rounds=2)`, or a name of one's own. */
  id: string;
  /** Mean over items, with its 95 % interval. */
  accuracy: number;
  interval: Interval;
  answers: number;
  items: number;
  /** Answers on whose way something failed; what they had by then is graded, nothing is wrong. */
  failures: number;
  /** Those of the failures whose answer by then is graded right all the same. */
  failuresRight?: number;
  /** Those of the failures that came before anything was sampled; means of tokens and dollars leave them out. */
  failuresUnsampled?: number;
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
  /** It looks at the reference answer or at hidden tests: an upper bound, no method one could use. */
  oracle: boolean;
  strictAccuracy?: number;
  /** Share of answers in which no answer was found. */
  extractionFailures: number;
  /** Means of the grader's further figures, such as ROUGE, over the answers that have them. */
  measures?: Record<string, number>;
  /** Tokens of the judge an answer, prompts included; not part of the method's own. */
  gradingTokensPerAnswer?: number;
  /** How grading ended, where it said, and why methods ended before they were done. */
  statuses: Record<string, number>;
  reasons: Record<string, number>;
  /** Answers that cost more than the budget for one; `byFirstCall`: of these, those whose first call alone did. Absent where none did. */
  overBudget?: { answers: number; byFirstCall: number };
  /** Answers of which something was sampled and whose tokens are unknown; the means are over the others. */
  unknownTokens: number;
  dollarsPerAnswer?: number;
  tokensPerAnswerInterval?: Interval;
  /** Counts from the baseline's answers to this method's, paired by item and sample. */
  transitions?: Transitions;
  /** Of answers wrong in the baseline, the share set right; of those right, the share damaged. */
  correctionRate?: number;
  damageRate?: number;
  /** Accuracy after each attempt; an answer that ended earlier stays as it was. Absent for one attempt. */
  accuracyByAttempt?: number[];
  /** Answers that went from right to wrong to right over their attempts, as a share. */
  oscillation?: number;
  /** Against plain answers; absent for the baseline itself. */
  versusBaseline?: PairedResult;
  resampling?: Partial<Record<CostKind, EqualCost>>;
  /** Best-of-n by the same scorer, where scores were recorded. */
  bestOfN?: Partial<Record<TokenConvention, EqualCost>>;
  /** Why there is no comparison at equal cost. */
  notComparable?: string;
  byGroup?: GroupResult[];
  verification?: VerificationResult[];
}

export interface CurvePoint {
  /** Samples k. */
  samples: number;
  accuracy: number;
  interval: Interval;
  /** Mean tokens of an answer, by both conventions. */
  generated: number;
  all: number;
  dollars?: number;
  /** At least one of the k samples is right: what an oracle would make of them. */
  passAtK: number;
  /** All of them are. */
  passAllK: number;
}

/** Share of items with at least one right attempt, by the number of attempts and the tokens they took. Finding it takes an oracle. */
export interface PassAtTokens {
  /** Method, or the pool. */
  id: string;
  oracle: true;
  points: { attempts: number; tokens: number; share: number }[];
}

export interface ResamplingPool {
  method: string;
  rule: ResamplingRule;
  /** Where the greedy plain answer is better than the samples that the same tokens pay for, it stands in their place. */
  floor?: "plain answer";
  /** Samples of each item that the curve reaches. */
  samples: number;
  items: number;
  /** Items of the pool that were left out, because too few of their samples arrived or their tokens are unknown. */
  itemsLeftOut: number;
  /** Whether further samples of a prompt pay for it again, as measured. */
  prompts: "paid once" | "paid by each sample" | "partly shared";
}

export interface TaskResult {
  task: string;
  title?: string;
  promptVersion?: string;
  /** Accuracy of guessing. */
  chance?: number;
  /** Items asked for; methods say how many they have. */
  items: number;
  /** The items share passages or questions: this many clusters. Intervals and tests allow for it. */
  clusters?: number;
  baseline: string;
  methods: MethodResult[];
  pool?: ResamplingPool;
  /** Empty without a pool; `poolMissing` says why. */
  resamplingCurve: CurvePoint[];
  poolMissing?: string;
  /** Best-of-n by recorded scores, over the samples of this method. */
  bestOfN?: ResamplingPool;
  bestOfNCurve?: CurvePoint[];
  passAtTokens: PassAtTokens[];
  /** Where pairs beyond the baseline were to be compared. */
  comparisons?: Comparison[];
}

/** One method over all tasks. */
export interface OverallResult {
  id: string;
  oracle: boolean;
  /** Tasks this method has answers of. Means over fewer tasks than others have are not comparable with theirs. */
  tasks: number;
  /** Mean over tasks, each with the same weight; the interval is put together from theirs. */
  macro: { accuracy: number; interval: Interval };
  /** Mean over all items. */
  micro: { accuracy: number; interval: Interval };
  /** Against plain answers and against resampling at the same sampled tokens, mean over the tasks where it is known. */
  versusBaseline?: OverallDifference;
  versusResampling?: OverallDifference;
  /** Mean over tasks; absent when unknown in one. */
  tokensPerAnswer?: number;
  allTokensPerAnswer?: number;
}

export interface OverallDifference {
  difference: number;
  interval: Interval;
  /** Sign flips over the items (clusters) of all tasks. */
  pValue: number;
  pHolm: number;
  tasks: number;
}

/** What two runs never share. Seconds of k samples are k times those of one plain answer: a server that samples side by side is faster. */
export interface TimeResult {
  task: string;
  method: string;
  /** Answers with a known time. */
  answers: number;
  meanSeconds: number;
  medianSeconds: number;
  resampling?: EqualCost;
}

/** How the server counts reasoning, by its own replies. Sampled tokens hold it everywhere, whichever it is. */
export interface ReasoningResult {
  /** `inside`: the server's sampled tokens hold it. `beside`: they do not, and it was added. */
  convention: ReasoningConvention;
  /** Calls whose reply shows either; where both are there the server contradicts itself, and each call is counted by its own reply. */
  inside: number;
  beside: number;
  /** Calls whose reply shows neither, with their reasoning tokens: counted by the convention. */
  untold: number;
  untoldTokens: number;
}

/** A setting that calls asked for in vain. */
export interface NotHonouredResult extends NotHonoured {
  /** Answers with such a call, of all answers of these methods. */
  answers: number;
  of: number;
  /** Methods whose calls they are, the resampling pool's among them. */
  methods: string[];
}

export interface Results {
  schema: 2;
  run: string;
  model: string;
  /** The command that makes these numbers again, and the version it was; absent where a program did it. */
  command?: string | undefined;
  version?: string | undefined;
  commit?: string | undefined;
  seed: number;
  temperature: number;
  /** Answers of each method to each item. */
  samples: number;
  tasks: TaskResult[];
  overall: OverallResult[];
  times: TimeResult[];
  /** What was asked and not honoured; where `temperature` stands here, the temperature above was not the model's. */
  notHonoured?: NotHonouredResult[];
  /** Answers with completions that hold reasoning and no text, of all; `cut`: those that ended at the limit of tokens. */
  unreadReasoning?: { answers: number; cut: number; of: number };
  /** Absent where no reply told of reasoning. */
  reasoning?: ReasoningResult;
  /** The same items at other temperatures. */
  others?: Results[] | undefined;
}
