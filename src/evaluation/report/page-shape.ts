/**
 * The data inside a report's page, as its own script reads it. What the figures need is plain JSON. All that may grow large is packed (JSON,
 * gzip, base64): an index of each task, which every list and filter is made from, and the traces in parts of some hundred thousand characters
 * each, of which the page unpacks those that are looked at.
 */

import type { Verdict } from "#kernel/refine-grammar.ts";
import type { TraceEvent } from "#kernel/trace.ts";
import type { TaskResult } from "../summary/results.ts";
import type { PageMark, PageSpan } from "./answer-marks.ts";
import type { TrainingHistory } from "./training-history.ts";

export interface PageData {
  runs: { label: string; tasks: TaskResult[] }[];
  browser: PageTask[];
  training: readonly TrainingHistory[];
}

export interface PageTask {
  task: string;
  /** How many items there are, and what is not shown of them. */
  note: string;
  sets: { run: number; method: string; note?: string; oracle: boolean }[];
  /** Sets shown first, left and right. */
  first: [left: number, right: number];
  /** Some text has think, refine or answer tags. */
  tagged: boolean;
}

/** What lists, filters and orders need of every item of a task, by columns. */
export interface PageIndex {
  ids: string[];
  /** The beginning of each question. */
  questions: string[];
  groups: (string | null)[];
  /** One for each of the task's sets. */
  sets: {
    /** Sums of `answerFlags`; 0 where there is no answer. */
    flags: number[];
    /** Equal numbers of two sets are equal answers to the item. */
    answers: number[];
    /** Sampled ones. */
    tokens: (number | null)[];
  }[];
}

/** What an answer is, in one number; the page's `flagsOf` names them again. */
export const answerFlags = { given: 1, right: 2, partly: 4, failed: 8, refined: 16, malformed: 32 } as const;

/** Items of a task that follow each other, in full. */
export interface PagePart {
  /** Every text of the part once; the rest refers to them by number. */
  texts: string[];
  items: PageItem[];
}

export interface PageItem {
  question: number;
  answer?: string;
  /** All its texts, each once. */
  uses: number[];
  /** One for each of the task's sets. */
  answers: (PageTrace | null)[];
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
