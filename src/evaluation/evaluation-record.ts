/** What is kept of one answer: one record for each (item, method, sample), plain JSON, so that a run can be stored and resumed. */
import type { Usage } from "#kernel/model.ts";
import type { Verdict } from "#kernel/refine-grammar.ts";
import type { EndReason, TraceEvent } from "#kernel/trace.ts";

/** One of several attempts that led to an answer: drafts of a refinement, samples of a vote. */
export interface AttemptRecord {
  answer: string;
  /** What the verifier took as the answer; absent when it found none. */
  extracted?: string;
  accuracy: number;
  /** Of this attempt's call; absent when unknown. */
  outputTokens?: number;
}

export interface EvaluationRecord {
  item: string;
  method: string;
  /** 0, 1, … for repeated runs of one method on one item. */
  sample: number;
  /** The final completion, tags and reasoning included. */
  text: string;
  /** The answer as the user sees it. */
  answer: string;
  /** What the verifier took as the answer; absent when it found none. */
  extracted?: string;
  /** In [0, 1]; 0 where there is no answer. */
  accuracy: number;
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
  /** Prompt and output of every call of this answer; a field is absent when it is unknown. */
  usage: Usage;
  /** The whole trace, when it was asked for. */
  events?: TraceEvent[];
}

/** Identity of a record within an evaluation. */
export function recordKey(record: Pick<EvaluationRecord, "item" | "method" | "sample">): string {
  return JSON.stringify([record.method, record.item, record.sample]);
}

/** Prompt and output tokens; undefined when one is unknown. */
export function allTokens({ inputTokens, outputTokens }: Usage): number | undefined {
  return inputTokens === undefined || outputTokens === undefined ? undefined : inputTokens + outputTokens;
}
