/** Where training problems come from: the generated small world or a question–answer file, in one shape for every recipe. */

import type { JsonObject } from "#files/json-lines.ts";
import type { TrainingConversation } from "#kernel/conversation.ts";
import type { Grader, Item, Verifier } from "#kernel/item.ts";
import type { Model } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Tokenizer } from "#tokens/tokenizer.ts";
import type { Stream } from "#training/stream.ts";
import type { WeightedExample } from "#training/supervised/supervised.ts";
import type { LeftOutRow } from "../shared/left-out.ts";

export interface Source {
  /** Short name for records and tables. */
  name: string;
  /** System messages that ask for a plain and for a refined answer, and the request for another answer where the source has words for it. */
  prompts: { plain: string; refine: string; improve?: string };
  /** What decides it beside its name, for a run's record: its files by their content, the columns that were named. */
  identity?: JsonObject;
  /** Endless supervised conversations; the same for the same seed. */
  conversations(seed: number): Stream<TrainingConversation>;
  /** Conversations about problems that training never sees, for a loss that says something; at most so many, fewer where there are fewer. */
  heldConversations(count: number, seed: number): TrainingConversation[];
  /** Endless training problems for reinforcement learning. */
  problems(seed: number): Stream<Item>;
  /** Problems that training never sees, for watching a run. */
  validation(count: number, seed: number): readonly Item[];
  /** Problems to report on; never seen in training either. */
  test(count: number, seed: number): readonly Item[];
  verify: Grader;
  /** What grading costs, where a model grades in the place of a rule. */
  judge?: SourceJudge | undefined;
  /** A right solution in the form of a model's answers, where there is one. */
  solutionOf?: ((item: Item) => string | undefined) | undefined;
  /** A look at how a model refines while it trains, where problems can tell. */
  probe?: (model: Model, items: readonly Item[], options: ProbeOptions, signal?: AbortSignal) => Promise<JsonObject>;
  /** Largest number of new tokens an answer may need. */
  maxTokens: number;
  /** Rows of its files that are not used, whatever the model. */
  leftOut?: readonly LeftOutRow[];
  /** The same source without the rows that have a fault. */
  fitting?: (faultOf: RowFault) => { source: Source; leftOut: LeftOutRow[] };
}

/** Why a model cannot take a row, in words that complete “because …”; `conversations` are some that training would make of it. */
export type RowFault = (
  item: Item,
  use: LeftOutRow["use"],
  conversations: () => readonly TrainingConversation[],
) => string | undefined;

export interface SourceJudge {
  /** So far in this process. */
  spent(): JudgeSpent;
}

export interface JudgeSpent {
  /** Answers that were graded, each once however often it was written, and those of them that got no score. */
  answers: number;
  withoutScore: number;
  /** What they cost; an answer that an earlier process had graded counts with what it cost then. Tokens and dollars where they are known. */
  calls: number;
  inputTokens?: number | undefined;
  outputTokens?: number | undefined;
  dollars?: number | undefined;
}

export interface ProbeOptions {
  prompts: { refine: string };
  maxTokens: number;
  temperature: number;
}

/** The first questions of a seed, none twice: a file's come again in every pass. */
export function firstQuestions(source: Source, count: number, seed: number): Item[] {
  const stream = source.problems(deriveSeed(seed, "problems"));
  return [...new Map(Array.from({ length: count }, (_, index) => [stream(index).id, stream(index)])).values()];
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

/** What a layout of question–answer files has to say for itself; file-source.ts does the rest alike for all of them. */
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
