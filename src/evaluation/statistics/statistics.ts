/** The statistics behind every printed number: intervals, paired comparisons, corrections. All 95 %, all seeded, no approximation unsaid. */
import { mean, sum } from "#kernel/numbers.ts";
import type { Random } from "#kernel/seed.ts";

export type Interval = [low: number, high: number];

/** Two-sided 95 % point of the standard normal. */
export const z95 = 1.959963984540054;

/** Wilson's score interval of a share; right for small counts and for shares near 0 or 1. NaN bounds for no trials. */
export function wilsonInterval(successes: number, trials: number): Interval {
  const share = successes / trials;
  const shrink = 1 + z95 ** 2 / trials;
  const centre = (share + z95 ** 2 / (2 * trials)) / shrink;
  const half = (z95 * Math.sqrt((share * (1 - share)) / trials + z95 ** 2 / (4 * trials ** 2))) / shrink;
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** Mean of the known values, where at most a tenth is unknown: of ten answers, one may lack its tokens. */
export function meanKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 && known.length >= values.length * 0.9 ? mean(known) : undefined;
}

export function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((first, second) => first - second),
    0.5,
  );
}

/** Of values in ascending order, interpolated between neighbours. NaN for none. */
export function quantile(sorted: readonly number[] | Float64Array, share: number): number {
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/**
 * Standard error of the mean where values of one cluster (samples of one question, questions on one passage) may move together:
 * √(Σ_clusters (Σ deviations)²) / n, without the small-sample factor (Miller 2024, arXiv 2411.00640).
 */
export function clusteredStandardError(values: readonly number[], clusters: readonly (string | number)[]): number {
  const centre = mean(values);
  const sums = new Map<string | number, number>();
  for (const [index, value] of values.entries()) sums.set(clusters[index], (sums.get(clusters[index]) ?? 0) + value - centre);
  return Math.sqrt([...sums.values()].reduce((sum, deviation) => sum + deviation ** 2, 0)) / values.length;
}

/** Standard error of the difference of two means when the pairing is thrown away; larger than the paired one where the methods agree. */
export function unpairedStandardError(first: readonly number[], second: readonly number[]): number {
  return Math.sqrt(variance(first) / first.length + variance(second) / second.length);
}

/** With n − 1; NaN for fewer than two values. */
export function variance(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}

/** One-sided 80 % point of the standard normal, for power. */
const z80 = 0.8416212335729143;

/**
 * The smallest true difference that a two-sided 5 % test finds with 80 % power, from the standard error of the difference; half of it
 * would usually be missed. Undefined where the error is 0 or unknown: items that never differ tell nothing of how much others would.
 */
export function minimumDetectableDifference(standardError: number): number | undefined {
  return standardError > 0 ? (z95 + z80) * standardError : undefined;
}

/** Items needed to find a difference with 80 % power, from the variance of the difference on one item. */
export function itemsForDifference(difference: number, varianceOfDifference: number): number {
  return Math.ceil(((z95 + z80) ** 2 * varianceOfDifference) / difference ** 2);
}

/** Exact two-sided McNemar test: `onlyFirst` items right under the first method alone, `onlySecond` under the second alone. */
export function mcnemarExact(onlyFirst: number, onlySecond: number): number {
  return Math.min(1, 2 * mcnemarTail(onlyFirst, onlySecond));
}

/** Probability of as few discordant items as the rarer kind has, or fewer, when both kinds are equally likely. */
function mcnemarTail(onlyFirst: number, onlySecond: number): number {
  const discordant = onlyFirst + onlySecond;
  let logCoefficient = 0;
  let tail = 0;
  for (let index = 0; index <= Math.min(onlyFirst, onlySecond); index++) {
    tail += Math.exp(logCoefficient - discordant * Math.LN2);
    logCoefficient += Math.log((discordant - index) / (index + 1));
  }
  return tail;
}

/** McNemar's test with half of the observed table's own probability: less cautious than the exact one, and right on average. */
export function mcnemarMidP(onlyFirst: number, onlySecond: number): number {
  const discordant = onlyFirst + onlySecond;
  if (discordant === 0) return 1;
  const smaller = Math.min(onlyFirst, onlySecond);
  let logCoefficient = 0;
  for (let index = 0; index < smaller; index++) logCoefficient += Math.log((discordant - index) / (index + 1));
  const tail = mcnemarTail(onlyFirst, onlySecond);
  return Math.min(1, 2 * tail - Math.exp(logCoefficient - discordant * Math.LN2));
}

/**
 * Two-sided: how often random signs give a mean as far from 0. Never 0 itself: the observed signs are one of the draws. For items that
 * go together give the clusters' sums: they flip as wholes.
 */
export function signFlip(differences: readonly number[], random: Random, draws: number): number {
  const observed = Math.abs(sum(differences));
  let extreme = 1;
  for (let draw = 0; draw < draws; draw++) {
    let sum = 0;
    for (const value of differences) sum += random.chance(0.5) ? value : -value;
    // Equal sums may differ by rounding.
    if (Math.abs(sum) >= observed * (1 - 1e-9)) extreme++;
  }
  return extreme / (draws + 1);
}

/**
 * Holm's correction of several families of tests. A test that stands in several of them is one test and has one p: the largest of what it comes
 * to in each.
 */
export function holmOfFamilies<Key>(...families: readonly (readonly (readonly [Key, number | undefined])[])[]): Map<Key, number> {
  const corrected = new Map<Key, number>();
  for (const family of families)
    for (const [key, pValue] of holm(family)) corrected.set(key, Math.max(pValue, corrected.get(key) ?? 0));
  return corrected;
}

/** Holm's correction for several tests, each under the key it came with; those without a p are no test. */
export function holm<Key>(pValues: Iterable<readonly [Key, number | undefined]>): Map<Key, number> {
  const order = [...pValues]
    .flatMap(([key, pValue]) => (pValue === undefined ? [] : [{ key, pValue }]))
    .sort((first, second) => first.pValue - second.pValue);
  let largest = 0;
  return new Map(
    order.map(({ key, pValue }, rank) => {
      largest = Math.max(largest, Math.min(1, pValue * (order.length - rank)));
      return [key, largest];
    }),
  );
}
