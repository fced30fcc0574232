/** A method's trace in words for a reader, and in figures for programs. */
import type { JSONObject } from "@ai-sdk/provider";
import type { CallPurpose, Usage } from "#kernel/model.ts";
import type { Outcome, TraceEvent } from "#kernel/trace.ts";

/** Stands at the end of each block of progress, because the SDK joins blocks with nothing between (`reasoningText`). */
export const blockEnd = "\n\n";

/** The headline of what a call will bring, as far as it can be known before. */
export function headlineBefore({ kind, attempt = 0, role = "" }: CallPurpose, sample: number): string {
  switch (kind) {
    case "answer":
      return `Attempt ${attempt + sample + 1}`;
    case "feedback":
      return `Feedback on attempt ${attempt + 1}`;
    case "check":
      return `Check of attempt ${attempt + 1} by ${role}`;
    case "step":
      return capitalised(role);
  }
}

/** What is left to say of an event once `before` stood over its words; empty where that was all. */
export function headlineAfter(event: TraceEvent, before: string): string {
  if (event.type === "inner") return headlineAfter(event.event, before);
  const whole = headline(event);
  if (!whole.startsWith(before)) return whole;
  const rest = whole.slice(before.length);
  return rest.startsWith(": ") ? capitalised(rest.slice(2)) : "";
}

/** One line that says what happened. */
export function headline(event: TraceEvent): string {
  switch (event.type) {
    case "attempt-end":
      return `Attempt ${event.attempt + 1}`;
    case "feedback-end":
      return `Feedback on attempt ${event.attempt + 1}`;
    case "step-end":
      return event.attempt === undefined ? capitalised(event.role) : `${capitalised(event.role)}, attempt ${event.attempt + 1}`;
    case "check-end": {
      const verdict = event.passed === undefined ? "no verdict" : event.passed ? "passed" : "failed";
      const score = event.score === undefined ? "" : `, ${Math.round(event.score * 100)} %`;
      return `Check of attempt ${event.attempt + 1} by ${event.by}: ${verdict}${score}`;
    }
    case "choice-end":
      return `Attempt ${event.attempt + 1} is the answer: ${event.reason}`;
    case "inner":
      return `${event.method} ${event.branch + 1} › ${headline(event.event)}`;
    case "error":
      return `A call failed: ${event.message}`;
  }
}

/** The model's or checker's words in an event; empty where it has none. */
export function wordsOf(event: TraceEvent): string {
  if (event.type === "inner") return wordsOf(event.event);
  return "text" in event ? event.text : "";
}

/** For `providerMetadata.midcourse`: figures without texts. What is unknown is left out. */
export function summaryOf(
  method: string,
  seed: number,
  events: readonly TraceEvent[],
  outcome: Pick<Outcome, "reason" | "usage">,
): JSONObject {
  return {
    method,
    reason: outcome.reason,
    calls: outcome.usage.calls,
    seed,
    usage: usageFigures(outcome.usage),
    events: events.map(eventFigures),
  };
}

function eventFigures(event: TraceEvent): JSONObject {
  if (event.type === "inner") {
    return { type: "inner", method: event.method, branch: event.branch, event: eventFigures(event.event) };
  }
  const { type } = event;
  const figures: JSONObject = { type };
  for (const name of ["attempt", "role", "by", "passed", "score", "reason", "message"] as const) {
    const value = (event as Record<string, unknown>)[name];
    if (value !== undefined) figures[name] = value as string | number | boolean;
  }
  if ("usage" in event) figures.usage = usageFigures(event.usage);
  return figures;
}

function usageFigures(usage: Usage): JSONObject {
  const known = Object.entries(usage).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as JSONObject;
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
