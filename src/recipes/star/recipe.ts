/**
 * STaR: “STaR: Bootstrapping Reasoning With Reasoning”, Eric Zelikman, Yuhuai Wu, Jesse Mu, Noah D. Goodman; arXiv 2203.14465; NeurIPS 2022.
 *
 * Claims: a model that learns from its own rationales that led to the right answer bootstraps itself: CommonsenseQA 72.5 against 60.0 of the
 * same GPT-J trained on answers alone; GSM8K 10.7 against 5.8.
 *
 * Algorithm, loop n:
 *   1. Generation: the newest model answers every training question, greedily, after worked examples. Right answers are kept.
 *   2. Rationalisation: where it was wrong, it is asked again with the right answer marked in the question. What is then right is kept
 *      **under the question without the hint**, as if the model had known.
 *   3. The **original base**, never the newest model, is trained on what was kept; it is the newest model of loop n + 1.
 *   4. Loops end when the accuracy on held-out questions rises no more.
 *
 * Where this differs from the paper or from the authors' code, on purpose:
 *   - The hint and the prompts are in our own words. A rationale that repeats the hint's marker is dropped and counted.
 *   - The paper grows the steps by a fifth each loop, the code by 20; here by the paper's factor.
 *   - Constants are of GPT-J (6 B) in `paperStarOptions`; `smallStarOptions` are ours, for a model of a million parameters.
 * It trains no ability to correct; it is here because PASR compares with it.
 */
import type { TrainingMessage } from "#kernel/conversation.ts";
import type { Engine } from "#kernel/engine.ts";
import type { Grader, Item } from "#kernel/item.ts";
import type { Message, Model } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { likelihoodOnly } from "#training/supervised/weighted-supervised.ts";
import type { WeightedRunOptions } from "#training/supervised/weighted-supervised-run.ts";
import { gradedSamples, type Sampling } from "../shared/graded-samples.ts";
import { type Collected, type SelfTrained, type SelfTraining, selfTrain } from "../shared/self-training.ts";

export interface StarOptions {
  /** Most loops. The paper goes on until held-out accuracy rises no more, some tens of loops; the bound is ours. */
  loops: number;
  /** Steps of the first loop, and the factor from each to the next. Paper 40 and 1.2. */
  firstSteps: number;
  growth: number;
  /** End after so many loops without a better accuracy on held-out questions; the paper names no number. */
  patience: number;
  /** Step 2; false is the paper's ablation. */
  rationalise: boolean;
  /** Worked examples shown before the question. Paper 10 (CommonsenseQA); none for models that follow instructions. */
  workedExamples: readonly { question: string; answer: string }[];
  /** Show them in training too. */
  trainWithExamples: boolean;
  /** System message; none when left out. */
  instruction?: string;
  /** What marks the right answer in a hinted question; never part of an example. */
  hintMarker: string;
  /** Paper: greedy. */
  temperature: number;
  maxTokens: number;
  training: Omit<WeightedRunOptions, "maxSteps" | "epochs">;
}

/** Paper: Adam at 1e-6 after 100 steps of warm-up, sequences packed with about ten examples. Tokens of a step and lengths are ours. */
export const paperStarOptions: StarOptions = {
  loops: 40,
  firstSteps: 40,
  growth: 1.2,
  patience: 2,
  rationalise: true,
  workedExamples: [],
  trainWithExamples: false,
  hintMarker: "(CORRECT)",
  temperature: 0,
  maxTokens: 300,
  training: {
    ...likelihoodOnly,
    tokensPerStep: 8192,
    maxTokens: 1024,
    tokensPerCall: 1024,
    learningRate: 1e-6,
    schedule: "constant",
    warmup: 100,
    learningRateFloor: 0,
    saveEvery: 100,
    evaluateEvery: Number.POSITIVE_INFINITY,
    patience: Number.POSITIVE_INFINITY,
    adamW: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: Number.POSITIVE_INFINITY },
  },
};

export const smallStarOptions: StarOptions = {
  ...paperStarOptions,
  loops: 4,
  maxTokens: 160,
  training: {
    ...paperStarOptions.training,
    tokensPerStep: 4096,
    tokensPerCall: 4096,
    learningRate: 3e-4,
    warmup: 0.1,
    adamW: { ...paperStarOptions.training.adamW, maxGradientNorm: 1 },
  },
};

export interface StarTraining extends Pick<SelfTraining, "tokenizer" | "signal" | "onProgress"> {
  engine: Engine;
  /** Training questions; all are asked in every loop. */
  items: readonly Item[];
  /** Held-out questions, which decide when to end and which loop's model is kept. */
  validation?: readonly Item[];
  verify: Grader;
  options: StarOptions;
  seed: number;
  run: RunDirectory;
}

export async function trainStar(training: StarTraining): Promise<SelfTrained> {
  const { engine, tokenizer, items, validation = [], verify, options, seed, run, signal, onProgress } = training;
  const sampling = (model: Model): Sampling => ({
    model,
    verify,
    temperature: options.temperature,
    maxTokens: options.maxTokens,
    signal,
  });
  return selfTrain({
    engine,
    tokenizer,
    run,
    rounds: options.loops,
    start: "base",
    data: "replace",
    collect: (loop, model) => collectStar(items, sampling(model), options, deriveSeed(seed, "loop", loop)),
    options: (loop) => ({
      ...options.training,
      epochs: Number.POSITIVE_INFINITY,
      maxSteps: Math.round(options.firstSteps * options.growth ** (loop - 1)),
    }),
    ...(validation.length > 0 ? { measure: (model) => greedyAccuracy(validation, sampling(model), options) } : {}),
    patience: options.patience,
    seed,
    signal,
    onProgress,
  });
}

/** Steps 1 and 2. */
export async function collectStar(
  items: readonly Item[],
  sampling: Sampling,
  options: StarOptions,
  seed: number,
): Promise<Collected> {
  const ask = (some: readonly Item[], question: (item: Item) => string, kind: string) =>
    gradedSamples(
      sampling,
      some.map((item) => ({
        item,
        messages: starPrompt(question(item), options),
        n: 1,
        seed: deriveSeed(seed, kind, item.id),
      })),
    );
  const plain = await ask(items, ({ question }) => question, "plain");
  const kept = items.flatMap((item, index) => learnable(plain[index]).map((text) => starExample(item, text, options, "plain")));
  const right = kept.length;

  const missed = options.rationalise ? items.filter((_, index) => plain[index].some(({ isRight }) => !isRight)) : [];
  const hinted = await ask(missed, (item) => hintedQuestion(item, options.hintMarker), "hinted");
  let repeatedHint = 0;
  for (const [index, item] of missed.entries()) {
    for (const text of learnable(hinted[index])) {
      if (text.includes(options.hintMarker)) repeatedHint++;
      else kept.push(starExample(item, text, options, "rationalised"));
    }
  }
  const failed = plain.filter((samples) => samples.length === 0).length;
  const figures = { asked: items.length, right, hinted: missed.length, rationalised: kept.length - right, repeatedHint, failed };
  return { examples: kept, figures };
}

/** What the model is asked, in data and at test. */
export function starPrompt(question: string, { instruction, workedExamples }: StarOptions): Message[] {
  return [
    ...(instruction === undefined ? [] : [{ role: "system" as const, content: instruction }]),
    ...workedExamples.flatMap((worked) => [
      { role: "user" as const, content: worked.question },
      { role: "assistant" as const, content: worked.answer },
    ]),
    { role: "user", content: question },
  ];
}

/** The question with the right answer marked: behind the right option where there are options, else at the end. */
export function hintedQuestion({ question, answer, choices }: Item, marker: string): string {
  const text = choices?.find(({ letter }) => letter === answer)?.text;
  const at = text === undefined || text === "" ? -1 : question.lastIndexOf(text);
  if (text === undefined || at < 0) return `${question}\n${answer} ${marker}`;
  return `${question.slice(0, at + text.length)} ${marker}${question.slice(at + text.length)}`;
}

/** Right and whole. */
function learnable(samples: readonly { text: string; isRight: boolean; isCut: boolean }[] | undefined): string[] {
  return (samples ?? []).flatMap(({ text, isRight, isCut }) => (isRight && !isCut ? [text] : []));
}

/** The hint is nowhere in it: the question is the item's own. */
function starExample(item: Item, text: string, options: StarOptions, how: string) {
  const shown = starPrompt(item.question, options.trainWithExamples ? options : { ...options, workedExamples: [] });
  const messages: TrainingMessage[] = shown.map((message) => ({ ...message, trainable: false }));
  return { id: `${item.id}-${how}`, messages: [...messages, { role: "assistant" as const, content: text, trainable: true }] };
}

async function greedyAccuracy(items: readonly Item[], sampling: Sampling, options: StarOptions): Promise<number> {
  const asked = items.map((item) => ({ item, messages: starPrompt(item.question, options), n: 1, seed: 0 }));
  const graded = await gradedSamples({ ...sampling, temperature: 0 }, asked);
  return graded.reduce((sum, [sample]) => sum + (sample?.accuracy ?? 0), 0) / items.length;
}
