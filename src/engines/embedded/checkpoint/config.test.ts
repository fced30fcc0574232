import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MidcourseError } from "#kernel/errors.ts";
import { parseConfig } from "./config.ts";

interface RopeCase {
  name: string;
  config: Record<string, unknown>;
  inverseFrequencies: number[];
  attentionFactor: number;
}

const golden = join(import.meta.dirname, "../../../../test/golden");
const rope = JSON.parse(readFileSync(join(golden, "rope.json"), "utf8")) as { cases: RopeCase[] };

const small = {
  model_type: "qwen3",
  vocab_size: 8,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 8,
  max_position_embeddings: 64,
};

function errorOf(change: Record<string, unknown>, generation?: unknown): MidcourseError {
  try {
    parseConfig(
      { ...small, ...change },
      "some/config.json",
      generation === undefined ? undefined : { json: generation, file: "g.json" },
    );
  } catch (error) {
    if (MidcourseError.isInstance(error)) return error;
    throw error;
  }
  throw new Error("no error was thrown");
}

describe("rotary frequencies agree with transformers", () => {
  it.each(rope.cases)("$name", ({ config, inverseFrequencies, attentionFactor }) => {
    const parsed = parseConfig(config, "config.json");
    expect(parsed.inverseFrequencies.length).toBe(parsed.headSize / 2);
    expect(inverseFrequencies.length).toBe(parsed.headSize / 2);
    for (const [index, wanted] of inverseFrequencies.entries()) {
      expect(Math.abs(parsed.inverseFrequencies[index] - wanted) / wanted).toBeLessThan(5e-7);
    }
    expect(parsed.attentionFactor).toBeCloseTo(attentionFactor, 12);
  });
});

describe("parseConfig", () => {
  it("reads every size and flag", () => {
    expect(parseConfig({ ...small, rms_norm_eps: 1e-5, tie_word_embeddings: true, eos_token_id: [3, 4] }, "f")).toMatchObject({
      architecture: "qwen3",
      vocabularySize: 8,
      hiddenSize: 16,
      intermediateSize: 24,
      layers: 2,
      heads: 4,
      keyValueHeads: 2,
      headSize: 8,
      normEpsilon: 1e-5,
      tieEmbeddings: true,
      queryKeyNorm: true,
      queryKeyValueBias: false,
      maxContextTokens: 64,
      stopIds: [3, 4],
    });
  });

  it("fills absent fields as transformers does, family by family", () => {
    expect(parseConfig({ model_type: "qwen3" }, "f")).toMatchObject({
      vocabularySize: 151_936,
      hiddenSize: 4096,
      intermediateSize: 22_016,
      layers: 32,
      heads: 32,
      keyValueHeads: 32,
      headSize: 128,
      normEpsilon: 1e-6,
      tieEmbeddings: false,
      maxContextTokens: 32_768,
      stopIds: [],
    });
    expect(parseConfig({ model_type: "qwen2", hidden_size: 256 }, "f")).toMatchObject({
      headSize: 8,
      keyValueHeads: 32,
      queryKeyNorm: false,
      queryKeyValueBias: true,
    });
    expect(parseConfig({ model_type: "llama", num_attention_heads: 16 }, "f")).toMatchObject({
      vocabularySize: 32_000,
      intermediateSize: 11_008,
      keyValueHeads: 16,
      headSize: 256,
      maxContextTokens: 2048,
      queryKeyValueBias: false,
      stopIds: [2],
    });
  });

  it("puts biases where each family has them", () => {
    const biases = (change: Record<string, unknown>) => {
      const parsed = parseConfig({ ...small, ...change }, "f");
      return [parsed.queryKeyValueBias, parsed.attentionOutputBias, parsed.feedForwardBias];
    };
    expect(biases({})).toEqual([false, false, false]);
    expect(biases({ attention_bias: true, mlp_bias: true })).toEqual([true, true, false]);
    expect(biases({ model_type: "llama", attention_bias: true })).toEqual([true, true, false]);
    expect(biases({ model_type: "llama", mlp_bias: true })).toEqual([false, false, true]);
    expect(biases({ model_type: "qwen2", attention_bias: false })).toEqual([true, false, false]);
  });

  it("joins the stop ids of config.json and generation_config.json", () => {
    const parse = (eos: unknown, generation: unknown) =>
      parseConfig({ ...small, eos_token_id: eos }, "f", { json: generation, file: "g" }).stopIds;
    expect(parse(5, { eos_token_id: [6, 5] })).toEqual([5, 6]);
    expect(parse(null, { eos_token_id: 7 })).toEqual([7]);
    expect(parse([1, 2], {})).toEqual([1, 2]);
  });

  it("takes window settings that no layer uses", () => {
    expect(parseConfig({ ...small, use_sliding_window: false, sliding_window: 16 }, "f").layers).toBe(2);
    expect(parseConfig({ ...small, use_sliding_window: true, sliding_window: 16, max_window_layers: 2 }, "f").layers).toBe(2);
    expect(parseConfig({ ...small, layer_types: ["full_attention", "full_attention"] }, "f").layers).toBe(2);
  });

  it.each([
    ["model_type", { model_type: "mixtral" }],
    ["model_type", { model_type: undefined }],
    ["model_type", { model_type: "constructor" }],
    ["architectures", { architectures: ["Qwen3ForSequenceClassification"] }],
    ["hidden_act", { hidden_act: "gelu" }],
    ["attention_bias", { attention_bias: "all" }],
    ["quantization_config", { quantization_config: { bits: 4 } }],
    ["use_sliding_window", { use_sliding_window: true, max_window_layers: 1 }],
    ["layer_types", { layer_types: ["full_attention", "sliding_attention"] }],
    ["layer_types", { layer_types: ["full_attention"] }],
    ["hidden_size", { hidden_size: "big" }],
    ["hidden_size", { hidden_size: 0 }],
    ["hidden_size", { model_type: "llama", hidden_size: 18, head_dim: undefined }],
    ["num_hidden_layers", { num_hidden_layers: 1.5 }],
    ["num_key_value_heads", { num_key_value_heads: 3 }],
    ["head_dim", { head_dim: 7 }],
    ["rms_norm_eps", { rms_norm_eps: 0 }],
    ["tie_word_embeddings", { tie_word_embeddings: "yes" }],
    ["eos_token_id", { eos_token_id: ["x"] }],
    ["rope_theta", { rope_theta: -1 }],
    ["rope_scaling.type", { rope_scaling: { type: "dynamic", factor: 2 } }],
    ["rope_parameters.rope_type", { rope_parameters: { rope_type: "longrope", factor: 2 } }],
    ["rope_scaling.factor", { rope_scaling: { rope_type: "linear" } }],
    ["rope_parameters.low_freq_factor", { rope_parameters: { rope_type: "llama3", factor: 8 } }],
    ["rope_parameters", { rope_parameters: { full_attention: { rope_type: "default" } } }],
    ["rope_parameters.partial_rotary_factor", { rope_parameters: { rope_type: "default", partial_rotary_factor: 0.5 } }],
    ["partial_rotary_factor", { rope_parameters: { rope_type: "default" }, partial_rotary_factor: 0.5 }],
    ["partial_rotary_factor", { partial_rotary_factor: 0.5 }],
  ])("refuses %s in %j, naming file and field", (field, change) => {
    const error = errorOf(change);
    expect(error.family).toBe("user");
    expect(error.message).toContain(`some/config.json`);
    expect(error.message).toMatch(new RegExp(`\\b${field.replace(".", "\\.")}\\b`));
    expect(error.advice).toBeTruthy();
  });

  it("names generation_config.json when that file is wrong", () => {
    expect(errorOf({}, { eos_token_id: -1 }).message).toContain("g.json");
    expect(errorOf({}, []).message).toContain("g.json");
  });

  it.each([[null], [[]], ["text"], [3]])("refuses %j in place of an object", (json) => {
    expect(() => parseConfig(json, "x.json")).toThrow(/x\.json/);
  });
});
