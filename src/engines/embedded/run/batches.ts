/** Cuts sequences into batches of similar length, so that padding costs little and activations stay within memory. */
import type { ModelConfig } from "../checkpoint/config.ts";

const activationFloatLimit = 224 * 1024 * 1024;
const logitFloatLimit = 64 * 1024 * 1024;
const fewestTokensWorthASplit = 512;
const longestPaddingShare = 0.25;

/** How many tokens (padding included) of this length one pass may hold. */
function tokenBudget(config: ModelConfig, time: number): number {
  const { hiddenSize, heads, keyValueHeads, headSize, intermediateSize, layers, vocabularySize } = config;
  // Floats per token and layer that live until the backward pass.
  const perLayer = 5 * hiddenSize + 5 * (heads + keyValueHeads) * headSize + 4 * intermediateSize + heads * time;
  const activations = activationFloatLimit / (layers * perLayer);
  // Wide matrices need more rows to be multiplied at full speed; more than that only leaves the caches sooner.
  const useful = Math.min(4096, Math.max(1024, 2 * hiddenSize));
  return Math.max(1, Math.min(useful, activations, logitFloatLimit / vocabularySize));
}

/** Groups items, longest first; every item comes exactly once, a batch holds at least one, and batches of one length are equally large. */
export function batchByLength<Item>(items: readonly Item[], lengthOf: (item: Item) => number, config: ModelConfig): Item[][] {
  const sorted = items.map((item) => ({ item, length: lengthOf(item) })).sort((first, second) => second.length - first.length);
  const batches: Item[][] = [];
  let start = 0;
  while (start < sorted.length) {
    const time = sorted[start].length;
    const isSimilar = (index: number) =>
      sorted[index].length >= time * (1 - longestPaddingShare) || (index - start) * time < fewestTokensWorthASplit;
    let end = start + 1;
    while (end < sorted.length && isSimilar(end)) end++;
    const capacity = Math.max(1, Math.floor(tokenBudget(config, time) / time));
    const count = Math.ceil((end - start) / capacity);
    for (let index = 0; index < count; index++) {
      const from = start + Math.floor(((end - start) * index) / count);
      const to = start + Math.floor(((end - start) * (index + 1)) / count);
      batches.push(sorted.slice(from, to).map(({ item }) => item));
    }
    start = end;
  }
  return batches;
}
