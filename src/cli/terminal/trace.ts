/** A method's trace for a reader at a terminal: shown while it grows, a model's words as they arrive where it streams, whole texts where it does not. */

import { styleText } from "node:util";
import type { CompletionDelta, GenerateOptions, Message, Model, Usage } from "#kernel/model.ts";
import { counted } from "#kernel/numbers.ts";
import { StruckPieces } from "#kernel/secrets.ts";
import type { TraceEvent } from "#kernel/trace.ts";
import { whole } from "#text/numbers.ts";
import { harmless } from "#text/signs.ts";

export interface TraceViewOptions {
  write: (text: string) => void;
  /** A terminal: colours, a line that says what is awaited, and words as they arrive. */
  live: boolean;
}

type Style = Parameters<typeof styleText>[0];

const tones = { answer: ["bold", "cyan"], other: ["bold"], choice: ["bold", "green"], error: ["bold", "red"] } satisfies Record<
  string,
  Style
>;

export class TraceView {
  readonly #write: (text: string) => void;
  readonly #live: boolean;
  #calls = 0;
  #waiting = false;
  /** Where the words of the present call stand: none yet, its reasoning, its text. */
  #streaming: "nothing" | "reasoning" | "text" = "nothing";
  #atLineStart = true;
  /** Answers of the inner runs since the last attempt of the method's own, which is often one of them. */
  #innerTexts = new Set<string>();

  constructor({ write, live }: TraceViewOptions) {
    this.#write = write;
    this.#live = live;
  }

  /** The model with its words shown as they arrive; calls for several samples at once are shown at their end. */
  watch(model: Model): Model {
    if (!this.#live) return model;
    return {
      id: model.id,
      generate: async (messages: readonly Message[], options: GenerateOptions) => {
        this.#callBegins(options.n);
        // A secret may arrive in parts, so an ending that may be one's beginning waits for what follows.
        const held = { text: new StruckPieces(), reasoning: new StruckPieces() };
        const onDelta = (delta: CompletionDelta) => {
          options.onDelta?.(delta);
          if (options.n !== 1) return;
          const reasoning = held.reasoning.push(delta.reasoning ?? "") + (delta.text ? held.reasoning.end() : "");
          this.#show(reasoning, held.text.push(delta.text ?? ""));
        };
        try {
          return await model.generate(messages, { ...options, onDelta });
        } finally {
          this.#show(held.reasoning.end(), held.text.end());
          this.#clearWaiting();
        }
      },
    };
  }

  /** An event that has come to its end. Words that were shown as they arrived are not repeated. */
  add(event: TraceEvent): void {
    this.#clearWaiting();
    const { title, cost, body, tone } = describeEvent(event);
    const wasShown = this.#streaming === "text" && body !== undefined;
    if (this.#streaming !== "nothing") this.#write(`${this.#atLineStart ? "" : "\n"}`);
    this.#streaming = "nothing";
    const isRepeated = event.type === "attempt-end" && this.#innerTexts.has(event.text);
    const innerText = event.type === "inner" ? innerAttempt(event) : undefined;
    if (innerText !== undefined) this.#innerTexts.add(innerText);
    else if (event.type === "attempt-end") this.#innerTexts.clear();
    const as = isRepeated ? ", as above" : "";
    const head = `${this.#styled(tones[tone], harmless(title) + as)}${cost === undefined ? "" : this.#styled("dim", `  ${cost}`)}`;
    const words = body === undefined || wasShown || isRepeated ? "" : this.#indented(body);
    this.#write(wasShown ? `${this.#styled("dim", "↑ ")}${head}\n\n` : `${head}\n${words}${words === "" ? "" : "\n"}`);
  }

  /** Ends what is under way, such as a call that failed. */
  finish(): void {
    this.#clearWaiting();
    if (this.#streaming !== "nothing" && !this.#atLineStart) this.#write("\n");
    this.#streaming = "nothing";
  }

  #callBegins(samples: number): void {
    this.finish();
    this.#calls++;
    const what = samples === 1 ? `call ${this.#calls}` : `call ${this.#calls}, ${samples} samples`;
    this.#write(this.#styled("dim", `… ${what}`));
    this.#waiting = true;
  }

  #clearWaiting(): void {
    if (this.#waiting) this.#write("\r\u001b[2K");
    this.#waiting = false;
  }

  #show(reasoning: string, text: string): void {
    if (reasoning) this.#stream("reasoning", reasoning);
    if (text) this.#stream("text", text);
  }

  #stream(kind: "reasoning" | "text", words: string): void {
    if (this.#streaming !== kind) {
      this.finish();
      this.#clearWaiting();
      this.#write("  ");
      this.#atLineStart = false;
      this.#streaming = kind;
    }
    const shown = harmless(words).replaceAll("\n", "\n  ");
    this.#atLineStart = false;
    this.#write(kind === "reasoning" ? this.#styled("dim", shown) : shown);
  }

  #indented(text: string): string {
    const lines = harmless(text).trimEnd().split("\n");
    return `${lines.map((line) => `  ${line}`.trimEnd()).join("\n")}\n`;
  }

  #styled(style: Style, text: string): string {
    return this.#live ? styleText(style, text, { validateStream: false }) : text;
  }
}

function innerAttempt(event: TraceEvent): string | undefined {
  if (event.type === "inner") return innerAttempt(event.event);
  return event.type === "attempt-end" ? event.text : undefined;
}

export interface EventText {
  /** Such as `feedback on attempt 1`. */
  title: string;
  /** What it has cost; undefined where the event is no call. */
  cost: string | undefined;
  /** The model's words; undefined where there are none. */
  body: string | undefined;
  tone: "answer" | "other" | "choice" | "error";
}

/** Attempts and runs are counted from 1. Titles of inner events begin with the inner method and the number of its run. */
export function describeEvent(event: TraceEvent): EventText {
  switch (event.type) {
    case "attempt-end":
      return { title: `attempt ${event.attempt + 1}`, cost: describeUsage(event.usage), body: event.text, tone: "answer" };
    case "feedback-end":
      return {
        title: `feedback on attempt ${event.attempt + 1}`,
        cost: describeUsage(event.usage),
        body: event.text,
        tone: "other",
      };
    case "step-end": {
      const about = event.attempt === undefined ? "" : ` (attempt ${event.attempt + 1})`;
      return { title: `${event.role}${about}`, cost: describeUsage(event.usage), body: event.text, tone: "other" };
    }
    case "check-end": {
      const score = event.score === undefined ? undefined : `score ${Number(event.score.toFixed(3))}`;
      const verdict = event.passed === undefined ? undefined : event.passed ? "passed" : "not passed";
      const found = [verdict, score].filter((part) => part !== undefined).join(", ") || "no verdict";
      const cost = event.usage.calls === 0 ? undefined : describeUsage(event.usage);
      return {
        title: `attempt ${event.attempt + 1} checked by ${event.by}: ${found}`,
        cost,
        body: event.text || undefined,
        tone: "other",
      };
    }
    case "choice-end":
      return {
        title: `chosen: attempt ${event.attempt + 1} (${event.reason})`,
        cost: undefined,
        body: undefined,
        tone: "choice",
      };
    case "error":
      return { title: `error: ${event.message}`, cost: undefined, body: undefined, tone: "error" };
    case "inner": {
      const inner = describeEvent(event.event);
      return {
        ...inner,
        title: `${event.method} #${event.branch + 1} › ${inner.title}`,
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
    counted(calls, "call"),
    `${count(inputTokens)} tokens in`,
    `${count(outputTokens)} out${reasoningTokens ? ` (${count(reasoningTokens)} of them reasoning)` : ""}`,
    seconds(elapsedMilliseconds),
    ...(dollars ? [`$${dollars < 0.01 ? dollars.toPrecision(2) : dollars.toFixed(2)}`] : []),
  ].join(", ");
}

function count(tokens: number | undefined): string {
  return whole(tokens, "?");
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 9950 ? 1 : 0)} s`;
}
