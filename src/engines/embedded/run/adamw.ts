/** AdamW (arXiv 1711.05101) as PyTorch computes it, in one pass over a tensor, and the squared norm that clipping needs. */
import { type AdamWKernel, blockLength, createAdamWKernel } from "./adamw-kernel.ts";

export interface AdamWNumbers {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Decoupled: each step multiplies the parameter by 1 − learningRate · weightDecay. */
  weightDecay: number;
}

let kernel: AdamWKernel | undefined;

/**
 * Moves `parameter` one step down and updates both moments in place. All four arrays have the same length.
 *
 * Every operation is rounded to float32, so the result is the same on every machine; it is within two units in the last place of
 * PyTorch's (which multiplies and adds in one rounding where the processor can). Cost is that of the memory traffic: the arrays go
 * through a vector kernel's small memory block by block.
 *
 * @param step counts from 1, for the bias corrections
 * @param gradientScale multiplies the gradient first: the clipping factor, negated when the gradient is of something to go up
 */
export function adamwStep(
  parameter: Float32Array,
  gradient: Float32Array,
  m: Float32Array,
  v: Float32Array,
  numbers: AdamWNumbers,
  step: number,
  gradientScale: number,
): void {
  kernel ??= createAdamWKernel();
  const constants = {
    gradientScale,
    decay: 1 - numbers.learningRate * numbers.weightDecay,
    beta1: numbers.beta1,
    oneMinusBeta1: 1 - numbers.beta1,
    beta2: numbers.beta2,
    oneMinusBeta2: 1 - numbers.beta2,
    inverseRootCorrection: 1 / Math.sqrt(1 - numbers.beta2 ** step),
    epsilon: numbers.epsilon,
    stepSize: numbers.learningRate / (1 - numbers.beta1 ** step),
  };
  for (let start = 0; start < parameter.length; start += blockLength) {
    const end = Math.min(start + blockLength, parameter.length);
    const count = end - start;
    kernel.parameter.set(parameter.subarray(start, end));
    kernel.gradient.set(gradient.subarray(start, end));
    kernel.firstMoment.set(m.subarray(start, end));
    kernel.secondMoment.set(v.subarray(start, end));
    kernel.run(count, constants);
    const whole = count === blockLength;
    parameter.set(whole ? kernel.parameter : kernel.parameter.subarray(0, count), start);
    m.set(whole ? kernel.firstMoment : kernel.firstMoment.subarray(0, count), start);
    v.set(whole ? kernel.secondMoment : kernel.secondMoment.subarray(0, count), start);
  }
}

/** Σ g² in float64, in a fixed order: four running sums, because one would wait for each addition. */
export function squaredNorm(gradient: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = gradient.length - (gradient.length % 4);
  for (let index = 0; index < whole; index += 4) {
    a += gradient[index] * gradient[index];
    b += gradient[index + 1] * gradient[index + 1];
    c += gradient[index + 2] * gradient[index + 2];
    d += gradient[index + 3] * gradient[index + 3];
  }
  for (let index = whole; index < gradient.length; index++) a += gradient[index] * gradient[index];
  return a + b + (c + d);
}
