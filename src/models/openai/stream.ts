/**
 * A reply as it arrives, in pieces split anywhere: as deltas while it does, as completions at its end. Streamed replies and whole ones are read
 * alike, by what they hold: servers and proxies send each where the other was asked for, and under any content type.
 */
import type { TakenBody } from "#http/body.ts";
import { type MidcourseError, remoteError } from "#kernel/errors.ts";
import { type Completion, type CompletionDelta, noUsage, type TokenLogprob } from "#kernel/model.ts";
import { shortened } from "#kernel/options.ts";
import { StruckPieces, struck } from "#kernel/secrets.ts";
import { getOrMake, isRecord } from "#kernel/values.ts";
import { finishReasonOf, finishWord } from "./finish-reasons.ts";
import { ReplyFraming } from "./framing.ts";
import { parseLeniently } from "./lenient-json.ts";
import { ReasoningSplitter } from "./reasoning-text.ts";
import {
  type ChoiceShape,
  chunkShape,
  completionsOf,
  emptyReply,
  type MessageShape,
  messageReasoning,
  messageText,
  type RawChoice,
  type ReplySettings,
  readLogprobs,
} from "./reply.ts";
import { failureIn, failureOf, sentenceOf } from "./reply-failures.ts";
import { ToldUsage } from "./usage.ts";

interface Arriving {
  text: string[];
  /** Characters of `text`. */
  length: number;
  reasoning: string[];
  finishReason?: string | undefined;
  tools: Map<number, ToolCallPieces>;
  /** From a message that came whole, as the server wrote them. */
  wholeTools: unknown[];
  logprobs?: TokenLogprob[];
  failure?: string | undefined;
  splitter: ReasoningSplitter;
  /** `message` came: all of it at once, or in pieces as some servers send it. */
  hasMessage: boolean;
  hasDelta: boolean;
  /** The finish reason came without words beside it. */
  isClosed: boolean;
}

interface ToolCallPieces {
  whole: Record<string, unknown>;
  name: string;
  arguments: string;
}

/**
 * Seconds without news after which a reply that lacks nothing but its mark of the end has ended: little where usage came by itself, which nothing
 * follows, more where a finish reason stands beside words, as some servers send it with every piece, or where usage is missing.
 */
const quietSeconds = { closed: 1, finished: 2, unsure: 10 };

const keptHead = 600;

export class ChatStream {
  readonly #settings: Omit<ReplySettings, "milliseconds">;
  readonly #onDelta: ((delta: CompletionDelta) => void) | undefined;
  readonly #choices = new Map<number, Arriving>();
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #framing: ReplyFraming;
  readonly #usage = new ToldUsage();
  /** Usage came with no choice beside it, as servers send it when all is said. */
  #usageClosed = false;
  #done = false;
  /** What the reply begins with. Secrets are struck before it is cut: half a key is one that nothing knows again. */
  #head = "";
  readonly #struckHead = new StruckPieces();
  #sawJson = false;
  #sawChoices = false;
  #isWhole = false;
  #hasNews = false;
  /** Whether a piece was handed on; a stream that breaks afterwards cannot be asked for again unseen. */
  toldSomething = false;

  constructor(settings: Omit<ReplySettings, "milliseconds">, onDelta?: (delta: CompletionDelta) => void) {
    this.#settings = settings;
    this.#onDelta = onDelta;
    this.#framing = new ReplyFraming({
      onValue: (json, event, isBare) => this.#value(json, event, isBare),
      onText: (text, event) => this.#text(text, event),
    });
  }

  /** Bytes as they come off the connection; a character may be split between two calls. Throws the failure that the server tells. */
  push(bytes: Uint8Array): TakenBody {
    this.#hasNews = false;
    const text = this.#decoder.decode(bytes, { stream: true });
    if (this.#head.length < keptHead) this.#head += this.#struckHead.push(text);
    this.#framing.push(text);
    const isNews = this.#hasNews || this.#framing.isMidway;
    return { isNews, endsWithin: this.#endsWithin() };
  }

  /** Nothing of the answer is missing, though the server may not have said that it is at its end. */
  get isComplete(): boolean {
    return this.#endsWithin() !== undefined;
  }

  /** The whole, once the connection has ended. Throws when the server was not at its end. */
  finish(milliseconds: number): Completion[] {
    this.#framing.push(this.#decoder.decode());
    const isCut = this.#framing.end();
    const { context } = this.#settings;
    const inOrder = [...this.#choices].toSorted(([first], [second]) => first - second).map(([, choice]) => choice);
    if (inOrder.length === 0) throw this.#nothing(isCut);
    const ended =
      this.#done || this.#isWhole || this.#usageClosed || inOrder.every(({ finishReason }) => finishReason !== undefined);
    if (!ended || isCut)
      throw remoteError("reply-broken", `the stream from ${context.url} ended in the middle of the answer`, {});
    // An end without any reason is taken for a proper one where there is an answer.
    if (!this.#isWhole && inOrder.every(saidNothing)) {
      throw remoteError("empty-reply", `the stream from ${context.url} ended before the answer began`, {});
    }
    for (const [sample, choice] of this.#choices) this.#tell(sample, choice.splitter.end());
    return completionsOf(inOrder.map(asRaw), this.#usage, { ...this.#settings, milliseconds });
  }

  #value(json: string, event: string | undefined, isBare: boolean): void {
    if (this.#done) return;
    if (/^\[done\]$/i.test(json)) {
      this.#done = true;
      return;
    }
    const { context } = this.#settings;
    let value: unknown;
    try {
      value = parseLeniently(json);
    } catch (cause) {
      const what = `the answer from ${context.url} holds what is no JSON: “${beginning(json)}”`;
      const body = struck(json).slice(0, keptHead);
      // Written so from end to end it would come so again.
      if (isBare) throw remoteError("reply-unreadable", what, { body, isLasting: true }, { cause });
      throw remoteError("reply-broken", what, { body }, { cause });
    }
    for (const each of Array.isArray(value) ? value : [value]) this.#document(each, event, isBare);
  }

  /** Words in an event that are no JSON: the mark of the end without its brackets, a heartbeat, or what went wrong. */
  #text(text: string, event: string | undefined): void {
    if (this.#done) return;
    if (/^\[?done\]?$/i.test(text)) this.#done = true;
    else if (/^\s*[{[]/.test(text)) this.#value(text, event, false);
    else {
      const failure = failureIn(text, event);
      if (failure !== undefined) throw this.#failure(failure);
      this.#framing.stray ??= text;
    }
  }

  #document(given: unknown, event: string | undefined, isBare: boolean): void {
    if (!isRecord(given)) return;
    this.#sawJson = true;
    const value = unwrapped(given);
    const chunk = chunkShape.safeParse(value);
    const hasUsage = this.#usage.add(value);
    const failure = failureIn(value, event);
    if (failure !== undefined) throw this.#failure(failure);
    if (!chunk.success) return;
    const { choices, object } = chunk.data;
    // A value that stands alone is a whole reply; with others behind it it was a piece.
    if (choices) this.#isWhole = object === "chat.completion" || (isBare && !this.#sawChoices);
    if (choices) this.#sawChoices = true;
    if (hasUsage) {
      this.#hasNews = true;
      if (this.#sawChoices && (choices ?? []).length === 0) this.#usageClosed = true;
    }
    const hasIndices = new Set((choices ?? []).map(({ index }) => index)).size === choices?.length;
    for (const [place, choice] of (choices ?? []).entries()) {
      const sample = (hasIndices ? choice.index : undefined) ?? place;
      this.#choicePiece(sample, choice);
    }
  }

  #choicePiece(sample: number, { delta, message, text, logprobs, error, ...given }: ChoiceShape): void {
    const choice = this.#choice(sample);
    const { topLogprobs } = this.#settings;
    const finish = finishWord(given.finish_reason) ?? finishWord(given.finishReason);
    if (finish !== undefined) this.#hasNews = true;
    choice.finishReason = weightier(choice.finishReason, finish);
    const before = choice.length + choice.reasoning.length;
    // SGLang says why it stopped in the finish reason.
    const failure = failureIn({ error: error ?? stoppedBy(given.finish_reason) }, undefined);
    if (failure !== undefined) choice.failure = sentenceOf(failure);
    const read = readLogprobs(logprobs, topLogprobs);
    if (read) {
      choice.logprobs ??= [];
      for (const entry of read) choice.logprobs.push(entry);
    }
    // Perplexity sends with each piece the whole so far as well.
    if (delta && !isBlank(delta)) this.#delta(sample, choice, delta);
    else if (message && !(choice.hasDelta && isBlank(message))) this.#message(sample, choice, message);
    else if (text) this.#delta(sample, choice, { content: text });
    choice.isClosed = choice.finishReason !== undefined && choice.length + choice.reasoning.length === before;
  }

  #delta(sample: number, choice: Arriving, delta: MessageShape): void {
    choice.hasDelta = true;
    this.#tools(choice, delta);
    this.#piece(sample, choice, messageText(delta), messageReasoning(delta));
  }

  /** All at once, or in the place of a delta: as a piece, or as all that has come so far. */
  #message(sample: number, choice: Arriving, message: MessageShape): void {
    const text = messageText(message);
    const reasoning = messageReasoning(message);
    if (message.tool_calls?.length) choice.wholeTools = message.tool_calls;
    const mayRepeat = text.length > choice.length || (text.length === choice.length && choice.finishReason !== undefined);
    const repeats = mayRepeat && choice.length > 0 && text.startsWith(choice.text.join(""));
    if (choice.hasDelta && !repeats) return;
    choice.hasMessage = true;
    this.#piece(sample, choice, repeats ? text.slice(choice.length) : text, choice.hasDelta ? "" : reasoning);
  }

  #tools(choice: Arriving, { tool_calls: calls }: MessageShape): void {
    for (const call of calls ?? []) {
      this.#hasNews = true;
      // Without its number a piece with a name of its own begins another call, and one without goes on with the last.
      const at = call.index ?? (call.id || choice.tools.size === 0 ? choice.tools.size : choice.tools.size - 1);
      const pieces = choice.tools.get(at) ?? { whole: {}, name: "", arguments: "" };
      const { index: _, function: called, ...rest } = call;
      const told = Object.entries(rest).filter(([, value]) => value !== undefined && value !== null);
      pieces.whole = { ...pieces.whole, ...Object.fromEntries(told) };
      pieces.name += called?.name ?? "";
      pieces.arguments += called?.arguments ?? "";
      choice.tools.set(at, pieces);
    }
  }

  #piece(sample: number, choice: Arriving, text: string, reasoning: string): void {
    if (text !== "") choice.text.push(text);
    choice.length += text.length;
    if (reasoning !== "") choice.reasoning.push(reasoning);
    if (text !== "" || reasoning !== "") this.#hasNews = true;
    const split = choice.splitter.push(text);
    this.#tell(sample, { text: split.text, reasoning: reasoning + split.reasoning });
  }

  #tell(sample: number, { text, reasoning }: { text: string; reasoning: string }): void {
    if (!this.#onDelta || (text === "" && reasoning === "")) return;
    this.toldSomething = true;
    this.#onDelta({ sample, text: text || undefined, reasoning: reasoning || undefined });
  }

  #choice(sample: number): Arriving {
    return getOrMake(this.#choices, sample, () => ({
      text: [],
      length: 0,
      reasoning: [],
      tools: new Map(),
      wholeTools: [],
      splitter: new ReasoningSplitter(this.#settings.reasoningTags),
      hasMessage: false,
      hasDelta: false,
      isClosed: false,
    }));
  }

  #endsWithin(): number | undefined {
    if (this.#done) return 0;
    const choices = [...this.#choices.values()];
    if (choices.length === 0 || choices.some(({ finishReason }) => finishReason === undefined)) return undefined;
    if (this.#usageClosed || (this.#isWhole && !this.#framing.isMidway)) return quietSeconds.closed;
    if (choices.length < (this.#settings.samples ?? 1)) return undefined;
    return this.#usage.isTold && choices.every(({ isClosed }) => isClosed) ? quietSeconds.finished : quietSeconds.unsure;
  }

  #failure(said: unknown): MidcourseError {
    const isBegun = [...this.#choices.values()].some((choice) => !saidNothing(choice));
    // A failure in the place of an answer, or behind its empty first piece, with no word of its cost: nothing was sampled.
    const unbegun = isBegun ? undefined : { ...noUsage, calls: 1 };
    const usage = this.#usage.isTold ? this.#usage.read(0, isBegun, this.#settings.memory) : unbegun;
    return failureOf(said, this.#settings.context, usage);
  }

  /** What is wrong with a reply without any choice. */
  #nothing(isCut: boolean): MidcourseError {
    const { url } = this.#settings.context;
    const head = (this.#head.length < keptHead ? this.#head + this.#struckHead.end() : this.#head).slice(0, keptHead);
    const body = head.trim();
    const unreadable = (what: string, isLasting: boolean) => {
      const advice = "OPENAI_BASE_URL (or --base-url) may lead to something other than a model server; it usually ends in /v1.";
      return remoteError(
        "reply-unreadable",
        `${url} answered with ${what}`,
        { body: head, isLasting: isLasting || undefined },
        { advice },
      );
    };
    if (body === "") return unreadable("nothing", false);
    if (isCut) return unreadable("JSON that breaks off", false);
    if (this.#sawChoices || this.#done) return emptyReply(this.#settings.context, head);
    if (body.startsWith("<")) return unreadable("a web page", true);
    if (this.#sawJson) return unreadable(`no “choices”: “${beginning(body)}”`, true);
    if (this.#framing.stray !== undefined) {
      return unreadable(`neither JSON nor a stream of events: “${beginning(this.#framing.stray)}”`, true);
    }
    return remoteError("reply-broken", `the stream from ${url} ended before the answer began`, {});
  }
}

const wrappings = ["data", "result", "response", "output", "body"];

/** Gateways that answer in an envelope of their own: `{ success, data: { choices, … } }`, Cloudflare's `result`, DashScope's `output`. */
function unwrapped(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (value.choices !== undefined && value.choices !== null) return value;
  const inner = wrappings.map((name) => value[name]).find((each) => isRecord(each) && Array.isArray(each.choices));
  return inner === undefined ? value : { ...value, ...(inner as Record<string, unknown>) };
}

/** The newest, save that a plain end behind another takes nothing back: proxies end every stream with “stop”, one that was cut as well. */
function weightier(before: string | undefined, after: string | undefined): string | undefined {
  if (before === undefined || after === undefined) return after ?? before;
  return finishReasonOf(after, false) === "stop" ? before : after;
}

function stoppedBy(finish: unknown): unknown {
  if (!isRecord(finish) || typeof finish.message !== "string") return undefined;
  return finishReasonOf(finishWord(finish), false) === "error" ? finish.message : undefined;
}

function isBlank(message: MessageShape): boolean {
  return messageText(message) === "" && messageReasoning(message) === "" && !message.tool_calls?.length;
}

function saidNothing({ length, reasoning, tools, wholeTools, finishReason, failure, hasMessage }: Arriving): boolean {
  const isEmpty = length === 0 && reasoning.length === 0 && tools.size === 0 && wholeTools.length === 0;
  return isEmpty && finishReason === undefined && failure === undefined && !hasMessage;
}

function beginning(text: string): string {
  return shortened(text.replace(/\s+/g, " ").trim(), 80);
}

function asRaw(choice: Arriving): RawChoice {
  const calls = [...choice.tools].toSorted(([first], [second]) => first - second);
  const inPieces = calls.map(([, call]) => ({ ...call.whole, function: { name: call.name, arguments: call.arguments } }));
  return {
    text: choice.text.join(""),
    reasoning: choice.reasoning.join(""),
    finishReason: choice.finishReason,
    toolCalls: inPieces.length > 0 ? inPieces : choice.wholeTools,
    logprobs: choice.logprobs,
    failure: choice.failure,
  };
}
