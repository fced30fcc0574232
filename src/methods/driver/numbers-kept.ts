/** Whether a rewritten text still holds the numbers of the original: a cheap test for facts that got lost. */
import { normaliseAnswer } from "#kernel/answer-form.ts";

/**
 * The numbers of `original` that `rewritten` no longer holds, in normal form and in order of appearance. "3", "three" and "3.0" are the same
 * number, and so are "1,200" and "1200", "2 dozen" and "24". The words "one" and "zero" are not asked for, since they are rarely quantities.
 * Work is linear in the lengths.
 */
export function lostNumbers(original: string, rewritten: string): string[] {
  const kept = new Set(numbersIn(rewritten).flatMap(({ value, parts }) => [value, ...parts]));
  const wanted = numbersIn(original).filter(({ isQuantity }) => isQuantity);
  return [...new Set(wanted.map(({ value }) => value))].filter((value) => !kept.has(value));
}

interface FoundNumber {
  value: string;
  /** The numbers it was put together from. */
  parts: string[];
  isQuantity: boolean;
}

const units = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const teens = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"];
const tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const scales = new Map([
  ["dozen", 12],
  ["hundred", 100],
  ["thousand", 1000],
  ["million", 1_000_000],
]);
const words = new Map<string, number>([
  ...[...units, ...teens].map((word, value): [string, number] => [word, value]),
  ...tens.map((word, index): [string, number] => [word, 20 + 10 * index]),
]);

function numbersIn(text: string): FoundNumber[] {
  const found: FoundNumber[] = [];
  // Whether the token before was a number that this one may go on with.
  let open = false;
  for (const [token] of text
    .normalize("NFKC")
    .toLowerCase()
    .matchAll(/\p{L}+|\d+(?:[.,]\d+)*/gu)) {
    const last = found.at(-1);
    const scale = scales.get(token);
    const value = words.get(token);
    if (scale !== undefined && last && open) extend(last, Number(last.value) * scale);
    else if (value !== undefined && value > 0 && value < 10 && last && open && isTens(last.value)) {
      last.parts.push(String(value));
      extend(last, Number(last.value) + value);
    } else if (value !== undefined) found.push({ value: String(value), parts: [], isQuantity: value > 1 });
    else if (/^\d/.test(token)) {
      for (const digits of splitLists(token)) found.push({ value: normaliseAnswer(digits), parts: [], isQuantity: true });
    } else {
      open = false;
      continue;
    }
    open = true;
  }
  return found;
}

function extend(number: FoundNumber, value: number): void {
  number.parts.push(number.value);
  number.value = normaliseAnswer(String(value));
  number.isQuantity = true;
}

function isTens(value: string): boolean {
  return /^[2-9]0$/.test(value);
}

/** "1,200" is one number, "1,2,3" are three. */
function splitLists(token: string): string[] {
  return /^\d{1,3}(?:,\d{3})+(?:\.\d+)?$/.test(token) || !token.includes(",") ? [token] : token.split(",");
}
