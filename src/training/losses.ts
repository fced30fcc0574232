/**
 * Losses as pure functions from per-token log-probabilities to `{ loss, weights }` with weights[t] = −∂loss/∂log p_t at the present
 * policy. Handing the weights to `Engine.accumulate` is then an exact descent step on the loss, so a loss never touches a tensor.
 *
 * Symbols: ℓ_t = log p_t under the policy, q_t = log p_t when sampled, r_t = log p_t under the frozen reference, A = advantage,
 * scale_t = m_t / Z (mask over normaliser, see tokenScales), ρ_t = exp(ℓ_t − q_t), δ_t = ℓ_t − r_t.
 */
import type { PolicyLossOptions } from "#kernel/engine.ts";
import { sum } from "#kernel/numbers.ts";

export interface TokenLoss {
  loss: number;
  /** −∂loss/∂log p_t, one per scored token. */
  weights: Float32Array;
}

type Numbers = ArrayLike<number>;

/** −Σ scale·ℓ. Weight: scale. */
export function crossEntropy(logprobs: Numbers, scales: Numbers): TokenLoss {
  return perToken(logprobs.length, (t) => [-scales[t] * logprobs[t], scales[t]]);
}

/** −Σ scale·A·ℓ: REINFORCE (Williams 1992), right when the tokens were sampled from the present policy. Weight: scale·A. */
export function reinforce(logprobs: Numbers, advantages: Numbers, scales: Numbers): TokenLoss {
  return perToken(logprobs.length, (t) => {
    const weight = scales[t] * advantages[t];
    return [-weight * logprobs[t], weight];
  });
}

/**
 * −Σ scale·min(ρA, clip(ρ, 1−clipLow, 1+clipHigh)·A): the clipped surrogate of PPO (Schulman et al. 2017, eq. 7), token by token,
 * with separate bounds. Weight: scale·A·ρ, and 0 where the clip is active.
 */
export function ppoClip(
  logprobs: Numbers,
  oldLogprobs: Numbers,
  advantages: Numbers,
  scales: Numbers,
  clip: Pick<PolicyLossOptions, "clipLow" | "clipHigh">,
): TokenLoss {
  return perToken(logprobs.length, (t) => {
    const advantage = advantages[t];
    const ratio = Math.exp(logprobs[t] - oldLogprobs[t]);
    const clipped = isClipped(ratio, advantage, clip);
    const bound = advantage > 0 ? 1 + clip.clipHigh : 1 - clip.clipLow;
    // A ratio may overflow to Infinity; times an advantage (or a mask) of 0 it must stay 0.
    if (advantage === 0 || scales[t] === 0) return [0, 0];
    return [-scales[t] * advantage * (clipped ? bound : ratio), clipped ? 0 : scales[t] * advantage * ratio];
  });
}

/** True where the clip holds: the ratio already went past its bound in the direction the advantage asks for. */
export function isClipped(ratio: number, advantage: number, clip: Pick<PolicyLossOptions, "clipLow" | "clipHigh">): boolean {
  return (advantage > 0 && ratio > 1 + clip.clipHigh) || (advantage < 0 && ratio < 1 - clip.clipLow);
}

/** coefficient·Σ scale·δ²/2: on-policy its gradient is the per-token gradient of KL(π‖reference). Weight: −coefficient·scale·δ. */
export function klK2(logprobs: Numbers, referenceLogprobs: Numbers, scales: Numbers, coefficient: number): TokenLoss {
  return perToken(logprobs.length, (t) => {
    const delta = logprobs[t] - referenceLogprobs[t];
    return [(coefficient * scales[t] * delta * delta) / 2, -coefficient * scales[t] * delta];
  });
}

/**
 * coefficient·Σ scale·(e^−δ + δ − 1): the estimator of PASR eq. 3 and GRPO, never negative, zero where policy and reference agree.
 * Weight: coefficient·scale·(e^−δ − 1). Its pull up grows like e^−δ where the policy has almost forgotten a token of the reference.
 */
export function klK3(logprobs: Numbers, referenceLogprobs: Numbers, scales: Numbers, coefficient: number): TokenLoss {
  return perToken(logprobs.length, (t) => {
    const delta = logprobs[t] - referenceLogprobs[t];
    return [coefficient * scales[t] * k3(delta), coefficient * scales[t] * Math.expm1(-delta)];
  });
}

/** e^−δ + δ − 1 without cancellation near 0. */
export function k3(delta: number): number {
  return Math.expm1(-delta) + delta;
}

/** What `policyLoss` needs per scored token; a `PolicySequence` fits. */
export interface PolicyTokens {
  oldLogprobs: Numbers;
  referenceLogprobs?: Numbers | undefined;
  advantages: Numbers;
  scales: Numbers;
}

/** The loss of PASR (eq. 3) and GRPO for one sequence: clipped surrogate plus k3 to the reference, both under the same scales. */
export function policyLoss(logprobs: Numbers, tokens: PolicyTokens, options: PolicyLossOptions): TokenLoss {
  const surrogate = ppoClip(logprobs, tokens.oldLogprobs, tokens.advantages, tokens.scales, options);
  if (tokens.referenceLogprobs === undefined || options.klCoefficient === 0) return surrogate;
  return addLosses(surrogate, klK3(logprobs, tokens.referenceLogprobs, tokens.scales, options.klCoefficient));
}

/** The sum of two losses over the same tokens. */
export function addLosses(first: TokenLoss, second: TokenLoss): TokenLoss {
  return { loss: first.loss + second.loss, weights: first.weights.map((weight, t) => weight + second.weights[t]) };
}

function perToken(length: number, term: (t: number) => [loss: number, weight: number]): TokenLoss {
  const weights = new Float32Array(length);
  let loss = 0;
  for (let t = 0; t < length; t++) {
    const [part, weight] = term(t);
    loss += part;
    weights[t] = weight;
  }
  return { loss, weights };
}

/**
 * `sequence-mean`: mean over a sequence's tokens, then over sequences; every answer counts alike, a long answer's tokens count less
 * (PASR's released code, GRPO). `token-mean`: mean over all tokens of the batch; every token counts alike (supervised training, DAPO).
 * `token-sum`: no division; the learning rate then depends on the batch.
 */
export type Normaliser = "sequence-mean" | "token-mean" | "token-sum";

/** One scale array per mask (m_t ∈ [0, 1]). Sequences whose mask is all 0 count in no mean. */
export function tokenScales(masks: readonly ArrayLike<number>[], normaliser: Normaliser): Float32Array[] {
  const totals = masks.map((mask) => sum(Array.from(mask)));
  const sequences = totals.filter((each) => each > 0).length;
  const tokens = sum(totals);
  return masks.map((mask, index) => {
    const divisor = normaliser === "token-sum" ? 1 : normaliser === "token-mean" ? tokens : totals[index] * sequences;
    return Float32Array.from(mask, (value) => (divisor === 0 ? 0 : value / divisor));
  });
}
