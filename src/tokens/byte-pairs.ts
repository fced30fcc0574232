/** Learns byte-pair merges from counted words (Sennrich et al., arXiv 1508.07909), with ties broken so that the result is unique. */

export type BytePair = [left: Uint8Array, right: Uint8Array];

interface Word {
  symbols: number[];
  count: number;
}

/** Pairs are map keys: left · 2²⁰ + right, exact in a double for vocabularies up to a million. */
const keyFactor = 1 << 20;

/**
 * Merges in the order they are learned, until `wanted` new entries exist or no pair occurs twice. Symbols 0–255 are the bytes; a merge
 * that gives an entry already there (`a`+`bc` after `ab`+`c`) is a rule without a new entry. Entries for which `isTaken` says true are
 * never made. The most frequent pair goes first; among equals the one whose parts were made earlier.
 */
export function learnMerges(
  counts: ReadonlyMap<string, number>,
  wanted: number,
  isTaken: (entry: Uint8Array) => boolean = () => false,
): BytePair[] {
  const encoder = new TextEncoder();
  const words: Word[] = [...counts].map(([text, count]) => ({ symbols: [...encoder.encode(text)], count }));
  const symbols: Uint8Array[] = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  const symbolOf = new Map(symbols.map((bytes, id) => [bytes.join(), id]));
  const table = new PairTable();
  for (const [index, word] of words.entries()) table.add(word, index, 1);
  const merges: BytePair[] = [];
  let made = 0;
  while (made < wanted) {
    const best = table.best();
    if (best === undefined) break;
    const left = symbols[Math.floor(best / keyFactor)];
    const right = symbols[best % keyFactor];
    const bytes = new Uint8Array([...left, ...right]);
    if (isTaken(bytes)) {
      table.forbid(best);
      continue;
    }
    const name = bytes.join();
    let merged = symbolOf.get(name);
    if (merged === undefined) {
      merged = symbols.push(bytes) - 1;
      symbolOf.set(name, merged);
      made += 1;
    }
    merges.push([left, right]);
    for (const index of table.wordsWith(best)) {
      const word = words[index];
      table.add(word, index, -1);
      word.symbols = replacePair(word.symbols, best, merged);
      table.add(word, index, 1);
    }
  }
  return merges;
}

/** How often each pair of neighbours occurs, and in which words it has ever occurred. */
class PairTable {
  readonly #counts = new Map<number, number>();
  readonly #words = new Map<number, Set<number>>();
  readonly #forbidden = new Set<number>();

  add(word: Word, index: number, sign: 1 | -1): void {
    const { symbols, count } = word;
    for (let at = 1; at < symbols.length; at++) {
      const key = symbols[at - 1] * keyFactor + symbols[at];
      const total = (this.#counts.get(key) ?? 0) + sign * count;
      if (total > 0) this.#counts.set(key, total);
      else this.#counts.delete(key);
      if (sign < 0) continue;
      const indices = this.#words.get(key);
      if (indices) indices.add(index);
      else this.#words.set(key, new Set([index]));
    }
  }

  best(): number | undefined {
    let best: number | undefined;
    let most = 1;
    for (const [key, count] of this.#counts) {
      if (count < most || (count === most && (best === undefined || key > best)) || this.#forbidden.has(key)) continue;
      best = key;
      most = count;
    }
    return best;
  }

  forbid(key: number): void {
    this.#forbidden.add(key);
  }

  wordsWith(key: number): Iterable<number> {
    const indices = this.#words.get(key) ?? [];
    this.#words.delete(key);
    return indices;
  }
}

/** Non-overlapping occurrences from the left, as encoding does it: `aaa` becomes `(aa)a`. */
function replacePair(symbols: readonly number[], key: number, merged: number): number[] {
  const result: number[] = [];
  for (let at = 0; at < symbols.length; at++) {
    if (at + 1 < symbols.length && symbols[at] * keyFactor + symbols[at + 1] === key) {
      result.push(merged);
      at += 1;
    } else result.push(symbols[at]);
  }
  return result;
}
