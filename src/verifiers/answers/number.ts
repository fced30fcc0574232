/** Is the answer the right number? Exact comparison of whatever way of writing: 1,000 = 1000.0 = +1000. and −5 = -5, 3/4 = 0.75. */
import { type CallSpecs, checkCall, thing } from "#kernel/call-options.ts";
import type { Item, Score, Verifier } from "#kernel/item.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { plainSigns } from "./digits.ts";
import { equal, fromDigits, type Rational, rational, within } from "./rational.ts";

/** Longer answers are not numbers; reading stops here so that no input is slow. */
const longestAnswer = 2000;
const longestNumber = 200;

const wholeNumber = /^([+-]?)(?:[$€£]\s?)?([+-]?)(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d*))?(?:\s*\/\s*(\d+))?(?:\s*%)?$/;
const numberInside = /[+-]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:\/\d+)?|[+-]?\.\d+/g;

/** The number a short text is, or undefined when it is not one number. Signs, thousands separators, currency, fractions, a last full stop. */
export function parseNumber(text: string): Rational | undefined {
  if (text.length > longestNumber) return undefined;
  const match = wholeNumber.exec(
    plainSigns(text)
      .trim()
      .replace(/(?<=\d)\.$/, ""),
  );
  if (match === null) return undefined;
  const [, outerSign, innerSign, whole, decimals, divisor] = match;
  if ((whole === undefined && !decimals) || (outerSign && innerSign) || (decimals !== undefined && divisor !== undefined))
    return undefined;
  const sign = outerSign || innerSign;
  const digits = whole?.replaceAll(",", "");
  if (divisor === undefined) return fromDigits({ sign, whole: digits, decimals });
  return rational(BigInt(`${sign}${digits}`), BigInt(divisor));
}

/** The text of the number in an answer: the whole answer when it is one, else the only number inside ("18 dollars"); undefined otherwise. */
export function extractNumber(answer: string): string | undefined {
  if (answer.length > longestAnswer) return undefined;
  const text = plainSigns(answer).trim();
  if (parseNumber(text) !== undefined) return text;
  const inside = text.match(numberInside) ?? [];
  return inside.length === 1 && parseNumber(inside[0]) !== undefined ? inside[0] : undefined;
}

/** The text inside `<answer>` of a well-formed completion; undefined when the format is broken. */
export function extractAnswer(completion: string): string | undefined {
  const parsed = parseRefine(completion);
  return parsed.ok ? parsed.answer : undefined;
}

export interface NumberVerifierOptions {
  /** Largest absolute difference that still counts, as a decimal such as "0.001"; exact equality by default. */
  tolerance?: string;
}

const specs: CallSpecs<NumberVerifierOptions> = {
  tolerance: thing("largest difference that still counts", 'a decimal from 0 as text, such as "0.001"', (value) => {
    const tolerance = typeof value === "string" ? parseNumber(value) : undefined;
    return tolerance !== undefined && tolerance.numerator >= 0n;
  }),
};

/** Accuracy 1 when the answer is the reference number. Never throws; what is no number scores 0. */
export function numberVerifier(options: NumberVerifierOptions = {}): Verifier {
  checkCall("numberVerifier", specs, options);
  const tolerance = options.tolerance === undefined ? undefined : parseNumber(options.tolerance);
  return (item: Item, answer: string): Score => {
    const extracted = extractNumber(answer);
    const found = extracted === undefined ? undefined : parseNumber(extracted);
    return { accuracy: within(found, parseNumber(item.answer), tolerance) ? 1 : 0, extracted };
  };
}

export function sameNumber(first: string, second: string): boolean {
  return equal(parseNumber(first), parseNumber(second));
}
