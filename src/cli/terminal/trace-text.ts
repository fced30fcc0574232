/** A method's trace for a reader at a terminal: a title for each event and the text under it. Pure; `solve.ts` prints it. */
import type { Usage } from "#kernel/model.ts";
import type { TraceEvent } from "#kernel/trace.ts";

export interface EventText {
  /** Such as `feedback on attempt 1`. */
  title: string;
  /** What it has cost; undefined where the event is no call. */
  cost: string | undefined;
  /** The model's words; undefined where there are none. */
  body: string | undefined;
  tone: "answer" | "other" | "choice" | "error";
}

/** Titles of inner events begin with the inner method and the number of its run. */
export function describeEvent(event: TraceEvent): EventText {
  switch (event.type) {
    case "attempt-end":
      return { title: `attempt ${event.attempt}`, cost: describeUsage(event.usage), body: event.text, tone: "answer" };
    case "feedback-end":
      return { title: `feedback on attempt ${event.attempt}`, cost: describeUsage(event.usage), body: event.text, tone: "other" };
    case "step-end": {
      const about = event.attempt === undefined ? "" : ` (attempt ${event.attempt})`;
      return { title: `${event.role}${about}`, cost: describeUsage(event.usage), body: event.text, tone: "other" };
    }
    case "check-end": {
      const score = event.score === undefined ? undefined : `score ${Number(event.score.toFixed(3))}`;
      const verdict = event.passed === undefined ? undefined : event.passed ? "passed" : "not passed";
      const found = [verdict, score].filter((part) => part !== undefined).join(", ") || "no verdict";
      const cost = event.usage.calls === 0 ? undefined : describeUsage(event.usage);
      return {
        title: `attempt ${event.attempt} checked by ${event.by}: ${found}`,
        cost,
        body: event.text || undefined,
        tone: "other",
      };
    }
    case "choice-end":
      return { title: `chosen: attempt ${event.attempt} (${event.reason})`, cost: undefined, body: undefined, tone: "choice" };
    case "error":
      return { title: `error: ${event.message}`, cost: undefined, body: undefined, tone: "error" };
    case "inner": {
      const inner = describeEvent(event.event);
      return {
        ...inner,
        title: `${event.method} #${event.branch} › ${inner.title}`,
        tone: inner.tone === "error" ? "error" : "other",
      };
    }
  }
}

/** Such as `412 in, 96 out, 1.2 s`; what is not known is a question mark. */
export function describeUsage({ inputTokens, outputTokens, milliseconds }: Usage): string {
  return `${count(inputTokens)} in, ${count(outputTokens)} out, ${seconds(milliseconds)}`;
}

/** The last line of a trace: everything it has cost. */
export function describeTotal(usage: Usage, elapsedMilliseconds: number): string {
  const { calls, inputTokens, outputTokens, reasoningTokens, dollars } = usage;
  return [
    `${calls} ${calls === 1 ? "call" : "calls"}`,
    `${count(inputTokens)} tokens in`,
    `${count(outputTokens)} out${reasoningTokens ? ` (${count(reasoningTokens)} of them reasoning)` : ""}`,
    seconds(elapsedMilliseconds),
    ...(dollars ? [`$${dollars < 0.01 ? dollars.toPrecision(2) : dollars.toFixed(2)}`] : []),
  ].join(", ");
}

/** A model's words without what would steer the terminal; line breaks and tabs stay. */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  return text.replace(/\r\n?/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\uFFFD");
}

function count(tokens: number | undefined): string {
  return tokens === undefined ? "?" : tokens.toLocaleString("en-GB");
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 9950 ? 1 : 0)} s`;
}
