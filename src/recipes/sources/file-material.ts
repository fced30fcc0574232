/** What a layout of question–answer files has to say for itself; file-source.ts does the rest alike for all of them. */
import type { TrainingConversation } from "#kernel/conversation.ts";
import type { Item, Verifier } from "#kernel/item.ts";
import type { Stream } from "#training/stream.ts";

export interface FileMaterial<P> {
  prompts: { plain: string; refine: string };
  /** What makes two problems the same question. */
  questionOf(problem: P): string;
  /** The problem as it is asked and graded. */
  item(problem: P): Item;
  /** Endless supervised conversations about these problems; conversation i is the same for the same seed. */
  conversations(problems: readonly P[], seed: number): Stream<TrainingConversation>;
  /** Endless problems for reinforcement learning. */
  problems(problems: readonly P[], seed: number): Stream<Item>;
  verify: Verifier;
  maxTokens: number;
}

/** "lines 3, 8, 13, 21, 34 and 4 more" */
export function linesText(lines: readonly number[]): string {
  const shown = lines.slice(0, 5).join(", ");
  return `line${lines.length === 1 ? "" : "s"} ${shown}${lines.length > 5 ? ` and ${lines.length - 5} more` : ""}`;
}
