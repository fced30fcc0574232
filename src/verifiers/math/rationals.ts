/** Numbers that are read exactly without an engine: whole numbers, decimals, fractions, mixed numbers, repeating decimals, a·10^n. */
import { combine, type Rational, rational } from "../answers/rational.ts";

const sign = (text: string | undefined) => (text === "-" ? -1n : 1n);

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
  const [, minus, whole = "", decimals = ""] = match;
  return rational(sign(minus) * BigInt(whole + decimals || "0"), 10n ** BigInt(decimals.length));
}

/** 0.\overline{3}, 0.1\dot{6}, 0.(142857) */
function repeating(text: string): Rational | undefined {
  const match = /^(-?)(\d*)\.(\d*)(?:\\(?:overline|bar|dot)\{(\d+)\}|\((\d+)\))$/.exec(text);
  if (!match) return undefined;
  const [, minus, whole = "", fixed = "", first, second] = match;
  const period = first ?? second!;
  const nines = 10n ** BigInt(period.length) - 1n;
  const numerator = BigInt(whole + fixed || "0") * nines + BigInt(period);
  return rational(sign(minus) * numerator, nines * 10n ** BigInt(fixed.length));
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
  const sum = whole && combine(whole, "+", value);
  return sum && rational(sign(match[1]) * sum.numerator, sum.denominator);
}

function power(text: string): Rational | undefined {
  const match = /^(.*?)(?:\\cdot)?10\^\{(-?\d{1,3})\}$/.exec(text);
  if (!match || (match[1] !== "" && match[1] !== "-" && !text.includes("\\cdot"))) return undefined;
  const factor = match[1] === "" ? rational(1n) : match[1] === "-" ? rational(-1n) : decimal(match[1]);
  const exponent = Number(match[2]);
  const scale = exponent < 0 ? rational(1n, 10n ** BigInt(-exponent)) : rational(10n ** BigInt(exponent));
  return factor && scale && combine(factor, "*", scale);
}

/** Decimal places of a plain decimal with a point; undefined for anything else. Such a number may be a rounded value. */
export function decimalPlaces(text: string): { places: number; significant: number } | undefined {
  const match = /^[-+]?(\d*)\.(\d+)$/.exec(text);
  if (!match) return undefined;
  return { places: match[2].length, significant: (match[1] + match[2]).replace(/^0+/, "").length };
}
