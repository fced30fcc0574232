/** Several sets of examples as one, in given shares and a seeded order; nothing is repeated to reach a share. */
import { userError } from "#kernel/errors.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";

export interface MixSource<T> {
  name: string;
  examples: readonly T[];
  /** Wanted part of the whole; the shares of all sources are taken relative to their sum. */
  share: number;
}

export interface Mix<T> {
  examples: T[];
  /** What each source gave, in the order of the sources. */
  counts: { name: string; wanted: number; taken: number; available: number }[];
}

/**
 * As many examples as the shares allow: the source that runs out first sets the size, so that no share is missed. With `whole`, that
 * source is taken entire and the others are cut or fall short.
 */
export function mix<T>(sources: readonly MixSource<T>[], options: { seed: number; whole?: string }): Mix<T> {
  const total = sources.reduce((sum, { share }) => sum + share, 0);
  const isSound = sources.every(({ share }) => Number.isFinite(share) && share >= 0) && total > 0;
  if (!isSound)
    throw userError("data-shares", "The shares to mix in are not numbers above 0", "Give shares such as 0.8 and 0.2.");
  const whole = sources.find(({ name }) => name === options.whole);
  const limits = (whole ? [whole] : sources).filter(({ share }) => share > 0);
  const size = limits.length === 0 ? 0 : Math.min(...limits.map(({ examples, share }) => (examples.length * total) / share));
  const parts = sources.map((source, index) => {
    const wanted = source === whole ? source.examples.length : Math.round((size * source.share) / total);
    const isAll = wanted >= source.examples.length;
    const shuffled = isAll
      ? source.examples
      : new Random(deriveSeed(options.seed, "mix", source.name, index)).shuffle(source.examples).slice(0, wanted);
    return { name: source.name, wanted, taken: shuffled, available: source.examples.length };
  });
  const examples = new Random(deriveSeed(options.seed, "mix-order")).shuffle(parts.flatMap(({ taken }) => taken));
  return {
    examples,
    counts: parts.map(({ name, wanted, taken, available }) => ({ name, wanted, taken: taken.length, available })),
  };
}
