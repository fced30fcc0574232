/**
 * How good verdicts are: a judge's, a verifier's or a method's own "this is right", against the grade. Every figure that would divide by
 * nothing is absent. Precision falls with the share of right answers, so it is only to be read beside `baseRate`.
 */
import { knownFields } from "../records/evaluation-record.ts";

export interface Verdict {
  /** Absent where no verdict could be read: a category of its own, neither yes nor no. */
  passed?: boolean;
  /** In [0, 1]. */
  score?: number;
  right: boolean;
}

export interface VerifierMetrics {
  verdicts: number;
  /** Asked, and no verdict could be read. */
  unreadable: number;
  /** Share of right answers among those with a verdict. */
  baseRate?: number;
  acceptRate?: number;
  precision?: number;
  recall?: number;
  specificity?: number;
  f1?: number;
  balancedAccuracy?: number;
  /** Matthews' correlation. */
  mcc?: number;
  /** Probability that a right answer has a higher score than a wrong one; ties count half. */
  auroc?: number;
  /** Mean squared distance of score and outcome. */
  brier?: number;
  /** Expected calibration error over ten bins of equal width. */
  calibrationError?: number;
}

export function verifierMetrics(verdicts: readonly Verdict[]): VerifierMetrics {
  const read = verdicts.filter((verdict) => verdict.passed !== undefined);
  const count = (passed: boolean, right: boolean) =>
    read.filter((verdict) => verdict.passed === passed && verdict.right === right).length;
  const [truePositive, falsePositive] = [count(true, true), count(true, false)];
  const [falseNegative, trueNegative] = [count(false, true), count(false, false)];
  const precision = ratio(truePositive, truePositive + falsePositive);
  const recall = ratio(truePositive, truePositive + falseNegative);
  const specificity = ratio(trueNegative, trueNegative + falsePositive);
  const margins =
    (truePositive + falsePositive) *
    (truePositive + falseNegative) *
    (trueNegative + falsePositive) *
    (trueNegative + falseNegative);
  const scored = verdicts.filter((verdict): verdict is Verdict & { score: number } => verdict.score !== undefined);
  const unreadable = verdicts.filter((verdict) => verdict.passed === undefined && verdict.score === undefined).length;
  const figures = knownFields({
    baseRate: ratio(truePositive + falseNegative, read.length),
    acceptRate: ratio(truePositive + falsePositive, read.length),
    precision,
    recall,
    specificity,
    f1: ratio(2 * truePositive, 2 * truePositive + falsePositive + falseNegative),
    balancedAccuracy: recall === undefined || specificity === undefined ? undefined : (recall + specificity) / 2,
    mcc: margins === 0 ? undefined : (truePositive * trueNegative - falsePositive * falseNegative) / Math.sqrt(margins),
    auroc: areaUnderCurve(scored),
    brier: scored.length === 0 ? undefined : brierScore(scored),
    calibrationError: scored.length === 0 ? undefined : calibrationError(scored),
  });
  return { verdicts: verdicts.length, unreadable, ...figures };
}

export function brierScore(scored: readonly { score: number; right: boolean }[]): number {
  return scored.reduce((sum, { score, right }) => sum + (score - Number(right)) ** 2, 0) / scored.length;
}

/** Σ over bins of (share of answers in the bin) · |mean score − share right|; bins are [low, high), the last one closed. */
export function calibrationError(scored: readonly { score: number; right: boolean }[], bins = 10): number {
  const sums = Array.from({ length: bins }, () => ({ score: 0, right: 0 }));
  for (const { score, right } of scored) {
    const bin = sums[Math.min(bins - 1, Math.max(0, Math.floor(score * bins + 1e-9)))];
    bin.score += score;
    bin.right += Number(right);
  }
  return sums.reduce((sum, bin) => sum + Math.abs(bin.score - bin.right), 0) / scored.length;
}

/** By ranks, ties in the middle; undefined where all answers are right or all are wrong. */
function areaUnderCurve(scored: readonly { score: number; right: boolean }[]): number | undefined {
  const sorted = [...scored].sort((first, second) => first.score - second.score);
  const right = sorted.filter((entry) => entry.right).length;
  const wrong = sorted.length - right;
  if (right === 0 || wrong === 0) return undefined;
  let wins = 0;
  let wrongBelow = 0;
  for (let start = 0; start < sorted.length; ) {
    let end = start;
    while (end < sorted.length && sorted[end].score === sorted[start].score) end++;
    const tied = sorted.slice(start, end);
    const tiedRight = tied.filter((entry) => entry.right).length;
    const tiedWrong = tied.length - tiedRight;
    wins += tiedRight * (wrongBelow + tiedWrong / 2);
    wrongBelow += tiedWrong;
    start = end;
  }
  return wins / (right * wrong);
}

function ratio(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : part / whole;
}
