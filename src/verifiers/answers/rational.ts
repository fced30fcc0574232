/** Exact fractions of bounded size, so that 0.1 + 0.2 is 0.3 and a hostile string cannot make the arithmetic slow. */

/** Denominator positive. In lowest terms where its reach says so. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** How large numbers may become. */
export interface Reach {
  /** No numerator or denominator is larger. */
  readonly largest: bigint;
  /** Brings every result to lowest terms before its size is looked at; too slow for numbers of many thousand digits. */
  readonly lowestTerms: boolean;
}

/** About 300 decimal digits: far beyond any answer, small enough to stay fast. */
const ofAnswers: Reach = { largest: 10n ** 300n, lowestTerms: true };

/** Undefined when the denominator is 0 or either part is too large. */
export function rational(numerator: bigint, denominator = 1n, reach = ofAnswers): Rational | undefined {
  if (denominator === 0n) return undefined;
  if (denominator < 0n) return rational(-numerator, -denominator, reach);
  if (reach.lowestTerms && denominator !== 1n) {
    const divisor = greatestCommonDivisor(absolute(numerator), denominator);
    numerator /= divisor;
    denominator /= divisor;
  }
  return absolute(numerator) > reach.largest || denominator > reach.largest ? undefined : { numerator, denominator };
}

function greatestCommonDivisor(first: bigint, second: bigint): bigint {
  while (second !== 0n) [first, second] = [second, first % second];
  return first;
}

export const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

/** The parts of a number that is written in digits. */
export interface Digits {
  /** "-" or anything else. */
  sign?: string | undefined;
  /** Digits, or empty. */
  whole?: string | undefined;
  decimals?: string | undefined;
  /** Of ten. */
  exponent?: number;
}

export function fromDigits({ sign, whole = "", decimals = "", exponent = 0 }: Digits, reach = ofAnswers): Rational | undefined {
  const size = BigInt(whole + decimals);
  const digits = sign === "-" ? -size : size;
  const shift = exponent - decimals.length;
  return shift >= 0 ? rational(digits * 10n ** BigInt(shift), 1n, reach) : rational(digits, 10n ** BigInt(-shift), reach);
}

export function combine(first: Rational, operator: string, second: Rational, reach = ofAnswers): Rational | undefined {
  const { numerator: a, denominator: b } = first;
  const { numerator: c, denominator: d } = second;
  if (operator === "+") return rational(a * d + c * b, b * d, reach);
  if (operator === "-") return rational(a * d - c * b, b * d, reach);
  if (operator === "*") return rational(a * c, b * d, reach);
  return operator === "/" ? rational(a * d, b * c, reach) : undefined;
}

export function negative({ numerator, denominator }: Rational): Rational {
  return { numerator: -numerator, denominator };
}

/** False where either is not known. */
export function equal(first: Rational | undefined, second: Rational | undefined): boolean {
  if (first === undefined || second === undefined) return false;
  return first.numerator * second.denominator === second.numerator * first.denominator;
}

/** |first − second| ≤ tolerance, exactly; equal where there is no tolerance, false where either is not known. */
export function within(first: Rational | undefined, second: Rational | undefined, tolerance: Rational | undefined): boolean {
  if (tolerance === undefined || first === undefined || second === undefined) return equal(first, second);
  const difference = combine(first, "-", second);
  if (difference === undefined) return false;
  return absolute(difference.numerator) * tolerance.denominator <= tolerance.numerator * difference.denominator;
}

/** Nearest double, for display and for files. */
export function toNumber(value: Rational): number {
  return Number(value.numerator) / Number(value.denominator);
}
