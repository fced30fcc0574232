/** What a benchmark is: where its data lives, how a row becomes an item, what is asked, and how an answer is read and graded. */
import type { Grader, Item } from "#kernel/item.ts";
import type { Message } from "#kernel/model.ts";
import type { JudgeOptions } from "#verifiers/judges/judge.ts";
import type { MathComparer } from "#verifiers/math/comparer.ts";
import type { Sandbox } from "#verifiers/sandbox/sandbox.ts";
import type { EmbeddingClient } from "#verifiers/text/similarity.ts";

/** A table on the Hugging Face hub. */
export interface HubSource {
  /** Such as `openai/gsm8k`. */
  dataset: string;
  config?: string;
  split: string;
  /** Commit of the dataset, so that a benchmark never changes under its name. */
  revision: string;
  /** Its owner asks for an account and an agreement (HF_TOKEN). */
  gated?: boolean;
  /** The files that hold it, where they are known; found by config and split otherwise. */
  files?: readonly string[];
}

export type AnswerKind = "number" | "integer" | "choice" | "math" | "span" | "program" | "summary";

/** What grading needs beside rules; a grader that lacks its tool refuses with a clear error. */
export interface GradingTools {
  sandbox?: Sandbox | undefined;
  /** Of mathematical answers; graders that need one open their own when it is left out. Closing it is the caller's. */
  comparer?: MathComparer | undefined;
  /** Judge models, and how often each is asked. */
  judge?: Omit<JudgeOptions, "kind"> | undefined;
  embed?: EmbeddingClient | undefined;
}

export interface Task {
  /** Name on the command line, such as `gsm8k`. */
  id: string;
  title: string;
  /** Of prompt, extraction and grading together; it stands in every record. */
  version: string;
  answerKind: AnswerKind;
  /** Accuracy of guessing. */
  chance?: number;
  source: HubSource;
  /** Where examples for few-shot prompts come from, and how many are usual. */
  shots?: { source: HubSource; usual: number };
  /** Every group (a subject) brings its own examples; `ask` takes those of the item's group. */
  shotsPerGroup?: boolean;
  /** Column names of published CSV files that have no header row. */
  csvColumns?: readonly string[];
  /** In a folder of published files, how the names of those with items and of those with examples end, such as `_test` and `_dev`. */
  folder?: { items: string; shots: string };
  /** Items made from a seed, for tasks without data; `source` then names nothing that could be downloaded. */
  generate?(count: number, seed: number): Item[];
  /** New tokens of one answer, when the user does not say. */
  maxTokens: number;
  /** One row of the hub's table or of a published file, whichever layout; throws a user error that names row and field. */
  readRow(row: Readonly<Record<string, unknown>>, index: number): Item;
  /** The conversation of an item, worked examples first. */
  ask(item: Item, shots: readonly Item[]): Message[];
  /** The comparable answer in a completion, by form alone; undefined when there is none. */
  readAnswer(completion: string, item: Item): string | undefined;
  /** Whether two answers that were read are the same one. */
  sameAnswer(first: string, second: string): boolean;
  grader(tools: GradingTools): Grader;
}
