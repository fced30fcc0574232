/** Cuts sequences into batches of similar length, so that padding costs little and activations stay within memory. */
import { maskedScore } from "./cache.ts";
import type { ModelConfig } from "./config.ts";

const activationFloatLimit = 256 * 1024 * 1024;
const logitFloatLimit = 64 * 1024 * 1024;
/** Beyond these the matrix products gain nothing from more rows. */
const mostTokens = 4096;
const fewestTokensWorthASplit = 1024;
const longestPaddingShare = 0.25;

/** How many tokens (padding included) of this length one pass may hold. */
function tokenBudget(config: ModelConfig, time: number): number {
  const { hiddenSize, heads, keyValueHeads, headSize, intermediateSize, layers, vocabularySize } = config;
  // Tensors per token and layer that live until the backward pass, and the two squares of attention.
  const perLayer = 10 * hiddenSize + 6 * (heads + keyValueHeads) * headSize + 5 * intermediateSize + 2 * heads * time;
  const activations = activationFloatLimit / (layers * perLayer);
  return Math.max(1, Math.min(mostTokens, activations, logitFloatLimit / vocabularySize));
}

/** Groups items, longest first; every item comes exactly once, and a batch holds at least one. */
export function batchByLength<Item>(items: readonly Item[], lengthOf: (item: Item) => number, config: ModelConfig): Item[][] {
  const sorted = items.map((item) => ({ item, length: lengthOf(item) })).sort((first, second) => second.length - first.length);
  const batches: Item[][] = [];
  let time = 0;
  for (const { item, length } of sorted) {
    const batch = batches[batches.length - 1];
    const tokens = batch === undefined ? 0 : batch.length * time;
    const fits = batch !== undefined && tokens + time <= tokenBudget(config, time);
    const wasteful = tokens >= fewestTokensWorthASplit && length < time * (1 - longestPaddingShare);
    if (fits && !wasteful) batch.push(item);
    else {
      batches.push([item]);
      time = length;
    }
  }
  return batches;
}

let cachedMask = { time: 0, mask: new Float32Array(0) };

/** [T, T]: 0 on and below the diagonal, very negative above. */
export function causalMask(time: number): Float32Array {
  if (cachedMask.time === time) return cachedMask.mask;
  const mask = new Float32Array(time * time);
  for (let row = 0; row < time; row++) mask.fill(maskedScore, row * time + row + 1, (row + 1) * time);
  cachedMask = { time, mask };
  return mask;
}
