/** Tells one run of a method as a stream of the AI SDK's parts: every block that begins also ends, whatever happens between. */
import type { LanguageModelV4Content, LanguageModelV4StreamPart, SharedV4Warning } from "@ai-sdk/provider";
import type { CallPurpose, CompletionDelta } from "#kernel/model.ts";
import type { Method, Outcome, TraceEvent } from "#kernel/trace.ts";
import { LiveAnswer } from "./live.ts";
import { blockEnd, headline, headlineAfter, headlineBefore, wordsOf } from "./progress.ts";
import { progressMark } from "./prompt.ts";
import type { CallListener, RequestRun } from "./request.ts";
import { endOf } from "./result.ts";

export interface TellerOptions {
  showProgress: boolean;
  /** The first call's text is told while it arrives. */
  live: Method["liveAnswer"];
}

export class StreamTeller implements CallListener {
  readonly stream: ReadableStream<LanguageModelV4StreamPart>;
  /** Aborts when nobody reads the stream any more. */
  readonly cancelled: AbortSignal;
  /** Resolves with the first part after the stream's start. */
  readonly begun: Promise<void>;
  /** Known once the first inner call has begun to answer, which is before the first part. */
  warnings: () => SharedV4Warning[] = () => [];
  readonly #options: TellerOptions;
  readonly #open = new Map<string, "text" | "reasoning">();
  readonly #live: LiveAnswer | undefined;
  /** Texts that were told while they arrived, and the headline over each. */
  readonly #told = new Map<string, string>();
  readonly #purposes = new Map<number, CallPurpose | undefined>();
  readonly #arriving = new Map<string, string>();
  /** Failed calls before anything was told. */
  readonly #held: TraceEvent[] = [];
  #controller!: ReadableStreamDefaultController<LanguageModelV4StreamPart>;
  #begin!: () => void;
  #started = false;
  #ended = false;
  #blocks = 0;

  constructor(options: TellerOptions) {
    const cancel = new AbortController();
    this.cancelled = cancel.signal;
    this.#options = options;
    this.#live = options.live && new LiveAnswer(options.live);
    this.begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
    this.stream = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: (reason) => {
        this.#ended = true;
        cancel.abort(reason);
      },
    });
  }

  begin(call: number, samples: number, purpose: CallPurpose | undefined): ((delta: CompletionDelta) => void) | undefined {
    this.#purposes.set(call, purpose);
    if (this.#live && call === 0 && samples === 1) return (delta) => this.#answerPiece(delta);
    return this.#options.showProgress ? (delta) => this.#progressPiece(call, delta) : undefined;
  }

  end(call: number): void {
    for (const [id, text] of this.#arriving) {
      if (!id.startsWith(`call-${call}-`)) continue;
      this.#arriving.delete(id);
      this.#told.set(text, this.#headline(call, Number(id.slice(id.lastIndexOf("-") + 1))));
      if (this.#open.has(id)) this.#piece(id, "reasoning", blockEnd);
      this.#close(id);
    }
  }

  event(event: TraceEvent): void {
    const words = wordsOf(event);
    if (!this.#options.showProgress || (this.#live && event.type === "attempt-end")) return;
    // Told alone, it would stand in the way of the request's failing as a whole.
    if (!this.#started && isFailure(event)) {
      this.#held.push(event);
      return;
    }
    for (const held of this.#held.splice(0)) this.#block("reasoning", headline(held) + blockEnd, progressMark);
    const before = words === "" ? undefined : this.#told.get(words);
    const left = before === undefined ? headline(event) : headlineAfter(event, before);
    if (left === "") return;
    const text = words === "" || before !== undefined ? left : `${left}\n\n${words.trim()}`;
    this.#block("reasoning", text + blockEnd, progressMark);
  }

  finish(parts: readonly LanguageModelV4Content[], outcome: Outcome, state: RequestRun): void {
    if (this.#live) this.#tellLive(this.#live.flush());
    const whole = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
    const rest = this.#live ? this.#live.rest(whole.trim()) : undefined;
    if (rest !== undefined) {
      if (rest !== "") this.#piece("answer", "text", rest);
      this.#closeAll();
    }
    for (const part of parts) {
      if (part.type === "text") {
        if (rest === undefined) this.#block("text", part.text, part.providerMetadata);
      } else if (part.type === "reasoning") {
        // What was heard while it arrived is told again only where something hangs on it, such as a signature.
        const heard = this.#live !== undefined || this.#options.showProgress;
        if (!heard || part.providerMetadata) this.#block("reasoning", part.text, part.providerMetadata);
      } else this.#tell(part as LanguageModelV4StreamPart);
    }
    this.#tell({ type: "finish", ...endOf(state, outcome) });
    this.#end(() => this.#controller.close());
  }

  /** Before anything was told the failure is thrown, for the request as a whole; afterwards it is a part of the stream. */
  fail(error: unknown, aborted: boolean): void {
    if (this.#ended) return;
    if (!this.#started) {
      this.#ended = true;
      throw error;
    }
    this.#closeAll();
    if (aborted) {
      this.#end(() => this.#controller.error(error));
      return;
    }
    this.#tell({ type: "error", error });
    this.#end(() => this.#controller.close());
  }

  #answerPiece({ text, reasoning }: CompletionDelta): void {
    if (reasoning) this.#reasoning(reasoning);
    if (text) this.#tellLive(this.#live!.push(text));
  }

  #tellLive({ text, reasoning }: { text: string; reasoning: string }): void {
    if (reasoning !== "") this.#reasoning(reasoning);
    if (text !== "") this.#piece("answer", "text", text);
  }

  #reasoning(text: string): void {
    if (this.#options.showProgress) this.#piece("thought", "reasoning", text);
  }

  #progressPiece(call: number, { sample, text = "", reasoning = "" }: CompletionDelta): void {
    const id = `call-${call}-${sample}`;
    const heard = this.#arriving.get(id) ?? "";
    // Where text follows the model's own reasoning, a blank line stands between.
    const gap = text !== "" && heard === "" && this.#open.has(id) ? "\n\n" : "";
    this.#arriving.set(id, heard + text);
    const piece = `${reasoning}${gap}${text}`;
    if (piece === "") return;
    const title = this.#open.has(id) ? "" : this.#headline(call, sample);
    this.#piece(id, "reasoning", title === "" ? piece : `${title}\n\n${piece}`);
  }

  /** Stands over what is about to arrive; empty where the method does not say what it is. */
  #headline(call: number, sample: number): string {
    const purpose = this.#purposes.get(call);
    return purpose === undefined ? "" : headlineBefore(purpose, sample);
  }

  #piece(id: string, type: "text" | "reasoning", delta: string): void {
    if (!this.#open.has(id)) {
      this.#open.set(id, type);
      this.#tell({ type: `${type}-start`, id, ...(type === "reasoning" ? { providerMetadata: progressMark } : {}) });
    }
    this.#tell({ type: `${type}-delta`, id, delta });
  }

  #block(type: "text" | "reasoning", text: string, providerMetadata: LanguageModelV4Content["providerMetadata"]): void {
    const id = `${type}-${this.#blocks++}`;
    const metadata = providerMetadata ? { providerMetadata } : {};
    this.#tell({ type: `${type}-start`, id, ...metadata });
    if (text !== "") this.#tell({ type: `${type}-delta`, id, delta: text });
    this.#tell({ type: `${type}-end`, id, ...metadata });
  }

  #close(id: string): void {
    const type = this.#open.get(id);
    if (type && this.#open.delete(id)) this.#tell({ type: `${type}-end`, id });
  }

  #closeAll(): void {
    for (const id of [...this.#open.keys()]) this.#close(id);
  }

  #tell(part: LanguageModelV4StreamPart): void {
    if (this.#ended) return;
    if (!this.#started) {
      this.#started = true;
      this.#controller.enqueue({ type: "stream-start", warnings: this.warnings() });
    }
    this.#controller.enqueue(part);
    this.#begin();
  }

  #end(close: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    close();
  }
}

function isFailure(event: TraceEvent): boolean {
  return event.type === "inner" ? isFailure(event.event) : event.type === "error";
}
