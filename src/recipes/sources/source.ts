/** Where training problems come from: the generated small world or a question–answer file, in one shape for every recipe. */
import type { TrainingConversation } from "#kernel/conversation.ts";
import type { Item, Verifier } from "#kernel/item.ts";
import type { Tokenizer } from "#tokens/tokenizer.ts";
import type { Stream } from "#training/stream.ts";
import type { WeightedExample } from "#training/supervised/weighted-supervised.ts";

export interface Source {
  /** Short name for records and tables. */
  name: string;
  /** System messages that ask for a plain and for a refined answer. */
  prompts: { plain: string; refine: string };
  /** Endless supervised conversations; the same for the same seed. */
  conversations(seed: number): Stream<TrainingConversation>;
  /** Endless training problems for reinforcement learning. */
  problems(seed: number): Stream<Item>;
  /** Problems that training never sees, for watching a run. */
  validation(count: number, seed: number): readonly Item[];
  /** Problems to report on; never seen in training either. */
  test(count: number, seed: number): readonly Item[];
  verify: Verifier;
  /** Largest number of new tokens an answer may need. */
  maxTokens: number;
}

/** A conversation as ids with the weight of each token in the loss, and that of the whole where it has one. */
export function toExample(
  tokenizer: Pick<Tokenizer, "encodeTraining">,
  { messages, weight }: TrainingConversation,
): WeightedExample {
  const example = tokenizer.encodeTraining(messages, {
    trainable: (_message, index) => messages[index].trainable,
    unlearned: (_message, index) => (messages[index].masked ?? []).map(([start, end]) => ({ start, end })),
  });
  return weight === undefined ? example : { ...example, weight };
}
