/** Exact values of parsed constants: whole numbers of any reasonable length, fractions, powers, factorials, binomials. Bounded work. */
import { absolute, combine, fromDigits, negative, type Rational, type Reach, rational } from "../answers/rational.ts";
import { factors, type MathJson } from "./evaluate.ts";
import { limits } from "./limits.ts";

/** Not in lowest terms. */
const reach: Reach = { largest: 1n << BigInt(limits.bits), lowestTerms: false };

const decimalText = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d{1,4}))?$/;

function fromDecimal(text: string): Rational | undefined {
  const match = decimalText.exec(text);
  if (!match) return undefined;
  const [, sign, whole, decimals, exponent = "0"] = match;
  return fromDigits({ sign, whole, decimals, exponent: Number(exponent) }, reach);
}

/** Undefined where the value is not rational, or beyond the limits, or unknown. */
export function exactValue(expression: MathJson): Rational | undefined {
  if (typeof expression === "number") return fromDecimal(String(expression));
  if (typeof expression === "string") return undefined;
  if (!Array.isArray(expression)) return fromDecimal((expression as { num: string }).num);
  const [head, ...parts] = expression as [MathJson, ...MathJson[]];
  const all = (operator: string, list: readonly MathJson[] = parts) => {
    let result = exactValue(list[0]);
    for (let index = 1; index < list.length && result; index++) {
      const next = exactValue(list[index]);
      result = next && combine(result, operator, next, reach);
    }
    return result;
  };
  switch (head) {
    case "Add":
      return all("+");
    case "Subtract":
      return all("-");
    case "Negate": {
      const value = exactValue(parts[0]);
      return value && negative(value);
    }
    case "Multiply":
      return all("*");
    case "InvisibleOperator":
      return all("*", factors(parts));
    case "Divide":
    case "Rational":
      return all("/");
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
      return value && { ...value, numerator: absolute(value.numerator) };
    }
  }
  return undefined;
}

function whole(expression: MathJson): number | undefined {
  const value = exactValue(expression);
  if (!value || value.numerator % value.denominator !== 0n) return undefined;
  const quotient = value.numerator / value.denominator;
  return quotient >= 0n && quotient <= BigInt(limits.factorial) ? Number(quotient) : undefined;
}

function power(base: Rational | undefined, exponent: Rational | undefined): Rational | undefined {
  if (!base || !exponent || exponent.numerator % exponent.denominator !== 0n) return undefined;
  const times = exponent.numerator / exponent.denominator;
  const count = absolute(times);
  const bits = Math.max(base.numerator.toString(2).length, base.denominator.toString(2).length);
  if (count > BigInt(limits.exponent) || bits * Number(count) > limits.bits) return undefined;
  const top = base.numerator ** count;
  const bottom = base.denominator ** count;
  return times < 0n ? rational(bottom, top, reach) : rational(top, bottom, reach);
}

function factorial(n: number | undefined): Rational | undefined {
  return n === undefined ? undefined : rational(range(1, n), 1n, reach);
}

/** The product of first … last, halved again and again so that the factors stay of like size. */
function range(first: number, last: number): bigint {
  if (first > last) return 1n;
  if (first === last) return BigInt(first);
  const middle = (first + last) >> 1;
  return range(first, middle) * range(middle + 1, last);
}

function binomial(n: number | undefined, k: number | undefined): Rational | undefined {
  if (n === undefined || k === undefined) return undefined;
  if (k > n) return rational(0n);
  const smaller = Math.min(k, n - k);
  return rational(range(n - smaller + 1, n) / range(1, smaller), 1n, reach);
}

/** Square roots of squares; anything else is left to the numeric comparison. */
function root(value: Rational | undefined): Rational | undefined {
  if (!value || value.numerator < 0n || value.numerator > 1n << 100n || value.denominator > 1n << 100n) return undefined;
  const top = wholeRoot(value.numerator);
  const bottom = wholeRoot(value.denominator);
  return top === undefined || bottom === undefined ? undefined : rational(top, bottom, reach);
}

function wholeRoot(value: bigint): bigint | undefined {
  if (value === 0n) return 0n;
  let guess = BigInt(Math.round(Math.sqrt(Number(value))));
  for (let step = 0; step < 8; step++) guess = guess === 0n ? 1n : (guess + value / guess) >> 1n;
  return [guess - 1n, guess, guess + 1n].find((candidate) => candidate * candidate === value);
}
