/**
 * Every random choice comes from a seed derived from (run, step, item, sample): `deriveSeed(runSeed, "rollout", step, item, sample)`.
 * Nothing in the product calls Math.random.
 */

/** Mixes a base seed with any path of names and numbers into 32 bits (FNV-1a over the parts, then the murmur3 finaliser). */
export function deriveSeed(base: number, ...path: (string | number)[]): number {
  let hash = 0x811c9dc5 ^ (base >>> 0);
  for (const part of path) {
    const text = typeof part === "number" ? `#${part}` : `$${part}`;
    for (let index = 0; index < text.length; index++) {
      hash ^= text.charCodeAt(index);
      hash = Math.imul(hash, 0x01000193);
    }
    hash = finalise(hash);
  }
  return finalise(hash ^ (base >>> 0)) >>> 0;
}

function finalise(hash: number): number {
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** A small fast generator (sfc32) with the draws the product needs. The same seed gives the same numbers on every platform. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = finalise(seed | 0);
    this.#b = finalise(this.#a ^ 0x9e3779b9);
    this.#c = finalise(this.#b ^ 0x85ebca77);
    for (let warmUp = 0; warmUp < 12; warmUp++) this.uint32();
  }

  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + result;
    this.#c |= 0;
    return result >>> 0;
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.uint32() / 4294967296;
  }

  /** Uniform integer in [low, high], both ends included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1));
  }

  /** Standard normal (Box–Muller, one of the pair). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.uniform() * values.length)] as T;
  }

  /** A new array in random order (Fisher–Yates). */
  shuffle<T>(values: readonly T[]): T[] {
    const result = [...values];
    for (let index = result.length - 1; index > 0; index--) {
      const other = this.integer(0, index);
      [result[index], result[other]] = [result[other] as T, result[index] as T];
    }
    return result;
  }
}
