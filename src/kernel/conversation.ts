/** A conversation prepared for supervised training: which messages carry loss, and which stretches inside them do not. */
import type { Message } from "./model.ts";

/** Half-open range of UTF-16 code units in a message's content. */
export type CharacterRange = readonly [start: number, end: number];

export interface TrainingMessage extends Message {
  /** False: every token of this message has weight 0. Only an assistant's message may be true. */
  trainable: boolean;
  /** Stretches of a trainable message with weight 0 all the same, such as a wrong first attempt; ascending, disjoint. */
  masked?: readonly CharacterRange[];
}

export interface TrainingConversation {
  id: string;
  messages: readonly TrainingMessage[];
  /** Factor on the whole example in the loss: finite, 0 or above; 1 when left out. An example of weight 0 is not trained on. */
  weight?: number;
}

/** One question under a system message with the answer that is learned, but for the stretches in `masked`. */
export function taughtAnswer(
  id: string,
  instruction: string,
  question: string,
  answer: string,
  masked: readonly CharacterRange[] = [],
): TrainingConversation {
  return {
    id,
    messages: [
      { role: "system", content: instruction, trainable: false },
      { role: "user", content: question, trainable: false },
      { role: "assistant", content: answer, trainable: true, ...(masked.length > 0 ? { masked } : {}) },
    ],
  };
}

/**
 * What PTR (arXiv 2410.13413) says after every answer to have it improved, in our words: always the same, in training files as in the method,
 * because a model that was trained with one request need not know another.
 */
export const refineRequest =
  "Think about your answer once more: correct what is wrong in it, make it more precise and more complete, and write the whole improved answer.";
