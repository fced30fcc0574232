/**
 * RISE: “Recursive Introspection: Teaching Language Model Agents How to Self-Improve”, Yuxiao Qu, Tianjun Zhang, Naman Garg, Aviral Kumar;
 * arXiv 2407.18219; NeurIPS 2024.
 *
 * Claims: a model fine-tuned on improved versions of its own attempts gets better over five turns: on GSM8K +17.7 for Llama2-7B, +8.2 for
 * Llama3-8B and +6.6 for Mistral-7B with their own data alone.
 *
 * Algorithm, iteration i:
 *   1. The newest model attempts each question; told that it was wrong, it tries again; turn t is the best of N_t samples by reward. The
 *      last turns are the improvement: of a stronger teacher (distillation) or the best of many of the model itself (self-distillation).
 *      A right answer ends the dialogue.
 *   2. Every kept turn is an example: the dialogue before it as context, the turn alone learned. `keep` says which are kept.
 *   3. The **base** is trained on the data of all iterations so far, each example weighted by exp(reward/τ), cross-entropy averaged over the
 *      turn's tokens.
 *   4. At test, turns without knowing what is right, each told that the last was wrong; the answer most turns agree on (turns.ts).
 *
 * Where this differs from the paper or from the authors' code, on purpose:
 *   - The request to try again is in our own words. No solved example is put in front unless `opening` has one.
 *   - The paper divides the weights by a normaliser; the code does not, and neither do we unless `normaliseWeights` says so.
 *   - An empty or repeated attempt is taken out of the dialogue, as in the code; one cut at its largest length stands in it as context and is
 *     not learned.
 */
import type { TrainingMessage } from "#kernel/conversation.ts";
import type { Engine } from "#kernel/engine.ts";
import type { Grader, Item } from "#kernel/item.ts";
import type { Model } from "#kernel/model.ts";
import { meanOrZero } from "#kernel/numbers.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { likelihoodOnly } from "#training/supervised/weighted-supervised.ts";
import type { WeightedRunOptions } from "#training/supervised/weighted-supervised-run.ts";
import { type GradedSample, gradedSamples, type Sampling } from "../shared/graded-samples.ts";
import {
  type Collected,
  type SelfTrained,
  type SelfTraining,
  selfTrain,
  type WeightedConversation,
} from "../shared/self-training.ts";
import { type RisePrompts, risePrompt } from "./turns.ts";

export interface RiseOptions extends RisePrompts {
  /** Paper 2. */
  iterations: number;
  /** N_t of each turn. The authors' self-distillation: 1 and 16; their distillation: 1 and 1 of the teacher. */
  samplesPerTurn: readonly number[];
  /**
   * Turns after the first that are kept: all; those better than the one before; those no worse than any before; those that are right. The
   * first turn is kept too, but under `success` only when it is right.
   */
  keep: "all" | "better" | "best" | "success";
  /** τ: rewards of 0 and 1 weigh 1 and 12.2. */
  rewardTemperature: number;
  /** Divide the weights by their mean. */
  normaliseWeights: boolean;
  temperature: number;
  maxTokens: number;
  training: WeightedRunOptions;
}

/** The authors' commands: 1e-5, cosine, 4 % of warm-up, 16 sequences of at most 2048 tokens to a step. The paper trains 0.3 to 1 epoch. */
export const paperRiseOptions: RiseOptions = {
  iterations: 2,
  samplesPerTurn: [1, 16],
  keep: "all",
  rewardTemperature: 0.4,
  normaliseWeights: false,
  temperature: 1,
  maxTokens: 512,
  opening: [],
  retry: "That answer is not correct. Try once more. The question again: {question}",
  training: {
    ...likelihoodOnly,
    normaliser: "sequence-mean",
    epochs: 1,
    maxSteps: Number.POSITIVE_INFINITY,
    tokensPerStep: 32_768,
    maxTokens: 2048,
    tokensPerCall: 4096,
    learningRate: 1e-5,
    schedule: "cosine",
    warmup: 0.04,
    learningRateFloor: 0,
    saveEvery: 100,
    evaluateEvery: Number.POSITIVE_INFINITY,
    patience: Number.POSITIVE_INFINITY,
    adamW: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 },
  },
};

export const smallRiseOptions: RiseOptions = {
  ...paperRiseOptions,
  temperature: 0.9,
  maxTokens: 160,
  opening: [{ role: "system", content: "Solve step by step." }],
  retry: "Solve again.",
  training: { ...paperRiseOptions.training, tokensPerStep: 4096, maxTokens: 600, learningRate: 3e-4, warmup: 0.1 },
};

export interface RiseTraining extends Pick<SelfTraining, "tokenizer" | "signal" | "onProgress"> {
  engine: Engine;
  items: readonly Item[];
  verify: Grader;
  /** Writes every turn after the first; the model that is trained when left out. */
  teacher?: Model;
  options: RiseOptions;
  seed: number;
  run: RunDirectory;
}

export async function trainRise(training: RiseTraining): Promise<SelfTrained> {
  const { engine, tokenizer, items, verify, teacher, options, seed, run, signal, onProgress } = training;
  const { temperature, maxTokens } = options;
  return selfTrain({
    engine,
    tokenizer,
    run,
    rounds: options.iterations,
    start: "base",
    data: "accumulate",
    collect: (iteration, model) =>
      collectRise(
        items,
        { model, verify, temperature, maxTokens, signal },
        options,
        deriveSeed(seed, "iteration", iteration),
        teacher,
      ),
    options: () => options.training,
    seed,
    signal,
    onProgress,
  });
}

interface Dialogue {
  item: Item;
  turns: GradedSample[];
}

/** Steps 1 and 2. */
export async function collectRise(
  items: readonly Item[],
  sampling: Sampling,
  options: RiseOptions,
  seed: number,
  teacher: Model = sampling.model,
): Promise<Collected> {
  const dialogues: Dialogue[] = items.map((item) => ({ item, turns: [] }));
  for (const [turn, n] of options.samplesPerTurn.entries()) {
    const open = dialogues.filter(({ turns }) => turns.length === turn && !turns.some(({ isRight }) => isRight));
    const asked = open.map(({ item, turns }) => ({
      item,
      messages: risePrompt(item.question, turns, options),
      n,
      seed: deriveSeed(seed, "turn", turn, item.id),
    }));
    const drawn = await gradedSamples({ ...sampling, model: turn === 0 ? sampling.model : teacher }, asked);
    for (const [index, { turns }] of open.entries()) {
      const best = bestOf(drawn[index]);
      if (best) turns.push(best);
    }
  }
  const examples = dialogues.flatMap((dialogue) => riseExamples(dialogue.item, dialogue.turns, options));
  const rightAt = options.samplesPerTurn.map((_, turn) => dialogues.filter(({ turns }) => turns[turn]?.isRight).length);
  return { examples: weighed(examples, options), figures: { asked: items.length, rightAt, kept: examples.length } };
}

/** One example for each kept turn, the last message alone learned; weights are rewards here. */
export function riseExamples(
  item: Item,
  turns: readonly GradedSample[],
  options: RiseOptions,
): (WeightedConversation & { reward: number })[] {
  const seen = new Set<string>();
  const distinct = turns.filter(({ text }) => text.trim() !== "" && !seen.has(text.trim()) && seen.add(text.trim()));
  return distinct.flatMap((turn, index) => {
    if (turn.isCut || !isKept(turn, distinct.slice(0, index), options.keep)) return [];
    const context: TrainingMessage[] = risePrompt(item.question, distinct.slice(0, index), options).map((message) => ({
      ...message,
      trainable: false,
    }));
    const messages = [...context, { role: "assistant" as const, content: turn.text, trainable: true }];
    return [{ id: `${item.id}-turn-${index + 1}`, messages, reward: turn.accuracy }];
  });
}

function isKept({ accuracy, isRight }: GradedSample, before: readonly GradedSample[], keep: RiseOptions["keep"]): boolean {
  if (keep === "success") return isRight;
  if (before.length === 0 || keep === "all") return true;
  if (keep === "better") return accuracy > before.at(-1)!.accuracy;
  return before.every((earlier) => accuracy >= earlier.accuracy);
}

/** Step 3's weights: exp(reward/τ). */
function weighed(examples: readonly (WeightedConversation & { reward: number })[], options: RiseOptions): WeightedConversation[] {
  const factors = examples.map(({ reward }) => Math.exp(reward / options.rewardTemperature));
  const divisor = options.normaliseWeights ? meanOrZero(factors) : 1;
  return examples.map(({ reward: _, ...example }, index) => ({ ...example, weight: factors[index] / divisor }));
}

/** The highest reward; among equals the first. */
function bestOf(samples: readonly GradedSample[]): GradedSample | undefined {
  return samples.reduce<GradedSample | undefined>(
    (best, each) => (best && best.accuracy >= each.accuracy ? best : each),
    undefined,
  );
}
