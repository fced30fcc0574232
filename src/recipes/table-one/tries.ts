/**
 * Right second tries of the base, in the place of a teacher's solutions: the base answers, is asked to try again many times, and the first try
 * that is right by the reference answer counts. So ISC and PTR, whose papers take solutions from people or a stronger model, have here what
 * everybody has: the questions and their answers. Also PTR's examples that end in such a try.
 */
import type { TrainingConversation } from "#kernel/conversation.ts";
import type { Message } from "#kernel/model.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import type { WorldItem } from "#tasks/world/items.ts";
import { worldPrompts } from "#tasks/world/solutions.ts";
import { asking, gradedSamples, type Sampling } from "../shared/graded-samples.ts";

export interface TryOptions {
  /** Largest number of attempts before the tries; how many a question gets is drawn, from 1. */
  attempts: number;
  /** Tries after them. */
  tries: number;
}

export interface RightTry {
  item: WorldItem;
  /** Question, attempts as they came, and after each the request for another. */
  messages: Message[];
  /** Right, whole, and no repetition of an attempt. */
  text: string;
}

/** One for each question that has one, in the order of the questions. */
export async function rightSecondTries(
  items: readonly WorldItem[],
  sampling: Sampling,
  { attempts: most, tries }: TryOptions,
  seed: number,
): Promise<RightTry[]> {
  const asked = items.map((item) => ({
    item,
    messages: opening(item),
    n: new Random(deriveSeed(seed, "attempts", item.id)).integer(1, most),
    seed: deriveSeed(seed, "attempt", item.id),
  }));
  const drawn = await gradedSamples(sampling, asked);
  const dialogues = items.flatMap((item, index) => {
    const attempts = drawn[index].filter(({ isCut, text }) => !isCut && text.trim() !== "").map(({ text }) => text);
    const turns = attempts.flatMap((content): Message[] => [
      { role: "assistant", content },
      { role: "user", content: worldPrompts.improve },
    ]);
    return attempts.length === 0 ? [] : [{ item, attempts, messages: [...opening(item), ...turns] }];
  });
  const again = await gradedSamples(
    sampling,
    dialogues.map(({ item, messages }) => ({ item, messages, n: tries, seed: deriveSeed(seed, "try", item.id) })),
  );
  return dialogues.flatMap(({ item, attempts, messages }, index): RightTry[] => {
    const right = again[index].find(({ isRight, isCut, text }) => isRight && !isCut && !attempts.includes(text));
    return right ? [{ item, messages, text: right.text }] : [];
  });
}

/** Only the last try is learned. */
export function ptrConversation({ item, messages, text }: RightTry): TrainingConversation {
  return {
    id: `${item.id}-ptr`,
    messages: [
      ...messages.map((message) => ({ ...message, trainable: false })),
      { role: "assistant", content: text, trainable: true },
    ],
  };
}

function opening({ question }: WorldItem): Message[] {
  return asking(worldPrompts.plain, question);
}
