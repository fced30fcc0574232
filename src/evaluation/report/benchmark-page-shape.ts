/** The data inside a benchmark's page, as its own script reads it. */
import type { TraceEvent } from "#kernel/trace.ts";
import type { BenchmarkTaskResult } from "../summary/benchmark-results.ts";

export interface BenchmarkPageData {
  /** Every text once; the rest refers to them by number. */
  texts: string[];
  runs: { label: string; tasks: BenchmarkTaskResult[] }[];
  browser: PageTask[];
}

export interface PageTask {
  task: string;
  /** How many items are shown of how many, and why not all. */
  note: string;
  items: { id: string; question: number; answer?: string; group?: string }[];
  sets: { run: number; method: string; oracle: boolean; answers: (PageTrace | null)[] }[];
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
