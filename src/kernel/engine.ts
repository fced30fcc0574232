/**
 * The one interface between a training recipe and whatever runs the tensors: four calls (sample, logprobs, accumulate, step), frozen
 * copies, save and restore. A loss is a function from per-token log-probabilities to weights, so `accumulate` takes plain numbers:
 * it adds the gradient of Σ_t weight_t · log p(token_t) for weights of any sign, and `step` moves *up* that sum (it minimises the loss).
 */

/** Why a sample ended. `stop`: a stop id was produced (it is the last id). `length`: maxTokens or the context was reached. */
export type StopReason = "stop" | "length";

export interface SampleOptions {
  /** Samples per prompt. */
  n: number;
  /** Largest number of new tokens per sample. */
  maxTokens: number;
  /** 0 is greedy. */
  temperature: number;
  /** Keep the smallest set of tokens with this total probability; 1 keeps all. */
  topP?: number | undefined;
  /** Keep the k most likely tokens; 0 keeps all. */
  topK?: number | undefined;
  /** Ids that end a sample; the id itself is part of the sample. */
  stopIds: readonly number[];
  /** Sample j of prompt i draws from `deriveSeed(seed, i, j)`, or from `promptSeeds[i]` in place of (seed, i) when given, so a batch may be cut anywhere. */
  seed: number;
  promptSeeds?: readonly number[] | undefined;
}

export interface Sample {
  /** New ids only, without the prompt. */
  ids: number[];
  /** log p of each id under the model itself: temperature 1, no truncation. Same length as ids. */
  logprobs: Float32Array;
  stopReason: StopReason;
}

/** Token ids with the position where the scored part begins: log p of ids[t] given ids[0..t-1] is wanted for every t ≥ start (start ≥ 1). */
export interface TokenSequence {
  ids: readonly number[];
  start: number;
}

/** weights[k] belongs to ids[start + k]; same length as ids.length − start. */
export interface WeightedSequence extends TokenSequence {
  weights: Float32Array;
}

/** Per-token numbers from which an engine may compute PPO-with-KL weights itself, in the pass that needs them anyway. */
export interface PolicySequence extends TokenSequence {
  /** log p when sampled, per scored token. */
  oldLogprobs: Float32Array;
  /** log p under the frozen reference, per scored token; absent when the KL coefficient is 0. */
  referenceLogprobs?: Float32Array | undefined;
  /** Advantage of each scored token, already with its mask and normaliser applied to `scale`. */
  advantages: Float32Array;
  /** Mask and normaliser m_t / Z of each scored token. */
  scales: Float32Array;
}

export interface PolicyLossOptions {
  clipLow: number;
  clipHigh: number;
  klCoefficient: number;
}

export interface AdamWOptions {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** What it shrinks: all weights, or matrices alone, without norm gains and biases, as transformers does. All when left out. */
  decayed?: "all" | "matrices" | undefined;
  /** Largest allowed global gradient norm; Infinity never clips. */
  maxGradientNorm: number;
}

export interface StepResult {
  /** Global norm before clipping. */
  gradientNorm: number;
  /** False when the gradient was not finite: parameters and optimiser state are untouched then. */
  applied: boolean;
}

export interface EngineInfo {
  architecture: string;
  parameters: number;
  vocabularySize: number;
  maxContextTokens: number;
}

/** What can be asked of weights that do not move. */
export interface Scorer {
  readonly info: EngineInfo;
  /** result[i][j] is sample j of prompt i. */
  sample(prompts: readonly (readonly number[])[], options: SampleOptions, signal?: AbortSignal): Promise<Sample[][]>;
  /** One array per sequence, of length ids.length − start. */
  logprobs(sequences: readonly TokenSequence[], signal?: AbortSignal): Promise<Float32Array[]>;
  close(): Promise<void>;
}

export interface Engine extends Scorer {
  /** Adds to the gradient; returns the log-probs seen on the way. May be called any number of times before `step`. */
  accumulate(sequences: readonly WeightedSequence[], signal?: AbortSignal): Promise<Float32Array[]>;
  /** The fused form of logprobs → PPO weights → accumulate; returns the log-probs seen on the way. Proven equal by the conformance suite. */
  accumulatePolicy(
    sequences: readonly PolicySequence[],
    options: PolicyLossOptions,
    signal?: AbortSignal | undefined,
  ): Promise<Float32Array[]>;
  /** Clips, applies AdamW to the accumulated gradient, and clears it. */
  step(options: AdamWOptions): Promise<StepResult>;
  /** Forgets the accumulated gradient. */
  clearGradient(): Promise<void>;
  /** A copy of the present weights that later steps do not move. */
  freeze(): Promise<Scorer>;
  /** Writes a Hugging Face checkpoint folder (weights, config), and the optimiser's state when asked. */
  save(folder: string, options?: { optimizer?: boolean }): Promise<void>;
  /** Loads what `save` wrote into this engine; with the optimiser's state when it is there, else with a fresh optimiser. */
  restore(folder: string): Promise<void>;
}
