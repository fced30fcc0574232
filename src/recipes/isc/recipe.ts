/**
 * ISC: “Small Language Model Can Self-Correct”, Haixia Han, Jiaqing Liang, Jie Shi, Qianyu He, Yanghua Xiao; arXiv 2401.07301, 2024; AAAI 2024.
 *
 * Claims: small models (6 to 13 B) learn from one round of fine-tuning to check an answer and correct it within one generation: up to +5.6
 * points (ChatGLM-6B, 37.0 → 42.6). Without masking wrong answers the verdicts collapse once wrong ones dominate.
 *
 * Algorithm:
 *   1. A model answers each question several times; the reference says which answers are right.
 *   2. One text an answer, under an instruction to answer, check and, if needed, correct: answer, verdict on it, and after a wrong answer the
 *      right one. The right one is the reference's own solution where there is one, else another answer of the model that was right.
 *   3. Partial answer masking: a wrong first answer carries no loss; verdicts, corrections and right answers do.
 *   4. At test one generation; what stands last is the answer.
 *
 * Where this differs from the paper, on purpose: instruction and verdicts are in our own words; sampling, rate and epochs are ours, since
 * neither was to be found. `maskWrongAnswer: false` is the paper's ablation.
 */
import { type CharacterRange, type TrainingConversation, taughtAnswer } from "#kernel/conversation.ts";
import type { Item } from "#kernel/item.ts";
import type { Model } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method } from "#kernel/trace.ts";
import { vanilla } from "#methods/plain/vanilla.ts";
import { defineRecipe } from "../recipe-card.ts";
import { checkedOptions, defaultsOf, type RecipeValues, recipeOptions, withDefaults } from "../recipe-options.ts";
import { asking, gradedSamples, type Sampling } from "../shared/graded-samples.ts";
import { collectingFlags, questionsOption, tokenChoiceOptions, weightedOptions } from "../shared/option-groups.ts";
import { type Collected, type OwnAnswersTraining, type SelfTrained, selfTrain, sharedByRounds } from "../shared/self-training.ts";
import { firstQuestions, type Source } from "../sources/source.ts";

/** Sampling, rate and epochs are ours, since neither was to be found; words are in our own. */
export const iscOptions = recipeOptions({
  samples: {
    type: "integer",
    default: 4,
    minimum: 1,
    description: "answers drawn to each question; equal ones count once",
    paper: "several",
  },
  temperature: { type: "number", default: 0.7, description: "of sampling" },
  ...tokenChoiceOptions,
  maxTokens: { type: "integer", default: 512, minimum: 1, description: "most new tokens of an answer" },
  askInstruction: { type: "text", default: undefined, description: "system message when answers are drawn" },
  instruction: {
    type: "text",
    default: "Answer the question step by step. Then check your answer, and if it is wrong, give the corrected answer.",
    description: "system message of the examples and at test",
  },
  verdicts: {
    right: {
      type: "text",
      default: "I have checked this answer: it is correct.",
      description: "what stands behind a right first answer",
    },
    wrong: {
      type: "text",
      default: "I have checked this answer: it is wrong. Corrected:",
      description: "what stands behind a wrong first answer",
    },
  },
  rightPerWrong: {
    type: "number",
    default: Number.POSITIVE_INFINITY,
    maximum: Number.POSITIVE_INFINITY,
    description: "most right first answers for each wrong one",
    paper: "finds that the ratio hardly matters under the mask",
  },
  maskWrongAnswer: {
    type: "boolean",
    default: true,
    description: "wrong first answers are not learned; false is the ablation without partial answer masking",
    paper: "on",
  },
  training: withDefaults(weightedOptions, { tokensPerStep: 16_384, maxTokens: 2048, warmup: 0.03, saveEvery: 200 }),
});

export type IscOptions = RecipeValues<typeof iscOptions>;

export const paperIscOptions: IscOptions = defaultsOf(iscOptions);

/** For a model of a million parameters, whose words are few; at a third of this rate it does not come to give verdicts at all. */
export const smallIscOptions: IscOptions = {
  ...paperIscOptions,
  temperature: 0.9,
  maxTokens: 160,
  instruction: "Solve step by step. Check each step.",
  verdicts: { right: "All right.", wrong: "Not right." },
  training: { ...paperIscOptions.training, epochs: 4, tokensPerStep: 4096, maxTokens: 600, learningRate: 1e-3, warmup: 0.1 },
};

export interface IscTraining extends OwnAnswersTraining<IscOptions> {
  /** A right solution in the form of the model's answers; undefined where there is none. */
  solutionOf?: ((item: Item) => string | undefined) | undefined;
  /** Draws the answers; the model that is trained when left out. */
  answering?: Model;
}

export async function trainIsc(training: IscTraining): Promise<SelfTrained> {
  const { items, verify, solutionOf, answering, seed, signal } = training;
  const options = checkedOptions("isc", iscOptions, training.options);
  const { temperature, topP, topK, maxTokens } = options;
  return selfTrain({
    ...sharedByRounds(training),
    rounds: 1,
    start: "base",
    data: "replace",
    collect: (_round, model) =>
      collectIsc(
        items,
        { model: answering ?? model, verify, temperature, topP, topK, maxTokens, signal },
        options,
        seed,
        solutionOf,
      ),
    options: () => options.training,
  });
}

/** Steps 1 and 2. */
export async function collectIsc(
  items: readonly Item[],
  sampling: Sampling,
  options: IscOptions,
  seed: number,
  solutionOf: (item: Item) => string | undefined = () => undefined,
): Promise<Collected> {
  const drawn = await gradedSamples(
    sampling,
    items.map((item) => ({
      item,
      messages: asking(options.askInstruction, item.question),
      n: options.samples,
      seed: deriveSeed(seed, "isc", item.id),
    })),
  );
  const right: TrainingConversation[] = [];
  const wrong: TrainingConversation[] = [];
  let withoutCorrection = 0;
  for (const [index, item] of items.entries()) {
    const whole = distinct(drawn[index].filter(({ isCut, text }) => !isCut && text.trim() !== ""));
    const correction = solutionOf(item) ?? whole.find(({ isRight }) => isRight)?.text;
    for (const [sample, { text, isRight }] of whole.entries()) {
      const id = `${item.id}-${sample}`;
      if (isRight) right.push(iscExample(id, item.question, { first: text }, options));
      else if (correction === undefined) withoutCorrection++;
      else wrong.push(iscExample(id, item.question, { first: text, correction }, options));
    }
  }
  const most = wrong.length * options.rightPerWrong;
  const kept = wrong.length === 0 ? right : right.slice(0, most);
  return {
    examples: [...kept, ...wrong],
    figures: { asked: items.length, right: right.length, wrong: wrong.length, withoutCorrection, keptRight: kept.length },
  };
}

/** A right answer with its verdict, or a wrong one with its verdict and the correction. */
export function iscExample(
  id: string,
  question: string,
  { first, correction }: { first: string; correction?: string },
  { instruction, verdicts, maskWrongAnswer }: Pick<IscOptions, "instruction" | "verdicts" | "maskWrongAnswer">,
): TrainingConversation {
  const content = correction === undefined ? `${first}\n${verdicts.right}` : `${first}\n${verdicts.wrong}\n${correction}`;
  const masked: CharacterRange[] = correction !== undefined && maskWrongAnswer ? [[0, first.length]] : [];
  return taughtAnswer(id, instruction, question, content, masked);
}

/** Step 4. */
export function iscMethod(options: Pick<IscOptions, "instruction">, id = "isc"): Method {
  return vanilla({ id, instruction: options.instruction });
}

export interface IscAnswer {
  first: string;
  /** Undefined where it gives none. */
  verdict: "right" | "wrong" | undefined;
  /** What stands last: the correction where there is one, else the first answer. */
  final: string;
}

/** The parts of a completion. */
export function readIsc(text: string, { verdicts }: Pick<IscOptions, "verdicts">): IscAnswer {
  const places = (["right", "wrong"] as const)
    .map((verdict) => ({ verdict, at: text.indexOf(verdicts[verdict]) }))
    .filter(({ at }) => at >= 0)
    .sort((one, other) => one.at - other.at);
  const [found] = places;
  if (found === undefined) return { first: text.trim(), verdict: undefined, final: text.trim() };
  const first = text.slice(0, found.at).trim();
  const after = text.slice(found.at + verdicts[found.verdict].length).trim();
  return { first, verdict: found.verdict, final: found.verdict === "wrong" && after !== "" ? after : first };
}

function distinct<S extends { text: string }>(samples: readonly S[]): S[] {
  return [...new Map(samples.map((sample) => [sample.text.trim(), sample])).values()];
}

const fitted = (options: IscOptions) => (source: Source) => ({
  ...options,
  askInstruction: source.prompts.plain,
  maxTokens: source.maxTokens,
});

export const isc = defineRecipe({
  id: "isc",
  name: "ISC",
  paper: { title: "Small Language Model Can Self-Correct", arxiv: "2401.07301", year: 2024 },
  status: "stable",
  summary: "learn to check an answer and to correct it; wrong first answers are not learned",
  options: { ...iscOptions, questions: questionsOption },
  presets: { small: fitted(smallIscOptions), paper: fitted(paperIscOptions) },
  flags: {
    "--samples <number>": { option: "samples" },
    "--learn-wrong": {
      option: "maskWrongAnswer",
      value: false,
      description: "learn wrong first answers too: the ablation without partial answer masking",
    },
    ...collectingFlags,
  },
  learnsFrom: "questions",
  methods: (options) => [iscMethod(options)],
  async train({ options, source, seed, onSteps, ...work }) {
    const { questions, ...own } = options;
    return trainIsc({
      ...work,
      items: firstQuestions(source, questions, seed),
      verify: source.verify,
      solutionOf: source.solutionOf,
      options: own,
      seed,
      onProgress: (round, progress) => onSteps(progress, { round, label: "ISC" }),
    });
  },
  costs: ({ questions, samples }) => ({ answers: questions * samples }),
  examples: ["midcourse train isc --out runs/isc --questions 500"],
});
