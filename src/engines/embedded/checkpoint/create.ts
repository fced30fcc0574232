/** New models from nothing: a config.json and weights drawn from a seed. */
import { deriveSeed, Random } from "#kernel/seed.ts";
import { type Architecture, classNames, expectedTensors, type ModelConfig } from "./config.ts";
import { allocateFloats, elementsOf, type Tensor } from "./safetensors.ts";

export interface NewModel {
  vocabularySize: number;
  hiddenSize: number;
  intermediateSize: number;
  layers: number;
  heads: number;
  keyValueHeads?: number;
  headSize?: number;
  maxContextTokens: number;
  architecture?: Architecture;
  rotaryBase?: number;
  tieEmbeddings?: boolean;
  /** Ids that end an answer. */
  stopIds?: readonly number[];
  padId?: number;
}

/** The content of a config.json that transformers and `parseConfig` read alike; Qwen3 with tied embeddings unless said otherwise. */
export function newConfig(model: NewModel): Record<string, unknown> {
  const architecture = model.architecture ?? "qwen3";
  const stopIds = model.stopIds ?? [];
  const base = model.rotaryBase ?? 10_000;
  return {
    architectures: [classNames[architecture]],
    model_type: architecture,
    vocab_size: model.vocabularySize,
    hidden_size: model.hiddenSize,
    intermediate_size: model.intermediateSize,
    num_hidden_layers: model.layers,
    num_attention_heads: model.heads,
    num_key_value_heads: model.keyValueHeads ?? model.heads,
    head_dim: model.headSize ?? model.hiddenSize / model.heads,
    hidden_act: "silu",
    max_position_embeddings: model.maxContextTokens,
    rms_norm_eps: 1e-6,
    rope_theta: base,
    rope_parameters: { rope_type: "default", rope_theta: base },
    attention_dropout: 0,
    ...(architecture === "qwen2" ? {} : { attention_bias: false }),
    tie_word_embeddings: model.tieEmbeddings ?? true,
    initializer_range: 0.02,
    bos_token_id: null,
    eos_token_id: stopIds.length === 0 ? null : stopIds.length === 1 ? stopIds[0] : [...stopIds],
    pad_token_id: model.padId ?? null,
    dtype: "float32",
    use_cache: true,
  };
}

/**
 * The content of a generation_config.json that says nothing but that a server may sample, from the model's own distribution. Servers on
 * transformers answer greedily without it, whatever temperature is asked for, and cut to the 50 likeliest tokens unless told.
 *
 * @param config of the same checkpoint
 * @param rawConfig its config.json, for the padding id
 */
export function newGenerationConfig({ stopIds }: ModelConfig, rawConfig: Readonly<Record<string, unknown>>) {
  const { pad_token_id: pad } = rawConfig;
  return {
    do_sample: true,
    temperature: 1,
    top_p: 1,
    top_k: 0,
    ...(stopIds.length === 0 ? {} : { eos_token_id: stopIds.length === 1 ? stopIds[0] : [...stopIds] }),
    ...(typeof pad === "number" ? { pad_token_id: pad } : {}),
  };
}

export interface InitialisationOptions {
  /** Standard deviation of every matrix. */
  deviation?: number;
  /** Divides the projections that write into the residual stream by √(2 · layers), as GPT-2 did. */
  scaleResidual?: boolean;
}

/** Normal matrices, norms 1, biases 0. Each tensor draws from (seed, its name), so the same seed gives the same numbers. */
export function initialiseParameters(
  config: ModelConfig,
  seed: number,
  options: InitialisationOptions = {},
): Map<string, Tensor> {
  const parameters = new Map<string, Tensor>();
  for (const [name, shape] of expectedTensors(config)) {
    const data = allocateFloats(elementsOf(shape));
    if (name.endsWith("norm.weight")) data.fill(1);
    else if (!name.endsWith(".bias")) {
      const residual = options.scaleResidual === true && /(?:o_proj|down_proj)\.weight$/.test(name);
      const deviation = (options.deviation ?? 0.02) / (residual ? Math.sqrt(2 * config.layers) : 1);
      const random = new Random(deriveSeed(seed, "initialise", name));
      for (let index = 0; index < data.length; index++) data[index] = random.normal() * deviation;
    }
    parameters.set(name, { shape, data });
  }
  return parameters;
}
