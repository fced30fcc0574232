/**
 * A world of four questions for the tabular engine, in which refining is a real decision: on the hard questions a plain answer is right
 * half the time and a refined one nearly always; on the easy questions a plain answer is always right and refining breaks some.
 */

import type { Item, Verifier } from "#kernel/item.ts";
import type { Message } from "#kernel/model.ts";
import { Random } from "#kernel/seed.ts";
import { type SupervisedExample, supervisedStep } from "#training/supervised/supervised.ts";
import { type TableShape, TabularEngine } from "./tabular-engine.ts";

const words = ["REFINE", "PLAIN", "q0", "q1", "q2", "q3"];
const tags = ["<think>", "</think>", "<refine>", "</refine>", "<answer>", "</answer>"];
const vocabulary = [...words, ...tags, "1", "2", "<stop>"];
const idOf = (text: string) => vocabulary.indexOf(text);
export const stopId = idOf("<stop>");

export const prompts = { refine: "REFINE", plain: "PLAIN" };

export const items: Item[] = [0, 1, 2, 3].map((number) => ({
  id: `q${number}`,
  question: `q${number}`,
  answer: number % 2 === 0 ? "1" : "2",
  group: number < 2 ? "easy" : "hard",
}));

export const verifier: Verifier = (item, answer) => ({ accuracy: answer === item.answer ? 1 : 0, extracted: answer });

/** One token per word; a conversation is the system message's word and the question's. */
export const tokenizer = {
  stopIds: [stopId],
  encodeConversation: (messages: readonly Message[]) => messages.map((message) => idOf(message.content)),
  decode: (ids: readonly number[]) =>
    ids
      .filter((id) => id !== stopId)
      .map((id) => vocabulary[id])
      .join(""),
};

const size = vocabulary.length;
const refine = idOf("<refine>");

/** Kind of prompt, question, whether anything was refined so far, and the last two ids. */
const shape: TableShape = {
  vocabulary: size,
  contexts: 2 * 4 * 2 * size * size,
  contextOf(ids, t) {
    const refined = ids.slice(0, t).includes(refine) ? 1 : 0;
    return ((((ids[0] & 1) * 4 + (ids[1] & 3)) * 2 + refined) * size + ids[t - 2]) * size + ids[t - 1];
  },
};

export function makeEngine(): TabularEngine {
  return new TabularEngine(shape);
}

/** Example i of the supervised stream: the base learns both formats from it, and refines without regard to need. */
export function example(index: number): SupervisedExample {
  const random = new Random(index);
  const item = random.pick(items);
  const isHard = item.group === "hard";
  const isPlain = random.chance(0.4);
  const isRefined = !isPlain && random.chance(0.5);
  const isRight = random.chance(isRefined ? (isHard ? 0.95 : 0.7) : isHard ? 0.5 : 1);
  const answer = isRight ? item.answer : item.answer === "1" ? "2" : "1";
  const guess = random.pick(["1", "2"]);
  const refinement = isRefined ? ["<refine>", answer, "</refine>"] : [];
  const written = ["<think>", guess, ...refinement, "</think>", "<answer>", answer, "</answer>", "<stop>"];
  const ids = [isPlain ? "PLAIN" : "REFINE", item.question, ...written].map(idOf);
  return { ids, mask: ids.map((_, t) => (t < 2 ? 0 : 1)) };
}

const adamW = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 };

/** An engine that has learned from the examples. */
export async function makeBase(steps = 120): Promise<TabularEngine> {
  const engine = makeEngine();
  const options = { tokensPerStep: 400, maxTokens: 20, tokensPerCall: 1000, adamW };
  let cursor = 0;
  for (let step = 0; step < steps; step++)
    ({ cursor } = await supervisedStep(engine, example, options, { cursor, learningRate: 0.1 }));
  return engine;
}
