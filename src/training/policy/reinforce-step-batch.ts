/** From graded conversations to what the engine trains on: leave-one-out advantages, the KL term of each turn, one weight per token. */
import type { WeightedSequence } from "#kernel/engine.ts";
import { type Normaliser, tokenScales } from "../losses.ts";
import { type Credit, turnAdvantages } from "./advantages.ts";
import { type KlPlacement, klK2Turns, klToGo } from "./turn-kl.ts";
import type { Conversation, GradedTurn, TurnGroup } from "./turn-rollouts.ts";

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
