/**
 * What expressions are worth, by @cortex-js/compute-engine: it parses, and it decides what sampling cannot (sums, integrals, limits) and
 * where double precision ends. To be used in a thread that can be stopped: no call of the engine is bounded in time from inside.
 */
import { ComputeEngine, type Expression } from "@cortex-js/compute-engine";
import { equal } from "../answers/rational.ts";
import { type Complex, divide, hasValue, real, size, subtract } from "./complex.ts";
import { constants, evaluate, type MathJson, Unknown } from "./evaluate.ts";
import { exactValue } from "./exact.ts";
import { limits } from "./limits.ts";
import { quickValues, readRational, roundingOf, sameNumbers, type Values } from "./numbers.ts";

interface Parsed {
  json: MathJson;
  /** Free unknowns, sorted. */
  unknowns: readonly string[];
  /** Parse errors or too many nodes: nothing is said about such text. */
  broken: boolean;
  imaginary: boolean;
}

const constantTolerance = 1e-10;
const unknownTolerance = 1e-8;
const leastAgreeing = 4;
const cached = 2000;
/** Digits of the engine's arithmetic where doubles agree. */
const precision = 60;

/** Values of the unknowns: five positive points, then three of mixed sign. Fixed, irregular, and far from whole numbers. */
const samplePoints: readonly ((index: number) => number)[] = Array.from({ length: 8 }, (_, point) => (index: number) => {
  const spread = ((point * 7 + index * 13 + 5) * 0.6180339887498949) % 1;
  const magnitude = 0.37 + 2.1 * spread;
  return point >= 5 && (point + index) % 2 === 1 ? -magnitude : magnitude;
});

export class EngineValues implements Values {
  readonly #engine = new ComputeEngine();
  readonly #parsed = new Map<string, Parsed>();

  constructor() {
    this.#engine.precision = precision;
  }

  same(first: string, second: string): boolean | undefined {
    const known = first === second || sameNumbers(first, second);
    if (known !== undefined) return known;
    const [a, b] = [this.#parse(first), this.#parse(second)];
    if (a.broken || b.broken) return undefined;
    try {
      if (a.unknowns.length + b.unknowns.length === 0) return this.#sameConstants(first, a, second, b);
      return sameFunctions(a, b, scalesIn(first + second));
    } catch (error) {
      if (!(error instanceof Unknown)) throw error;
      return this.#sameByEngine(first, second);
    }
  }

  real(latex: string): number | undefined {
    const quick = quickValues.real(latex);
    if (quick !== undefined) return quick;
    const parsed = this.#parse(latex);
    if (parsed.broken || parsed.unknowns.length > 0) return undefined;
    try {
      const value = evaluate(parsed.json, new Map());
      return Math.abs(value.im) <= constantTolerance * size(value) && !Number.isNaN(value.re) ? value.re : undefined;
    } catch {
      return undefined;
    }
  }

  proportional(first: readonly [string, string], second: readonly [string, string], positive: boolean): boolean | undefined {
    const difference = ([left, right]: readonly [string, string]): Parsed => {
      const [a, b] = [this.#parse(left), this.#parse(right)];
      return {
        json: ["Subtract", a.json, b.json],
        unknowns: [...new Set([...a.unknowns, ...b.unknowns])].sort(),
        broken: a.broken || b.broken,
        imaginary: a.imaginary || b.imaginary,
      };
    };
    const [a, b] = [difference(first), difference(second)];
    if (a.broken || b.broken || a.unknowns.length === 0 || a.unknowns.join() !== b.unknowns.join()) return undefined;
    try {
      return proportionalFunctions(a, b, positive, scalesIn([...first, ...second].join(" ")));
    } catch (error) {
      if (!(error instanceof Unknown)) throw error;
      return undefined;
    }
  }

  #parse(latex: string): Parsed {
    const known = this.#parsed.get(latex);
    if (known) return known;
    // Degrees that are left stand inside a function: \sin 30°.
    const text = latex.replace(/(\d+(?:\.\d+)?)\\degree/g, "($1\\cdot\\frac{\\pi}{180})").replace(/\\or|\\and/g, "\\text{?}");
    const json = this.#engine.parse(text, { canonical: false } as object).json as MathJson;
    const unknowns = new Set<string>();
    // Two numbers beside each other are no number, "%" would hide what stands behind it, and 8.33… does not say how it goes on.
    const isBroken =
      /\d \d|%/.test(latex) ||
      (/\.\d{1,40}\\ldots/.test(latex) && !/\.\d{0,40}(?:(\d)\1\1|(\d{2,6})\2)\\ldots/.test(latex)) ||
      !collect(json, unknowns, { nodes: 0 });
    const parsed = { json, imaginary: false, broken: isBroken, unknowns: [] as string[] };
    parsed.imaginary = unknowns.delete("i");
    parsed.unknowns = [...unknowns].sort();
    if (this.#parsed.size >= cached) this.#parsed.clear();
    this.#parsed.set(latex, parsed);
    return parsed;
  }

  #sameConstants(first: string, a: Parsed, second: string, b: Parsed): boolean | undefined {
    const [exactA, exactB] = [exactValue(a.json), exactValue(b.json)];
    if (exactA && exactB) return equal(exactA, exactB);
    const [x, y] = [evaluate(a.json, new Map()), evaluate(b.json, new Map())];
    // Nothing follows from values out of the range of doubles: 1/2004! and 1/2006! are both "0", 1/0 and 2/0 both "infinite".
    if (!hasValue(x) || !hasValue(y)) return undefined;
    const scale = Math.max(size(x), size(y));
    const distance = size(subtract(x, y));
    const rounding = readRational(first) ? roundingOf(first) : readRational(second) ? roundingOf(second) : undefined;
    if (rounding !== undefined && scale > 1e-300 && distance <= rounding * (1 + 1e-9)) return true;
    if (scale < 1e-200 || distance <= 1e-14) return this.#confirmed(first, second);
    if (distance > constantTolerance * scale) return false;
    return this.#confirmed(first, second);
  }

  /** Doubles agree: do sixty digits? Functions that the engine knows only in double precision are believed. */
  #confirmed(first: string, second: string): boolean | undefined {
    const difference = this.#digits(`(${first})-(${second})`);
    const scale = this.#digits(first);
    if (!difference || !scale) return undefined;
    const distance = size(difference);
    const relative = distance / Math.max(size(scale), Number.MIN_VALUE);
    if (distance === 0 || relative < 1e-50) return true;
    // Between: what an evaluation in doubles leaves over, unless the numbers are large or tiny.
    return size(scale) > 1e-6 && size(scale) < 1e6 && distance < 1e-13;
  }

  #digits(latex: string): Complex | undefined {
    const value = this.#engine.parse(latex.replace(/(^|[^a-zA-Z\\])e(?![a-zA-Z])/g, "$1\\exponentialE ")).N();
    const complex = { re: value.re, im: value.im };
    return Number.isNaN(complex.re) || Number.isNaN(complex.im) ? undefined : complex;
  }

  #sameByEngine(first: string, second: string): boolean | undefined {
    const [a, b] = [this.#engine.parse(first), this.#engine.parse(second)] as [Expression, Expression];
    if (!a.isValid || !b.isValid) return undefined;
    if (a.isSame(b)) return true;
    const [x, y] = [a.N(), b.N()];
    if (Number.isNaN(x.re) || Number.isNaN(y.re))
      return a.isEqual(b) === true || a.simplify().isSame(b.simplify()) ? true : undefined;
    // Two values out of range are no evidence.
    const scale = Math.hypot(x.re, x.im);
    if (!Number.isFinite(scale) || !Number.isFinite(y.re) || scale < 1e-200) return undefined;
    return Math.hypot(x.re - y.re, x.im - y.im) <= constantTolerance * scale;
  }
}

/** Gathers unknowns; false when the tree holds an error, an ellipsis, text or too many nodes. */
function collect(json: MathJson, unknowns: Set<string>, count: { nodes: number }): boolean {
  if (++count.nodes > limits.nodes) return false;
  if (typeof json === "number") return true;
  if (typeof json === "string") {
    if (json.startsWith("'") || json === "ContinuationPlaceholder" || json === "Nothing") return false;
    if (!constants.has(json)) unknowns.add(json);
    if (json === "i" || json === "ImaginaryUnit") unknowns.add("i");
    return true;
  }
  if (!Array.isArray(json)) return true;
  const [head, ...parts] = json;
  if (head === "Error" || head === "HorizontalSpacing") return head !== "Error";
  return (typeof head === "string" || collect(head, unknowns, count)) && parts.every((part) => collect(part, unknowns, count));
}

/** Where a power of ten makes a term so small that the others hide it, unknowns of that size bring it out. */
function scalesIn(latex: string): readonly number[] {
  const powers = [...latex.matchAll(/10\^\{-(\d{1,3})\}/g)].map(([, power]) => Number(power));
  return [...new Set(powers)].filter((power) => power >= 8 && power <= 100).slice(0, 3);
}

/** Points in the order of trust; then, for each scale, points at which all unknowns, or one of them, are as small or as large. */
function* points(unknowns: readonly string[], scales: readonly number[]): Generator<Map<string, Complex>> {
  for (const point of samplePoints) yield new Map(unknowns.map((name, index) => [name, real(point(index))]));
  for (const scale of scales) {
    for (const factor of [10 ** -scale, 10 ** scale]) {
      for (const scaled of unknowns.length > 1 && unknowns.length <= 4 ? [undefined, ...unknowns] : [undefined]) {
        const size = (name: string) => (scaled === undefined || scaled === name ? factor : 1);
        yield new Map(unknowns.map((name, index) => [name, real(samplePoints[0](index) * size(name))]));
      }
    }
  }
}

function* samples(a: Parsed, b: Parsed, scales: readonly number[]): Generator<[Complex, Complex]> {
  const unknowns = [...new Set([...a.unknowns, ...b.unknowns])].sort();
  for (const values of points(unknowns, scales)) {
    const pair: [Complex, Complex] = [evaluate(a.json, values), evaluate(b.json, values)];
    // Without an i in sight the unknowns are meant where both sides are real.
    const outside = pair.some((value) => Math.abs(value.im) > 1e-12 * size(value)) && !a.imaginary && !b.imaginary;
    if (!outside) yield pair;
  }
}

function sameFunctions(a: Parsed, b: Parsed, scales: readonly number[]): boolean | undefined {
  let agreeing = 0;
  for (const [x, y] of samples(a, b, scales)) {
    if (!hasValue(x) && !hasValue(y)) continue;
    if (!hasValue(x) || !hasValue(y)) return false;
    if (size(subtract(x, y)) > unknownTolerance * Math.max(size(x), size(y))) return false;
    agreeing++;
  }
  return agreeing >= leastAgreeing ? true : undefined;
}

function proportionalFunctions(a: Parsed, b: Parsed, positive: boolean, scales: readonly number[]): boolean | undefined {
  let factor: Complex | undefined;
  let agreeing = 0;
  for (const [x, y] of samples(a, b, scales)) {
    if (!hasValue(x) || !hasValue(y) || size(x) === 0) continue;
    const next = divide(y, x);
    factor ??= next;
    if (size(next) === 0 || size(subtract(next, factor)) > unknownTolerance * size(factor)) return false;
    agreeing++;
  }
  if (factor === undefined || agreeing < leastAgreeing) return undefined;
  return !positive || factor.re > 0;
}
