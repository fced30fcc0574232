/**
 * PTR, phase 2: “Think Thrice Before You Act: Progressive Thought Refinement in Large Language Models”, Chengyu Du, Jinyi Han, Yizhou Ying,
 * Aili Chen, Qianyu He, Haokun Zhao, Sirui Xia, Haoran Guo, Jiaqing Liang, Zulong Chen, Liangyue Li, Yanghua Xiao; arXiv 2410.13413, 2024;
 * ICLR 2025. Phase 1, which makes the data, is ptr-data.ts.
 *
 * Claims: a model that is trained to improve on attempts, and never to make them, gets better over rounds of refinement without a
 * verifier: Qwen2-7B 49.6 → 53.5 and Llama3-8B 55.8 → 58.6 on average over ten tasks, round 1 of the base against round 3 of PTR. With the
 * attempts learned as well: 47.2 in place of 53.0.
 *
 * Algorithm (weighted thought-mask fine-tuning):
 *   1. Each example is question → attempt → fixed request to refine → … → final answer.
 *   2. Question, attempts and requests carry weight 0; the final answer and its end token carry the loss.
 *   3. L = λ1·(−log p of the answer) + λ2·(inconsistency of answers in a row) + λ3·Σ β_t·(1 − p_t), β_t = β_0·t/n (eq. 3.4).
 *   4. At test, rounds 1 … R in one chat with the whole history and the same request (methods/ptr-rounds.ts; here `evaluateRounds`).
 *
 * Where this differs from the paper or from the authors' release, on purpose:
 *   - λ2: similarity of embeddings of fixed texts has no gradient, so it is a filter on the data (`midcourse data ptr --agreement`).
 *   - λ3: the paper leaves open whether t counts tokens or rounds. Here it counts the tokens of the answer (`rising`); with rounds, of which
 *     the mask leaves the last alone, β is β_0 throughout (`flat`). It is off unless asked for, because the released trainer has no such
 *     term and the paper's gain from it is small (63.0 → 64.3 on five tasks, λ1 ≈ 0.8).
 *   - The release joins several examples into one row, where each sees those before it; here every example stays a sequence of its own.
 *   - The request to refine is in our own words and the same in data and test.
 */

import type { JsonObject } from "#files/json-lines.ts";
import type { TrainingConversation } from "#kernel/conversation.ts";
import type { Engine } from "#kernel/engine.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import type { Tokenizer } from "#tokens/tokenizer.ts";
import type { Progress } from "#training/loop.ts";
import { likelihoodOnly, type WeightedExample } from "#training/supervised/weighted-supervised.ts";
import {
  type EpochMetrics,
  trainWeighted,
  type WeightedResult,
  type WeightedRunOptions,
} from "#training/supervised/weighted-supervised-run.ts";

export interface PtrOptions extends WeightedRunOptions {
  /** Learn the attempts too: the ablation “without mask”. */
  learnThoughts: boolean;
}

/**
 * What the authors released (train.py, deepspeed_config.json), per GPU: AdamW (0.98, 0.999, 1e-9), 800 steps of warm-up to 1e-5 and constant
 * from there, 4096 tokens × 10 to a step, 3 epochs, checkpoints every 1000 steps.
 */
export const paperPtrOptions: PtrOptions = {
  ...likelihoodOnly,
  epochs: 3,
  maxSteps: Number.POSITIVE_INFINITY,
  tokensPerStep: 40_960,
  maxTokens: 4096,
  tokensPerCall: 4096,
  learningRate: 1e-5,
  schedule: "constant",
  warmup: 800,
  learningRateFloor: 0,
  saveEvery: 1000,
  evaluateEvery: 1000,
  patience: Number.POSITIVE_INFINITY,
  adamW: { beta1: 0.98, beta2: 0.999, epsilon: 1e-9, weightDecay: 0, maxGradientNorm: Number.POSITIVE_INFINITY },
  learnThoughts: false,
};

/** How the authors of PASR trained it again as a baseline (arXiv 2508.12903): two examples to a step, cosine, a tenth of warm-up, 2 epochs. */
export const rerunPtrOptions: PtrOptions = {
  ...paperPtrOptions,
  epochs: 2,
  tokensPerStep: 8192,
  schedule: "cosine",
  warmup: 0.1,
  adamW: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 },
};

/** For models of about a million parameters, which move little at the paper's rate. */
export const smallPtrOptions: PtrOptions = {
  ...rerunPtrOptions,
  epochs: 3,
  tokensPerStep: 4096,
  maxTokens: 1024,
  learningRate: 3e-4,
  saveEvery: 100,
  evaluateEvery: 50,
  adamW: { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.01, maxGradientNorm: 1 },
};

export const ptrPresets = { small: smallPtrOptions, paper: paperPtrOptions, rerun: rerunPtrOptions };

export interface PtrTraining {
  /** Holds the weights to start from; a resumed run restores its own. */
  engine: Engine;
  tokenizer: Pick<Tokenizer, "encodeTraining">;
  /** Question, attempts, requests, one learned answer; plain instruction data may stand among them. */
  examples: readonly TrainingConversation[];
  /** Decide which weights are kept. */
  validation?: readonly TrainingConversation[];
  options: PtrOptions;
  seed: number;
  run: RunDirectory;
  evaluate?: ((stepsDone: number, signal: AbortSignal | undefined) => Promise<JsonObject>) | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress<EpochMetrics>) => void) | undefined;
}

/** The model that is kept lies under `model` in the run directory. */
export async function trainPtr(training: PtrTraining): Promise<WeightedResult> {
  const { engine, tokenizer, examples, validation = [], options, seed, run, evaluate, signal, onProgress } = training;
  const encode = (conversation: TrainingConversation) => ptrExample(tokenizer, conversation, options);
  // What is to be learned is the answer, also where thoughts are learned beside it.
  const held = validation.map((conversation) => ptrExample(tokenizer, conversation, { learnThoughts: false }));
  // As among the examples, longer ones are left out: a model cannot read what is longer than its context.
  const fitting = held.filter(({ ids }) => ids.length <= options.maxTokens);
  if (fitting.length < held.length) run.event("note", { validationTooLong: held.length - fitting.length });
  return trainWeighted({
    engine,
    examples: examples.map(encode),
    validation: fitting,
    options,
    seed,
    run,
    evaluate,
    signal,
    onProgress,
  });
}

/** Ids with the thought mask: 1 where the conversation is learned, 0 on questions, attempts and requests. */
export function ptrExample(
  tokenizer: Pick<Tokenizer, "encodeTraining">,
  { messages, weight }: TrainingConversation,
  { learnThoughts }: Pick<PtrOptions, "learnThoughts">,
): WeightedExample {
  const example = tokenizer.encodeTraining(messages, {
    trainable: ({ role }, index) => messages[index].trainable || (learnThoughts && role === "assistant"),
    unlearned: (_message, index) => (messages[index].masked ?? []).map(([start, end]) => ({ start, end })),
  });
  return weight === undefined ? example : { ...example, weight };
}
