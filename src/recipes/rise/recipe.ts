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
import type { TrainingConversation, TrainingMessage } from "#kernel/conversation.ts";
import type { Item } from "#kernel/item.ts";
import type { Model } from "#kernel/model.ts";
import { meanOrZero, sum } from "#kernel/numbers.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { defineRecipe } from "../recipe-card.ts";
import { checkedOptions, defaultsOf, type RecipeValues, recipeOptions, withDefaults } from "../recipe-options.ts";
import { type GradedSample, gradedSamples, type Sampling } from "../shared/graded-samples.ts";
import { collectingFlags, isMessages, questionsOption, tokenChoiceOptions, weightedOptions } from "../shared/option-groups.ts";
import { type Collected, type OwnAnswersTraining, type SelfTrained, selfTrain, sharedByRounds } from "../shared/self-training.ts";
import { firstQuestions, type Source } from "../sources/source.ts";
import { risePrompt, riseTurns } from "./turns.ts";

/** The defaults are the authors' commands: 1e-5, cosine, 4 % of warm-up, 16 sequences of at most 2048 tokens to a step. The preset small fills steps by tokens and pays unreadable answers as wrong ones. */
export const riseOptions = recipeOptions({
  iterations: {
    type: "integer",
    default: 2,
    minimum: 1,
    description: "iterations, each from the base anew on all data so far",
    paper: "2",
  },
  samplesPerTurn: {
    type: "numbers",
    default: [1, 16],
    minimum: 1,
    description: "N_t: samples that each turn is the best of",
    paper: "self-distillation 1 and 16; distillation 1 and 1 of the teacher",
  },
  keep: {
    type: "choice",
    choices: ["all", "better", "best", "success"],
    default: "all",
    description:
      "turns after the first that are learned: all, those better than the one before, those no worse than any before, or right ones; the first turn too, but under success only when it is right",
    paper: "all four",
  },
  rewardTemperature: {
    type: "number",
    default: 0.4,
    above: 0,
    description: "τ: rewards of 0 and 1 weigh 1 and exp(1/τ), here 12.2",
    paper: "0.4",
  },
  unreadableReward: {
    type: "number",
    default: -1,
    minimum: -1,
    maximum: 0,
    description: "reward of an answer that cannot be read; 0 counts it as any wrong one",
    paper: "code −1, a weight of 0.082",
  },
  normaliseWeights: {
    type: "boolean",
    default: false,
    description: "divide the weights by their mean",
    paper: "on; off in its code",
  },
  temperature: { type: "number", default: 1, description: "of sampling" },
  ...tokenChoiceOptions,
  maxTokens: { type: "integer", default: 512, minimum: 1, description: "most new tokens of a turn" },
  opening: {
    type: "data",
    default: [],
    is: isMessages,
    needs: "a list of {role, content}",
    description: "system message and worked dialogue in front of the question",
  },
  retry: {
    type: "text",
    default: "That answer is not correct. Try once more. The question again: {question}",
    description: "what the user says to an attempt, right or wrong at test; {question} stands for the question",
  },
  training: withDefaults(weightedOptions, {
    normaliser: "sequence-mean",
    epochs: 1,
    examplesPerStep: 16,
    maxTokens: 2048,
    warmup: 0.04,
  }),
});

export type RiseOptions = RecipeValues<typeof riseOptions>;

/** The paper trains 0.3 to 1 epoch. */
export const paperRiseOptions: RiseOptions = defaultsOf(riseOptions);

export const smallRiseOptions: RiseOptions = {
  ...paperRiseOptions,
  temperature: 0.9,
  maxTokens: 160,
  opening: [{ role: "system", content: "Solve step by step." }],
  retry: "Solve again.",
  unreadableReward: 0,
  training: {
    ...paperRiseOptions.training,
    examplesPerStep: undefined,
    tokensPerStep: 4096,
    maxTokens: 600,
    learningRate: 3e-4,
    warmup: 0.1,
  },
};

export interface RiseTraining extends OwnAnswersTraining<RiseOptions> {
  /** Writes every turn after the first; the model that is trained when left out. */
  teacher?: Model;
}

export async function trainRise(training: RiseTraining): Promise<SelfTrained> {
  const { items, verify, teacher, seed, signal } = training;
  const options = checkedOptions("rise", riseOptions, training.options);
  const { temperature, topP, topK, maxTokens } = options;
  return selfTrain({
    ...sharedByRounds(training),
    rounds: options.iterations,
    start: "base",
    data: "accumulate",
    collect: (iteration, model) =>
      collectRise(
        items,
        { model, verify, temperature, topP, topK, maxTokens, signal },
        options,
        deriveSeed(seed, "iteration", iteration),
        teacher,
      ),
    options: () => options.training,
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
): (TrainingConversation & { reward: number })[] {
  const seen = new Set<string>();
  const distinct = turns.filter(({ text }) => text.trim() !== "" && !seen.has(text.trim()) && seen.add(text.trim()));
  return distinct.flatMap((turn, index) => {
    if (turn.isCut || !isKept(turn, distinct.slice(0, index), options)) return [];
    const context: TrainingMessage[] = risePrompt(item.question, distinct.slice(0, index), options).map((message) => ({
      ...message,
      trainable: false,
    }));
    const messages = [...context, { role: "assistant" as const, content: turn.text, trainable: true }];
    return [{ id: `${item.id}-turn-${index + 1}`, messages, reward: rewardOf(turn, options) }];
  });
}

function isKept(turn: GradedSample, before: readonly GradedSample[], options: RiseOptions): boolean {
  const { keep } = options;
  if (keep === "success") return turn.isRight;
  if (before.length === 0 || keep === "all") return true;
  const reward = rewardOf(turn, options);
  if (keep === "better") return reward > rewardOf(before.at(-1)!, options);
  return before.every((earlier) => reward >= rewardOf(earlier, options));
}

function rewardOf({ accuracy, isReadable }: GradedSample, { unreadableReward }: RiseOptions): number {
  return isReadable ? accuracy : unreadableReward;
}

/** Step 3's weights: exp(reward/τ). */
function weighed(examples: readonly (TrainingConversation & { reward: number })[], options: RiseOptions): TrainingConversation[] {
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

const fitted = (options: RiseOptions) => (source: Source) => ({
  ...options,
  opening: [{ role: "system" as const, content: source.prompts.plain }],
  maxTokens: source.maxTokens,
});

export const rise = defineRecipe({
  id: "rise",
  name: "RISE",
  paper: {
    title: "Recursive Introspection: Teaching Language Model Agents How to Self-Improve",
    arxiv: "2407.18219",
    year: 2024,
  },
  status: "stable",
  summary: "learn the best of one's own next attempts, weighed by reward",
  options: {
    ...riseOptions,
    questions: questionsOption,
    turns: { type: "integer", default: 5, minimum: 1, description: "turns at test, whose answers vote", paper: "5" },
  },
  presets: { small: fitted(smallRiseOptions), paper: fitted(paperRiseOptions) },
  flags: {
    "--rounds <number>": { option: "iterations" },
    "--samples <number>": {
      description: "samples the last turn is the best of",
      spec: { type: "integer", minimum: 1, description: "samples the last turn is the best of" },
      changes: (count, { samplesPerTurn }) => ({ samplesPerTurn: [...samplesPerTurn.slice(0, -1), count as number] }),
    },
    "--keep <which>": { option: "keep", description: "turns that are learned" },
    ...collectingFlags,
  },
  learnsFrom: "questions",
  methods: (options) => [...new Set([1, options.turns])].map((turns) => riseTurns({ ...options, turns })),
  async train({ options, source, seed, onSteps, ...work }) {
    const { questions, turns: _turns, ...own } = options;
    return trainRise({
      ...work,
      items: firstQuestions(source, questions, seed),
      verify: source.verify,
      options: own,
      seed,
      onProgress: (round, progress) => onSteps(progress, { round, label: `RISE, iteration ${round}` }),
    });
  },
  costs: ({ iterations, questions, samplesPerTurn }) => ({
    answers: iterations * questions * sum(samplesPerTurn),
  }),
  examples: ["midcourse train rise --out runs/rise --keep success"],
});
