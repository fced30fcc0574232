/** What the comparison of forms has to know about expressions. The quick source knows plain numbers; the engine's knows the rest. */
import { equal, rational, toNumber, within } from "../answers/rational.ts";
import { decimalPlaces, readRational } from "./rationals.ts";

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
  const { places } = (one ?? other)!;
  const exact = one ? b : a;
  if (roundingOf(decimal) === undefined || exact.denominator === 1n) return false;
  return within(a, b, rational(1n, 2n * 10n ** BigInt(places))!);
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
