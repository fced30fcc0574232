/** Endless streams of training data as functions from an index: any step can be done again from its number alone. */
import { bugError } from "#kernel/errors.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";

export type Stream<T> = (index: number) => T;

/** Passes over a finite list, each in its own random order. */
export function shuffledStream<T>(values: readonly T[], seed: number): Stream<T> {
  let pass = -1;
  let order: readonly T[] = [];
  return (index) => {
    const wanted = Math.floor(index / values.length);
    if (wanted !== pass) {
      pass = wanted;
      order = new Random(deriveSeed(seed, "pass", pass)).shuffle(values);
    }
    return order[index % values.length];
  };
}

/**
 * An endless generator as a stream. It is read forwards; asking for an index that has passed starts the generator again, so `open` must
 * give the same values every time.
 */
export function generatedStream<T>(open: () => Iterator<T>): Stream<T> {
  let source = open();
  let next = 0;
  let kept: T[] = [];
  return (index) => {
    if (index < next - kept.length) {
      source = open();
      next = 0;
      kept = [];
    }
    while (next <= index) {
      const { value, done } = source.next();
      if (done === true) throw bugError("stream-ended", `the generator ended before value ${index}`);
      kept.push(value as T);
      next += 1;
      // A step looks back over its own batch only.
      if (kept.length > 4096) kept = kept.slice(-2048);
    }
    return kept[index - (next - kept.length)];
  };
}
