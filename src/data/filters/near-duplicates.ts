/**
 * Texts that share nearly all their words, found by MinHash (Broder 1997) with banding (Leskovec, Rajaraman, Ullman: Mining of Massive
 * Datasets, chapter 3):
 *   1. A text is the set of its runs of three words, case, spacing and punctuation aside.
 *   2. Its signature is the smallest value of the set under each of 128 hash functions; two signatures agree in a share of places that
 *      estimates the Jaccard similarity |A ∩ B| / |A ∪ B| of the sets.
 *   3. Signatures that agree in a whole band of places are candidates; bands are so narrow that a pair at the threshold is a candidate
 *      with probability 0.99 or more.
 *   4. Candidates are near-duplicates where the exact similarity of their sets reaches the threshold. Pairs that touch make one cluster.
 *
 * Texts with the same set are always found. No text is compared with all others: where a band holds many different texts, as of a template,
 * each is compared with its neighbours in an order that follows from their words alone. So the clusters do not depend on the order of the texts.
 */
import type { TrainingConversation } from "#kernel/conversation.ts";
import { userError } from "#kernel/errors.ts";
import type { Message } from "#kernel/model.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { getOrMake } from "#kernel/values.ts";
import type { DataCard, DropTally } from "../training-files/data-card.ts";
import { asKind, type Datum, idOf } from "../training-files/datum.ts";
import { questionOf } from "./filters.ts";

/** What was found to be nearly another text, which stands for both. */
export interface NearDuplicate {
  index: number;
  /** Index of the text that is kept for its cluster. */
  kept: number;
  /** Exact Jaccard similarity to the kept one; below the threshold where others of the cluster lie between. */
  similarity: number;
}

export interface NearDuplicateOptions {
  /** Least Jaccard similarity, in (0, 1]. */
  threshold: number;
  /** Of each cluster the text of the largest rank is kept, the first of equals; all alike when left out. */
  rank?: (index: number) => number;
}

const wordsOfShingle = 3;
const places = 128;
/** Probability that a pair at the threshold is compared. */
const recall = 0.99;
/** A band with more different texts than this compares each with so many of its neighbours. */
const neighbours = 16;
/** How far the estimate of two candidates may lie below the threshold: five standard deviations or more. */
const estimateMargin = 0.25;

/** Everything but the one kept text of each cluster, in the order of the texts. */
export function nearDuplicates(texts: readonly string[], { threshold, rank = () => 0 }: NearDuplicateOptions): NearDuplicate[] {
  if (!(threshold > 0 && threshold <= 1)) {
    throw userError("near-duplicates", `a similarity of ${threshold} is not above 0 and at most 1`, "Give one such as 0.8.");
  }
  const sets = texts.map(shingles);
  const groups = new Groups(texts.length);
  const different = joinSame(sets, groups);
  const signatures = different.map((index) => signatureOf(sets[index]));
  const rows = bandRows(threshold);
  for (let start = 0; start + rows <= places; start += rows) {
    // From band to band other places decide who stands beside whom.
    const bySignature = (first: number, second: number) =>
      compare(signatures[first], signatures[second], start + rows) ||
      compare(signatures[first], signatures[second]) ||
      compare(sets[different[first]], sets[different[second]]);
    for (const members of bucketsOf(signatures, start, rows)) {
      if (members.length > neighbours) members.sort(bySignature);
      for (let at = 0; at < members.length; at++) {
        for (let next = at + 1; next < members.length && next <= at + neighbours; next++) {
          const [first, second] = [members[at], members[next]];
          const [one, other] = [different[first], different[second]];
          if (groups.find(one) === groups.find(other)) continue;
          if (!mayReach(sets[one], sets[other], threshold)) continue;
          if (estimate(signatures[first], signatures[second]) < threshold - estimateMargin) continue;
          if (jaccard(sets[one], sets[other]) >= threshold) groups.join(one, other);
        }
      }
    }
  }
  const kept = new Map<number, number>();
  for (const index of texts.keys()) {
    const root = groups.find(index);
    const best = kept.get(root);
    if (best === undefined || rank(index) > rank(best)) kept.set(root, index);
  }
  return [...texts.keys()].flatMap((index) => {
    const best = kept.get(groups.find(index))!;
    return best === index ? [] : [{ index, kept: best, similarity: jaccard(sets[index], sets[best]) }];
  });
}

/** Hashes of the runs of three words, ascending and without repeats; of a shorter text the hash of the whole. */
export function shingles(text: string): Uint32Array {
  const words = wordsOf(text);
  // Texts of signs alone are told apart by the signs.
  if (words.length === 0) return Uint32Array.of(hashOf(seed, text.trim()));
  const hashes = words.map((each) => hashOf(seed, each));
  const length = Math.min(wordsOfShingle, words.length);
  const runs = new Uint32Array(words.length - length + 1);
  for (let start = 0; start < runs.length; start++) {
    let hash = seed;
    for (let at = start; at < start + length; at++) hash = Math.imul(hash ^ hashes[at], 0x9e3779b1) ^ (hash >>> 15);
    runs[start] = mixed(hash);
  }
  return new Uint32Array(new Set(runs)).sort();
}

/** Letters and digits together; signs of mathematics and characters of scripts without spaces one by one. Other signs count for nothing. */
const unspaced = "\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}";
const word = new RegExp(`[${unspaced}]|(?:(?![${unspaced}])[\\p{L}\\p{N}\\p{M}])+|[\\p{Sm}*/^%]|(?<!\\p{L})-|-(?!\\p{L})`, "gu");

function wordsOf(text: string): string[] {
  return text.normalize("NFKC").toLowerCase().match(word) ?? [];
}

export function jaccard(first: Uint32Array, second: Uint32Array): number {
  let shared = 0;
  for (let i = 0, j = 0; i < first.length && j < second.length; ) {
    const difference = first[i] - second[j];
    if (difference === 0) shared++;
    if (difference <= 0) i++;
    if (difference >= 0) j++;
  }
  return shared / (first.length + second.length - shared);
}

/** The smaller set can share no more than all it has. */
function mayReach(first: Uint32Array, second: Uint32Array, threshold: number): boolean {
  return Math.min(first.length, second.length) >= threshold * Math.max(first.length, second.length);
}

export function signatureOf(set: Uint32Array): Int32Array {
  const signature = new Int32Array(places);
  for (let place = 0; place < places; place++) {
    const [offset, factor] = [offsets[place], factors[place]];
    let smallest = 0x7fffffff;
    for (let at = 0; at < set.length; at++) {
      const hash = Math.imul(set[at] ^ offset, factor);
      if (hash < smallest) smallest = hash;
    }
    signature[place] = smallest;
  }
  return signature;
}

/** The similarity that two signatures suggest. */
export function estimate(first: Int32Array, second: Int32Array): number {
  let same = 0;
  for (let place = 0; place < places; place++) if (first[place] === second[place]) same++;
  return same / places;
}

/** The widest bands that find a pair at the threshold with the wanted probability. */
function bandRows(threshold: number): number {
  let rows = places;
  while (rows > 1 && 1 - (1 - threshold ** rows) ** Math.floor(places / rows) < recall) rows--;
  return rows;
}

/** Texts with equal sets into one group; gives one index of each. */
function joinSame(sets: readonly Uint32Array[], groups: Groups): number[] {
  const known = new Map<number, number[]>();
  const different: number[] = [];
  for (const [index, set] of sets.entries()) {
    const alike = getOrMake(known, hashOfValues(set, 0, set.length), () => []);
    const same = alike.find((other) => compare(sets[other], set) === 0);
    if (same !== undefined) groups.join(same, index);
    else {
      different.push(index);
      alike.push(index);
    }
  }
  return different;
}

/** Positions of signatures that agree in the band, two or more together. Others whose hashes collide are told apart when they are compared. */
function bucketsOf(signatures: readonly Int32Array[], start: number, rows: number): number[][] {
  const firsts = new Map<number, number>();
  const buckets = new Map<number, number[]>();
  for (const [position, signature] of signatures.entries()) {
    const key = hashOfValues(signature, start, start + rows);
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, position);
    else getOrMake(buckets, key, () => [first]).push(position);
  }
  return [...buckets.values()];
}

function hashOfValues(values: Uint32Array | Int32Array, start: number, end: number): number {
  let hash = seed;
  for (let at = start; at < end; at++) hash = mixed(Math.imul(hash, 31) ^ values[at]);
  return hash;
}

function compare<T extends Uint32Array | Int32Array>(first: T, second: T, from = 0): number {
  for (let at = from; at < Math.min(first.length, second.length); at++) {
    if (first[at] !== second[at]) return first[at] - second[at];
  }
  return first.length - second.length;
}

function hashOf(start: number, text: string): number {
  let hash = start;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mixed(hash);
}

/** Every bit of the result depends on every bit of the value (the last step of MurmurHash3). */
function mixed(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const seed = deriveSeed(1997, "near-duplicates");
const random = new Random(seed);
const offsets = Uint32Array.from({ length: places }, () => random.integer(0, 0xffffffff));
const factors = Uint32Array.from({ length: places }, () => random.integer(0, 0x7fffffff) * 2 + 1);

/** Union–find. */
class Groups {
  readonly #parents: Uint32Array;

  constructor(size: number) {
    this.#parents = Uint32Array.from({ length: size }, (_, index) => index);
  }

  find(index: number): number {
    let at = index;
    while (this.#parents[at] !== at) {
      this.#parents[at] = this.#parents[this.#parents[at]];
      at = this.#parents[at];
    }
    return at;
  }

  /** The smaller index stands for the group. */
  join(first: number, second: number): void {
    const [one, other] = [this.find(first), this.find(second)];
    this.#parents[Math.max(one, other)] = Math.min(one, other);
  }
}

export interface NearDuplicateFilter {
  /** Least similarity of two examples of which one is left out, in (0, 1]. */
  threshold: number;
  /** What is compared: the user's messages before the first answer, or every message; never the system's, which many examples share. */
  of: NearDuplicateScope;
}

export type NearDuplicateScope = "conversation" | "question";

/** The examples in their order without near-duplicates; of each cluster the one of the largest weight stays, the first of equals. */
export function withoutNearDuplicates(data: readonly Datum[], filter: NearDuplicateFilter, tally: DropTally): Datum[] {
  const weights = data.map((datum) => (datum.kind === "conversation" ? (datum.conversation.weight ?? 1) : 1));
  const texts = data.map((datum) => comparedText(datum, filter.of));
  const found = nearDuplicates(texts, { threshold: filter.threshold, rank: (index) => weights[index] });
  const dropped = new Set<number>();
  for (const { index, kept, similarity } of found) {
    dropped.add(index);
    const detail = `${idOf(data[kept])} is kept, similarity ${similarity.toFixed(2)}`;
    tally.drop(idOf(data[index]), { dropped: "near-duplicate", detail });
  }
  return data.filter((_, index) => !dropped.has(index));
}

/** For the card: how many were left out, or would be. */
export function nearDuplicateFigures(
  { threshold, of }: NearDuplicateFilter,
  count: number,
  what: "dropped" | "found" = "dropped",
): DataCard["figures"] {
  return { "near-duplicates": { compared: of, "similarity from": threshold, [what]: count } };
}

function comparedText(datum: Datum, of: NearDuplicateScope): string {
  if (of === "question") return questionOf(asConversation(datum));
  const said = (messages: readonly Message[]) => messages.flatMap(({ role, content }) => (role === "system" ? [] : [content]));
  if (datum.kind === "conversation") return said(datum.conversation.messages).join("\n");
  if (datum.kind === "question") return [...said(datum.question.messages), datum.question.answer].join("\n");
  return [...said(datum.pair.prompt), datum.pair.chosen, datum.pair.rejected].join("\n");
}

function asConversation(datum: Datum): TrainingConversation {
  const same = asKind(datum, "conversation");
  return "kind" in same && same.kind === "conversation" ? same.conversation : { id: idOf(datum), messages: [] };
}
