/**
 * ROUGE-1, ROUGE-2 and ROUGE-L (C.-Y. Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004): shared words, shared pairs of words
 * and the longest common subsequence of words. Words are runs of a–z and 0–9 in lower case; words of more than three letters are
 * stemmed. The figures are those of Google's `rouge_score` with `use_stemmer=True`.
 */
import { sum } from "#kernel/numbers.ts";
import { stem } from "./stem.ts";

export interface RougeScore {
  precision: number;
  recall: number;
  /** Their harmonic mean; 0 when nothing is shared. */
  f: number;
}

export interface RougeScores {
  rouge1: RougeScore;
  rouge2: RougeScore;
  rougeL: RougeScore;
}

export interface RougeOptions {
  /** True when left out. */
  stem?: boolean;
}

/** Of either text; what is beyond is not read, so that no input is slow (the subsequence costs the product of both). */
const mostWords = 4000;
const longestText = 100_000;

/** Every score is 0 when either text holds no word. */
export function rouge(reference: string, candidate: string, options: RougeOptions = {}): RougeScores {
  const [wanted, found] = [words(reference, options), words(candidate, options)];
  return {
    rouge1: overlap(counts(wanted, 1), counts(found, 1)),
    rouge2: overlap(counts(wanted, 2), counts(found, 2)),
    rougeL: score(longestCommonSubsequence(wanted, found), wanted.length, found.length),
  };
}

function words(text: string, { stem: isStemmed = true }: RougeOptions): string[] {
  const found =
    text
      .slice(0, longestText)
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? [];
  const kept = found.slice(0, mostWords);
  return isStemmed ? kept.map((word) => (word.length > 3 ? stem(word) : word)) : kept;
}

function counts(list: readonly string[], size: number): Map<string, number> {
  const result = new Map<string, number>();
  for (let index = 0; index + size <= list.length; index++) {
    const key = list.slice(index, index + size).join(" ");
    result.set(key, (result.get(key) ?? 0) + 1);
  }
  return result;
}

function overlap(wanted: ReadonlyMap<string, number>, found: ReadonlyMap<string, number>): RougeScore {
  let shared = 0;
  for (const [key, count] of wanted) shared += Math.min(count, found.get(key) ?? 0);
  return score(shared, total(wanted), total(found));
}

const total = (map: ReadonlyMap<string, number>) => sum(map.values());

function score(shared: number, wanted: number, found: number): RougeScore {
  const precision = found === 0 ? 0 : shared / found;
  const recall = wanted === 0 ? 0 : shared / wanted;
  return { precision, recall, f: shared === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
}

/** Two rows of the usual table are enough for the length. */
function longestCommonSubsequence(first: readonly string[], second: readonly string[]): number {
  let previous = new Uint16Array(second.length + 1);
  let current = new Uint16Array(second.length + 1);
  for (const word of first) {
    for (let index = 1; index <= second.length; index++) {
      current[index] = word === second[index - 1] ? previous[index - 1] + 1 : Math.max(previous[index], current[index - 1]);
    }
    [previous, current] = [current, previous];
  }
  return previous[second.length];
}
