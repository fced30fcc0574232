/** Key–value memory of the rows being sampled: slots that prompts are copied into, that grow in length, and that close up as rows end. */
import type { ModelConfig } from "../checkpoint/config.ts";
import { keysName, valuesName } from "../graph/decoding-graph.ts";
import type { TensorData } from "./runtime.ts";

/** Keys and values of one prompt's first `length` tokens, [layers][keyValueHeads, length, D]. */
export interface PromptCache {
  length: number;
  keys: Float32Array[];
  values: Float32Array[];
}

/**
 * Unused columns repeat the slot's first key, and this is added to their scores: they lie 50 or more under the row's largest score, which
 * is nothing in float32, and yet their exponentials are no denormal numbers, which would be slow. An empty slot has no key to repeat.
 */
const unusedScore = -50;
const emptyScore = -1e30;

const columnStep = 32;

export class Cache {
  readonly #layers: number;
  readonly #heads: number;
  readonly #size: number;
  readonly slots: number;
  #columns = 0;
  /** Room for the most columns; at fewer, strips of a head lie closer together. */
  readonly #keys: Float32Array[];
  /** One column more than the keys, always zero. */
  readonly #values: Float32Array[];
  #mask = new Float32Array(0);
  /** Cached tokens of each slot. */
  readonly lengths: Int32Array;

  /** @param mostTokens the longest that any row can get */
  constructor(config: ModelConfig, slots: number, mostTokens: number) {
    this.#layers = config.layers;
    this.#heads = config.keyValueHeads;
    this.#size = config.headSize;
    this.slots = slots;
    this.lengths = new Int32Array(slots);
    const columns = Math.ceil(mostTokens / columnStep) * columnStep;
    const allocate = (count: number) =>
      Array.from({ length: this.#layers }, () => new Float32Array(slots * this.#heads * count * this.#size));
    this.#keys = allocate(columns);
    this.#values = allocate(columns + 1);
  }

  get columns(): number {
    return this.#columns;
  }

  /** Makes room for `tokens` in the first `used` slots. */
  reserve(tokens: number, used: number): void {
    if (tokens <= this.#columns) return;
    const before = this.#columns;
    const columns = Math.ceil(tokens / columnStep) * columnStep;
    this.#columns = columns;
    const size = this.#size;
    for (let layer = 0; layer < this.#layers; layer++) {
      const [keys, values] = [this.#keys[layer], this.#values[layer]];
      // From the last strip to the first, so that none is overwritten before it was moved.
      for (let strip = used * this.#heads - 1; strip >= 0; strip--) {
        keys.copyWithin(strip * columns * size, strip * before * size, (strip + 1) * before * size);
        const start = strip * (columns + 1) * size;
        values.copyWithin(start, strip * (before + 1) * size, (strip + 1) * (before + 1) * size);
        values.fill(0, start + before * size, start + (columns + 1) * size);
      }
    }
    this.#mask = new Float32Array(this.slots * columns);
    for (let slot = 0; slot < used; slot++) this.#hideUnused(slot);
  }

  /** Starts a row in a slot from its prompt; the slot has room for it. */
  load(slot: number, prompt: PromptCache | undefined): void {
    const length = prompt?.length ?? 0;
    const size = this.#size;
    for (let layer = 0; layer < this.#layers; layer++) {
      for (let head = 0; head < this.#heads; head++) {
        const strip = slot * this.#heads + head;
        const from = head * length * size;
        const start = strip * (this.#columns + 1) * size;
        this.#values[layer].fill(0, start + length * size, start + (this.#columns + 1) * size);
        if (prompt === undefined) continue;
        this.#keys[layer].set(prompt.keys[layer].subarray(from, from + length * size), strip * this.#columns * size);
        this.#values[layer].set(prompt.values[layer].subarray(from, from + length * size), start);
      }
    }
    this.lengths[slot] = length;
    this.#hideUnused(slot);
  }

  /** Appends one token to each of the first `rows` slots from a step's [rows, heads, layers, D]. */
  append(rows: number, newKeys: Float32Array, newValues: Float32Array): void {
    const size = this.#size;
    for (let layer = 0; layer < this.#layers; layer++) {
      const [keys, values] = [this.#keys[layer], this.#values[layer]];
      for (let slot = 0; slot < rows; slot++) {
        for (let head = 0; head < this.#heads; head++) {
          const strip = slot * this.#heads + head;
          const source = (strip * this.#layers + layer) * size;
          const key = (strip * this.#columns + this.lengths[slot]) * size;
          const value = (strip * (this.#columns + 1) + this.lengths[slot]) * size;
          for (let index = 0; index < size; index++) {
            keys[key + index] = newKeys[source + index];
            values[value + index] = newValues[source + index];
          }
        }
      }
    }
    for (let slot = 0; slot < rows; slot++) {
      this.#mask[slot * this.#columns + this.lengths[slot]++] = 0;
      if (this.lengths[slot] === 1) this.#hideUnused(slot);
    }
  }

  /** Moves a row into another slot. */
  move(from: number, to: number): void {
    if (from === to) return;
    const copy = (data: Float32Array, length: number) => data.copyWithin(to * length, from * length, (from + 1) * length);
    for (const data of this.#keys) copy(data, this.#heads * this.#columns * this.#size);
    for (const data of this.#values) copy(data, this.#heads * (this.#columns + 1) * this.#size);
    copy(this.#mask, this.#columns);
    this.lengths[to] = this.lengths[from];
  }

  /** The first `rows` slots as inputs of a decoding step. */
  feeds(rows: number): Record<string, TensorData> {
    const strips = rows * this.#heads * this.#size;
    const feeds: Record<string, TensorData> = { mask: this.#mask.subarray(0, rows * this.#columns) };
    for (let layer = 0; layer < this.#layers; layer++) {
      feeds[keysName(layer)] = this.#keys[layer].subarray(0, strips * this.#columns);
      feeds[valuesName(layer)] = this.#values[layer].subarray(0, strips * (this.#columns + 1));
    }
    return feeds;
  }

  #hideUnused(slot: number): void {
    const length = this.lengths[slot];
    const start = slot * this.#columns;
    this.#mask.fill(0, start, start + length);
    this.#mask.fill(length === 0 ? emptyScore : unusedScore, start + length, start + this.#columns);
    for (const keys of this.#keys) {
      for (let head = 0; head < this.#heads; head++) {
        const strip = (slot * this.#heads + head) * this.#columns * this.#size;
        const end = strip + this.#columns * this.#size;
        const first = keys.subarray(strip, strip + this.#size);
        // An empty slot may hold anything; its scores are hidden whatever they are, as long as they are numbers.
        if (length === 0) keys.fill(0, strip, end);
        else for (let place = strip + length * this.#size; place < end; place += this.#size) keys.set(first, place);
      }
    }
  }
}

/** Floats of cache that one token of one row takes. */
export function cacheFloatsPerToken(config: ModelConfig): number {
  return 2 * config.layers * config.keyValueHeads * config.headSize;
}
