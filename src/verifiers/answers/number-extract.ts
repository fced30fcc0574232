/**
 * Which number does an answer give? Only clear numbers count: not the parts of a sum that is written out, of a time or a date, of a word,
 * and not what the text denies. The number is given back as `parseNumber` reads it.
 */
import type { Item, Score, Verifier } from "#kernel/item.ts";
import { lastBoxed } from "./boxes.ts";
import { answerClauses, gradedText, lastLine, lastSentence, plainSigns, referencesOf, withoutMarkup } from "./extract.ts";
import { parseNumber, sameNumber } from "./number.ts";

export type NumberPlace = "whole" | "hashes" | "boxed" | "clause" | "last-line" | "text";

export interface NumberReading {
  /** Such as `18`, `-3/4`, `1,234.50`. */
  number: string;
  by: NumberPlace;
  /** The form that is asked for: "The answer is N", or nothing but the number. */
  strict: boolean;
}

/**
 * The answer's number in a text that holds no thoughts any more. Looks at: the whole text, the last `#### n`, the last box, the last answer
 * clause, a last line that is one number with words or a unit, what a calculation in the last sentence comes to, the last clear number. A clause that gives two numbers at once
 * ("17 or 18"), a time, or a calculation without its result gives none, and nothing else is looked at then.
 */
export function readNumber(text: string): NumberReading | undefined {
  const found = (number: string | undefined, by: NumberPlace, strict = false): NumberReading | undefined =>
    number === undefined ? undefined : { number, by, strict };

  if (text.length <= 200 && !text.includes("\n")) {
    const whole = found(numberAlone(text), "whole", true);
    if (whole) return whole;
  }
  const hashes = text.lastIndexOf("####");
  if (hashes >= 0) {
    const number = found(numberAlone(text.slice(hashes + 4, hashes + 204).split("\n", 1)[0] as string), "hashes");
    if (number) return number;
  }
  const box = lastBoxed(text);
  if (box !== undefined) {
    const boxed = found(numberAlone(box) ?? lastClear(plainMath(box))?.text, "boxed");
    if (boxed) return boxed;
  }
  for (const { sentence } of answerClauses(text)) {
    const said = clauseNumber(plainMath(sentence));
    if (said === "ambiguous") return undefined;
    if (said !== undefined) return said;
  }
  const last = lastLine(text);
  if (last.length <= 60) {
    const numbers = clearNumbers(plainMath(last));
    if (numbers.length === 1) return found(numbers[0].text, "last-line");
  }
  return found(lastResult(plainMath(lastSentence(last))) ?? lastClear(plainMath(text.slice(-20_000)))?.text, "text");
}

/** The number a short text is: `18`, `$18.00`, `18%`, `\frac{3}{4}`, `-5.` */
function numberAlone(text: string): string | undefined {
  const plain = plainMath(text)
    .replace(/^[\s"'“(]+|[\s"'”)]+$/g, "")
    .replace(/\.$/, "");
  return parseNumber(plain) === undefined ? undefined : plain;
}

function clauseNumber(sentence: string): NumberReading | "ambiguous" | undefined {
  const clause = sentence.slice(0, 400);
  const numbers = clearNumbers(clause);
  const first = numbers[0];
  if (first === undefined) return /\d/.test(clause) ? "ambiguous" : undefined;
  const lead = clause.slice(0, first.start);
  const isImmediate = /^[\s:="'“(]*(?:(?:about|approximately|exactly|simply|just|therefore|thus)\s+){0,2}$/i.test(lead);
  const after = clause.slice(first.end);
  if (isImmediate && /^[\s%]*(?:or|to|and)\s+[$€£]?-?\d/i.test(after)) return "ambiguous";
  if (isImmediate) return { number: first.text, by: "clause", strict: true };
  return { number: (numbers.at(-1) ?? first).text, by: "clause", strict: false };
}

/** "120/24 = 5 hours to read 120 pages" gives 5: what a calculation in the last sentence comes to, whatever is said after it. */
function lastResult(sentence: string): string | undefined {
  return clearNumbers(sentence).findLast(({ start }) => /=\s*$/.test(sentence.slice(Math.max(0, start - 4), start)))?.text;
}

interface ClearNumber {
  text: string;
  start: number;
  end: number;
}

function lastClear(text: string): ClearNumber | undefined {
  return clearNumbers(text).at(-1);
}

const digits = /(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:\s?\/\s?\d+(?![\d.,]*\d))?|\.\d+/g;

/** All numbers of a text that are clear, in order. */
function clearNumbers(text: string): ClearNumber[] {
  const numbers: ClearNumber[] = [];
  for (const match of text.matchAll(digits)) {
    const number = clear(text, match.index, match.index + match[0].length);
    if (number !== undefined) numbers.push(number);
  }
  return numbers;
}

/** Looks at what stands around digits: a sign, a currency, a word, an operator. */
function clear(text: string, from: number, to: number): ClearNumber | undefined {
  const before = text.slice(Math.max(0, from - 24), from);
  const after = text.slice(to, to + 24);
  const [lead, currencyAndSign] = splitSign(before);
  if (/[\p{L}\p{N}_.,:/^]$/u.test(currencyAndSign === "" ? before : lead) && !/[\p{L}][:,]$|\.\.$/u.test(before))
    return undefined;
  if (/^(?::\d|\.\d|\/\d|[eE][+-]?\d|_|(?:st|nd|rd|th)\b|-\d|,\d)/.test(after)) return undefined;
  // "48/2 = 24" gives 24; what is still to be calculated is not the answer.
  if (/^\s?(?:[+*×·÷^]|[-/]\s*[$(]?\d|x\s*\d|-\s\S)/.test(after) && !/^\s?\*{1,3}(?:[\s.,)]|$)/.test(after)) return undefined;
  if (/(?:\d|\))\s*[-+*×·÷/^]\s*$|\d\s*x\s*$/.test(lead)) return undefined;
  if (/(?:\bnot(?: equal to)?|n['’]t|≠|!=)\s*$/i.test(lead)) return undefined;
  const sign = currencyAndSign.includes("-") ? "-" : "";
  const number = `${sign}${text.slice(from, to).replace(/\s/g, "")}`;
  if (parseNumber(number) === undefined) return undefined;
  return { text: number, start: from - currencyAndSign.length, end: to };
}

/** A sign and a currency directly before digits belong to them, unless the sign stands behind a number or a word, where it is a dash. */
function splitSign(before: string): [lead: string, currencyAndSign: string] {
  const own = /(?:[+-]\s?)?[$€£]\s?-?$|[+-]$/.exec(before)?.[0] ?? "";
  const lead = before.slice(0, before.length - own.length);
  if (!/^[+-]/.test(own) || !/[\p{L}\p{N})]\s*$/u.test(lead)) return [lead, own];
  if (/[\p{L}]\s+$/u.test(lead)) return [lead, own];
  const currency = own.replace(/^[+-]\s?/, "");
  return [before.slice(0, before.length - currency.length), currency];
}

/** LaTeX and Markdown of simple numbers as plain text; longer formulas stay as they are and give no clear number. */
function plainMath(text: string): string {
  return withoutMarkup(
    plainSigns(text)
      .replace(/\\[dt]?frac\s*\{(\d+)\}\s*\{(\d+)\}/g, "$1/$2")
      .replace(/\\(?:left|right|displaystyle)(?![a-zA-Z])|\\[!,;]/g, "")
      .replace(/\{,\}/g, ",")
      .replace(/\\times|\\cdot/g, "×")
      .replace(/\\div/g, "÷")
      .replace(/\\([$%])/g, "$1"),
  );
}

/** Accuracy 1 when the number given is the item's; exact, whatever the way of writing. Never throws. */
export const writtenNumberVerifier: Verifier = (item: Item, answer: string, completion: string): Score => {
  const reading = readNumber(gradedText(answer, completion));
  if (reading === undefined) return { accuracy: 0, extracted: undefined, strictAccuracy: 0, status: "no-answer" };
  const accuracy = referencesOf(item).some((reference) => sameNumber(reading.number, reference)) ? 1 : 0;
  return { accuracy, extracted: reading.number, strictAccuracy: reading.strict ? accuracy : 0 };
};
