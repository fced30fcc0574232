/** From graded groups to what the engine trains on: advantages, token sequences with their scales, mini-batches. */
import type { PolicySequence, TokenSequence } from "#kernel/engine.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { type Normaliser, tokenScales } from "../losses.ts";
import { type GroupAdvantageOptions, groupAdvantages } from "./advantages.ts";
import type { Group } from "./rollouts.ts";

/** A trained answer: ids of prompt and answer, and what the loss needs except the scales, which depend on the mini-batch. */
export interface PolicyDatum extends TokenSequence {
  oldLogprobs: Float32Array;
  referenceLogprobs?: Float32Array;
  advantage: number;
  /** False: the answer counted in its group's mean, but its own tokens carry no loss. */
  isTrained: boolean;
}

/** Marks groups whose rewards are all the same as dropped, and lists the answers of the others; answers without tokens have nothing to train. */
export function toDatums<S>(
  groups: readonly Group<S>[],
  options: GroupAdvantageOptions & { maskTruncated: boolean },
): { groups: Group<S>[]; datums: PolicyDatum[] } {
  const datums: PolicyDatum[] = [];
  const marked = groups.map((group): Group<S> => {
    if (group.dropped) return group;
    const advantages = groupAdvantages(
      group.refined.map((answer) => answer.reward),
      options,
    );
    if (advantages === undefined) return { ...group, dropped: { reason: "equal-rewards" } };
    const prompt = group.question.refinedPrompt;
    for (const [index, answer] of group.refined.entries()) {
      if (answer.ids.length === 0) continue;
      datums.push({
        ids: [...prompt, ...answer.ids],
        start: prompt.length,
        oldLogprobs: answer.logprobs,
        advantage: advantages[index],
        isTrained: !(options.maskTruncated && answer.stopReason === "length"),
      });
    }
    return group;
  });
  return { groups: marked, datums };
}

/** The datums in `count` random parts of nearly the same size, one optimiser step each; fewer parts when there are fewer datums. */
export function miniBatchesOf(datums: readonly PolicyDatum[], count: number, seed: number, step: number): PolicyDatum[][] {
  const parts = Math.min(count, datums.length);
  if (parts <= 1) return datums.length === 0 ? [] : [[...datums]];
  const shuffled = new Random(deriveSeed(seed, "mini-batches", step)).shuffle(datums);
  return Array.from({ length: parts }, (_, part) => shuffled.filter((_, index) => index % parts === part));
}

/** What `Engine.accumulatePolicy` takes: the scales average over this mini-batch. */
export function toSequences(datums: readonly PolicyDatum[], normaliser: Normaliser): PolicySequence[] {
  const masks = datums.map((datum) => new Uint8Array(datum.ids.length - datum.start).fill(datum.isTrained ? 1 : 0));
  const scales = tokenScales(masks, normaliser);
  return datums.map((datum, index) => ({
    ids: datum.ids,
    start: datum.start,
    oldLogprobs: datum.oldLogprobs,
    referenceLogprobs: datum.referenceLogprobs,
    advantages: new Float32Array(scales[index].length).fill(datum.advantage),
    scales: scales[index],
  }));
}
