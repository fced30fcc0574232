/**
 * Steps of supervised training: tokens weighted by their mask, examples by a weight of their own (RISE weighs them by reward), and beside
 * cross-entropy a confidence term where one is asked for (PTR, eq. 3.4). Cross-entropy alone takes one pass through the engine; the
 * confidence term needs the probabilities first, and takes two.
 */
import type { AdamWOptions, Engine, Scorer, TokenSequence, WeightedSequence } from "#kernel/engine.ts";
import { userError } from "#kernel/errors.ts";
import { addLosses, crossEntropy, type Normaliser, type TokenLoss, tokenScales } from "../losses.ts";
import { confidence } from "../preference-losses.ts";
import { callsOf, PhaseClock } from "../steps.ts";
import type { Stream } from "../stream.ts";

/** Ids of a conversation with the weight of each in the loss, 0 to 1; what `Tokenizer.encodeTraining` returns fits. */
export interface SupervisedExample {
  ids: readonly number[];
  /** Same length as ids. The first id has no prediction, so its weight is not used. */
  mask: ArrayLike<number>;
}

export interface WeightedExample extends SupervisedExample {
  /** Factor on the whole example, above 0; 1 when left out. */
  weight?: number;
}

export interface WeightedLossOptions {
  /** How the tokens of a batch are averaged, before the examples' own weights. */
  normaliser: Normaliser;
  /** λ1: factor of −log p. */
  likelihood: number;
  /** λ3: factor of β_t·(1 − p_t); 0 leaves the term and its forward pass out. */
  confidence: number;
  /** β_0. */
  confidenceScale: number;
  /** `rising`: β_t = β_0·t/n over the n trained tokens of an example; `flat`: β_t = β_0. */
  confidenceRamp: "rising" | "flat";
}

/** Plain masked cross-entropy, every trained token of a batch alike. */
export const likelihoodOnly: WeightedLossOptions = {
  normaliser: "token-mean",
  likelihood: 1,
  confidence: 0,
  confidenceScale: 1,
  confidenceRamp: "rising",
};

export interface WeightedStepOptions extends WeightedLossOptions {
  /** Tokens per call to the engine: gradients of several calls are added up. */
  tokensPerCall: number;
  adamW: Omit<AdamWOptions, "learningRate">;
}

export interface WeightedMetrics {
  /** What was minimised, before the step. */
  loss: number;
  /** Mean −log p over the trained tokens, whatever the weights. */
  likelihoodLoss: number;
  /** Mean p of the trained tokens. */
  confidence: number;
  examples: number;
  tokens: number;
  trainedTokens: number;
  learningRate: number;
  gradientNorm: number;
  skippedUpdates: number;
  timing: { seconds: number; tokensPerSecond: number };
}

/** An aborted step leaves the weights as they were. Every example must have something to learn. */
export async function weightedStep(
  engine: Engine,
  batch: readonly WeightedExample[],
  options: WeightedStepOptions,
  at: { learningRate: number; signal?: AbortSignal | undefined },
): Promise<WeightedMetrics> {
  const clock = new PhaseClock<never>([]);
  const scored = score(batch, options);
  const seen = new Tally();
  for (const call of callsOf(scored, options.tokensPerCall)) {
    const known = options.confidence === 0 ? undefined : await engine.logprobs(call.map(tokensOf), at.signal);
    const sequences = call.map((each, index): WeightedSequence => {
      const weights = known === undefined ? likelihoodWeights(each, options) : tokenLoss(known[index], each, options).weights;
      return { ...tokensOf(each), weights };
    });
    const logprobs = await engine.accumulate(sequences, at.signal);
    for (const [index, each] of call.entries()) seen.add(logprobs[index], each, options);
  }
  const result = await engine.step({ ...options.adamW, learningRate: at.learningRate });
  const tokens = batch.reduce((total, { ids }) => total + ids.length, 0);
  return {
    ...seen.means(),
    examples: batch.length,
    tokens,
    learningRate: at.learningRate,
    gradientNorm: result.gradientNorm,
    skippedUpdates: result.applied ? 0 : 1,
    timing: { seconds: clock.total, tokensPerSecond: tokens / clock.total },
  };
}

/** The same loss over a fixed set of examples, with no gradient. */
export async function weightedLoss(
  scorer: Scorer,
  examples: readonly WeightedExample[],
  options: WeightedLossOptions & { tokensPerCall: number },
  signal?: AbortSignal | undefined,
): Promise<Pick<WeightedMetrics, "loss" | "likelihoodLoss" | "confidence" | "trainedTokens">> {
  const seen = new Tally();
  for (const call of callsOf(score(examples.filter(isLearnable), options), options.tokensPerCall)) {
    const logprobs = await scorer.logprobs(call.map(tokensOf), signal);
    for (const [index, each] of call.entries()) seen.add(logprobs[index], each, options);
  }
  return seen.means();
}

export function isLearnable(example: SupervisedExample): boolean {
  return firstTrained(example) < example.ids.length;
}

/** An example from its first trained token on: scales are m_t / Z times the example's weight, ramp is β_t / β_0. */
interface Scored extends TokenSequence {
  scales: Float32Array;
  ramp: Float32Array;
}

function score(examples: readonly WeightedExample[], options: WeightedLossOptions): Scored[] {
  const starts = examples.map(firstTrained);
  const masks = examples.map(({ mask }, index) => Array.from(mask).slice(starts[index]));
  const scales = tokenScales(masks, options.normaliser);
  return examples.map(({ ids, weight = 1 }, index) => ({
    ids,
    start: starts[index],
    scales: scales[index].map((scale) => scale * weight),
    ramp: rampOf(masks[index], options.confidenceRamp),
  }));
}

function rampOf(mask: readonly number[], shape: WeightedLossOptions["confidenceRamp"]): Float32Array {
  const trained = mask.filter((value) => value > 0).length;
  let place = 0;
  return Float32Array.from(mask, (value) => (value === 0 ? 0 : shape === "flat" ? 1 : ++place / trained));
}

function tokenLoss(logprobs: Float32Array, { scales, ramp }: Scored, options: WeightedLossOptions): TokenLoss {
  const likelihood = crossEntropy(
    logprobs,
    scales.map((scale) => scale * options.likelihood),
  );
  if (options.confidence === 0) return likelihood;
  const factor = options.confidence * options.confidenceScale;
  return addLosses(
    likelihood,
    confidence(
      logprobs,
      scales.map((scale, t) => scale * factor * ramp[t]),
    ),
  );
}

/** Weights of cross-entropy do not depend on the probabilities. */
function likelihoodWeights({ scales }: Scored, { likelihood }: WeightedLossOptions): Float32Array {
  return scales.map((scale) => scale * likelihood);
}

class Tally {
  #loss = 0;
  #negative = 0;
  #probability = 0;
  #tokens = 0;

  add(logprobs: Float32Array, scored: Scored, options: WeightedLossOptions): void {
    this.#loss += tokenLoss(logprobs, scored, options).loss;
    for (const [t, ramp] of scored.ramp.entries()) {
      if (ramp === 0) continue;
      this.#negative -= logprobs[t];
      this.#probability += Math.exp(logprobs[t]);
      this.#tokens++;
    }
  }

  means() {
    const tokens = Math.max(1, this.#tokens);
    return {
      loss: this.#loss,
      likelihoodLoss: this.#negative / tokens,
      confidence: this.#probability / tokens,
      trainedTokens: this.#tokens,
    };
  }
}

function tokensOf({ ids, start }: Scored): TokenSequence {
  return { ids, start };
}

function firstTrained({ ids, mask }: SupervisedExample): number {
  for (let t = 1; t < ids.length; t++) if (mask[t] > 0) return t;
  return ids.length;
}

export interface SupervisedOptions {
  /** An optimiser step takes examples until they hold this many tokens, prompts included. */
  tokensPerStep: number;
  /** Longer examples are left out and counted. */
  maxTokens: number;
  /** Tokens per call to the engine: gradients of several calls are added up. */
  tokensPerCall: number;
  adamW: Omit<AdamWOptions, "learningRate">;
}

export interface SupervisedMetrics extends Omit<WeightedMetrics, "likelihoodLoss" | "confidence"> {
  /** Examples left out because they were too long or had nothing to learn. */
  skippedExamples: number;
}

/**
 * One step of plain cross-entropy on a stream of examples: takes them from `cursor` on and returns where the next step begins. An aborted
 * step leaves the weights as they were.
 */
export async function supervisedStep(
  engine: Engine,
  examples: Stream<SupervisedExample>,
  options: SupervisedOptions,
  at: { cursor: number; learningRate: number; signal?: AbortSignal | undefined },
): Promise<{ metrics: SupervisedMetrics; cursor: number }> {
  const { taken, cursor, skippedExamples } = takeBatch(examples, at.cursor, options);
  const {
    likelihoodLoss: _,
    confidence: __,
    ...metrics
  } = await weightedStep(engine, taken, { ...likelihoodOnly, ...options }, at);
  return { metrics: { ...metrics, skippedExamples }, cursor };
}

/** More than this many unusable examples in a row mean that the options do not fit the data. */
const mostSkipped = 1000;

function takeBatch(examples: Stream<SupervisedExample>, cursor: number, { tokensPerStep, maxTokens }: SupervisedOptions) {
  const taken: SupervisedExample[] = [];
  let tokens = 0;
  let skippedExamples = 0;
  while (tokens < tokensPerStep) {
    const example = examples(cursor++);
    if (example.ids.length <= maxTokens && isLearnable(example)) {
      taken.push(example);
      tokens += example.ids.length;
    } else if (++skippedExamples >= mostSkipped) throw unusable(maxTokens);
  }
  return { taken, cursor, skippedExamples };
}

function unusable(maxTokens: number) {
  return userError(
    "no-usable-examples",
    `${mostSkipped} training examples in a row are longer than ${maxTokens} tokens or have nothing to learn from`,
    "Raise the largest length, or look at the data.",
  );
}
