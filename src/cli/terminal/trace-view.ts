/** Shows a trace while it grows: a model's words as they arrive where it streams, whole texts where it does not. */
import { styleText } from "node:util";
import type { CompletionDelta, GenerateOptions, Message, Model } from "#kernel/model.ts";
import type { TraceEvent } from "#kernel/trace.ts";
import { describeEvent, harmless } from "./trace-text.ts";

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
        const onDelta = (delta: CompletionDelta) => {
          options.onDelta?.(delta);
          if (options.n === 1) this.#show(delta);
        };
        try {
          return await model.generate(messages, { ...options, onDelta });
        } finally {
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

  #show({ text, reasoning }: CompletionDelta): void {
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
