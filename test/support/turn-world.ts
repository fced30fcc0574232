/**
 * A world of four questions with two turns for the tabular engine: an answer, the request to try again, and an answer that knows the
 * first. After the first answer "1" the second is drawn from the row of the first turn itself, so that teaching the second turn pulls
 * on the first, as it does in a model whose turns share their weights.
 */
import type { Item, Verifier } from "#kernel/item.ts";
import type { Message } from "#kernel/model.ts";
import { Random } from "#kernel/seed.ts";
import { type SupervisedExample, supervisedStep } from "#training/supervised/supervised.ts";
import { TabularEngine } from "./tabular-engine.ts";

const vocabulary = ["q0", "q1", "q2", "q3", "AGAIN", "1", "2", "<end>"];
export const idOf = (text: string) => vocabulary.indexOf(text);
export const [again, endId] = [idOf("AGAIN"), idOf("<end>")];

export const items: Item[] = [0, 1, 2, 3].map((number) => ({
  id: `q${number}`,
  question: `q${number}`,
  answer: number % 2 === 0 ? "1" : "2",
}));

export const verifier: Verifier = (item, answer) => ({ accuracy: answer === item.answer ? 1 : 0, extracted: answer });

/** One token per word; the template writes nothing around a message but the end of an assistant's turn. */
export const tokenizer = {
  stopIds: [endId],
  endOfTurnId: endId,
  encodeConversation: (messages: readonly Message[]) => messages.map((message) => idOf(message.content)),
  decode: (ids: readonly number[]) =>
    ids
      .filter((id) => id !== endId)
      .map((id) => vocabulary[id])
      .join(""),
  continueConversation: (
    prompt: readonly number[],
    sampled: readonly number[],
    _before: readonly Message[],
    next: readonly Message[],
  ) => [...prompt, ...sampled, ...(sampled.at(-1) === endId ? [] : [endId]), ...next.map((message) => idOf(message.content))],
};

const size = vocabulary.length;

export function makeTurnEngine(): TabularEngine {
  return new TabularEngine({
    vocabulary: size,
    contexts: 4 * 2 * size * size,
    contextOf(ids, t) {
      const isSecond = ids.slice(0, t).includes(again);
      const first = isSecond ? ids[1] : 0;
      // The words that open either turn lead to one row where the first answer was "1".
      const isShared = isSecond && ids[t - 1] === again && first === idOf("1");
      const [turn, known, last] = isShared ? [0, 0, ids[0]] : [isSecond ? 1 : 0, first, ids[t - 1]];
      return (((ids[0] & 3) * 2 + turn) * size + known) * size + last;
    },
  });
}

/** First answers are right half of the time; second ones mostly repeat them. */
function example(index: number): SupervisedExample {
  const random = new Random(index);
  const item = random.pick(items);
  const first = random.pick(["1", "2"]);
  const second = random.chance(0.8) ? first : random.pick(["1", "2"]);
  const ids = [item.question, first, "<end>", "AGAIN", second, "<end>"].map(idOf);
  return { ids, mask: ids.map((_, t) => (t === 0 || t === 3 ? 0 : 1)) };
}

/** An engine that has learned from the examples. */
export async function makeTurnBase(steps = 150): Promise<TabularEngine> {
  const engine = makeTurnEngine();
  const adamW = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 };
  const options = { tokensPerStep: 400, maxTokens: 20, tokensPerCall: 1000, adamW };
  let cursor = 0;
  for (let step = 0; step < steps; step++)
    ({ cursor } = await supervisedStep(engine, example, options, { cursor, learningRate: 0.1 }));
  return engine;
}
