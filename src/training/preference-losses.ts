/**
 * Losses over a pair of answers to one question, one preferred to the other, as pure functions from per-token log-probabilities to
 * weights −∂loss/∂log p_t for both answers. Log-probabilities are summed, not averaged, as in the papers: a mean would give the
 * coefficient another meaning for every length.
 *
 * Symbols: ℓ = log p under the policy, r = log p under the frozen reference, m = mask,
 * u = β·[Σ m(ℓ − r) of the chosen − Σ m(ℓ − r) of the rejected], σ = logistic.
 */
import type { TokenLoss } from "./losses.ts";

type Numbers = ArrayLike<number>;

/** The scored tokens of one answer. */
export interface PreferenceTokens {
  /** Under the present policy. */
  logprobs: Numbers;
  /** Under the frozen reference. */
  referenceLogprobs: Numbers;
  /** In [0, 1]; 0 for tokens that are no part of the preference, such as a shared first attempt. */
  mask: Numbers;
}

export interface PairLoss {
  loss: number;
  chosen: Float32Array;
  rejected: Float32Array;
  /** u: above 0 where the policy prefers the chosen answer more than the reference does. */
  margin: number;
}

export interface DpoOptions {
  /** β. */
  coefficient: number;
  /** Share ε of the pairs that are taken to be the wrong way round (cDPO, Mitchell 2023); 0 when left out. */
  labelSmoothing?: number;
  /** By how much u has to be above 0, as self-refining DPO asks by the pair's own quality; 0 when left out. */
  margin?: number;
}

/** −(1−ε)·log σ(u − margin) − ε·log σ(margin − u). Rafailov et al. 2023 (arXiv 2305.18290), eq. 7. */
export function dpo(chosen: PreferenceTokens, rejected: PreferenceTokens, options: DpoOptions): PairLoss {
  const { coefficient, labelSmoothing = 0, margin = 0 } = options;
  const u = coefficient * (shift(chosen) - shift(rejected));
  const pull = (1 - labelSmoothing) * logistic(margin - u) - labelSmoothing * logistic(u - margin);
  const loss = (1 - labelSmoothing) * softplus(margin - u) + labelSmoothing * softplus(u - margin);
  return pairLoss(chosen, rejected, loss, u, coefficient * pull);
}

/** (u/β − 1/(2β))²: Azar et al. 2023 (arXiv 2310.12036), eq. 17. It aims at a finite margin, where that of DPO grows without end. */
export function ipo(
  chosen: PreferenceTokens,
  rejected: PreferenceTokens,
  options: { coefficient: number; margin?: number },
): PairLoss {
  const { coefficient, margin = 0 } = options;
  const gap = shift(chosen) - shift(rejected);
  const miss = gap - margin - 1 / (2 * coefficient);
  return pairLoss(chosen, rejected, miss * miss, coefficient * gap, -2 * miss);
}

/**
 * exp(reward/temperature)·−Σ scale·ℓ: reward-weighted regression (Peters and Schaal 2007), as RISE uses it. The temperature of RISE's
 * code is 0.4; rewards of 0 and 1 then weigh 1 and 12.2.
 */
export function rewardWeighted(logprobs: Numbers, scales: Numbers, reward: number, temperature: number): TokenLoss {
  const factor = Math.exp(reward / temperature);
  let loss = 0;
  const weights = Float32Array.from(scales, (scale, t) => {
    if (scale !== 0) loss -= factor * scale * logprobs[t];
    return factor * scale;
  });
  return { loss, weights };
}

/**
 * Σ scale·(1 − p): the confidence term of PTR (arXiv 2410.13413, eq. 3.4). Weight: scale·p. Tokens the policy is sure of pull most,
 * which is why it can only follow a likelihood that has already risen.
 */
export function confidence(logprobs: Numbers, scales: Numbers): TokenLoss {
  let loss = 0;
  const weights = Float32Array.from(scales, (scale, t) => {
    const probability = Math.exp(logprobs[t]);
    loss += scale * (1 - probability);
    return scale * probability;
  });
  return { loss, weights };
}

/** Σ m(ℓ − r); masked tokens may hold anything, −Infinity too. */
function shift({ logprobs, referenceLogprobs, mask }: PreferenceTokens): number {
  let sum = 0;
  for (let t = 0; t < mask.length; t++) if (mask[t] !== 0) sum += mask[t] * (logprobs[t] - referenceLogprobs[t]);
  return sum;
}

/** `pull` is −∂loss/∂(shift of the chosen). */
function pairLoss(chosen: PreferenceTokens, rejected: PreferenceTokens, loss: number, margin: number, pull: number): PairLoss {
  return {
    loss,
    margin,
    chosen: Float32Array.from(chosen.mask, (value) => pull * value),
    rejected: Float32Array.from(rejected.mask, (value) => -pull * value),
  };
}

function logistic(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** log(1 + e^x) without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
