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
 *   - The paper grows the steps by a fifth each loop, and the code has a switch each for that, rounding down, and for 20 steps more; without
 *     either it counts epochs. Here by the paper's factor, rounded to the nearest.
 *   - The code clips the gradient at a norm of 1; here the paper's values clip none. Its hint for GSM8K is the whole worked solution; here
 *     it is the answer.
 *   - Constants are of GPT-J (6 B) in `paperStarOptions`; `smallStarOptions` are ours, for a model of a million parameters.
 * It trains no ability to correct; it is here because PASR compares with it.
 */
import type { TrainingMessage } from "#kernel/conversation.ts";
import type { Item } from "#kernel/item.ts";
import type { Message, Model } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { vanilla } from "#methods/plain/vanilla.ts";
import { defineRecipe } from "../recipe-card.ts";
import { checkedOptions, defaultsOf, type RecipeValues, recipeOptions, withDefaults } from "../recipe-options.ts";
import { gradedSamples, type Sampling } from "../shared/graded-samples.ts";
import { collectingFlags, questionsOption, tokenChoiceOptions, weightedOptions } from "../shared/option-groups.ts";
import { type Collected, type OwnAnswersTraining, type SelfTrained, selfTrain, sharedByRounds } from "../shared/self-training.ts";
import { firstQuestions, type Source } from "../sources/source.ts";

type WorkedExample = { question: string; answer: string };

function areWorkedExamples(value: unknown): value is readonly WorkedExample[] {
  const isOne = (each: Partial<WorkedExample> | null) => typeof each?.question === "string" && typeof each.answer === "string";
  return Array.isArray(value) && value.every(isOne);
}

const { epochs: _epochs, maxSteps: _maxSteps, ...stepOptions } = weightedOptions;

/** The defaults are the paper's: Adam at 1e-6 after 100 steps of warm-up, about ten examples to a step. Tokens of a step and lengths are ours. */
export const starOptions = recipeOptions({
  loops: {
    type: "integer",
    default: 40,
    minimum: 1,
    description: "most loops, each from the base anew",
    paper: "until held-out accuracy rises no more, some tens; the bound is ours",
  },
  firstSteps: { type: "integer", default: 40, minimum: 1, description: "steps of the first loop", paper: "40" },
  growth: { type: "number", default: 1.2, above: 0, description: "factor of the steps from each loop to the next", paper: "1.2" },
  patience: {
    type: "integer",
    default: 2,
    minimum: 1,
    description: "end after so many loops without a better accuracy on held-out questions",
    paper: "names no number",
  },
  rationalise: { type: "boolean", default: true, description: "give hints; false is the paper's ablation", paper: "on" },
  workedExamples: {
    type: "data",
    default: [],
    is: areWorkedExamples,
    needs: "a list of {question, answer}",
    description: "worked examples shown before the question; none for models that follow instructions",
    paper: "10 (CommonsenseQA)",
  },
  trainWithExamples: { type: "boolean", default: false, description: "show them in training too" },
  instruction: { type: "text", default: undefined, description: "system message" },
  hintMarker: {
    type: "text",
    default: "(CORRECT)",
    description: "what marks the right answer in a hinted question; never part of an example",
  },
  temperature: { type: "number", default: 0, description: "of answers; 0 is greedy", paper: "greedy" },
  ...tokenChoiceOptions,
  maxTokens: { type: "integer", default: 300, minimum: 1, description: "most new tokens of an answer" },
  training: withDefaults(stepOptions, {
    maxTokens: 1024,
    tokensPerCall: 1024,
    learningRate: 1e-6,
    schedule: "constant",
    warmup: 100,
    adamW: { maxGradientNorm: Number.POSITIVE_INFINITY },
  }),
});

export type StarOptions = RecipeValues<typeof starOptions>;

export const paperStarOptions: StarOptions = defaultsOf(starOptions);

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

export interface StarTraining extends OwnAnswersTraining<StarOptions> {
  /** Held-out questions, which decide when to end and which loop's model is kept. */
  validation?: readonly Item[];
}

export async function trainStar(training: StarTraining): Promise<SelfTrained> {
  const { items, validation = [], verify, seed, signal } = training;
  const options = checkedOptions("star", starOptions, training.options);
  const sampling = (model: Model): Sampling => ({
    model,
    verify,
    temperature: options.temperature,
    topP: options.topP,
    topK: options.topK,
    maxTokens: options.maxTokens,
    signal,
  });
  return selfTrain({
    ...sharedByRounds(training),
    rounds: options.loops,
    start: "base",
    data: "replace",
    collect: (loop, model) => collectStar(items, sampling(model), options, deriveSeed(seed, "loop", loop)),
    options: (loop) => ({
      ...options.training,
      epochs: Number.POSITIVE_INFINITY,
      maxSteps: Math.round(options.firstSteps * options.growth ** (loop - 1)),
    }),
    measure: validation.length > 0 ? (model) => greedyAccuracy(validation, sampling(model), options) : undefined,
    patience: options.patience,
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

/**
 * The question with the right answer marked: behind the right option where the question lists it, by its letter or on a line of its own,
 * else at the end. An option that stands inside another, such as oil in olive oil, is not the one that is marked.
 */
export function hintedQuestion({ question, answer, choices }: Item, marker: string): string {
  const text = choices?.find(({ letter }) => letter === answer)?.text;
  const end = text ? endOfOption(question, answer, text) : undefined;
  if (end === undefined) return `${question}\n${answer} ${marker}`;
  return `${question.slice(0, end)} ${marker}${question.slice(end)}`;
}

/** Where the last listing of this option ends. */
function endOfOption(question: string, letter: string, text: string): number | undefined {
  let unlabelled: number | undefined;
  for (let at = question.lastIndexOf(text); at >= 0; at = at === 0 ? -1 : question.lastIndexOf(text, at - 1)) {
    const after = question.slice(at + text.length, at + text.length + 8);
    if (!/^\s*(?:$|[\n\r]|[([]?[A-Z]{1,2}[).:\]])/.test(after)) continue;
    const before = question.slice(Math.max(0, at - 8), at);
    if (new RegExp(`(?:^|[^\\p{L}\\p{N}])${letter}[).:\\]]\\s*$`, "u").test(before)) return at + text.length;
    if (/(?:^|\n)[ \t]*$/.test(before)) unlabelled ??= at + text.length;
  }
  return unlabelled;
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

const fitted = (options: StarOptions) => (source: Source) => ({
  ...options,
  instruction: source.prompts.plain,
  maxTokens: source.maxTokens,
});

const { "--epochs <number>": _counted, ...flags } = collectingFlags;

export const star = defineRecipe({
  id: "star",
  name: "STaR",
  paper: { title: "STaR: Bootstrapping Reasoning With Reasoning", arxiv: "2203.14465", year: 2022 },
  status: "stable",
  summary: "learn one's own right rationales, with hints where there were none",
  options: {
    ...starOptions,
    questions: questionsOption,
    validation: { type: "integer", default: 100, description: "held-out questions that decide which loop is kept" },
  },
  presets: { small: fitted(smallStarOptions), paper: fitted(paperStarOptions) },
  flags: {
    "--rounds <number>": { option: "loops" },
    "--no-rationalise": { option: "rationalise", value: false, description: "give no hints" },
    ...flags,
  },
  learnsFrom: "questions",
  methods: ({ instruction }) => [vanilla({ id: "star", instruction })],
  async train({ options, source, seed, onSteps, ...work }) {
    const { questions, validation, ...own } = options;
    return trainStar({
      ...work,
      items: firstQuestions(source, questions, seed),
      validation: source.validation(validation, deriveSeed(seed, "validation")),
      verify: source.verify,
      options: own,
      seed,
      onProgress: (round, progress) => onSteps(progress, { round, label: `STaR, loop ${round}` }),
    });
  },
  costs: ({ loops, questions, validation, rationalise, firstSteps, growth }) => ({
    answers: loops * questions * (rationalise ? 2 : 1) + (loops + 1) * validation,
    steps: Array.from({ length: loops }, (_, loop) => Math.round(firstSteps * growth ** loop)).reduce(
      (sum, each) => sum + each,
      0,
    ),
  }),
  examples: ["midcourse train star --out runs/star --rounds 3"],
});
