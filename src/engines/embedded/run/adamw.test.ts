import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "#kernel/seed.ts";
import { type AdamWNumbers, adamwStep, squaredNorm } from "./adamw.ts";
import { blockLength } from "./adamw-kernel.ts";

interface Trajectory {
  options: AdamWNumbers;
  start: number[];
  steps: { gradient: number[]; parameter: number[]; first: number[]; second: number[] }[];
}

const golden = join(import.meta.dirname, "../../../../test/golden/adamw.json");
const { cases } = JSON.parse(readFileSync(golden, "utf8")) as { cases: Trajectory[] };

function worstRelativeError(found: Float32Array, wanted: ArrayLike<number>): number {
  return found.reduce((worst, value, index) => {
    const error = Math.abs(value - wanted[index]);
    return Math.max(worst, error === 0 ? 0 : error / Math.abs(wanted[index]));
  }, 0);
}

describe("adamwStep", () => {
  it.each(cases)("follows PyTorch for $options", ({ options, start, steps }) => {
    const parameter = Float32Array.from(start);
    const m = new Float32Array(parameter.length);
    const v = new Float32Array(parameter.length);
    steps.forEach((wanted, index) => {
      // A gradient of the other sign and twice the size, with the scale that undoes both.
      const gradient = Float32Array.from(wanted.gradient, (value) => -2 * value);
      adamwStep(parameter, gradient, m, v, options, index + 1, -0.5);
      expect(worstRelativeError(parameter, wanted.parameter)).toBeLessThan(5e-7);
      expect(worstRelativeError(m, wanted.first)).toBeLessThan(3e-6);
      expect(worstRelativeError(v, wanted.second)).toBeLessThan(5e-7);
    });
  });

  it("is bit for bit the float32 formula, at every length and through views of larger buffers", () => {
    const lengths = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: blockLength - 3, max: 2 * blockLength + 5 }));
    fc.assert(
      fc.property(
        lengths,
        fc.integer(),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 0, max: 3 }),
        (length, seed, step, shift) => {
          const random = new Random(seed);
          const draw = (scale: number) =>
            Float32Array.from(
              { length: length + shift + 2 },
              () => random.normal() * scale * 10 ** random.integer(-4, 4),
            ).subarray(shift, shift + length);
          const [parameter, gradient, m] = [draw(1), draw(0.1), draw(0.01)];
          const v = draw(0.01);
          v.forEach((value, index) => {
            v[index] = Math.abs(value);
          });
          const numbers = { learningRate: 0.003, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.02 };
          const wanted = reference(parameter, gradient, m, v, numbers, step, -0.7);
          const around = outside(parameter, shift);
          const gradientBefore = gradient.slice();
          adamwStep(parameter, gradient, m, v, numbers, step, -0.7);
          expect(parameter.slice()).toEqual(wanted.parameter);
          expect(m.slice()).toEqual(wanted.m);
          expect(v.slice()).toEqual(wanted.v);
          expect(gradient.slice()).toEqual(gradientBefore);
          expect(outside(parameter, shift)).toEqual(around);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("decays parameters whose gradient has always been zero, and moves nothing else", () => {
    const parameter = Float32Array.of(2, -3);
    const zeros = () => new Float32Array(2);
    const numbers = { learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.5 };
    adamwStep(parameter, zeros(), zeros(), zeros(), numbers, 1, 1);
    expect(parameter).toEqual(Float32Array.of(2 * 0.95, -3 * 0.95));
  });
});

describe("squaredNorm", () => {
  it("is the sum of squares in double precision, whatever the length", () => {
    fc.assert(
      fc.property(fc.float32Array({ noNaN: true, noDefaultInfinity: true, maxLength: 50 }), (gradient) => {
        const wanted = Array.from(gradient).reduce((sum, value) => sum + value * value, 0);
        expect(Math.abs(squaredNorm(gradient) - wanted)).toBeLessThanOrEqual(wanted * 1e-14);
      }),
    );
  });

  it("does not lose small numbers beside large ones as float32 would", () => {
    const gradient = new Float32Array(10_001).fill(1e-3);
    gradient[0] = 1000;
    expect(squaredNorm(gradient) - 1e6).toBeCloseTo(0.01, 6);
  });

  it("passes on what is not finite", () => {
    expect(squaredNorm(Float32Array.of(1, Number.NaN, 1))).toBeNaN();
    expect(squaredNorm(Float32Array.of(1, 1, 1, 1, Number.POSITIVE_INFINITY))).toBe(Number.POSITIVE_INFINITY);
  });
});

/** The same formula, one number at a time. */
function reference(
  parameter: Float32Array,
  gradient: Float32Array,
  m: Float32Array,
  v: Float32Array,
  numbers: AdamWNumbers,
  step: number,
  gradientScale: number,
) {
  const { fround } = Math;
  const result = { parameter: parameter.slice(), m: m.slice(), v: v.slice() };
  const decay = fround(1 - numbers.learningRate * numbers.weightDecay);
  const correction = fround(1 / Math.sqrt(1 - numbers.beta2 ** step));
  const stepSize = fround(numbers.learningRate / (1 - numbers.beta1 ** step));
  for (let index = 0; index < parameter.length; index++) {
    const g = fround(gradient[index] * fround(gradientScale));
    const first = fround(fround(m[index] * fround(numbers.beta1)) + fround(g * fround(1 - numbers.beta1)));
    const second = fround(fround(v[index] * fround(numbers.beta2)) + fround(fround(g * g) * fround(1 - numbers.beta2)));
    const denominator = fround(fround(fround(Math.sqrt(second)) * correction) + fround(numbers.epsilon));
    result.m[index] = first;
    result.v[index] = second;
    result.parameter[index] = fround(fround(parameter[index] * decay) - fround(stepSize * fround(first / denominator)));
  }
  return result;
}

function outside(view: Float32Array, shift: number): number[] {
  const all = new Float32Array(view.buffer);
  return [...all.subarray(0, shift), ...all.subarray(shift + view.length)];
}
