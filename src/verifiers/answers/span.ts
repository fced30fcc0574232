/**
 * Short answers from a text, graded as DROP does ("DROP: A Reading Comprehension Benchmark Requiring Discrete Reasoning Over Paragraphs",
 * Dua et al., 2019, arXiv 1903.00161, section 5): exact match and F1 over bags of words, best over all reference answers.
 *
 * A reference is one span or several. The words of a span: lower case, split at white space and hyphens, without punctuation and
 * articles; numbers as numbers. Spans of answer and reference are matched one to one for the largest sum, divided by the larger count.
 * A reference with numbers needs at least one of them in the answer.
 *
 * Our deviations: an answer is one text, so for a reference of several spans it is also read as a list ("a, b and c", "a & b", one on each line);
 * a sign before a number belongs to it, so that -5 is not 5; a calculation that is written out gives what it comes to ("3 + 4 = 7").
 */
import type { Item, Score, Verifier } from "#kernel/item.ts";
import { withoutReferences } from "./asides.ts";
import { lastBoxed } from "./boxes.ts";
import { hasOtherSigns, plainDigits, plainSigns, withoutInvisible } from "./digits.ts";
import { answerClauses, gradedText, referencesOf, withoutEnd, withoutMarkup } from "./extract.ts";
import { parseNumber } from "./number.ts";
import { toNumber } from "./rational.ts";

export interface SpanScore {
  /** 1 or 0. */
  exactMatch: number;
  /** In [0, 1]. */
  f1: number;
}

/** Most spans of one reference or answer that are matched. */
const mostSpans = 12;
const longestSpan = 2000;

/** Best over the references, each a list of spans; `lines` is the answer where it goes over several lines. */
export function spanScore(answer: string, references: readonly (readonly string[])[], lines: string = answer): SpanScore {
  let best: SpanScore = { exactMatch: 0, f1: 0 };
  const one = [bagOf(answer)];
  let list: Bag[] | undefined;
  for (const reference of references) {
    const wanted = reference.filter((span) => span.trim() !== "").map(bagOf);
    if (wanted.length === 0) continue;
    best = better(best, score(one, wanted));
    if (wanted.length === 1) continue;
    list ??= splitList(lines).map(bagOf);
    best = better(best, score(list, wanted));
  }
  return best;
}

function better(first: SpanScore, second: SpanScore): SpanScore {
  return {
    exactMatch: Math.max(first.exactMatch, second.exactMatch),
    f1: Math.max(first.f1, second.f1),
  };
}

const listMark = /(?:^|[\s,;])(?:\(?\d{1,2}[.)]|[-*•·–])(?=\s)/g;
const listSign = /;|\n|,(?!\d{3}(?!\d))|\band\b|&|\+|(?<!\d)\/|\/(?!\d)|、|，|；|和|(?<=\s)(?:y|und|et|e|и)(?=\s)/gi;

/** Marks of a list part it ("1. Ann 2. Bob", "- Ann"), else commas, "and", "&" and the like. */
function splitList(answer: string): string[] {
  const text = answer.slice(0, longestSpan);
  const isMarked = /^\s*(?:\(?\d{1,2}[.)]|[-*•·–])\s/.test(text) && (text.match(listMark)?.length ?? 0) > 1;
  const parts = isMarked ? text.split(listMark) : text.split(listSign);
  return parts.filter((part) => /[\p{L}\p{N}]/u.test(part)).slice(0, mostSpans + 1);
}

interface Bag {
  words: ReadonlySet<string>;
  numbers: readonly string[];
  /** The words in order, for exact match. */
  text: string;
}

const articles = new Set(["a", "an", "the"]);
const bags = new Map<string, Bag>();

/** References come again with every sample; a few thousand bags are kept. */
function bagOf(span: string): Bag {
  const known = bags.get(span);
  if (known !== undefined) return known;
  const words = spanWords(span);
  const bag = { words: new Set(words), numbers: words.filter((word) => word.startsWith("#")), text: words.join(" ") };
  if (bags.size > 5000) bags.clear();
  if (span.length < 200) bags.set(span, bag);
  return bag;
}

/** Parts words, and is no sign of the number behind it. */
const hyphens = /(?<=[^\s([{"'“=:])-+(?=[^\s])|-+(?![$€£]?\.?\d)/;

/** The words that count; a number stands as `#` and its value, so that 1,000 and 1000.0 are one word. */
function spanWords(span: string): string[] {
  const words: string[] = [];
  const text = plainText(span.slice(0, longestSpan)).toLowerCase();
  const signed = /us|neg/.test(text) ? text.replace(/\b(?:negative|minus)\s(?=[$€£]?\.?\d)/g, "-") : text;
  const parts = signed.includes("-") ? signed.split(/\s+/).flatMap((part) => part.split(hyphens)) : signed.split(/\s+/);
  for (const raw of parts) {
    const word = numberWord(raw) ?? raw.replace(/[\p{P}\p{S}]/gu, "");
    if (word !== "" && !articles.has(word)) words.push(word);
  }
  return words;
}

function plainText(span: string): string {
  return hasOtherSigns(span) ? plainSigns(plainDigits(withoutInvisible(span).normalize("NFKC"))) : span;
}

function numberWord(word: string): string | undefined {
  if (!/\d/.test(word)) return undefined;
  const bare = word.replace(/^[("'“‘[]{1,9}/, "").replace(/[)"'”’\].,;:!?%]{1,9}$/, "");
  const [, sign, digits] = /^([-+]?[$€£]?-?)(\.?\d.*)$/.exec(bare) ?? [];
  if (digits === undefined || digits.includes("/")) return undefined;
  const value = parseNumber(digits);
  return value === undefined ? undefined : `#${sign.includes("-") && value.numerator !== 0n ? "-" : ""}${toNumber(value)}`;
}

function score(answer: readonly Bag[], wanted: readonly Bag[]): SpanScore {
  const isSame = answer.length === wanted.length && sortedTexts(answer) === sortedTexts(wanted);
  const pairs = answer.map((one) => wanted.map((other) => bagF1(one, other)));
  return { exactMatch: isSame ? 1 : 0, f1: isSame ? 1 : bestSum(pairs) / Math.max(answer.length, wanted.length) };
}

const sortedTexts = (list: readonly Bag[]): string =>
  list
    .map(({ text }) => text)
    .sort()
    .join("\n");

function bagF1(answer: Bag, wanted: Bag): number {
  if (wanted.numbers.length > 0 && !wanted.numbers.some((number) => answer.words.has(number))) return 0;
  let common = 0;
  for (const word of answer.words) if (wanted.words.has(word)) common++;
  if (common === 0) return answer.words.size === 0 && wanted.words.size === 0 ? 1 : 0;
  const [precision, recall] = [common / answer.words.size, common / wanted.words.size];
  return (2 * precision * recall) / (precision + recall);
}

/** Largest sum of a one-to-one matching, by dynamic programming over the columns already taken. */
function bestSum(pairs: readonly (readonly number[])[]): number {
  const columns = Math.min(pairs[0]?.length ?? 0, mostSpans);
  let best = new Map([[0, 0]]);
  for (const row of pairs.slice(0, mostSpans)) {
    const next = new Map(best);
    for (const [taken, sum] of best) {
      for (let column = 0; column < columns; column++) {
        if (taken & (1 << column)) continue;
        const now = taken | (1 << column);
        const total = sum + row[column];
        if (total > (next.get(now) ?? -1)) next.set(now, total);
      }
    }
    best = next;
  }
  return Math.max(...best.values());
}

export interface SpanReading {
  span: string;
  strict: boolean;
  /** The lines of a list, where the answer goes over several. */
  lines?: string;
}

const bullet = /^[ \t]{0,12}(?:[-*•·–]|\(?\d{1,2}[.)])[ \t]{1,4}\S/;

/** The short answer in a text without thoughts: what the last answer clause says, else the last box, else a text of one short line or of a list. */
export function readSpan(text: string): SpanReading | undefined {
  for (const { written, sentence, start, isDenied } of answerClauses(text)) {
    // "Answer: not guilty" denies nothing.
    if (isDenied && !/[:=：]\s{0,4}[*_]{0,3}\s{0,4}$/.test(text.slice(Math.max(0, start - 12), start))) continue;
    const whole = clean(written);
    // Initials and decimals end no answer; an explanation behind it does.
    const span = whole.length <= 80 ? whole : clean(written.slice(0, sentence.length));
    if (span === "") continue;
    const lines = bullet.test(written) ? listAfter(text, start) : undefined;
    return { span, strict: true, ...(lines === undefined ? {} : { lines }) };
  }
  const box = lastBoxed(text);
  if (box !== undefined && clean(box) !== "") return { span: clean(box), strict: false };
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const last = clean(lines.at(-1) ?? "");
  if (last === "") return undefined;
  const list = trailingList(lines);
  return { span: last, strict: lines.length === 1 && last.length <= 200, ...(list === undefined ? {} : { lines: list }) };
}

/** The marked lines from the first behind this place. */
function listAfter(text: string, start: number): string | undefined {
  const lines = text
    .slice(start, start + longestSpan)
    .split("\n")
    .filter((line) => line.trim() !== "" && /[\p{L}\p{N}]/u.test(line));
  const end = lines.findIndex((line) => !bullet.test(line));
  const list = end < 0 ? lines : lines.slice(0, end);
  return list.length > 1 ? list.join("\n") : undefined;
}

/** The marked lines at the end, or all lines where each is a few words and no sentence. */
function trailingList(lines: readonly string[]): string | undefined {
  const last = lines.slice(-mostSpans - 1);
  const start = last.findLastIndex((line) => !bullet.test(line)) + 1;
  if (last.length - start > 1) return last.slice(start).join("\n");
  const isShort =
    lines.length > 1 && lines.length <= mostSpans && lines.every((line) => line.length <= 60 && !/[.!?:]\s{0,4}$/.test(line));
  return isShort ? lines.join("\n") : undefined;
}

const calculation = /^[\d\s.,$€£%()+*/×÷·x-]{1,200}=\s{0,4}([-+]?[$€£]?-?[\d.,]{1,40}%?)[\s.]{0,4}$/;

function clean(text: string): string {
  const plain = withoutEnd(
    withoutReferences(withoutMarkup(text)).replace(/^(?:[\s:"'“‘(=]|[–—](?!\s?[\d$€£]))+/, ""),
    /[\s"'”’*_]/,
  )
    .replace(/(?<=[^.\s]{2}|\d)\.$/, "")
    .trim();
  return plain.includes("=") ? (calculation.exec(plain)?.[1] ?? plain) : plain;
}

/** Accuracy is F1, as DROP is quoted; `strictAccuracy` the same where the answer is given as asked; exact match is among the measures. */
export const spanVerifier: Verifier = (item: Item, answer: string, completion: string): Score => {
  const reading = readSpan(gradedText(answer, completion));
  if (reading === undefined) {
    return { accuracy: 0, extracted: undefined, strictAccuracy: 0, status: "no-answer", measures: { exactMatch: 0, f1: 0 } };
  }
  // Several spans of one reference stand on lines of their own.
  const references = referencesOf(item).map((reference) => reference.split("\n"));
  const { exactMatch, f1 } = spanScore(reading.span, references, reading.lines);
  return { accuracy: f1, extracted: reading.span, strictAccuracy: reading.strict ? f1 : 0, measures: { exactMatch, f1 } };
};

/** Two answers agree when they have the same words. */
export function sameSpan(first: string, second: string): boolean {
  return bagOf(first).text === bagOf(second).text;
}
