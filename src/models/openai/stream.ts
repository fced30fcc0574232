/** A streamed reply (server-sent events, in pieces split anywhere) as deltas while it arrives and as completions at its end. */
import { createParser, type EventSourceParser } from "eventsource-parser";
import { remoteError } from "#kernel/errors.ts";
import type { Completion, CompletionDelta, TokenLogprob } from "#kernel/model.ts";
import { getOrMake } from "#kernel/values.ts";
import { errorInReply } from "./failure.ts";
import { ReasoningSplitter } from "./reasoning-text.ts";
import {
  chunkShape,
  completionsOf,
  emptyReply,
  type MessageShape,
  messageReasoning,
  messageText,
  type RawChoice,
  type ReplySettings,
  readLogprobs,
  type UsageShape,
} from "./reply.ts";

interface Arriving {
  text: string[];
  reasoning: string[];
  finishReason?: string | undefined;
  tools: Map<number, ToolCallPieces>;
  logprobs?: TokenLogprob[];
  failed: boolean;
  splitter: ReasoningSplitter;
}

interface ToolCallPieces {
  whole: Record<string, unknown>;
  name: string;
  arguments: string;
}

export class ChatStream {
  readonly #settings: Omit<ReplySettings, "milliseconds">;
  readonly #onDelta: ((delta: CompletionDelta) => void) | undefined;
  readonly #choices = new Map<number, Arriving>();
  readonly #decoder = new TextDecoder();
  readonly #parser: EventSourceParser;
  #usage: UsageShape;
  #done = false;
  /** Whether a piece was handed on; a stream that breaks afterwards cannot be asked for again unseen. */
  toldSomething = false;

  constructor(settings: Omit<ReplySettings, "milliseconds">, onDelta?: (delta: CompletionDelta) => void) {
    this.#settings = settings;
    this.#onDelta = onDelta;
    this.#parser = createParser({ onEvent: (event) => this.#event(event.data) });
  }

  /** Bytes as they come off the connection; a character may be split between two calls. */
  push(bytes: Uint8Array): void {
    this.#parser.feed(this.#decoder.decode(bytes, { stream: true }));
  }

  /** The whole, once the connection has ended. Throws when the server was not at its end. */
  finish(milliseconds: number): Completion[] {
    this.#parser.feed(this.#decoder.decode());
    this.#parser.reset({ consume: true });
    const { context } = this.#settings;
    const inOrder = [...this.#choices].toSorted(([first], [second]) => first - second).map(([, choice]) => choice);
    const ended = this.#done || (inOrder.length > 0 && inOrder.every((choice) => choice.finishReason !== undefined));
    if (!ended) throw remoteError("reply-broken", `the stream from ${context.url} ended in the middle of the answer`, {});
    if (inOrder.length === 0) throw emptyReply(context, "");
    for (const [sample, choice] of this.#choices) this.#tell(sample, choice.splitter.end());
    return completionsOf(inOrder.map(whole), this.#usage, { ...this.#settings, milliseconds });
  }

  #event(data: string): void {
    if (this.#done || data === "") return;
    if (data.trim() === "[DONE]") {
      this.#done = true;
      return;
    }
    const { context, topLogprobs } = this.#settings;
    let value: unknown;
    try {
      value = JSON.parse(data);
    } catch (cause) {
      throw remoteError(
        "reply-broken",
        `the stream from ${context.url} holds broken JSON`,
        { body: data.slice(0, 600) },
        { cause },
      );
    }
    const error = (value as { error?: unknown } | null)?.error;
    if (error !== undefined && error !== null) throw errorInReply(error, context);
    const chunk = chunkShape.safeParse(value);
    if (!chunk.success) return;
    // Some servers send the sum so far with every piece, so the last one counts.
    this.#usage = chunk.data.usage ?? this.#usage;
    for (const { index, delta, finish_reason, logprobs, error: failure } of chunk.data.choices ?? []) {
      const sample = index ?? 0;
      const choice = this.#choice(sample);
      if (failure !== undefined && failure !== null) choice.failed = true;
      choice.finishReason = finish_reason ?? choice.finishReason;
      const read = readLogprobs(logprobs, topLogprobs);
      if (read) {
        choice.logprobs ??= [];
        for (const entry of read) choice.logprobs.push(entry);
      }
      if (delta) this.#piece(sample, choice, delta);
    }
  }

  #piece(sample: number, choice: Arriving, delta: MessageShape): void {
    const text = messageText(delta);
    const reasoning = messageReasoning(delta);
    if (text !== "") choice.text.push(text);
    if (reasoning !== "") choice.reasoning.push(reasoning);
    for (const call of delta.tool_calls ?? []) {
      const at = call.index ?? choice.tools.size;
      const pieces = choice.tools.get(at) ?? { whole: {}, name: "", arguments: "" };
      const { index: _, function: called, ...rest } = call;
      const told = Object.entries(rest).filter(([, value]) => value !== undefined && value !== null);
      pieces.whole = { ...pieces.whole, ...Object.fromEntries(told) };
      pieces.name += called?.name ?? "";
      pieces.arguments += called?.arguments ?? "";
      choice.tools.set(at, pieces);
    }
    const split = choice.splitter.push(text);
    this.#tell(sample, { text: split.text, reasoning: reasoning + split.reasoning });
  }

  #tell(sample: number, { text, reasoning }: { text: string; reasoning: string }): void {
    if (!this.#onDelta || (text === "" && reasoning === "")) return;
    this.toldSomething = true;
    this.#onDelta({ sample, text: text || undefined, reasoning: reasoning || undefined });
  }

  #choice(sample: number): Arriving {
    return getOrMake(this.#choices, sample, () => {
      const splitter = new ReasoningSplitter(this.#settings.reasoningTags);
      return { text: [], reasoning: [], tools: new Map(), failed: false, splitter };
    });
  }
}

function whole(choice: Arriving): RawChoice {
  const calls = [...choice.tools].toSorted(([first], [second]) => first - second);
  return {
    text: choice.text.join(""),
    reasoning: choice.reasoning.join(""),
    finishReason: choice.finishReason,
    toolCalls: calls.map(([, call]) => ({ ...call.whole, function: { name: call.name, arguments: call.arguments } })),
    logprobs: choice.logprobs,
    failed: choice.failed,
  };
}
