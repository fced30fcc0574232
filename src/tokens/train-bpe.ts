/**
 * Trains a small byte-level BPE vocabulary and writes it as `tokenizer.json` and `tokenizer_config.json`, which this package and
 * `transformers` read alike. Every digit is a token by itself, so that numbers are spelled, never looked up. Deterministic: the same
 * texts in any order give the same files.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { userError } from "#kernel/errors.ts";
import { byteCharacters, entryOfBytes } from "./byte-alphabet.ts";
import { learnMerges } from "./byte-pairs.ts";

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
  await mkdir(options.folder, { recursive: true });
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
