/**
 * Samples many rows at once. Prompts are prefilled in batches, once for all their samples; then every row advances one token per step.
 * A finished row gives its slot to the next waiting one or the batch closes up. Each row draws from its own stream, one number per token,
 * so what it draws does not depend on its neighbours.
 */
import type { Sample, SampleOptions } from "#kernel/engine.ts";
import { sum } from "#kernel/numbers.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import type { ModelConfig } from "../checkpoint/config.ts";
import { elementsOf } from "../checkpoint/safetensors.ts";
import { causalLimits } from "../graph/attention.ts";
import { type DecodingGraphOptions, decodingGraph, keysName, prefillGraph, valuesName } from "../graph/decoding-graph.ts";
import { RotationCache } from "../graph/rotation.ts";
import { batchByLength } from "./batches.ts";
import { Cache, cacheFloatsPerToken, type PromptCache } from "./cache.ts";
import type { Backend, Executable, TensorData } from "./runtime.ts";
import { drawIndex, drawTruncated, largestIndex } from "./sampler.ts";

const mostRows = 128;
const cacheFloatLimit = 256 * 1024 * 1024;
const fewestTokensWorthBuilding = 32;
const mostBuiltParameters = 64_000_000;

/** One sample being written. */
interface Row {
  prompt: number;
  sample: number;
  random: Random;
  /** The last id, which the next step reads. */
  current: number;
  ids: number[];
  logprobs: number[];
  /** Largest number of new tokens, the context's end included. */
  room: number;
}

/** Compiled decoding graphs without weights of their own, shared by an engine and its frozen copies. */
export class DecodingGraphs {
  readonly options: DecodingGraphOptions;
  readonly backend: Backend;
  #prefill: Promise<Executable> | undefined;
  #step: Promise<Executable> | undefined;

  constructor(backend: Backend, options: DecodingGraphOptions) {
    this.backend = backend;
    this.options = options;
  }

  prefill(): Promise<Executable> {
    this.#prefill ??= this.backend.compile(prefillGraph(this.options, 1));
    return this.#prefill;
  }

  step(): Promise<Executable> {
    this.#step ??= this.backend.compile(decodingGraph(this.options));
    return this.#step;
  }

  async close(): Promise<void> {
    await (await this.#prefill)?.close();
    await (await this.#step)?.close();
  }
}

/** The weights to sample from; `version` tells whether they have moved. */
export interface SamplingWeights {
  data: ReadonlyMap<string, Float32Array>;
  version: number;
}

export class Decoder {
  readonly #config: ModelConfig;
  readonly #graphs: DecodingGraphs;
  readonly #rotation: RotationCache;
  readonly #size: number;
  #built: { version: number; step: Executable } | undefined;

  constructor(graphs: DecodingGraphs) {
    this.#config = graphs.options.config;
    this.#graphs = graphs;
    this.#rotation = new RotationCache(this.#config);
    this.#size = sum(Array.from(graphs.options.shapes.values(), elementsOf));
  }

  /**
   * Matrices that are part of a graph are laid out once for the processor and multiply a third faster, but laying them out again after
   * every change costs some dozens of steps. The choice depends on the request alone, so that equal requests give equal bits.
   */
  async #stepFor(weights: SamplingWeights, options: SampleOptions): Promise<Executable> {
    if (options.maxTokens < fewestTokensWorthBuilding || this.#size > mostBuiltParameters) return this.#graphs.step();
    if (this.#built?.version === weights.version) return this.#built.step;
    await this.close();
    const step = await this.#graphs.backend.compile(decodingGraph(this.#graphs.options, weights.data));
    this.#built = { version: weights.version, step };
    return step;
  }

  /** Prompts and options have been checked. */
  async sample(
    weights: SamplingWeights,
    prompts: readonly (readonly number[])[],
    options: SampleOptions,
    signal: AbortSignal,
  ): Promise<Sample[][]> {
    const parameters = Object.fromEntries(weights.data);
    const step = await this.#stepFor(weights, options);
    const results: Sample[][] = prompts.map(() => []);
    const waiting: Row[] = [];
    let longest = 0;
    prompts.forEach((prompt, index) => {
      for (let sample = 0; sample < options.n; sample++) {
        const seed =
          options.promptSeeds === undefined
            ? deriveSeed(options.seed, index, sample)
            : deriveSeed(options.promptSeeds[index], sample);
        const room = Math.min(options.maxTokens, this.#config.maxContextTokens - prompt.length);
        const current = prompt[prompt.length - 1];
        const row = { prompt: index, sample, random: new Random(seed), current, ids: [], logprobs: [], room };
        if (room > 0) waiting.push(row);
        else results[index][sample] = { ids: [], logprobs: new Float32Array(0), stopReason: "length" };
        longest = Math.max(longest, prompt.length + Math.max(room, 0));
      }
    });
    const affordable = Math.floor(cacheFloatLimit / (cacheFloatsPerToken(this.#config) * longest));
    const cache = new Cache(this.#config, Math.max(1, Math.min(mostRows, affordable, waiting.length)), longest);
    const stops = new Set(options.stopIds);
    const prefilled = new Map<number, PromptCache>();
    const active: Row[] = [];
    let next = 0;
    while (active.length > 0 || next < waiting.length) {
      signal.throwIfAborted();
      const free = cache.slots - active.length;
      // Admitting several rows at a time keeps the prefill batches large.
      if (next < waiting.length && (active.length === 0 || free >= Math.ceil(cache.slots / 8) || free >= waiting.length - next)) {
        const entering = waiting.slice(next, next + free);
        next += entering.length;
        await this.#fill(parameters, prompts, entering, prefilled, signal);
        for (const row of entering) {
          const prompt = prefilled.get(row.prompt);
          cache.reserve((prompt?.length ?? 0) + 1, active.length);
          cache.load(active.length, prompt);
          active.push(row);
          if (row.sample === options.n - 1) prefilled.delete(row.prompt);
        }
        signal.throwIfAborted();
      }
      await this.#advance(step, parameters, cache, active, options);
      for (let slot = active.length - 1; slot >= 0; slot--) {
        const row = active[slot];
        const stopped = stops.has(row.current);
        if (!stopped && row.ids.length < row.room) continue;
        results[row.prompt][row.sample] = {
          ids: row.ids,
          logprobs: Float32Array.from(row.logprobs),
          stopReason: stopped ? "stop" : "length",
        };
        cache.move(active.length - 1, slot);
        active[slot] = active[active.length - 1];
        active.pop();
      }
    }
    return results;
  }

  /** One token for every active row. */
  async #advance(
    step: Executable,
    parameters: Readonly<Record<string, TensorData>>,
    cache: Cache,
    active: readonly Row[],
    options: SampleOptions,
  ): Promise<void> {
    const rows = active.length;
    const vocabulary = this.#config.vocabularySize;
    const greedy = options.temperature === 0;
    const temperature = greedy ? 1 : options.temperature;
    cache.reserve(Math.max(...cache.lengths.subarray(0, rows)) + 1, rows);
    const tables = this.#rotation.atLeast(cache.columns);
    const outputs = await step.run(
      {
        ...parameters,
        cosines: tables.cosines,
        sines: tables.sines,
        ...cache.feeds(rows),
        ids: Int32Array.from(active, (row) => row.current),
        positions: BigInt64Array.from(cache.lengths.subarray(0, rows), BigInt),
        inverseTemperature: Float32Array.of(1 / temperature),
      },
      { B: rows, C: cache.columns, E: cache.columns + 1, P: tables.positions },
    );
    cache.append(rows, outputs.newKeys as Float32Array, outputs.newValues as Float32Array);
    const probabilities = outputs.probabilities as Float32Array;
    const truncation = { topK: options.topK ?? 0, topP: options.topP ?? 1 };
    const truncated = truncation.topK > 0 || truncation.topP < 1;
    active.forEach((row, slot) => {
      const start = slot * vocabulary;
      const end = start + vocabulary;
      const chosen = greedy
        ? largestIndex(probabilities, start, end)
        : truncated
          ? drawTruncated(probabilities, start, end, truncation, row.random.uniform())
          : drawIndex(probabilities, start, end, row.random.uniform());
      // From the tempered probability back to the logit, and to the model's own log p.
      const tempered = Math.log(probabilities[start + chosen]) + Number(outputs.temperedLogNormaliser[slot]);
      row.current = chosen;
      row.ids.push(chosen);
      row.logprobs.push(tempered * temperature - Number(outputs.logNormaliser[slot]));
    });
  }

  /** Keys and values of the prompts that the entering rows need, all but the last token of each. */
  async #fill(
    parameters: Readonly<Record<string, TensorData>>,
    prompts: readonly (readonly number[])[],
    entering: readonly Row[],
    prefilled: Map<number, PromptCache>,
    signal: AbortSignal,
  ): Promise<void> {
    const missing = [...new Set(entering.map((row) => row.prompt))].filter(
      (prompt) => !prefilled.has(prompt) && prompts[prompt].length > 1,
    );
    const { keyValueHeads, headSize, layers } = this.#config;
    for (const batch of batchByLength(missing, (prompt) => prompts[prompt].length - 1, this.#config)) {
      signal.throwIfAborted();
      const time = Math.max(...batch.map((prompt) => prompts[prompt].length - 1));
      const ids = new Int32Array(batch.length * time);
      batch.forEach((prompt, row) => {
        ids.set(prompts[prompt].slice(0, -1), row * time);
      });
      const feeds = { ...parameters, ...this.#rotation.exactly(time), limits: causalLimits(time, 1), ids };
      const outputs = await (await this.#graphs.prefill()).run(feeds, { B: batch.length, t: time });
      batch.forEach((prompt, row) => {
        const length = prompts[prompt].length - 1;
        const cut = (data: TensorData) => {
          const result = new Float32Array(keyValueHeads * length * headSize);
          for (let head = 0; head < keyValueHeads; head++) {
            const start = (row * keyValueHeads + head) * time * headSize;
            result.set((data as Float32Array).subarray(start, start + length * headSize), head * length * headSize);
          }
          return result;
        };
        const perLayer = (name: (layer: number) => string) =>
          Array.from({ length: layers }, (_, layer) => cut(outputs[name(layer)]));
        prefilled.set(prompt, { length, keys: perLayer(keysName), values: perLayer(valuesName) });
      });
    }
  }

  async close(): Promise<void> {
    await this.#built?.step.close();
    this.#built = undefined;
  }
}
