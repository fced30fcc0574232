/** AdamW (arXiv 1711.05101) as PyTorch computes it, in one pass over a tensor, and the squared norm that clipping needs. */

export interface AdamWNumbers {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Decoupled: each step multiplies the parameter by 1 − learningRate · weightDecay. */
  weightDecay: number;
}

/**
 * Moves `parameter` one step down and updates both moments in place. All four arrays have the same length.
 * Every operation is rounded to float32, in the order PyTorch's single-tensor AdamW performs them.
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
  const fround = Math.fround;
  const scale = fround(gradientScale);
  const decay = fround(1 - numbers.learningRate * numbers.weightDecay);
  const beta2 = fround(numbers.beta2);
  const oneMinusBeta1 = fround(1 - numbers.beta1);
  const oneMinusBeta2 = fround(1 - numbers.beta2);
  const stepSize = fround(numbers.learningRate / (1 - numbers.beta1 ** step));
  const rootCorrection = fround(Math.sqrt(1 - numbers.beta2 ** step));
  const epsilon = fround(numbers.epsilon);
  for (let index = 0; index < parameter.length; index++) {
    const g = fround(gradient[index] * scale);
    const first = fround(m[index] + fround(fround(g - m[index]) * oneMinusBeta1));
    const second = fround(fround(v[index] * beta2) + fround(fround(g * g) * oneMinusBeta2));
    m[index] = first;
    v[index] = second;
    const denominator = fround(fround(fround(Math.sqrt(second)) / rootCorrection) + epsilon);
    parameter[index] = fround(fround(parameter[index] * decay) - fround(stepSize * fround(first / denominator)));
  }
}

/** Σ g² in float64. */
export function squaredNorm(gradient: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < gradient.length; index++) sum += gradient[index] * gradient[index];
  return sum;
}
