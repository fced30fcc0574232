/** The data inside a report's page, as its own script reads it. */

import type { Verdict } from "#kernel/refine-grammar.ts";
import type { TraceEvent } from "#kernel/trace.ts";
import type { TaskResult } from "../summary/results.ts";
import type { PageMark, PageSpan } from "./answer-marks.ts";
import type { TrainingHistory } from "./training-history.ts";

export interface PageData {
  /** Every text once; the rest refers to them by number. */
  texts: string[];
  runs: { label: string; tasks: TaskResult[] }[];
  browser: PageTask[];
  training: readonly TrainingHistory[];
}

export interface PageTask {
  task: string;
  /** How many items are shown of how many, and why not all. */
  note: string;
  items: { id: string; question: number; answer?: string; group?: string }[];
  sets: { run: number; method: string; note?: string; oracle: boolean; answers: (PageTrace | null)[] }[];
  /** Sets shown first, left and right. */
  first: [left: number, right: number];
}

/** One answer. Numbers called `text` point into `texts`. */
export interface PageTrace {
  text: number;
  answer: string;
  extracted?: string;
  accuracy: number;
  strictAccuracy?: number;
  status?: string;
  reason: string;
  error?: string;
  calls: number;
  inputTokens?: number;
  outputTokens?: number;
  seconds?: number;
  refinements: number;
  verdict: Verdict;
  /** The verdict in a sentence, where it is not ok and the text has tags. */
  verdictReason?: string;
  /** Where the text has tags, or steps that are known to be wrong. */
  spans?: PageSpan[];
  marks?: PageMark[];
  /** The first wrong step is not in the text at all. */
  stepMissing?: number;
  events: PageEvent[];
}

export interface PageEvent {
  type: TraceEvent["type"];
  /** Attempt, role, judge, method or reason, as the event has it. */
  name?: string;
  attempt?: number;
  text?: number;
  messages?: { role: string; text: number }[];
  inputTokens?: number;
  outputTokens?: number;
  passed?: boolean;
  score?: number;
  /** Of an attempt that was graded. */
  accuracy?: number;
  inner?: PageEvent;
}
