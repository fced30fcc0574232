/** Which tensors a decoder has, under their Hugging Face names, with their shapes. */
import type { ModelConfig } from "./config.ts";

/** In a checkpoint with tied embeddings this one is absent, or a copy of the embedding table. */
export const tiedHead = "lm_head.weight";
export const embeddingTable = "model.embed_tokens.weight";

/** Every tensor of the model in the order of the computation; the head only where it is not the embedding table. */
export function expectedTensors(config: ModelConfig): Map<string, number[]> {
  const { hiddenSize, intermediateSize, headSize } = config;
  const queries = config.heads * headSize;
  const keys = config.keyValueHeads * headSize;
  const tensors = new Map<string, number[]>([[embeddingTable, [config.vocabularySize, hiddenSize]]]);
  for (let layer = 0; layer < config.layers; layer++) {
    const add = (name: string, ...shape: number[]) => tensors.set(`model.layers.${layer}.${name}`, shape);
    add("input_layernorm.weight", hiddenSize);
    for (const [name, outputs] of [["q_proj", queries] as const, ["k_proj", keys] as const, ["v_proj", keys] as const]) {
      add(`self_attn.${name}.weight`, outputs, hiddenSize);
      if (config.queryKeyValueBias) add(`self_attn.${name}.bias`, outputs);
    }
    if (config.queryKeyNorm) {
      add("self_attn.q_norm.weight", headSize);
      add("self_attn.k_norm.weight", headSize);
    }
    add("self_attn.o_proj.weight", hiddenSize, queries);
    if (config.attentionOutputBias) add("self_attn.o_proj.bias", hiddenSize);
    add("post_attention_layernorm.weight", hiddenSize);
    for (const [name, outputs, inputs] of [
      ["gate_proj", intermediateSize, hiddenSize] as const,
      ["up_proj", intermediateSize, hiddenSize] as const,
      ["down_proj", hiddenSize, intermediateSize] as const,
    ]) {
      add(`mlp.${name}.weight`, outputs, inputs);
      if (config.feedForwardBias) add(`mlp.${name}.bias`, outputs);
    }
  }
  tensors.set("model.norm.weight", [hiddenSize]);
  if (!config.tieEmbeddings) tensors.set(tiedHead, [config.vocabularySize, hiddenSize]);
  return tensors;
}
