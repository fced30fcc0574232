/**
 * Numbers that are read exactly without an engine (whole numbers, decimals, fractions, mixed numbers, repeating decimals, a·10^n), and what
 * the comparison of forms has to know about expressions: the quick source knows such numbers alone, the engine's knows the rest.
 */
import { combine, equal, fromDigits, negative, type Rational, rational, toNumber, within } from "../answers/rational.ts";

/** The number a canonical scalar is; undefined when it is not plainly one. */
export function readRational(text: string): Rational | undefined {
  let body = text.replace(/^\+/, "");
  if (body.length === 0 || body.length > 600) return undefined;
  if (/^-?\d{1,3}(?:[ ,]\d{3})+(?:\.\d+)?$/.test(body) && !/^-?0[ ,]/.test(body)) body = body.replace(/[ ,]/g, "");
  return decimal(body) ?? repeating(body) ?? fraction(body) ?? power(body);
}

function decimal(text: string): Rational | undefined {
  const match = /^(-?)(\d*)(?:\.(\d*))?$/.exec(text);
  if (!match || !/\d/.test(text)) return undefined;
  const [, sign, whole, decimals] = match;
  return fromDigits({ sign, whole, decimals });
}

/** 0.\overline{3}, 0.1\dot{6}, 0.(142857) */
function repeating(text: string): Rational | undefined {
  // Dots stand over the first and the last figure that repeat.
  const plain = text.replace(/\\dot\{(\d)\}(\d*)\\dot\{(\d)\}$/, "($1$2$3)");
  const match = /^(-?)(\d*)\.(\d*)(?:\\(?:overline|bar|dot)\{(\d+)\}|\((\d+)\))$/.exec(plain);
  if (!match) return undefined;
  const [, sign, whole = "", fixed = "", first, second] = match;
  const period = first ?? second ?? "";
  const nines = 10n ** BigInt(period.length) - 1n;
  const numerator = BigInt(whole + fixed || "0") * nines + BigInt(period);
  return signed(sign, rational(numerator, nines * 10n ** BigInt(fixed.length)));
}

/** \frac{a}{b} with numbers inside, with a sign, or with a whole number before it when the fraction is proper: a mixed number. */
function fraction(text: string): Rational | undefined {
  const match = /^(-?)(\d+)?\\frac\{([^{}]*)\}\{([^{}]*)\}$/.exec(text) ?? /^(-?)()([\d.]+)\/(-?[\d.]+)$/.exec(text);
  if (!match) return undefined;
  const top = decimal(match[3].trim());
  const bottom = decimal(match[4].trim());
  const value = top && bottom && combine(top, "/", bottom);
  if (!value) return undefined;
  const whole = match[2] ? rational(BigInt(match[2])) : rational(0n);
  // 2\frac{3}{2} is read as a product, which the engine works out.
  if (match[2] && (value.numerator < 0n || value.numerator >= value.denominator || /\./.test(match[3] + match[4])))
    return undefined;
  return signed(match[1], whole && combine(whole, "+", value));
}

function power(text: string): Rational | undefined {
  const match = /^(.*?)(?:\\cdot)?10\^\{(-?\d{1,3})\}$/.exec(text);
  if (!match || (match[1] !== "" && match[1] !== "-" && !text.includes("\\cdot"))) return undefined;
  const factor = /\d/.test(match[1]) ? decimal(match[1]) : signed(match[1], rational(1n));
  const scale = fromDigits({ whole: "1", exponent: Number(match[2]) });
  return factor && scale && combine(factor, "*", scale);
}

function signed(sign: string, value: Rational | undefined): Rational | undefined {
  return sign === "-" && value ? negative(value) : value;
}

/** Decimal places of a plain decimal with a point; undefined for anything else. Such a number may be a rounded value. */
export function decimalPlaces(text: string): { places: number; significant: number } | undefined {
  const match = /^[-+]?(\d*)\.(\d+)$/.exec(text);
  if (!match) return undefined;
  return { places: match[2].length, significant: (match[1] + match[2]).replace(/^0+/, "").length };
}

export interface Values {
  /** Whether two expressions are the same; undefined when this source cannot tell. */
  same(first: string, second: string): boolean | undefined;
  /** A real constant or ±infinity; undefined when it is none, or when this source cannot tell. */
  real(latex: string): number | undefined;
  /** Whether left − right of one relation is a constant multiple of the other's; a positive one where `positive`. */
  proportional(first: readonly [string, string], second: readonly [string, string], positive: boolean): boolean | undefined;
}

/** Answers are rounded at six places or later, never earlier: 0.333333 is a third, 0.33 is not. */
const leastPlaces = 6;

/** Half a unit of the last place when a plain decimal may be a rounded value; undefined when it may not. */
export function roundingOf(text: string): number | undefined {
  const written = decimalPlaces(text);
  if (!written || written.places < leastPlaces || written.significant < leastPlaces) return undefined;
  return 0.5 * 10 ** -Math.min(written.places, 15);
}

/** Exact, but for a decimal that stands against a fraction. Undefined unless both are plain numbers. */
export function sameNumbers(first: string, second: string): boolean | undefined {
  const [a, b] = [readRational(first), readRational(second)];
  if (!a || !b) return undefined;
  if (equal(a, b)) return true;
  const [one, other] = [decimalPlaces(first), decimalPlaces(second)];
  if ((one === undefined) === (other === undefined)) return false;
  const decimal = one ? first : second;
  const exact = one ? b : a;
  if (roundingOf(decimal) === undefined || exact.denominator === 1n) return false;
  const half = rational(1n, 2n * 10n ** BigInt((one ?? other)?.places ?? 0));
  return half !== undefined && within(a, b, half);
}

/** Plain numbers only: cheap, exact, safe on any input. */
export const quickValues: Values = {
  same: (first, second) => (first === second ? true : sameNumbers(first, second)),
  real: (latex) => {
    if (/^\+?\\infty$/.test(latex)) return Number.POSITIVE_INFINITY;
    if (latex === "-\\infty") return Number.NEGATIVE_INFINITY;
    const value = readRational(latex);
    return value && toNumber(value);
  },
  proportional: (first, second) => (first[0] === second[0] && first[1] === second[1] ? true : undefined),
};

/**
 * A number as other countries write it, or with K, M, B or T behind it, in ours: 2,7 and 1.234,56 with a decimal comma, 1.234.567, 1 234 567, 1'234'567, 1_234_567 and
 * 12,34,567 with other marks of thousands; undefined for anything else. "2, 7" is a list.
 */
export function numberFromElsewhere(text: string): string | undefined {
  if (text.length > 60) return undefined;
  // Three digits behind a comma are thousands, unless nothing but zero stands before it.
  if (/^-?(?:\d+,(?!\d{3}$)\d+|0,\d+)$/.test(text)) return text.replace(",", ".");
  const short = /^(-?\d{1,12})(?:\.(\d{1,3}))?([KMBT])$/.exec(text);
  if (short) {
    const [, whole, decimals = "", letter] = short;
    const zeros = ({ K: 3, M: 6, B: 9, T: 12 }[letter] ?? 0) - decimals.length;
    return `${whole}${decimals}${"0".repeat(zeros)}`;
  }
  const [, sign, whole, decimals = ""] =
    /^(-?)(\d{1,3}(?:\.\d{3})+),(\d+)$/.exec(text) ??
    /^(-?)(\d{1,3}(?:\.\d{3}){2,})$/.exec(text) ??
    /^(-?)(\d{1,3}(?:'\d{3})+)(?:[.,](\d+))?$/.exec(text) ??
    /^(-?)(\d{1,3}(?:_\{\d{3}\})+)(?:\.(\d+))?$/.exec(text) ??
    /^(-?)(\d{1,3}(?: \d{3})+)(?:[.,](\d+))?$/.exec(text) ??
    /^(-?)(\d{1,2}(?:,\d{2})+,\d{3})(?:\.(\d+))?$/.exec(text) ??
    [];
  return whole === undefined ? undefined : `${sign}${whole.replace(/\D/g, "")}${decimals === "" ? "" : `.${decimals}`}`;
}
