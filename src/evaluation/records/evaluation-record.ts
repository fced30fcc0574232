/** What is kept of one answer: one record for each (item, method, sample), plain JSON, so that a run can be stored and resumed. */
import type { NotHonoured, Usage } from "#kernel/model.ts";
import type { Verdict } from "#kernel/refine-grammar.ts";
import type { EndReason, TraceEvent } from "#kernel/trace.ts";
import type { UnreadReasoning } from "./watched-model.ts";

/** One of several attempts that led to an answer: drafts of a refinement, samples of a vote. */
export interface AttemptRecord {
  answer: string;
  /** What the verifier took as the answer; absent when it found none. */
  extracted?: string | undefined;
  accuracy: number;
  /** Of this attempt's call; absent when unknown. */
  outputTokens?: number;
  /** Of this attempt's call; 0 where one prompt served several attempts and stands with the first. */
  inputTokens?: number;
}

export interface EvaluationRecord {
  /** The benchmark, where a run has several; item ids are unique within it. */
  task?: string;
  item: string;
  method: string;
  /** 0, 1, … for repeated runs of one method on one item. */
  sample: number;
  /** The final completion, tags and reasoning included. */
  text: string;
  /** The answer as the user sees it. */
  answer: string;
  /** What the verifier took as the answer; absent when it found none. */
  extracted?: string | undefined;
  /** In [0, 1]; 0 where there is no answer. */
  accuracy: number;
  /** Accuracy when only the answer form that was asked for is read. */
  strictAccuracy?: number;
  /** How grading ended where that says more than the accuracy: `timeout`, `memory`, `unparsable`, … */
  status?: string;
  /** Further figures of the grader, such as ROUGE. */
  measures?: Readonly<Record<string, number>>;
  /** What grading cost, where a judge was asked; not part of `usage`. */
  gradingUsage?: Usage;
  /** Difficulty or category of the item, and what its items' errors go together by. */
  group?: string;
  cluster?: string;
  /** Zero-based index of the reference step that is the first one wrong. */
  firstWrongStep?: number;
  /** Every attempt in order, where there was more than one. */
  attempts?: AttemptRecord[];
  /** What the refine grammar says about the text. */
  verdict: Verdict;
  /** Complete refine spans in the text. */
  refinements: number;
  reason: EndReason;
  /** What failed on the way. The best answer so far is graded all the same, and a later run tries the whole again. */
  error?: string;
  /** What its calls asked for in vain, each once. */
  notHonoured?: readonly NotHonoured[];
  /** How many completions held reasoning and no text, which no method reads and no grader grades. */
  unreadReasoning?: UnreadReasoning;
  /** Prompt and output of every call of this answer; a field is absent when it is unknown. */
  usage: Usage;
  /** Wall time from the first call to the answer, waiting included. */
  seconds?: number;
  /** The method looked at the reference answer. */
  usesOracle?: boolean;
  /** Which version of prompt and extraction. */
  promptVersion?: string;
  /** The whole trace, when it was asked for. */
  events?: TraceEvent[] | undefined;
}

/** Identity of a record within an evaluation. */
export function recordKey(record: Pick<EvaluationRecord, "item" | "method" | "sample"> & { task?: string | undefined }): string {
  return JSON.stringify([record.method, record.item, record.sample, ...(record.task === undefined ? [] : [record.task])]);
}

/** Prompt and output tokens; undefined when one is unknown. */
export function allTokens({ inputTokens, outputTokens }: Usage): number | undefined {
  return inputTokens === undefined || outputTokens === undefined ? undefined : inputTokens + outputTokens;
}

/** The entries that have a value: what is stored holds no `undefined`, so that it is the same before and after it was written. */
export function knownFields<T extends object>(entries: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const known: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(entries)) if (value !== undefined) known[name] = value;
  return known as never;
}
