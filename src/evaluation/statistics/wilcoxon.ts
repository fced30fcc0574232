/** Wilcoxon's signed-rank test for paired scores (Wilcoxon 1945). */
import { sum } from "#kernel/numbers.ts";
export interface SignedRank {
  /** Pairs that differ; the others say nothing and are left out, as Wilcoxon did. */
  pairs: number;
  /** Pairs that do not differ. */
  ties: number;
  /** Sum of the ranks of the positive differences. */
  rankSum: number;
  /** Two-sided. 1 where no pair differs. */
  pValue: number;
  /** One-sided: how often chance alone makes the positive differences weigh as much. */
  pGreater: number;
  /** `exact` counts every assignment of signs, with equal differences sharing their mean rank; `normal` for more than 200 pairs. */
  by: "exact" | "normal";
}

/** The work of the exact distribution grows with the cube of the pairs. */
const mostExact = 200;

/** `differences` are first − second of each pair. NaN is no difference that can be ranked and must not be among them. */
export function signedRank(differences: readonly number[]): SignedRank {
  const kept = withoutRounding(differences).filter((difference) => difference !== 0);
  const ties = differences.length - kept.length;
  const pairs = kept.length;
  if (pairs === 0) return { pairs, ties, rankSum: 0, pValue: 1, pGreater: 1, by: "exact" };
  // Mean ranks are halves at worst, so that twice a rank is whole.
  const doubled = doubledRanks(kept);
  const positive = kept.reduce((sum, difference, index) => sum + (difference > 0 ? doubled[index] : 0), 0);
  const { atMost, atLeast } = pairs <= mostExact ? exactTails(doubled, positive) : normalTails(doubled, positive);
  return {
    pairs,
    ties,
    rankSum: positive / 2,
    pValue: Math.min(1, 2 * Math.min(atMost, atLeast)),
    pGreater: Math.min(1, atLeast),
    by: pairs <= mostExact ? "exact" : "normal",
  };
}

/** Of the largest difference: what is nearer to another one, or to 0, is the same up to the rounding of the subtraction (scipy#17667). */
const grain = 1e-12;

function withoutRounding(differences: readonly number[]): readonly number[] {
  const step = differences.reduce((most, difference) => Math.max(most, Math.abs(difference)), 0) * grain;
  if (!(step > Number.MIN_VALUE * 2 ** 52) || !Number.isFinite(step)) return differences;
  return differences.map((difference) => Math.round(difference / step));
}

/** Twice the rank of each value by size, equal sizes sharing the mean of theirs. */
function doubledRanks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((first, second) => Math.abs(values[first]) - Math.abs(values[second]));
  const ranks = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && Math.abs(values[order[end]]) === Math.abs(values[order[start]])) end++;
    for (let place = start; place < end; place++) ranks[order[place]] = start + 1 + end;
    start = end;
  }
  return ranks;
}

interface Tails {
  /** Probability of a sum as large as the observed one, or smaller; and as large, or larger. */
  atMost: number;
  atLeast: number;
}

/** The distribution of the sum over all 2^n signs, one rank after another. */
function exactTails(ranks: readonly number[], observed: number): Tails {
  const total = sum(ranks);
  const probability = new Float64Array(total + 1);
  probability[0] = 1;
  let reach = 0;
  for (const rank of ranks) {
    reach += rank;
    for (let sum = reach; sum >= 0; sum--)
      probability[sum] = (probability[sum] + (sum >= rank ? probability[sum - rank] : 0)) / 2;
  }
  let atMost = 0;
  let atLeast = 0;
  for (let sum = 0; sum <= total; sum++) {
    if (sum <= observed) atMost += probability[sum];
    if (sum >= observed) atLeast += probability[sum];
  }
  return { atMost, atLeast };
}

/** With the variance of the ranks as they are, ties included, and half a rank of continuity correction. */
function normalTails(ranks: readonly number[], observed: number): Tails {
  const mean = sum(ranks) / 2;
  const deviation = Math.sqrt(ranks.reduce((sum, rank) => sum + rank * rank, 0)) / 2;
  // In doubled ranks half a rank is one.
  return { atMost: normalTail(-(observed + 1 - mean) / deviation), atLeast: normalTail((observed - 1 - mean) / deviation) };
}

/** P(Z > z): the power series near the middle, Laplace's continued fraction in the tail. */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z < 3) {
    let term = z;
    let sum = z;
    for (let odd = 3; term > 1e-17 * sum; odd += 2) {
      term *= (z * z) / odd;
      sum += term;
    }
    return 0.5 - density * sum;
  }
  let fraction = z;
  for (let level = 60; level >= 1; level--) fraction = z + level / fraction;
  return density / fraction;
}
