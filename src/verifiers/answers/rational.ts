/** Exact fractions of bounded size, so that 0.1 + 0.2 is 0.3 and a hostile string cannot make the arithmetic slow. */

/** Lowest terms, denominator positive. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** About 300 decimal digits: far beyond any answer, small enough to stay fast. */
const largest = 10n ** 300n;

/** Undefined when the denominator is 0 or either part is too long. */
export function rational(numerator: bigint, denominator = 1n): Rational | undefined {
  if (denominator === 0n) return undefined;
  if (denominator < 0n) return rational(-numerator, -denominator);
  const divisor = greatestCommonDivisor(numerator < 0n ? -numerator : numerator, denominator) || 1n;
  const result = { numerator: numerator / divisor, denominator: denominator / divisor };
  const tooLong = result.numerator > largest || result.numerator < -largest || result.denominator > largest;
  return tooLong ? undefined : result;
}

function greatestCommonDivisor(first: bigint, second: bigint): bigint {
  while (second !== 0n) [first, second] = [second, first % second];
  return first;
}

export function combine(first: Rational, operator: string, second: Rational): Rational | undefined {
  const { numerator: a, denominator: b } = first;
  const { numerator: c, denominator: d } = second;
  if (operator === "+") return rational(a * d + c * b, b * d);
  if (operator === "-") return rational(a * d - c * b, b * d);
  if (operator === "*") return rational(a * c, b * d);
  return operator === "/" ? rational(a * d, b * c) : undefined;
}

export function equal(first: Rational, second: Rational): boolean {
  return first.numerator === second.numerator && first.denominator === second.denominator;
}

/** |first − second| ≤ tolerance, exactly. */
export function within(first: Rational, second: Rational, tolerance: Rational): boolean {
  const difference = combine(first, "-", second);
  if (difference === undefined) return false;
  const size = difference.numerator < 0n ? -difference.numerator : difference.numerator;
  return size * tolerance.denominator <= tolerance.numerator * difference.denominator;
}

/** Nearest double, for display and for files. */
export function toNumber(value: Rational): number {
  return Number(value.numerator) / Number(value.denominator);
}
