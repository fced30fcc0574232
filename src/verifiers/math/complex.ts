/** Complex numbers in double precision, principal values; odd roots of negative reals are real, as at school. */

export interface Complex {
  readonly re: number;
  readonly im: number;
}

export const real = (re: number): Complex => ({ re, im: 0 });
export const size = (value: Complex) => Math.hypot(value.re, value.im);
export const hasValue = (value: Complex) => Number.isFinite(value.re) && Number.isFinite(value.im);

/** What rounding leaves of terms that cancel, as a share of the terms. */
const left = 1e-14;
const sum = (a: number, b: number): number => {
  const value = a + b;
  return Math.abs(value) <= left * Math.max(Math.abs(a), Math.abs(b)) ? 0 : value;
};

/** Terms that cancel but for rounding are 0, whatever their size: what is compared later has no scale of its own. */
export const add = (a: Complex, b: Complex): Complex => ({ re: sum(a.re, b.re), im: sum(a.im, b.im) });
export const subtract = (a: Complex, b: Complex): Complex => ({ re: sum(a.re, -b.re), im: sum(a.im, -b.im) });
export const negate = (a: Complex): Complex => ({ re: -a.re, im: -a.im });

export function multiply(a: Complex, b: Complex): Complex {
  if (a.im === 0 && b.im === 0) return real(a.re * b.re);
  return { re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re };
}

export function divide(a: Complex, b: Complex): Complex {
  if (b.im === 0) return { re: a.re / b.re, im: a.im === 0 ? 0 : a.im / b.re };
  const scale = b.re * b.re + b.im * b.im;
  return { re: (a.re * b.re + a.im * b.im) / scale, im: (a.im * b.re - a.re * b.im) / scale };
}

export function exp(a: Complex): Complex {
  const scale = Math.exp(a.re);
  return a.im === 0 ? real(scale) : { re: scale * Math.cos(a.im), im: scale * Math.sin(a.im) };
}

export function ln(a: Complex): Complex {
  return a.im === 0 && a.re >= 0 ? real(Math.log(a.re)) : { re: Math.log(size(a)), im: Math.atan2(a.im, a.re) };
}

export function power(base: Complex, exponent: Complex): Complex {
  if (exponent.im === 0) {
    const n = exponent.re;
    if (base.im === 0 && (base.re >= 0 || Number.isInteger(n))) return real(base.re ** n);
    if (Number.isInteger(n) && Math.abs(n) <= 64) return wholePower(base, n);
  }
  if (base.re === 0 && base.im === 0) return exponent.re > 0 ? real(0) : real(Number.NaN);
  return exp(multiply(exponent, ln(base)));
}

function wholePower(base: Complex, exponent: number): Complex {
  let result = real(1);
  for (let count = 0; count < Math.abs(exponent); count++) result = multiply(result, base);
  return exponent < 0 ? divide(real(1), result) : result;
}

/** base^(numerator/denominator); a negative real base and an odd denominator give the real root. */
export function rationalPower(base: Complex, numerator: number, denominator: number): Complex {
  if (base.im === 0 && base.re < 0 && Math.abs(denominator) % 2 === 1) {
    const magnitude = Math.abs(base.re) ** (numerator / denominator);
    return real(Math.abs(numerator) % 2 === 1 ? -magnitude : magnitude);
  }
  return power(base, real(numerator / denominator));
}

export const squareRoot = (a: Complex): Complex =>
  a.im === 0 && a.re < 0 ? { re: 0, im: Math.sqrt(-a.re) } : power(a, real(0.5));

const i: Complex = { re: 0, im: 1 };

/** sin π is 0: less than the rounding of the angle is nothing. */
const zeroed = (value: number, angle: number) => (Math.abs(value) <= 4e-16 * Math.abs(angle) ? 0 : value);

export function sine(a: Complex): Complex {
  if (a.im === 0) return real(zeroed(Math.sin(a.re), a.re));
  return { re: Math.sin(a.re) * Math.cosh(a.im), im: Math.cos(a.re) * Math.sinh(a.im) };
}

export function cosine(a: Complex): Complex {
  if (a.im === 0) return real(zeroed(Math.cos(a.re), a.re));
  return { re: Math.cos(a.re) * Math.cosh(a.im), im: -Math.sin(a.re) * Math.sinh(a.im) };
}

export function arcsine(a: Complex): Complex {
  if (a.im === 0 && Math.abs(a.re) <= 1) return real(Math.asin(a.re));
  return multiply(negate(i), ln(add(multiply(i, a), squareRoot(subtract(real(1), multiply(a, a))))));
}

export const arccosine = (a: Complex): Complex => subtract(real(Math.PI / 2), arcsine(a));

export function arctangent(a: Complex): Complex {
  if (a.im === 0) return real(Math.atan(a.re));
  const left = ln(subtract(real(1), multiply(i, a)));
  return multiply({ re: 0, im: 0.5 }, subtract(left, ln(add(real(1), multiply(i, a)))));
}

/** Γ(x + 1) of a real x, Lanczos' approximation (g = 7, nine terms), about 15 digits. */
export function factorial(x: number): number {
  if (Number.isInteger(x)) {
    if (x < 0) return Number.NaN;
    let product = 1;
    for (let factor = 2; factor <= x && factor < 180; factor++) product *= factor;
    return x > 170 ? Number.POSITIVE_INFINITY : product;
  }
  if (x < -0.5) return Math.PI / (Math.sin(Math.PI * (x + 1)) * factorial(-x - 1));
  const terms = [
    676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905, -0.13857109526572012,
    9.984369578019572e-6, 1.5056327351493116e-7,
  ];
  const sum = terms.reduce((total, term, index) => total + term / (x + index + 1), 0.9999999999998099);
  const t = x + 7.5;
  return Math.sqrt(2 * Math.PI) * t ** (x + 0.5) * Math.exp(-t) * sum;
}
