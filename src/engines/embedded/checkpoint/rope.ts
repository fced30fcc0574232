/**
 * Rotary position frequencies from a Hugging Face config: plain, linear interpolation, Llama 3's band-wise scaling and YaRN
 * (arXiv 2309.00071), with the same rules and defaults as transformers, in float64 and rounded once to float32 as it stores them.
 */
import type { Fields } from "./fields.ts";

export interface RotaryFrequencies {
  /** Radians per position, of length headSize / 2. */
  inverseFrequencies: Float64Array;
  /** Multiplies cosine and sine. */
  attentionFactor: number;
}

const otherModel = "Use a model whose rotary embedding is plain, linear, llama3 or yarn.";

/** Reads `rope_parameters` (transformers 5) or `rope_theta` with `rope_scaling` (before); a non-empty rope_scaling wins, as in transformers. */
export function rotaryFrequencies(config: Fields, headSize: number, maxContextTokens: number): RotaryFrequencies {
  const name = nonEmpty(config, "rope_scaling") ? "rope_scaling" : "rope_parameters";
  const rope = config.nested(name);
  if (rope.has("full_attention") || rope.has("sliding_attention")) {
    throw config.unsupported(name, "rotary settings per kind of layer are not supported.", otherModel);
  }
  refusePartialRotation(config);
  refusePartialRotation(rope);
  const base = rope.positive("rope_theta", config.positive("rope_theta", 10_000));
  const typeField = rope.has("rope_type") ? "rope_type" : "type";
  const type = rope.text(typeField, "default");
  const frequencies = plain(base, headSize);
  // The field beside rope_parameters outranks the one inside, which outranks the context length.
  const originalContext = () =>
    config.count("original_max_position_embeddings", rope.count("original_max_position_embeddings", maxContextTokens));
  switch (type) {
    case "default":
      return { inverseFrequencies: frequencies, attentionFactor: 1 };
    case "linear": {
      const factor = rope.positive("factor");
      return { inverseFrequencies: rounded(frequencies.map((frequency) => frequency / factor)), attentionFactor: 1 };
    }
    case "llama3":
      return { inverseFrequencies: llama3(frequencies, rope, originalContext()), attentionFactor: 1 };
    case "yarn":
      return yarn(frequencies, rope, base, headSize, originalContext(), maxContextTokens);
    default:
      throw rope.unsupported(typeField, "this rotary scaling is not supported.", otherModel);
  }
}

function refusePartialRotation(fields: Fields): void {
  if (fields.number("partial_rotary_factor", 1) === 1) return;
  throw fields.unsupported("partial_rotary_factor", "rotating only a part of each head is not supported.", otherModel);
}

function nonEmpty(config: Fields, name: string): boolean {
  const value = config.raw(name);
  return typeof value === "object" && value !== null ? Object.keys(value).length > 0 : config.has(name);
}

function plain(base: number, headSize: number): Float64Array {
  return rounded(Float64Array.from({ length: headSize / 2 }, (_, index) => base ** ((-2 * index) / headSize)));
}

function rounded(values: Float64Array): Float64Array {
  return values.map(Math.fround);
}

/** Long wavelengths are divided by the factor, short ones kept, those between interpolated. */
function llama3(frequencies: Float64Array, rope: Fields, originalContext: number): Float64Array {
  const factor = rope.positive("factor");
  const low = rope.positive("low_freq_factor");
  const high = rope.positive("high_freq_factor");
  return rounded(
    frequencies.map((frequency) => {
      const turns = (originalContext * frequency) / (2 * Math.PI);
      if (turns > high) return frequency;
      if (turns < low) return frequency / factor;
      const kept = (turns - low) / (high - low);
      return ((1 - kept) * frequency) / factor + kept * frequency;
    }),
  );
}

/** A ramp over the dimensions from untouched (many turns within the original context) to divided by the factor (few turns). */
function yarn(
  frequencies: Float64Array,
  rope: Fields,
  base: number,
  headSize: number,
  originalContext: number,
  maxContextTokens: number,
): RotaryFrequencies {
  const factor = rope.positive("factor", maxContextTokens / originalContext);
  const betaFast = rope.number("beta_fast", 32) || 32;
  const betaSlow = rope.number("beta_slow", 1) || 1;
  const dimensionOf = (turns: number) => (headSize * Math.log(originalContext / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const truncate = rope.flag("truncate", true);
  const first = truncate ? Math.floor(dimensionOf(betaFast)) : dimensionOf(betaFast);
  const last = truncate ? Math.ceil(dimensionOf(betaSlow)) : dimensionOf(betaSlow);
  const start = Math.max(first, 0);
  let end = Math.min(last, headSize - 1);
  if (start === end) end += 0.001;
  const inverseFrequencies = rounded(
    frequencies.map((frequency, index) => {
      const ramp = Math.min(1, Math.max(0, (index - start) / (end - start)));
      return (frequency / factor) * ramp + frequency * (1 - ramp);
    }),
  );
  const magnitude = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  const scale = rope.number("mscale", 0);
  const scaleAll = rope.number("mscale_all_dim", 0);
  const recommended = scale !== 0 && scaleAll !== 0 ? magnitude(scale) / magnitude(scaleAll) : magnitude(1);
  return { inverseFrequencies, attentionFactor: rope.positive("attention_factor", recommended) };
}
