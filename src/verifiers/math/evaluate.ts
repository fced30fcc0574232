/** Values of parsed expressions (MathJSON as the engine's parser writes it, not made canonical) in double precision. */
import * as complex from "./complex.ts";
import { type Complex, real } from "./complex.ts";

/** MathJSON: a number, a symbol or quoted string, `{ num }`, or [head, …arguments]. */
export type MathJson = number | string | { readonly num: string } | readonly MathJson[];

export const constants: ReadonlyMap<string, Complex> = new Map([
  ["Pi", real(Math.PI)],
  ["e", real(Math.E)],
  ["ExponentialE", real(Math.E)],
  ["i", { re: 0, im: 1 }],
  ["ImaginaryUnit", { re: 0, im: 1 }],
  ["PositiveInfinity", real(Number.POSITIVE_INFINITY)],
  ["NegativeInfinity", real(Number.NEGATIVE_INFINITY)],
  ["GoldenRatio", real((1 + Math.sqrt(5)) / 2)],
]);

/** Thrown inside, never let out: the expression holds something that has no value here. */
export class Unknown extends Error {}

type Function = (...values: Complex[]) => Complex;
const reciprocal =
  (of: Function): Function =>
  (a) =>
    complex.divide(real(1), of(a));
const onReals =
  (of: (...values: number[]) => number): Function =>
  (...values) => {
    if (values.some((value) => Math.abs(value.im) > 1e-12)) throw new Unknown();
    return real(of(...values.map((value) => value.re)));
  };
const tangent: Function = (a) => complex.divide(complex.sine(a), complex.cosine(a));
const halves =
  (sign: 1 | -1): Function =>
  (a) => {
    const other = complex.exp(complex.negate(a));
    return complex.divide(sign === 1 ? complex.add(complex.exp(a), other) : complex.subtract(complex.exp(a), other), real(2));
  };
const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));
const binomial = (n: number, k: number): number => {
  if (Number.isInteger(n) && Number.isInteger(k) && n >= 0) {
    if (k < 0 || k > n) return 0;
    let value = 1;
    for (let step = 1; step <= Math.min(k, n - k) && step <= 10_000; step++)
      value = (value * (n - Math.min(k, n - k) + step)) / step;
    return value;
  }
  return complex.factorial(n) / (complex.factorial(k) * complex.factorial(n - k));
};

const functions: Record<string, Function> = {
  Negate: (a) => complex.negate(a),
  Sqrt: (a) => complex.squareRoot(a),
  Exp: (a) => complex.exp(a),
  Ln: (a, base) => (base ? complex.divide(complex.ln(a), complex.ln(base)) : complex.ln(a)),
  Log: (a, base) => complex.divide(complex.ln(a), complex.ln(base ?? real(10))),
  Lb: (a) => complex.divide(complex.ln(a), real(Math.LN2)),
  Sin: (a) => complex.sine(a),
  Cos: (a) => complex.cosine(a),
  Tan: tangent,
  Sec: reciprocal((a) => complex.cosine(a)),
  Csc: reciprocal((a) => complex.sine(a)),
  Cot: (a) => complex.divide(complex.cosine(a), complex.sine(a)),
  Arcsin: (a) => complex.arcsine(a),
  Arccos: (a) => complex.arccosine(a),
  Arctan: (a) => complex.arctangent(a),
  Arccot: (a) => complex.arctangent(complex.divide(real(1), a)),
  Arcsec: (a) => complex.arccosine(complex.divide(real(1), a)),
  Arccsc: (a) => complex.arcsine(complex.divide(real(1), a)),
  Sinh: halves(-1),
  Cosh: halves(1),
  Tanh: (a) => complex.divide(halves(-1)(a), halves(1)(a)),
  Abs: (a) => real(complex.size(a)),
  Norm: (a) => real(complex.size(a)),
  Conjugate: (a) => ({ re: a.re, im: -a.im }),
  Real: (a) => real(a.re),
  Imaginary: (a) => real(a.im),
  Floor: onReals((a) => Math.floor(a + 1e-12)),
  Ceil: onReals((a) => Math.ceil(a - 1e-12)),
  Mod: onReals((a, b) => a - b * Math.floor(a / b)),
  Factorial: onReals((a) => complex.factorial(a)),
  Gamma: onReals((a) => complex.factorial(a - 1)),
  Binomial: onReals((a, b) => binomial(a, b)),
  Choose: onReals((a, b) => binomial(a, b)),
  Max: onReals(Math.max),
  Min: onReals(Math.min),
  GCD: onReals((...values) => values.reduce(gcd)),
  LCM: onReals((...values) => values.reduce((a, b) => (a * b) / gcd(a, b))),
  Degrees: (a) => complex.multiply(a, real(Math.PI / 180)),
};
const inverses: Record<string, string> = {
  Sin: "Arcsin",
  Cos: "Arccos",
  Tan: "Arctan",
  Cot: "Arccot",
  Sec: "Arcsec",
  Csc: "Arccsc",
};

/** The value where `values` gives the unknowns theirs. Throws `Unknown` for sums, integrals, errors and whatever else has no value here. */
export function evaluate(expression: MathJson, values: ReadonlyMap<string, Complex>): Complex {
  if (typeof expression === "number") return real(expression);
  if (typeof expression === "string") {
    const value = constants.get(expression) ?? values.get(expression);
    if (value === undefined) throw new Unknown();
    return value;
  }
  if (!Array.isArray(expression)) return real(Number((expression as { num: string }).num));
  const [head, ...parts] = expression as [MathJson, ...MathJson[]];
  const value = (index: number) => evaluate(parts[index], values);
  switch (head) {
    case "Add":
      return parts.reduce<Complex>((sum, part) => complex.add(sum, evaluate(part, values)), real(0));
    case "Subtract":
      return complex.subtract(value(0), value(1));
    case "Multiply":
      return parts.reduce<Complex>((product, part) => complex.multiply(product, evaluate(part, values)), real(1));
    case "InvisibleOperator":
      return factors(parts).reduce<Complex>((product, part) => complex.multiply(product, evaluate(part, values)), real(1));
    case "Divide":
    case "Rational":
      return complex.divide(value(0), value(1));
    case "Delimiter":
    case "Sequence":
      if (parts.length !== 1 && !(head === "Delimiter" && typeof parts[1] === "string")) throw new Unknown();
      return value(0);
    case "Power":
      return raise(parts, values);
    case "Root":
      return roots(value(0), value(1));
    case "Apply":
      return applyInverse(parts, values);
  }
  if (typeof head !== "string") throw new Unknown();
  const known = Object.hasOwn(functions, head) ? functions[head] : undefined;
  if (known) return known(...parts.map((part) => evaluate(part, values)));
  return named(head, parts, values);
}

/** "3\frac{1}{2}" is three and a half when the fraction is proper; "f(x)" is an application; spaces are nothing. */
export function factors(parts: readonly MathJson[]): readonly MathJson[] {
  const written = parts.filter((part) => !(Array.isArray(part) && part[0] === "HorizontalSpacing"));
  const [whole, fraction] = written;
  if (
    typeof whole === "number" &&
    Number.isInteger(whole) &&
    Array.isArray(fraction) &&
    fraction[0] === "Divide" &&
    typeof fraction[1] === "number" &&
    typeof fraction[2] === "number" &&
    Number.isInteger(fraction[1]) &&
    Number.isInteger(fraction[2]) &&
    fraction[1] > 0 &&
    fraction[1] < fraction[2]
  ) {
    return [["Add", whole, fraction], ...written.slice(2)];
  }
  const merged: MathJson[] = [];
  for (const part of written) {
    const before = merged.at(-1);
    const applied =
      typeof before === "string" && /^[fgFG](?:_\w+)?$/.test(before) && Array.isArray(part) && part[0] === "Delimiter";
    if (applied) merged[merged.length - 1] = [before, part[1] as MathJson];
    else merged.push(part);
  }
  return merged;
}

function raise(parts: readonly MathJson[], values: ReadonlyMap<string, Complex>): Complex {
  const [base, exponent] = parts as [MathJson, MathJson];
  const value = evaluate(base, values);
  const inner = Array.isArray(exponent) && exponent[0] === "Delimiter" ? (exponent[1] as MathJson) : exponent;
  if (
    Array.isArray(inner) &&
    (inner[0] === "Divide" || inner[0] === "Rational") &&
    Number.isInteger(inner[1]) &&
    Number.isInteger(inner[2])
  ) {
    return complex.rationalPower(value, inner[1] as number, inner[2] as number);
  }
  return complex.power(value, evaluate(exponent, values));
}

function roots(value: Complex, index: Complex): Complex {
  return index.im === 0 && Number.isInteger(index.re)
    ? complex.rationalPower(value, 1, index.re)
    : complex.power(value, complex.divide(real(1), index));
}

function applyInverse(parts: readonly MathJson[], values: ReadonlyMap<string, Complex>): Complex {
  const [operator, argument] = parts;
  const name = Array.isArray(operator) && operator[0] === "InverseFunction" ? String(operator[1]) : "";
  const inverse = Object.hasOwn(inverses, name) ? inverses[name] : undefined;
  if (inverse === undefined || argument === undefined) throw new Unknown();
  return functions[inverse](evaluate(argument, values));
}

/** A letter before brackets: combinations for C(n, k); for other names a value that depends on the name and on every argument. */
function named(head: string, parts: readonly MathJson[], values: ReadonlyMap<string, Complex>): Complex {
  if (!/^[A-Za-z](?:_\w+)?$/.test(head) || parts.length === 0) throw new Unknown();
  if (head === "C" && parts.length === 2) return functions.Binomial(evaluate(parts[0], values), evaluate(parts[1], values));
  let seed = [...head].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 997, 7);
  return parts.reduce<Complex>((sum, part) => {
    seed = (seed * 31 + 17) % 997;
    return complex.add(
      sum,
      complex.sine(complex.add(real(seed / 100), complex.multiply(real(1 + seed / 997), evaluate(part, values)))),
    );
  }, real(1.5));
}
