/** Figures of one task that are resampled together, and the paired comparison of two methods on it. */
import { deriveSeed, Random } from "#kernel/seed.ts";
import type { PairedResult } from "./benchmark-results.ts";
import { bootstrapColumns, type Resampled } from "./bootstrap.ts";
import {
  clusteredStandardError,
  mcnemarExact,
  mcnemarMidP,
  mean,
  minimumDetectableDifference,
  signFlip,
  variance,
} from "./statistics.ts";

/** Collects columns of values by item; those over the same items share their draws. */
export class PairedColumns {
  readonly #seed: number;
  readonly #clusterOf: (item: string) => string;
  readonly #sets = new Map<string, { items: readonly string[]; columns: number[][]; places: symbol[] }>();
  #resampled: Map<symbol, Resampled> | undefined;

  constructor(seed: number, clusterOf: (item: string) => string) {
    this.#seed = seed;
    this.#clusterOf = clusterOf;
  }

  /** Returns the column's name for `of`. */
  add(items: readonly string[], values: number[]): symbol {
    const key = JSON.stringify(items);
    const set = this.#sets.get(key) ?? { items, columns: [], places: [] };
    this.#sets.set(key, set);
    const name = Symbol();
    set.columns.push(values);
    set.places.push(name);
    return name;
  }

  of(name: symbol): Resampled {
    this.#resampled ??= new Map(
      [...this.#sets.values()].flatMap(({ items, columns, places }) => {
        const resampled = bootstrapColumns(columns, items.map(this.#clusterOf), { seed: this.#seed });
        return places.map((place, index) => [place, resampled[index]!] as const);
      }),
    );
    return this.#resampled.get(name)!;
  }
}

/** Twice the smaller share of draws on one side of 0; never 0 itself. */
export function bootstrapP(draws: Float64Array): number {
  let below = 1;
  let above = 1;
  for (const value of draws) {
    if (value <= 0) below++;
    if (value >= 0) above++;
  }
  return Math.min(1, (2 * Math.min(below, above)) / (draws.length + 1));
}

/** Everything of a paired comparison but what needs the other comparisons: interval and correction follow. */
export function comparePaired(
  first: readonly number[],
  second: readonly number[],
  clusters: readonly string[],
  seed: number,
): Omit<PairedResult, "interval" | "pHolm"> {
  const differences = first.map((score, index) => score - second[index]!);
  const sums = new Map<string, number>();
  for (const [index, value] of differences.entries()) sums.set(clusters[index]!, (sums.get(clusters[index]!) ?? 0) + value);
  const clustered = sums.size < differences.length;
  const binary = [...first, ...second].every((score) => score === 0 || score === 1);
  const onlyThis = differences.filter((value) => value > 0).length;
  const onlyOther = differences.filter((value) => value < 0).length;
  const exact = binary && !clustered;
  // Clusters without a difference keep their sum of 0 whatever the signs.
  const flipped = [...sums.values()].filter((value) => Math.abs(value) > 1e-12);
  const standardError = clustered
    ? clusteredStandardError(differences, clusters)
    : Math.sqrt(variance(differences) / differences.length);
  const detectable = minimumDetectableDifference(standardError);
  return {
    difference: mean(differences),
    standardError,
    ...(detectable === undefined ? {} : { minimumDetectableEffect: detectable }),
    pValue: exact ? mcnemarExact(onlyThis, onlyOther) : signFlip(flipped, new Random(deriveSeed(seed, "sign-flip")), 10_000),
    test: exact ? "mcnemar" : "sign-flip",
    ...(exact ? { midP: mcnemarMidP(onlyThis, onlyOther) } : {}),
    ...(binary ? { onlyThis, onlyOther } : {}),
    items: differences.length,
  };
}
