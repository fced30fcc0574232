/**
 * Many means over the same items, resampled together: one draw of items serves every method, so that the differences between methods are
 * paired in each draw, and a task with a hundred figures costs one pass of random numbers. Items of one cluster are drawn as a whole.
 */
import { deriveSeed, Random } from "#kernel/seed.ts";
import { type Interval, quantile, wilsonInterval } from "./statistics.ts";

export interface Resampled {
  interval: Interval;
  /** The mean in each draw, for means across tasks. */
  draws: Float64Array;
}

/** Enough for stable percentiles, and fewer where there are so many items that the percentiles hardly move. */
export function bootstrapDraws(units: number): number {
  return Math.max(2_000, Math.min(10_000, Math.floor(2e7 / Math.max(1, units))));
}

/**
 * 95 % percentile intervals of the means of several columns of values. `columns[c][i]` belongs to item i; `clusters[i]` names what item i
 * goes together with (its own id where it stands alone). `lowest[c]` is the least that a value of column c can be (0 when left out); the most
 * is 1.
 */
export function bootstrapColumns(
  columns: readonly (readonly number[])[],
  clusters: readonly string[],
  options: { seed: number; draws?: number; lowest?: readonly number[] },
): Resampled[] {
  const width = columns.length;
  const places = new Map<string, number>();
  for (const cluster of clusters) if (!places.has(cluster)) places.set(cluster, places.size);
  const units = places.size;
  const draws = options.draws ?? bootstrapDraws(units);
  // One row a cluster: the sums of its items' values, then how many items it has.
  const stride = width + 1;
  const rows = new Float64Array(units * stride);
  for (const [item, cluster] of clusters.entries()) {
    const row = places.get(cluster)! * stride;
    for (let column = 0; column < width; column++) rows[row + column] += columns[column][item];
    rows[row + width] += 1;
  }
  const random = new Random(deriveSeed(options.seed, "bootstrap"));
  const means = columns.map(() => new Float64Array(draws));
  const sums = new Float64Array(stride);
  for (let draw = 0; draw < draws; draw++) {
    sums.fill(0);
    for (let unit = 0; unit < units; unit++) {
      const row = Math.floor(random.uniform() * units) * stride;
      for (let column = 0; column < stride; column++) sums[column] += rows[row + column];
    }
    for (let column = 0; column < width; column++) means[column][draw] = sums[column] / sums[width];
  }
  return means.map((values, column) => {
    const [low, high] = percentileInterval(values);
    const alike = values.every((value) => Math.abs(value - values[0]) < 1e-12);
    return {
      interval: alike && units > 0 ? intervalOfAlike(values[0], units, options.lowest?.[column] ?? 0) : [low, high],
      draws: values,
    };
  });
}

/**
 * Of items that are all alike every resample is the same, and percentiles would claim certainty. Items of another kind may be there and
 * unseen, as a share of up to Wilson's upper bound for none in so many, with any value from `lowest` to 1. For answers that are all right
 * or all wrong this is Wilson's interval.
 */
export function intervalOfAlike(value: number, units: number, lowest: number): Interval {
  const unseen = wilsonInterval(0, units)[1];
  return [value - unseen * (value - lowest), value + unseen * (1 - value)];
}

export function percentileInterval(draws: Float64Array): Interval {
  const sorted = Float64Array.from(draws).sort();
  return [quantile(sorted, 0.025), quantile(sorted, 0.975)];
}
