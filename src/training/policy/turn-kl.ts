/**
 * KL to a frozen reference with a coefficient of its own for every turn of a conversation. Both forms have the same expected gradient per
 * token; only `reward` also counts what a token leads to later in its turn, which makes it the exact gradient of the turn's KL.
 *
 * Symbols: ℓ_t = log p_t under the policy that sampled, r_t = under the reference, δ_t = ℓ_t − r_t, β = coefficient of the turn.
 */
import { klK2, type TokenLoss } from "../losses.ts";
import type { Credit } from "./advantages.ts";

type Numbers = ArrayLike<number>;

/**
 * Where the KL term stands. `reward`: β·δ is taken from the reward of each token and no gradient flows through it (RLOO, SCoRe).
 * `loss`: β·δ²/2 is added to the loss of each token.
 */
export type KlPlacement = "reward" | "loss";

/** The sampled tokens of one turn. */
export interface TurnTokens {
  logprobs: Numbers;
  referenceLogprobs: Numbers;
}

/**
 * β·Σ_{s ≥ t} δ_s over the rest of the turn: what the KL term takes from the return of token t. With credit `to-go` the whole of every
 * later turn is added, each under its own coefficient. A turn whose coefficient is 0 is not looked at.
 */
export function klToGo(turns: readonly TurnTokens[], coefficients: readonly number[], credit: Credit): Float32Array[] {
  const costs: Float32Array[] = [];
  let later = 0;
  for (let turn = turns.length - 1; turn >= 0; turn--) {
    const { logprobs, referenceLogprobs } = turns[turn];
    const coefficient = coefficients[turn];
    const cost = new Float32Array(logprobs.length);
    let sum = credit === "to-go" ? later : 0;
    for (let t = logprobs.length - 1; t >= 0; t--) {
      if (coefficient !== 0) sum += coefficient * (logprobs[t] - referenceLogprobs[t]);
      cost[t] = sum;
    }
    later = sum;
    costs.unshift(cost);
  }
  return costs;
}

/** β·Σ scale·δ²/2 turn by turn, each under its own coefficient; one loss with its weights per turn. */
export function klK2Turns(
  turns: readonly TurnTokens[],
  scales: readonly Numbers[],
  coefficients: readonly number[],
): TokenLoss[] {
  return turns.map(({ logprobs, referenceLogprobs }, turn) =>
    coefficients[turn] === 0
      ? { loss: 0, weights: new Float32Array(logprobs.length) }
      : klK2(logprobs, referenceLogprobs, scales[turn], coefficients[turn]),
  );
}
