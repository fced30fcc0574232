/** Figures of one task that are resampled together, and the paired comparison of two methods on it. */
import { mean } from "#kernel/numbers.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { getOrMake } from "#kernel/values.ts";
import { bootstrapColumns, type Resampled } from "../statistics/bootstrap.ts";
import {
  clusteredStandardError,
  mcnemarExact,
  mcnemarMidP,
  minimumDetectableDifference,
  signFlip,
  variance,
} from "../statistics/statistics.ts";
import { normalTail } from "../statistics/wilcoxon.ts";
import type { PairedResult } from "./results.ts";

/** Collects columns of values by item; those over the same items share their draws. */
export class PairedColumns {
  readonly #seed: number;
  readonly #clusterOf: (item: string) => string;
  readonly #sets = new Map<string, { items: readonly string[]; columns: number[][]; lowest: number[]; places: symbol[] }>();
  #resampled: Map<symbol, Resampled> | undefined;

  constructor(seed: number, clusterOf: (item: string) => string) {
    this.#seed = seed;
    this.#clusterOf = clusterOf;
  }

  /** `lowest`: what a value can be least, 0 for scores, −1 for differences of them. Returns the column's name for `of`. */
  add(items: readonly string[], values: number[], lowest: number): symbol {
    const set = getOrMake(this.#sets, JSON.stringify(items), () => ({ items, columns: [], lowest: [], places: [] }));
    const name = Symbol();
    set.columns.push(values);
    set.lowest.push(lowest);
    set.places.push(name);
    return name;
  }

  of(name: symbol): Resampled {
    this.#resampled ??= new Map(
      [...this.#sets.values()].flatMap(({ items, columns, lowest, places }) => {
        const resampled = bootstrapColumns(columns, items.map(this.#clusterOf), { seed: this.#seed, lowest });
        return places.map((place, index) => [place, resampled[index]] as const);
      }),
    );
    return this.#resampled.get(name)!;
  }
}

/** What each cluster adds to the mean of the differences. */
export function clusterShares(differences: readonly number[], clusters: readonly string[]): number[] {
  const sums = new Map<string, number>();
  for (const [index, value] of differences.entries()) sums.set(clusters[index], (sums.get(clusters[index]) ?? 0) + value);
  return Array.from(sums.values(), (sum) => sum / differences.length);
}

/** So many signs are flipped one by one; the sum over more is as good as normal. */
const mostFlipped = 2000;

/**
 * Sign flips, whole clusters at a time: how often random signs give a sum as far from 0. Few items can never seem certain: of three alike
 * one flip in four gives as much. Clusters without a difference keep their 0 whatever the signs.
 */
export function flipP(shares: readonly number[], seed: number): number {
  const flipped = shares.filter((value) => Math.abs(value) > 1e-12);
  if (flipped.length <= mostFlipped) return signFlip(flipped, new Random(deriveSeed(seed, "sign-flip")), 10_000);
  const sum = flipped.reduce((total, value) => total + value, 0);
  const deviation = Math.sqrt(flipped.reduce((total, value) => total + value ** 2, 0));
  return Math.min(1, 2 * normalTail(Math.abs(sum) / deviation));
}

/** Everything of a paired comparison but what needs the other comparisons: interval and correction follow. */
export function comparePaired(
  first: readonly number[],
  second: readonly number[],
  clusters: readonly string[],
  seed: number,
): Omit<PairedResult, "interval" | "pHolm"> {
  const differences = first.map((score, index) => score - second[index]);
  const shares = clusterShares(differences, clusters);
  const clustered = shares.length < differences.length;
  const binary = [...first, ...second].every((score) => score === 0 || score === 1);
  const onlyThis = differences.filter((value) => value > 0).length;
  const onlyOther = differences.filter((value) => value < 0).length;
  const exact = binary && !clustered;
  const standardError = clustered
    ? clusteredStandardError(differences, clusters)
    : Math.sqrt(variance(differences) / differences.length);
  const detectable = minimumDetectableDifference(standardError);
  return {
    difference: mean(differences),
    standardError,
    ...(detectable === undefined ? {} : { minimumDetectableEffect: detectable }),
    pValue: exact ? mcnemarExact(onlyThis, onlyOther) : flipP(shares, seed),
    test: exact ? "mcnemar" : "sign-flip",
    ...(exact ? { midP: mcnemarMidP(onlyThis, onlyOther) } : {}),
    ...(binary ? { onlyThis, onlyOther } : {}),
    items: differences.length,
  };
}

/** Two methods on the same items, one score an item each, apart from all others; `clusters` names what the items share. */
export function pairedDifference(
  first: readonly number[],
  second: readonly number[],
  clusters: readonly string[],
  seed: number,
): Omit<PairedResult, "pHolm"> {
  const differences = first.map((score, index) => score - second[index]);
  const [{ interval }] = bootstrapColumns([differences], clusters, { seed, lowest: [-1] });
  return { ...comparePaired(first, second, clusters, seed), interval };
}
