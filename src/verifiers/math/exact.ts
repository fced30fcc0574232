/** Exact values of parsed constants: whole numbers of any reasonable length, fractions, powers, factorials, binomials. Bounded work. */
import { factors, type MathJson } from "./evaluate.ts";
import { limits } from "./limits.ts";

/** Not in lowest terms; denominator positive. */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

const largest = 1n << BigInt(limits.bits);

export function sameFraction(a: Fraction, b: Fraction): boolean {
  return a.numerator * b.denominator === b.numerator * a.denominator;
}

function fraction(numerator: bigint, denominator = 1n): Fraction | undefined {
  if (denominator === 0n) return undefined;
  if (denominator < 0n) return fraction(-numerator, -denominator);
  if (numerator > largest || numerator < -largest || denominator > largest) return undefined;
  return { numerator, denominator };
}

const decimalText = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d{1,4}))?$/;

function fromDecimal(text: string): Fraction | undefined {
  const match = decimalText.exec(text);
  if (!match) return undefined;
  const [, minus, whole, decimals = "", exponent = "0"] = match;
  const shift = Number(exponent) - decimals.length;
  const digits = BigInt(whole + decimals) * (minus === "-" ? -1n : 1n);
  return shift >= 0 ? fraction(digits * 10n ** BigInt(shift)) : fraction(digits, 10n ** BigInt(-shift));
}

/** Undefined where the value is not rational, or beyond the limits, or unknown. */
export function exactValue(expression: MathJson): Fraction | undefined {
  if (typeof expression === "number") return fromDecimal(String(expression));
  if (typeof expression === "string") return undefined;
  if (!Array.isArray(expression)) return fromDecimal((expression as { num: string }).num);
  const [head, ...parts] = expression as [MathJson, ...MathJson[]];
  const all = (list: readonly MathJson[], combine: (a: Fraction, b: Fraction) => Fraction | undefined) => {
    let result = exactValue(list[0]);
    for (let index = 1; index < list.length && result; index++) {
      const next = exactValue(list[index]);
      result = next && combine(result, next);
    }
    return result;
  };
  switch (head) {
    case "Add":
      return all(parts, sum);
    case "Subtract":
      return all(parts, (a, b) => sum(a, { numerator: -b.numerator, denominator: b.denominator }));
    case "Negate": {
      const value = exactValue(parts[0]);
      return value && fraction(-value.numerator, value.denominator);
    }
    case "Multiply":
      return all(parts, product);
    case "InvisibleOperator":
      return all(factors(parts), product);
    case "Divide":
    case "Rational":
      return all(parts, (a, b) => fraction(a.numerator * b.denominator, a.denominator * b.numerator));
    case "Delimiter":
      return parts.length === 1 ? exactValue(parts[0]) : undefined;
    case "Power":
      return power(exactValue(parts[0]), exactValue(parts[1]));
    case "Factorial":
      return factorial(whole(parts[0]));
    case "Binomial":
    case "C":
      return parts.length === 2 ? binomial(whole(parts[0]), whole(parts[1])) : undefined;
    case "Sqrt":
      return root(exactValue(parts[0]));
    case "Abs": {
      const value = exactValue(parts[0]);
      return value && fraction(value.numerator < 0n ? -value.numerator : value.numerator, value.denominator);
    }
  }
  return undefined;
}

const sum = (a: Fraction, b: Fraction) =>
  fraction(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);
const product = (a: Fraction, b: Fraction) => fraction(a.numerator * b.numerator, a.denominator * b.denominator);

function whole(expression: MathJson): number | undefined {
  const value = exactValue(expression);
  if (!value || value.numerator % value.denominator !== 0n) return undefined;
  const quotient = value.numerator / value.denominator;
  return quotient >= 0n && quotient <= BigInt(limits.factorial) ? Number(quotient) : undefined;
}

function power(base: Fraction | undefined, exponent: Fraction | undefined): Fraction | undefined {
  if (!base || !exponent || exponent.numerator % exponent.denominator !== 0n) return undefined;
  const times = exponent.numerator / exponent.denominator;
  const count = times < 0n ? -times : times;
  const bits = Math.max(base.numerator.toString(2).length, base.denominator.toString(2).length);
  if (count > BigInt(limits.exponent) || bits * Number(count) > limits.bits) return undefined;
  const top = base.numerator ** count;
  const bottom = base.denominator ** count;
  return times < 0n ? fraction(bottom, top) : fraction(top, bottom);
}

function factorial(n: number | undefined): Fraction | undefined {
  return n === undefined ? undefined : fraction(range(1, n));
}

/** The product of first … last, halved again and again so that the factors stay of like size. */
function range(first: number, last: number): bigint {
  if (first > last) return 1n;
  if (first === last) return BigInt(first);
  const middle = (first + last) >> 1;
  return range(first, middle) * range(middle + 1, last);
}

function binomial(n: number | undefined, k: number | undefined): Fraction | undefined {
  if (n === undefined || k === undefined) return undefined;
  if (k > n) return fraction(0n);
  const smaller = Math.min(k, n - k);
  return fraction(range(n - smaller + 1, n) / range(1, smaller));
}

/** Square roots of squares; anything else is left to the numeric comparison. */
function root(value: Fraction | undefined): Fraction | undefined {
  if (!value || value.numerator < 0n || value.numerator > 1n << 100n || value.denominator > 1n << 100n) return undefined;
  const top = wholeRoot(value.numerator);
  const bottom = wholeRoot(value.denominator);
  return top === undefined || bottom === undefined ? undefined : fraction(top, bottom);
}

function wholeRoot(value: bigint): bigint | undefined {
  if (value === 0n) return 0n;
  let guess = BigInt(Math.round(Math.sqrt(Number(value))));
  for (let step = 0; step < 8; step++) guess = guess === 0n ? 1n : (guess + value / guess) >> 1n;
  return [guess - 1n, guess, guess + 1n].find((candidate) => candidate * candidate === value);
}
