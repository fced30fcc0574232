/** The two models of the engine benchmark, of the Qwen3 family with tied embeddings, and what is counted as their work. */

export interface EngineSizes {
  vocabulary: number;
  hidden: number;
  intermediate: number;
  layers: number;
  heads: number;
  keyValueHeads: number;
  /** Sequences and scored tokens per sequence of one training step. */
  batch: number;
  time: number;
  /** Rows sampled together, tokens in each prompt, and new tokens of each. */
  decodeRows: number;
  prompt: number;
  newTokens: number;
}

const decoding = { decodeRows: 64, prompt: 16, newTokens: 112 };

export const engineSizes: Record<string, EngineSizes> = {
  S: {
    vocabulary: 512,
    hidden: 128,
    intermediate: 384,
    layers: 4,
    heads: 4,
    keyValueHeads: 2,
    batch: 32,
    time: 128,
    ...decoding,
  },
  M: {
    vocabulary: 4096,
    hidden: 512,
    intermediate: 1536,
    layers: 8,
    heads: 8,
    keyValueHeads: 4,
    batch: 8,
    time: 256,
    ...decoding,
  },
};

/** Inputs and outputs of every linear map that a token passes, the head included. */
export function linearMaps(sizes: EngineSizes): { inputs: number; outputs: number; count: number }[] {
  const { hidden, intermediate, layers, heads, keyValueHeads, vocabulary } = sizes;
  const keys = (hidden / heads) * keyValueHeads;
  return [
    { inputs: hidden, outputs: hidden, count: 2 * layers },
    { inputs: hidden, outputs: keys, count: 2 * layers },
    { inputs: hidden, outputs: intermediate, count: 2 * layers },
    { inputs: intermediate, outputs: hidden, count: layers },
    { inputs: hidden, outputs: vocabulary, count: 1 },
  ];
}

/** Floating-point operations of one trained token: forward and twice that backward, attention counted in full (not halved by causality). */
export function trainingOperationsPerToken(sizes: EngineSizes): number {
  const linear = linearMaps(sizes).reduce((sum, { inputs, outputs, count }) => sum + 2 * inputs * outputs * count, 0);
  return 3 * (linear + 4 * sizes.layers * sizes.time * sizes.hidden);
}
