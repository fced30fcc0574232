/**
 * Wraps a model with a cache of everything it was asked, sampled answers included, keyed by the whole request and the number of the sample.
 * A run that was killed and starts again asks for what is missing alone, and ends with the very numbers it would have had: a completion from
 * the cache carries the usage that it originally cost.
 */

import { createHash } from "node:crypto";
import { type CallSpecs, checkCall, needed, thing } from "#kernel/call-options.ts";
import type { Completion, GenerateOptions, Message, Model } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";

/** Where completions are kept; `ResponseStore` of the record keeps them on disk. */
export interface CompletionStore {
  get(key: string, sample: number): Completion | undefined;
  /** All of them or, where the process is killed, none. */
  add(key: string, entries: readonly { sample: number; value: Completion }[]): void;
}

export interface CacheOptions {
  store: CompletionStore;
  /** What answers depend on beside the request: the model's name, its server, its weights. Order of fields does not matter. */
  identity: unknown;
}

const specs: CallSpecs<CacheOptions> = {
  store: needed(
    thing("where answers are kept", "a store, with get and add", (value) => {
      const { get, add } = value as Partial<CompletionStore>;
      return typeof get === "function" && typeof add === "function";
    }),
  ),
  identity: { type: "data", description: "what answers depend on beside the request" },
};

export class CachedModel implements Model {
  readonly id: string;
  readonly #model: Model;
  readonly #store: CompletionStore;
  readonly #identity: unknown;
  /** Equal calls at the same time: the later one waits and reads what the earlier one stored. */
  readonly #running = new Map<string, Promise<void>>();
  /** Completions that came from the cache so far, and those that were asked for. */
  hits = 0;
  misses = 0;

  constructor(model: Model, options: CacheOptions) {
    checkCall("CachedModel", specs, options);
    this.id = model.id;
    this.#model = model;
    this.#store = options.store;
    this.#identity = options.identity;
  }

  async generate(messages: readonly Message[], options: GenerateOptions): Promise<Completion[]> {
    options.signal?.throwIfAborted();
    const key = requestKey(this.#identity, messages, options);
    for (let earlier = this.#running.get(key); earlier !== undefined; earlier = this.#running.get(key)) {
      await earlier;
      options.signal?.throwIfAborted();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running.set(key, promise);
    try {
      return await this.#fill(key, messages, options);
    } finally {
      this.#running.delete(key);
      resolve();
    }
  }

  async #fill(key: string, messages: readonly Message[], options: GenerateOptions): Promise<Completion[]> {
    const known = Array.from({ length: options.n }, (_, sample) => this.#store.get(key, sample));
    const missing = known.flatMap((completion, sample) => (completion === undefined ? [sample] : []));
    this.hits += options.n - missing.length;
    for (const [sample, completion] of known.entries()) if (completion) tell(options, sample, completion);
    if (missing.length === 0) return known as Completion[];
    this.misses += missing.length;
    const { onDelta } = options;
    const asked = await this.#model.generate(messages, {
      ...options,
      n: missing.length,
      // Samples asked for later must not repeat the draws of those that are there.
      seed: missing.every((sample, index) => sample === index) ? options.seed : deriveSeed(options.seed, "missing", ...missing),
      onDelta: onDelta && ((delta) => onDelta({ ...delta, sample: missing[delta.sample] ?? delta.sample })),
    });
    const fresh = new Map(missing.map((sample, index) => [sample, asked[index]]));
    const entries = [...fresh].flatMap(([sample, value]) => (value && value.finishReason !== "error" ? [{ sample, value }] : []));
    if (entries.length > 0) this.#store.add(key, entries);
    return known.flatMap((completion, sample) => completion ?? fresh.get(sample) ?? []);
  }
}

function tell({ onDelta }: GenerateOptions, sample: number, { text, reasoning }: Completion): void {
  if (!onDelta || (text === "" && reasoning === undefined)) return;
  onDelta({ sample, text: text || undefined, reasoning });
}

/** 128 bits over everything an answer depends on; the number of samples, who listens and what it is for, which the words say, are left out. */
export function requestKey(identity: unknown, messages: readonly Message[], options: GenerateOptions): string {
  const { n: _, signal: __, onDelta: ___, purpose: ____, ...asked } = options;
  return createHash("sha256")
    .update(canonical([identity, messages, asked]))
    .digest("base64url")
    .slice(0, 22);
}

/** JSON with the fields of every object in one order, absent and undefined alike. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inside: unknown) => {
    if (typeof inside !== "object" || inside === null || Array.isArray(inside)) return inside;
    return Object.fromEntries(Object.entries(inside).sort(([first], [second]) => (first < second ? -1 : first > second ? 1 : 0)));
  });
}
