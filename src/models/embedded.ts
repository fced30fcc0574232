/**
 * The embedded engine as a model: conversations in, completions out. Calls that wait at the same time with equal sampling options become
 * one batch of the engine, because its throughput lives from batches; each call's tokens depend on its own seed alone, never on its neighbours.
 */

import { firstStop } from "#kernel/call.ts";
import { type CallSpecs, checkCall, most, text } from "#kernel/call-options.ts";
import type { Sample, SampleOptions, Scorer } from "#kernel/engine.ts";
import { bugError, userError } from "#kernel/errors.ts";
import type { Completion, GenerateOptions, Message, Model } from "#kernel/model.ts";
import { counted } from "#kernel/numbers.ts";
import { checkGenerate } from "#kernel/request-options.ts";
import type { Tokenizer } from "#tokens/tokenizer.ts";

export interface EmbeddedModelOptions {
  id?: string;
  /** Most samples in one call of the engine; more waiting calls go into the next one. 256 when left out. */
  maxBatch?: number;
}

/** What is asked of a tokenizer. */
export type ConversationTokenizer = Pick<Tokenizer, "encodeConversation" | "completionMessage" | "stopIds"> &
  Partial<Pick<Tokenizer, "openedThought">>;

interface PendingCall {
  /** Calls with equal keys may share a batch. */
  key: string;
  promptIds: readonly number[];
  /** What the template wrote of the answer. */
  opened: string;
  options: GenerateOptions;
  startedAt: number;
  settled: boolean;
  resolve: (completions: Completion[]) => void;
  reject: (reason: unknown) => void;
  /** Listens to the call's own signal. */
  onAbort: () => void;
}

const specs: CallSpecs<EmbeddedModelOptions> = {
  id: text("its name in records"),
  maxBatch: most("most samples in one call of the engine", 1),
};

export class EmbeddedModel implements Model {
  readonly id: string;
  readonly #engine: Scorer;
  readonly #tokenizer: ConversationTokenizer;
  readonly #maxBatch: number;
  #waiting: PendingCall[] = [];
  /** Whether a loop is emptying the queue. */
  #draining = false;
  #running: { batch: readonly PendingCall[]; stop: AbortController } | undefined;

  constructor(engine: Scorer, tokenizer: ConversationTokenizer, options: EmbeddedModelOptions = {}) {
    checkCall("EmbeddedModel", specs, options);
    this.#engine = engine;
    this.#tokenizer = tokenizer;
    this.id = options.id ?? "embedded";
    this.#maxBatch = options.maxBatch ?? 256;
  }

  /**
   * Usage is counted, not estimated: output tokens are the sampled ids, the stop id included; the prompt and the call stand in the first
   * completion only, so the sum over the completions is what the call cost. Milliseconds are from the call to its answer, waiting included.
   * A think tag that the chat template opened is part of the text. Stop texts cut the completion after it was sampled, so tokens behind them are paid for and counted. Throws `context-exceeded` for a
   * conversation that leaves no room for one new token, and `text-only` for messages that hold more than text.
   */
  async generate(messages: readonly Message[], options: GenerateOptions): Promise<Completion[]> {
    checkGenerate(options);
    options.signal?.throwIfAborted();
    refuseWhatIsNotText(messages);
    const promptIds = this.#encode(messages);
    if (options.n === 0) return [];
    return new Promise((resolve, reject) => {
      const { temperature, topP = 1, topK = 0, maxTokens, n } = options;
      const call: PendingCall = {
        key: JSON.stringify([n, temperature, topP, topK, maxTokens]),
        promptIds,
        opened: messages.at(-1)?.role === "assistant" ? "" : (this.#tokenizer.openedThought?.(promptIds) ?? ""),
        options,
        startedAt: performance.now(),
        settled: false,
        resolve,
        reject,
        onAbort: () => this.#cancel(call),
      };
      options.signal?.addEventListener("abort", call.onAbort, { once: true });
      this.#waiting.push(call);
      if (this.#draining) return;
      this.#draining = true;
      setImmediate(() => void this.#drain());
    });
  }

  #encode(messages: readonly Message[]): number[] {
    const continueFinal = messages.at(-1)?.role === "assistant";
    const ids = this.#tokenizer.encodeConversation(messages, continueFinal ? { continueFinal } : { addGenerationPrompt: true });
    const { maxContextTokens } = this.#engine.info;
    if (ids.length < maxContextTokens) return ids;
    throw userError(
      "context-exceeded",
      `The conversation has ${counted(ids.length, "token")} and the model's context ends at ${maxContextTokens}`,
      "Shorten the conversation, use fewer refinement rounds, or take a model with a longer context.",
    );
  }

  /** One batch after another until nobody waits. Calls that arrive meanwhile gather for the next batch. */
  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#runBatch(this.#takeBatch());
      // Answers just given usually lead to new calls; let them arrive before the next batch is cut.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#draining = false;
  }

  /** The longest waiting call and everything that may run with it. */
  #takeBatch(): PendingCall[] {
    const { key, options } = this.#waiting[0];
    const room = Math.max(1, Math.floor(this.#maxBatch / options.n));
    const batch = this.#waiting.filter((call) => call.key === key).slice(0, room);
    const taken = new Set(batch);
    this.#waiting = this.#waiting.filter((call) => !taken.has(call));
    return batch;
  }

  async #runBatch(batch: readonly PendingCall[]): Promise<void> {
    const { n, temperature, topP, topK, maxTokens } = batch[0].options;
    const options: SampleOptions = {
      n,
      temperature,
      topP,
      topK,
      maxTokens,
      stopIds: this.#tokenizer.stopIds,
      seed: 0,
      promptSeeds: batch.map((call) => call.options.seed),
    };
    const stop = new AbortController();
    this.#running = { batch, stop };
    try {
      const prompts = batch.map((call) => call.promptIds);
      const samples = await this.#engine.sample(prompts, options, stop.signal);
      for (const [index, call] of batch.entries()) {
        const own = samples[index];
        if (own?.length !== n) throw bugError("engine-samples", `The engine gave ${own?.length ?? 0} of ${n} samples`);
        this.#settle(call, () => call.resolve(this.#completions(call, own)));
      }
    } catch (error) {
      for (const call of batch) this.#settle(call, () => call.reject(error));
    } finally {
      this.#running = undefined;
    }
  }

  /** Only this call ends; a batch it already runs in goes on for the others and stops when nobody wants it any more. */
  #cancel(call: PendingCall): void {
    this.#waiting = this.#waiting.filter((other) => other !== call);
    this.#settle(call, () => call.reject(call.options.signal?.reason));
    if (this.#running?.batch.every((other) => other.settled)) this.#running.stop.abort();
  }

  #completions(call: PendingCall, samples: readonly Sample[]): Completion[] {
    const milliseconds = performance.now() - call.startedAt;
    return samples.map(({ ids, stopReason }, index) => {
      const text = `${call.opened}${this.#tokenizer.completionMessage(ids).text}`;
      const end = firstStop(text, call.options.stop);
      return {
        text: text.slice(0, end),
        finishReason: end === undefined ? stopReason : "stop",
        usage: {
          calls: index === 0 ? 1 : 0,
          inputTokens: index === 0 ? call.promptIds.length : 0,
          outputTokens: ids.length,
          milliseconds: index === 0 ? milliseconds : 0,
        },
      };
    });
  }

  #settle(call: PendingCall, settle: () => void): void {
    if (call.settled) return;
    call.settled = true;
    call.options.signal?.removeEventListener("abort", call.onAbort);
    settle();
  }
}

function refuseWhatIsNotText(messages: readonly Message[]): void {
  for (const { role, parts } of messages) {
    if (role !== "tool" && (parts === undefined || parts === null)) continue;
    throw userError(
      "text-only",
      role === "tool"
        ? "The embedded model has no tools"
        : `A message of the ${role} holds more than text, and the embedded model reads text alone`,
      "Give text messages, or take a model server with --model and OPENAI_BASE_URL.",
    );
  }
}
