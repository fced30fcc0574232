/**
 * Trains a small byte-level BPE vocabulary and writes it as `tokenizer.json` and `tokenizer_config.json`, which this package and
 * `transformers` read alike. Every digit is a token by itself, so that numbers are spelled, never looked up. Deterministic: the same
 * texts in any order give the same files.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "#files/durable.ts";
import { userError } from "#kernel/errors.ts";
import { byteCharacters, entryOfBytes } from "./byte-alphabet.ts";

/** Special tokens of the chat format; decoding drops `<|end|>` and `<|pad|>`. */
const chatTokens = ["<|pad|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"];

/** Single tokens that are ordinary text: they show when ids are decoded. */
const tagTokens = ["<think>", "</think>", "<refine>", "</refine>", "<answer>", "</answer>"];

const chatTemplate =
  "{% for message in messages %}{{ '<|' + message.role + '|>' + message.content + '<|end|>' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

/**
 * What may be merged into one token, as alternatives: letters with one sign or space before them; one digit or other numeral; signs with a
 * space before them; white space up to the last line break; other white space. Written without look-behind, case folding or possessive
 * quantifiers, so that every regular-expression engine reads it alike.
 */
const wordPattern = "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

export interface TrainTokenizerOptions {
  texts: Iterable<string>;
  /** Wanted number of entries, chat tokens, tags and the 256 bytes included; reached only if the texts repeat themselves enough. */
  vocabularySize: number;
  /** More single tokens that are ordinary text. */
  addedTokens?: readonly string[];
  /** Written into this folder, which is made if need be. */
  folder: string;
}

export interface TrainedTokenizer {
  vocabularySize: number;
  merges: number;
}

export async function trainTokenizer(options: TrainTokenizerOptions): Promise<TrainedTokenizer> {
  const added = [...new Set([...chatTokens, ...tagTokens, ...(options.addedTokens ?? [])])];
  const smallest = added.length + byteCharacters.length;
  if (!Number.isInteger(options.vocabularySize) || options.vocabularySize < smallest) {
    throw userError(
      "vocabulary-too-small",
      `A vocabulary of ${options.vocabularySize} cannot hold the 256 bytes and ${added.length} added tokens`,
      `Ask for ${smallest} or more.`,
    );
  }
  const bytesAsText = added.find((token) => token.length < 2 || byteCharacters.includes(token));
  if (bytesAsText !== undefined) {
    throw userError(
      "added-token-too-short",
      `The added token ${JSON.stringify(bytesAsText)} has fewer than two characters`,
      "Single characters are covered by the bytes; leave it out.",
    );
  }
  const taken = new Set(added);
  const merges = learnMerges(countWords(options.texts, added), options.vocabularySize - smallest, (bytes) =>
    taken.has(entryOfBytes(bytes)),
  );
  const rules = merges.map(([left, right]): [string, string] => [entryOfBytes(left), entryOfBytes(right)]);
  const entries = [...new Set([...added, ...byteCharacters, ...rules.map(([left, right]) => left + right)])];
  makeFolder(options.folder);
  await writeFile(join(options.folder, "tokenizer.json"), `${JSON.stringify(tokenizerJson(entries, added, rules), null, 1)}\n`);
  await writeFile(join(options.folder, "tokenizer_config.json"), `${JSON.stringify(tokenizerConfig(), null, 2)}\n`);
  return { vocabularySize: entries.length, merges: rules.length };
}

/** How often each word occurs, a word being what the pre-tokeniser never joins with its neighbours. Added tokens are cut out first. */
function countWords(texts: Iterable<string>, added: readonly string[]): Map<string, number> {
  const longestFirst = [...added].sort((first, second) => second.length - first.length);
  const cut = new RegExp(longestFirst.map((token) => token.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|"), "u");
  const word = new RegExp(wordPattern, "gu");
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const part of text.split(cut)) {
      for (const [found] of part.matchAll(word)) counts.set(found, (counts.get(found) ?? 0) + 1);
    }
  }
  return counts;
}

function tokenizerJson(entries: readonly string[], added: readonly string[], merges: readonly [string, string][]): object {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: chatTokens.includes(content),
    })),
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: wordPattern }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(entries.map((entry, id) => [entry, id])),
      merges,
    },
  };
}

function tokenizerConfig(): object {
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    eos_token: "<|end|>",
    pad_token: "<|pad|>",
    clean_up_tokenization_spaces: false,
    chat_template: chatTemplate,
  };
}

export type BytePair = [left: Uint8Array, right: Uint8Array];

interface Word {
  symbols: number[];
  count: number;
}

/** Pairs are map keys: left · 2²⁰ + right, exact in a double for vocabularies up to a million. */
const keyFactor = 1 << 20;

/**
 * Byte-pair merges of counted words (Sennrich et al., arXiv 1508.07909) in the order they are learned, until `wanted` new entries exist or no pair occurs twice. Symbols 0–255 are the bytes; a merge
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
