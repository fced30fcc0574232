/** One step of supervised training: a batch of whole examples counted in tokens, cross-entropy over the tokens the mask marks, AdamW. */
import type { AdamWOptions, Engine, Scorer, WeightedSequence } from "#kernel/engine.ts";
import { userError } from "#kernel/errors.ts";
import { crossEntropy, tokenScales } from "../losses.ts";
import { callsOf, PhaseClock } from "../steps.ts";
import type { Stream } from "../stream.ts";

/** Ids of a conversation with the weight of each in the loss, 0 to 1; what `Tokenizer.encodeTraining` returns fits. */
export interface SupervisedExample {
  ids: readonly number[];
  /** Same length as ids. The first id has no prediction, so its weight is not used. */
  mask: ArrayLike<number>;
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

export interface SupervisedMetrics {
  /** Mean −log p over the trained tokens, before the step. */
  loss: number;
  examples: number;
  /** Examples left out because they were too long or had nothing to learn. */
  skippedExamples: number;
  tokens: number;
  trainedTokens: number;
  learningRate: number;
  gradientNorm: number;
  skippedUpdates: number;
  timing: { seconds: number; tokensPerSecond: number };
}

/** Takes examples from `cursor` on and returns where the next step begins. An aborted step leaves the weights as they were. */
export async function supervisedStep(
  engine: Engine,
  examples: Stream<SupervisedExample>,
  options: SupervisedOptions,
  at: { cursor: number; learningRate: number; signal?: AbortSignal | undefined },
): Promise<{ metrics: SupervisedMetrics; cursor: number }> {
  const clock = new PhaseClock<never>([]);
  const batch = takeBatch(examples, at.cursor, options);
  const sequences = toWeighted(batch.examples);
  let loss = 0;
  for (const call of callsOf(sequences, options.tokensPerCall)) {
    loss += weightedLoss(call, await engine.accumulate(call, at.signal));
  }
  const result = await engine.step({ ...options.adamW, learningRate: at.learningRate });
  const tokens = batch.examples.reduce((sum, example) => sum + example.ids.length, 0);
  const metrics: SupervisedMetrics = {
    loss,
    examples: batch.examples.length,
    skippedExamples: batch.skipped,
    tokens,
    trainedTokens: countTrained(sequences),
    learningRate: at.learningRate,
    gradientNorm: result.gradientNorm,
    skippedUpdates: result.applied ? 0 : 1,
    timing: { seconds: clock.total, tokensPerSecond: tokens / clock.total },
  };
  return { metrics, cursor: batch.cursor };
}

/** Mean −log p over the marked tokens of a fixed set of examples. */
export async function validationLoss(
  scorer: Scorer,
  examples: readonly SupervisedExample[],
  tokensPerCall: number,
  signal?: AbortSignal | undefined,
): Promise<{ loss: number; trainedTokens: number }> {
  const sequences = toWeighted(examples.filter(isLearnable));
  let loss = 0;
  for (const call of callsOf(sequences, tokensPerCall)) {
    const logprobs = await scorer.logprobs(
      call.map(({ ids, start }) => ({ ids, start })),
      signal,
    );
    loss += weightedLoss(call, logprobs);
  }
  return { loss, trainedTokens: countTrained(sequences) };
}

/** More than this many unusable examples in a row mean that the options do not fit the data. */
const mostSkipped = 1000;

function takeBatch(examples: Stream<SupervisedExample>, cursor: number, { tokensPerStep, maxTokens }: SupervisedOptions) {
  const taken: SupervisedExample[] = [];
  let tokens = 0;
  let skipped = 0;
  while (tokens < tokensPerStep) {
    const example = examples(cursor++);
    if (example.ids.length <= maxTokens && isLearnable(example)) {
      taken.push(example);
      tokens += example.ids.length;
    } else if (++skipped >= mostSkipped) throw unusable(maxTokens);
  }
  return { examples: taken, cursor, skipped };
}

/** The weights of cross-entropy are the scales themselves; they average over all marked tokens of the batch, whatever calls it is cut into. */
function toWeighted(examples: readonly SupervisedExample[]): WeightedSequence[] {
  const starts = examples.map(firstTrained);
  const scales = tokenScales(
    examples.map(({ mask }, index) => Array.from(mask).slice(starts[index])),
    "token-mean",
  );
  return examples.map(({ ids }, index) => ({ ids, start: starts[index], weights: scales[index] }));
}

function weightedLoss(sequences: readonly WeightedSequence[], logprobs: readonly Float32Array[]): number {
  return sequences.reduce((sum, { weights }, index) => sum + crossEntropy(logprobs[index], weights).loss, 0);
}

function countTrained(sequences: readonly WeightedSequence[]): number {
  return sequences.reduce((sum, { weights }) => sum + weights.reduce((count, weight) => count + (weight > 0 ? 1 : 0), 0), 0);
}

function isLearnable(example: SupervisedExample): boolean {
  return firstTrained(example) < example.ids.length;
}

function firstTrained({ ids, mask }: SupervisedExample): number {
  for (let t = 1; t < ids.length; t++) if (mask[t] > 0) return t;
  return ids.length;
}

function unusable(maxTokens: number) {
  return userError(
    "no-usable-examples",
    `${mostSkipped} training examples in a row are longer than ${maxTokens} tokens or have nothing to learn from`,
    "Raise the largest length, or look at the data.",
  );
}
