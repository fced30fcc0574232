/** Records of `midcourse eval` as training data sees them: the calls of the trace in order, each with what is known of its quality. */
import type { Message } from "#kernel/model.ts";
import type { EndReason, TraceEvent } from "#kernel/trace.ts";

/** What views read of a record; the lines of records.jsonl fit. */
export interface TraceRecord {
  task?: string;
  item: string;
  method: string;
  sample: number;
  /** The final completion, tags and reasoning included. */
  text: string;
  /** The answer as the user sees it. */
  answer: string;
  /** Of the final answer, in [0, 1]. */
  accuracy: number;
  /** Of every attempt in order, where there was more than one and they were graded. */
  attempts?: readonly { accuracy: number }[];
  reason: EndReason;
  error?: string;
  usesOracle?: boolean;
  events?: readonly TraceEvent[] | undefined;
}

/** One call of the model. */
export interface TraceTurn {
  kind: "attempt" | "feedback" | "step";
  /** The attempt it made, or is about; −1 where it is about none. */
  attempt: number;
  /** The conversation the model was given. */
  messages: readonly Message[];
  text: string;
  /** Accuracy of an attempt where it was graded; undefined is unknown, not wrong. */
  accuracy: number | undefined;
}

/** Name of an example made from a record, unique within a run. */
export function traceId({ task, item, method, sample }: Pick<TraceRecord, "task" | "item" | "method" | "sample">): string {
  return [...(task === undefined ? [] : [task]), item, method, sample].join("/");
}

/** The calls of the method itself in the order they were made; those of methods inside it are not among them. */
export function turnsOf(record: TraceRecord): TraceTurn[] {
  const turns: TraceTurn[] = [];
  let attempts = 0;
  for (const event of record.events ?? []) {
    if (event.type === "attempt-end") {
      const { attempt, messages, text } = event;
      // The final text's own grade holds for every attempt that reads the same.
      const accuracy = record.attempts?.[attempts++]?.accuracy ?? (text === record.text ? record.accuracy : undefined);
      turns.push({ kind: "attempt", attempt, messages, text, accuracy });
    } else if (event.type === "feedback-end") {
      turns.push({ kind: "feedback", attempt: event.attempt, messages: event.messages, text: event.text, accuracy: undefined });
    } else if (event.type === "step-end") {
      const { attempt = -1, messages, text } = event;
      turns.push({ kind: "step", attempt, messages, text, accuracy: undefined });
    }
  }
  return turns;
}

/** The call that wrote the final completion: the last one of its text, attempts first. Undefined where no call wrote it. */
export function finalTurn(record: TraceRecord, turns: readonly TraceTurn[]): TraceTurn | undefined {
  return (
    turns.findLast(({ kind, text }) => kind === "attempt" && text === record.text) ??
    turns.findLast(({ text }) => text === record.text)
  );
}
