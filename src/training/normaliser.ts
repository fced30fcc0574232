/** From token masks to scales m_t / Z: how the tokens of a batch are averaged into one loss. Z is known before the first gradient of a batch. */

/**
 * `sequence-mean`: mean over a sequence's tokens, then over sequences; every answer counts alike, a long answer's tokens count less
 * (PASR's released code, GRPO). `token-mean`: mean over all tokens of the batch; every token counts alike (supervised training, DAPO).
 * `token-sum`: no division; the learning rate then depends on the batch.
 */
import { sum } from "#kernel/numbers.ts";
export type Normaliser = "sequence-mean" | "token-mean" | "token-sum";

/** One scale array per mask (m_t ∈ [0, 1]). Sequences whose mask is all 0 count in no mean. */
export function tokenScales(masks: readonly ArrayLike<number>[], normaliser: Normaliser): Float32Array[] {
  const totals = masks.map(total);
  const sequences = totals.filter((each) => each > 0).length;
  const tokens = sum(totals);
  return masks.map((mask, index) => {
    const divisor = normaliser === "token-sum" ? 1 : normaliser === "token-mean" ? tokens : totals[index] * sequences;
    return Float32Array.from(mask, (value) => (divisor === 0 ? 0 : value / divisor));
  });
}

function total(mask: ArrayLike<number>): number {
  let sum = 0;
  for (let t = 0; t < mask.length; t++) sum += mask[t];
  return sum;
}
