/**
 * Whether a question is hard, told from several answers to it and what a judge makes of each ("MAgICoRe", arXiv 2409.12147, §3). Hard is
 * what the judge does not trust the majority with, and where the answers are spread at the same time.
 */
import { countVotes } from "./candidates.ts";

/** What a judge made of one answer. */
export interface Judged {
  /** Of the whole, in [0, 1]; undefined where there is none. */
  outcome: number | undefined;
  /** Of each step, in [0, 1]; undefined where there are none. */
  steps: readonly number[] | undefined;
}

export interface HardnessLimits {
  /** Mean quality over many questions, which the majority is held against; that of the answers at hand when left out. */
  usualQuality?: number | undefined;
  /** Less confidence than this is a spread of answers. */
  leastConfidence: number;
}

/**
 * Quality in [0, 1]: the mean of the score of the whole and the product of the steps' scores. Where nobody scored steps it is the score of
 * the whole; where only this answer's steps have no score, they count as 0. Undefined without a score of the whole.
 */
export function qualities(judged: readonly Judged[]): (number | undefined)[] {
  const bySteps = judged.some(({ steps }) => steps !== undefined);
  return judged.map(({ outcome, steps }) => {
    if (outcome === undefined || !bySteps) return outcome;
    return (outcome + (stepProduct(steps) ?? 0)) / 2;
  });
}

/** Entropy in nats of the answers by weight. Answers that cannot be read agree with none; without any weight all weigh the same. */
export function answerEntropy(
  answers: readonly (string | undefined)[],
  same: (first: string, second: string) => boolean,
  weights: readonly (number | undefined)[],
): number {
  const total = sum(weights);
  const weightOf = (index: number) => (total > 0 ? (weights[index] ?? 0) / total : 1 / answers.length);
  const alone = [...answers.keys()].filter((index) => answers[index] === undefined).map((index) => [index]);
  const shares = [...countVotes(answers, same).groups, ...alone].map((group) => sum(group.map(weightOf)));
  return Math.max(0, -sum(shares.map((share) => (share > 0 ? share * Math.log(share) : 0))));
}

/** 1 for a single answer, 0.5 for three equally likely ones (entropy ln 3), towards 0 for ever more: 2 · (1 − sigmoid(entropy)). */
export function confidence(entropy: number): number {
  return 2 / (1 + Math.exp(entropy));
}

/** Whether to refine, and why, for a reader. An answer without a score counts as 0, and a majority without any score is not trusted. */
export function hardness(
  answers: readonly (string | undefined)[],
  same: (first: string, second: string) => boolean,
  judged: readonly Judged[],
  { usualQuality, leastConfidence }: HardnessLimits,
): { hard: boolean; why: string } {
  const { groups, winner } = countVotes(answers, same);
  if (winner === undefined) return { hard: true, why: "no answer could be read" };

  // The paper asks for a mean z-score of 0 or more; its sign is that of the difference from the mean, whatever the spread.
  const majority = groups.find((group) => group.includes(winner)) ?? [];
  const quality = qualities(judged);
  const own = mean(majority.map((index) => quality[index]));
  const usual = usualQuality ?? mean(quality);
  const isScored = majority.some((index) => quality[index] !== undefined);
  if (isScored && own >= usual - 1e-12) return { hard: false, why: "the judge trusts the majority" };

  const products = judged.map(({ steps }) => stepProduct(steps));
  const outcomes = judged.map(({ outcome }) => outcome);
  const weightings = products.some((product) => product !== undefined) ? [outcomes, products] : [outcomes];
  const least = Math.min(...weightings.map((weights) => confidence(answerEntropy(answers, same, weights))));
  const amount = `confidence ${least.toFixed(2)}`;
  if (least >= leastConfidence) return { hard: false, why: `the answers agree well enough (${amount})` };
  return { hard: true, why: `the judge does not trust the majority, and the answers are spread (${amount})` };
}

function stepProduct(steps: readonly number[] | undefined): number | undefined {
  return steps?.reduce((product, step) => product * step, 1);
}

function mean(values: readonly (number | undefined)[]): number {
  return sum(values) / values.length;
}

function sum(values: readonly (number | undefined)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}
