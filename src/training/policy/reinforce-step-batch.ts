/**
 * From graded conversations to what the engine trains on: leave-one-out advantages, the KL term of each turn, one weight per token.
 *
 * KL to the frozen reference has a coefficient of its own for every turn. Both places where it may stand have the same expected gradient per
 * token; only `reward` also counts what a token leads to later in its turn, which makes it the exact gradient of the turn's KL.
 * Symbols: ℓ_t = log p_t under the policy that sampled, r_t = under the reference, δ_t = ℓ_t − r_t, β = coefficient of the turn.
 */
import type { WeightedSequence } from "#kernel/engine.ts";
import { klK2, type Normaliser, type TokenLoss, tokenScales } from "../losses.ts";
import { type Credit, turnAdvantages } from "./advantages.ts";
import type { Conversation, GradedTurn, TurnGroup } from "./turn-rollouts.ts";

/**
 * Where the KL term stands. `reward`: β·δ is taken from the reward of each token and no gradient flows through it (RLOO, SCoRe).
 * `loss`: β·δ²/2 is added to the loss of each token.
 */
export type KlPlacement = "reward" | "loss";

export interface ReinforceLossOptions {
  /** One coefficient for every turn; 0 for turns that may go anywhere. */
  klCoefficients: readonly number[];
  klPlacement: KlPlacement;
  credit: Credit;
  normaliser: Normaliser;
  /** Turns cut at the largest length keep their reward, but their tokens carry no loss. */
  maskTruncated: boolean;
}

/** From the accuracies of a conversation's turns to the reward of each turn. */
export type TurnRewards = (accuracies: readonly number[]) => readonly number[];

/** A conversation with what its turns earned. */
export interface ReinforceDatum {
  conversation: Conversation<GradedTurn>;
  rewards: readonly number[];
  /** Of each turn against the same turn of its siblings. */
  advantages: readonly number[];
  /** log p of each turn's tokens under the reference; absent where no coefficient asks for it. */
  referenceLogprobs?: readonly Float32Array[];
}

/** The conversations of all groups that were not dropped. A group of one has no siblings, and so no advantage: it is left out. */
export function toReinforceDatums<S>(
  groups: readonly TurnGroup<S, GradedTurn>[],
  rewardsOf: TurnRewards,
  credit: Credit,
): ReinforceDatum[] {
  return groups.flatMap(({ conversations, dropped }) => {
    if (dropped) return [];
    const rewards = conversations.map(({ turns }) => rewardsOf(turns.map((turn) => turn.accuracy)));
    const advantages = turnAdvantages(rewards, credit) ?? [];
    return advantages.map((each, j) => ({ conversation: conversations[j], rewards: rewards[j], advantages: each }));
  });
}

/**
 * weights[t] = scale·(A − KL term) on the sampled tokens of every turn and 0 on everything between. The log-probs are those of the
 * sampler, which is the policy itself in the only step that is made with them: they are what the loss is a function of.
 */
export function toReinforceSequences(datums: readonly ReinforceDatum[], options: ReinforceLossOptions): WeightedSequence[] {
  const masks = datums.map(({ conversation }) => maskOf(conversation, options.maskTruncated));
  const scales = tokenScales(masks, options.normaliser);
  return datums.map((datum, index) => {
    const { ids, turns } = datum.conversation;
    const start = turns[0].start;
    const scalesOf = turns.map((turn) => scales[index].subarray(turn.start - start, turn.start - start + turn.ids.length));
    const weights = new Float32Array(ids.length - start);
    const costs = klWeights(datum, scalesOf, options);
    for (const [turn, { start: at, ids: own }] of turns.entries()) {
      for (let t = 0; t < own.length; t++) {
        const scale = scalesOf[turn][t];
        if (scale !== 0) weights[at - start + t] = scale * datum.advantages[turn] + (costs?.[turn][t] ?? 0);
      }
    }
    return { ids, start, weights };
  });
}

/** What the KL term adds to the weight of each token, by turn. */
function klWeights(
  { conversation, referenceLogprobs }: ReinforceDatum,
  scales: readonly Float32Array[],
  { klCoefficients, klPlacement, credit }: ReinforceLossOptions,
): Float32Array[] | undefined {
  if (referenceLogprobs === undefined) return undefined;
  const turns = conversation.turns.map(({ logprobs }, turn) => ({ logprobs, referenceLogprobs: referenceLogprobs[turn] }));
  if (klPlacement === "loss") return klK2Turns(turns, scales, klCoefficients).map((part) => part.weights);
  return klToGo(turns, klCoefficients, credit).map((cost, turn) => cost.map((each, t) => -scales[turn][t] * each));
}

/** The sampled tokens of one turn. */
export interface TurnTokens {
  logprobs: ArrayLike<number>;
  referenceLogprobs: ArrayLike<number>;
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
  scales: readonly ArrayLike<number>[],
  coefficients: readonly number[],
): TokenLoss[] {
  return turns.map(({ logprobs, referenceLogprobs }, turn) =>
    coefficients[turn] === 0
      ? { loss: 0, weights: new Float32Array(logprobs.length) }
      : klK2(logprobs, referenceLogprobs, scales[turn], coefficients[turn]),
  );
}

/** 1 on tokens that the policy sampled and that are to be learned from, from the first turn's first token on. */
function maskOf({ ids, turns }: Conversation, maskTruncated: boolean): Uint8Array {
  const start = turns[0].start;
  const mask = new Uint8Array(ids.length - start);
  for (const turn of turns) {
    if (!turn.isOwn || (maskTruncated && turn.stopReason === "length")) continue;
    mask.fill(1, turn.start - start, turn.start - start + turn.ids.length);
  }
  return mask;
}
