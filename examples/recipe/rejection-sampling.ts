/**
 * A recipe of your own: draw several answers to each question, keep the right ones that differ, and train the base on them.
 *
 * "Scaling Relationship on Learning Mathematical Reasoning with Large Language Models", Zheng Yuan et al., 2023, arXiv 2308.01825
 * (rejection sampling fine-tuning).
 *
 * Algorithm
 *   1. Draw k answers to each training question.
 *   2. Keep those that are right and whole, each text once: different ways to the same answer teach more than one way seen often.
 *   3. Train the base on them, all tokens of an answer alike.
 *
 * Deviations: the paper calls two ways the same when their equations are, here when their texts are; k is 100 there.
 *
 * `npx midcourse train ./examples/recipe/rejection-sampling.ts --samples 8`, or in a program
 * `runRecipe(rejectionSampling, { out: "runs/rejection-sampling", options: { samples: 8 } })`.
 */
import { vanilla } from "midcourse";
import {
  collectingFlags,
  defineRecipe,
  deriveSeed,
  firstQuestions,
  gradedSamples,
  questionsOption,
  selfTrain,
  smallWeighted,
  weightedOptions,
} from "midcourse/training";

export const rejectionSampling = defineRecipe({
  id: "rejection-sampling",
  name: "RFT",
  paper: {
    title: "Scaling Relationship on Learning Mathematical Reasoning with Large Language Models",
    arxiv: "2308.01825",
    year: 2023,
  },
  status: "experimental",
  summary: "learn one's own right answers, each way to them once",
  options: {
    samples: { type: "integer", default: 100, minimum: 1, description: "answers drawn to each question", paper: "100" },
    temperature: { type: "number", default: 0.7, description: "of sampling", paper: "0.7" },
    maxTokens: { type: "integer", default: 512, minimum: 1, description: "most new tokens of an answer" },
    instruction: { type: "text", default: "Work out the question step by step.", description: "system message" },
    questions: questionsOption,
    training: weightedOptions,
  },
  // The first preset is what is taken unless another is named; one may fit itself to where the questions come from.
  presets: {
    small: ({ prompts, maxTokens }) => ({
      samples: 8,
      temperature: 0.9,
      maxTokens,
      instruction: prompts.plain,
      training: smallWeighted,
    }),
    paper: { training: { learningRate: 2e-5 } },
  },
  flags: { "--samples <number>": { option: "samples" }, ...collectingFlags },
  learnsFrom: "questions",
  methods: ({ instruction }) => [vanilla({ id: "rejection-sampling", instruction })],
  train({ options, engine, tokenizer, run, source, seed, signal, onSteps }) {
    const { samples, temperature, maxTokens, instruction, questions, training } = options;
    return selfTrain({
      ...{ engine, tokenizer, run, seed, signal, rounds: 1, start: "base", data: "replace" },
      options: () => training,
      async collect(_round, model) {
        const asked = firstQuestions(source, questions, seed).map((item) => ({
          item,
          messages: [
            { role: "system" as const, content: instruction },
            { role: "user" as const, content: item.question },
          ],
          n: samples,
          seed: deriveSeed(seed, "answers", item.id),
        }));
        const drawn = await gradedSamples({ model, verify: source.verify, temperature, maxTokens, signal }, asked);
        const examples = asked.flatMap(({ item, messages }, index) => {
          const right = drawn[index].filter(({ isRight, isCut }) => isRight && !isCut).map(({ text }) => text);
          return [...new Set(right)].map((content, way) => ({
            id: `${item.id}-${way}`,
            messages: [
              ...messages.map((message) => ({ ...message, trainable: false })),
              { role: "assistant" as const, content, trainable: true },
            ],
          }));
        });
        return { examples, figures: { asked: asked.length, kept: examples.length } };
      },
      onProgress: (round, progress) => onSteps(progress, { round }),
    });
  },
  costs: ({ questions, samples }) => ({ answers: questions * samples }),
});
