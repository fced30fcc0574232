/** Sums, means and counts, so that each is taken and said in one way everywhere. */

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

/** `1 call`, `2 calls`; the plural is the singular with an s when left out. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
