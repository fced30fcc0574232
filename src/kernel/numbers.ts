/** Sums and means, so that each is taken in one way everywhere. */

export function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** NaN for none. */
export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** 0 for none, where that is what nothing counts as. */
export function meanOrZero(values: readonly number[]): number {
  return values.length === 0 ? 0 : mean(values);
}
