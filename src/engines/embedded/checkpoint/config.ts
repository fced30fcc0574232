/** What a decoder is made of, read from a Hugging Face config.json with transformers' defaults; anything the engine cannot compute is an error. */
import { Fields } from "./fields.ts";
import { rotaryFrequencies } from "./rope.ts";

export type Architecture = "qwen3" | "qwen2" | "llama";

export interface ModelConfig {
  architecture: Architecture;
  vocabularySize: number;
  hiddenSize: number;
  intermediateSize: number;
  layers: number;
  heads: number;
  keyValueHeads: number;
  headSize: number;
  /** Added under the root of every RMSNorm. */
  normEpsilon: number;
  /** The head is the embedding table. */
  tieEmbeddings: boolean;
  /** RMSNorm over each head of queries and keys, before the rotation. */
  queryKeyNorm: boolean;
  queryKeyValueBias: boolean;
  attentionOutputBias: boolean;
  /** On all three matrices of SwiGLU. */
  feedForwardBias: boolean;
  maxContextTokens: number;
  /** Radians per position of each rotated pair, of length headSize / 2, rotary scaling already applied. */
  inverseFrequencies: Float64Array;
  /** Multiplies cosine and sine of the rotation. */
  attentionFactor: number;
  /** Ids that end an answer, from config.json and generation_config.json, without repeats. */
  stopIds: number[];
}

interface FamilyDefaults {
  vocabularySize: number;
  intermediateSize: number;
  maxContextTokens: number;
  keyValueHeads: number | undefined;
  headSize: number | undefined;
  stopIds: number[];
}

/** transformers writes only what differs from these. */
const families: Record<Architecture, FamilyDefaults> = {
  qwen3: {
    vocabularySize: 151_936,
    intermediateSize: 22_016,
    maxContextTokens: 32_768,
    keyValueHeads: 32,
    headSize: 128,
    stopIds: [],
  },
  qwen2: {
    vocabularySize: 151_936,
    intermediateSize: 22_016,
    maxContextTokens: 32_768,
    keyValueHeads: 32,
    headSize: undefined,
    stopIds: [],
  },
  llama: {
    vocabularySize: 32_000,
    intermediateSize: 11_008,
    maxContextTokens: 2048,
    keyValueHeads: undefined,
    headSize: undefined,
    stopIds: [2],
  },
};

/** The classes of transformers, as config.json names them. */
export const classNames: Record<Architecture, string> = {
  qwen3: "Qwen3ForCausalLM",
  qwen2: "Qwen2ForCausalLM",
  llama: "LlamaForCausalLM",
};

const otherModel = "Use a dense Qwen3, Qwen2, Qwen2.5 or Llama checkpoint.";

/**
 * @param json the parsed content of config.json
 * @param file its path, for error messages
 * @param generation the parsed content and path of generation_config.json where there is one; only its stop ids are read
 * @throws userError naming file and field when a field is missing, malformed, inconsistent or asks for what is not supported
 */
export function parseConfig(json: unknown, file: string, generation?: { json: unknown; file: string }): ModelConfig {
  const fields = new Fields(json, file);
  const architecture = readArchitecture(fields);
  const defaults = families[architecture];
  refuseUnsupported(fields);

  const hiddenSize = fields.count("hidden_size", 4096);
  const layers = fields.count("num_hidden_layers", 32);
  const heads = fields.count("num_attention_heads", 32);
  // An explicit null means as many as query heads; absent means the family's default.
  const keyValueDefault = fields.raw("num_key_value_heads") === null ? heads : (defaults.keyValueHeads ?? heads);
  const keyValueHeads = fields.count("num_key_value_heads", keyValueDefault);
  if (heads % keyValueHeads !== 0) {
    throw fields.wrong("num_key_value_heads", `a divisor of num_attention_heads, which is ${heads}`);
  }
  if (hiddenSize % heads !== 0 && defaults.headSize === undefined && !fields.has("head_dim")) {
    throw fields.wrong("hidden_size", `a multiple of num_attention_heads, which is ${heads}`);
  }
  const headSize = fields.count("head_dim", defaults.headSize ?? hiddenSize / heads);
  if (headSize % 2 !== 0) throw fields.wrong("head_dim", "an even number, because rotation works on pairs");
  refuseSlidingWindow(fields, layers);
  // Qwen2 has its biases always and never one on the output, whatever this field says.
  const attentionBias = architecture !== "qwen2" && fields.flag("attention_bias", false);
  const maxContextTokens = fields.count("max_position_embeddings", defaults.maxContextTokens);
  const vocabularySize = fields.count("vocab_size", defaults.vocabularySize);
  return {
    architecture,
    vocabularySize,
    hiddenSize,
    intermediateSize: fields.count("intermediate_size", defaults.intermediateSize),
    layers,
    heads,
    keyValueHeads,
    headSize,
    normEpsilon: fields.positive("rms_norm_eps", 1e-6),
    tieEmbeddings: fields.flag("tie_word_embeddings", false),
    queryKeyNorm: architecture === "qwen3",
    queryKeyValueBias: architecture === "qwen2" || attentionBias,
    attentionOutputBias: attentionBias,
    feedForwardBias: architecture === "llama" && fields.flag("mlp_bias", false),
    maxContextTokens,
    ...rotaryFrequencies(fields, headSize, maxContextTokens),
    stopIds: readStopIds(fields, defaults, generation),
  };
}

function readArchitecture(fields: Fields): Architecture {
  const type = fields.text("model_type");
  if (!Object.hasOwn(families, type)) throw fields.unsupported("model_type", "this architecture is not supported.", otherModel);
  const architecture = type as Architecture;
  const wanted = classNames[architecture];
  const names = fields.raw("architectures");
  if (Array.isArray(names) && names.length > 0 && !names.includes(wanted)) {
    throw fields.unsupported("architectures", `only ${wanted} is supported for this model type.`, otherModel);
  }
  return architecture;
}

function refuseUnsupported(fields: Fields): void {
  if (fields.text("hidden_act", "silu") !== "silu") {
    throw fields.unsupported("hidden_act", "only silu is supported.", otherModel);
  }
  if (fields.has("quantization_config")) {
    throw fields.unsupported(
      "quantization_config",
      "quantised weights cannot be trained here.",
      "Use the unquantised checkpoint.",
    );
  }
}

function refuseSlidingWindow(fields: Fields, layers: number): void {
  const types = fields.raw("layer_types");
  if (types !== undefined && types !== null) {
    if (!Array.isArray(types) || types.length !== layers) {
      throw fields.wrong("layer_types", `a list of ${layers} entries, one per layer`);
    }
    if (types.some((type) => type !== "full_attention")) {
      throw fields.unsupported("layer_types", "only full attention is supported.", otherModel);
    }
    return;
  }
  const windowed = fields.flag("use_sliding_window", false) && fields.raw("sliding_window") !== null;
  if (windowed && fields.number("max_window_layers", 28) < layers) {
    throw fields.unsupported("use_sliding_window", "sliding-window attention is not supported.", otherModel);
  }
}

function readStopIds(fields: Fields, defaults: FamilyDefaults, generation?: { json: unknown; file: string }): number[] {
  const own = fields.raw("eos_token_id") === undefined ? defaults.stopIds : fields.tokenIds("eos_token_id");
  const more = generation === undefined ? [] : new Fields(generation.json, generation.file).tokenIds("eos_token_id");
  return [...new Set([...own, ...more])];
}

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
