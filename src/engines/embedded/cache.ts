/** Key–value memory of the rows being sampled: slots that prompts are copied into, that grow in length, and that close up as rows end. */
import type { ModelConfig } from "./config.ts";
import { keysName, valuesName } from "./decoding-graph.ts";
import type { TensorData } from "./runtime.ts";

/** Keys and values of one prompt's first `length` tokens, [layers][keyValueHeads, length, D]. */
export interface PromptCache {
  length: number;
  keys: Float32Array[];
  values: Float32Array[];
}

/** Added to the scores of columns that hold nothing. */
export const maskedScore = -1e30;

const columnStep = 32;

export class Cache {
  readonly #layers: number;
  readonly #heads: number;
  readonly #size: number;
  readonly slots: number;
  #capacity = 0;
  #keys: Float32Array[] = [];
  #values: Float32Array[] = [];
  #mask = new Float32Array(0);
  /** Cached tokens of each slot. */
  readonly lengths: Int32Array;

  constructor(config: ModelConfig, slots: number) {
    this.#layers = config.layers;
    this.#heads = config.keyValueHeads;
    this.#size = config.headSize;
    this.slots = slots;
    this.lengths = new Int32Array(slots);
  }

  get columns(): number {
    return this.#capacity;
  }

  /** Makes room for `columns` tokens in every slot. */
  reserve(columns: number, used: number): void {
    if (columns <= this.#capacity) return;
    const capacity = Math.ceil(columns / columnStep) * columnStep;
    const before = this.#capacity;
    const enlarge = (old: Float32Array | undefined) => {
      const larger = new Float32Array(this.slots * this.#heads * capacity * this.#size);
      if (old === undefined) return larger;
      for (let strip = 0; strip < used * this.#heads; strip++) {
        const start = strip * before * this.#size;
        larger.set(old.subarray(start, start + before * this.#size), strip * capacity * this.#size);
      }
      return larger;
    };
    for (let layer = 0; layer < this.#layers; layer++) {
      this.#keys[layer] = enlarge(this.#keys[layer]);
      this.#values[layer] = enlarge(this.#values[layer]);
    }
    const mask = new Float32Array(this.slots * capacity).fill(maskedScore);
    for (let slot = 0; slot < used; slot++) mask.fill(0, slot * capacity, slot * capacity + this.lengths[slot]);
    this.#mask = mask;
    this.#capacity = capacity;
  }

  /** Starts a row in a slot from its prompt; the slot has room for it. */
  load(slot: number, prompt: PromptCache | undefined): void {
    const length = prompt?.length ?? 0;
    const strip = length * this.#size;
    for (let layer = 0; prompt !== undefined && layer < this.#layers; layer++) {
      for (let head = 0; head < this.#heads; head++) {
        const target = (slot * this.#heads + head) * this.#capacity * this.#size;
        this.#keys[layer].set(prompt.keys[layer].subarray(head * strip, (head + 1) * strip), target);
        this.#values[layer].set(prompt.values[layer].subarray(head * strip, (head + 1) * strip), target);
      }
    }
    this.lengths[slot] = length;
    const start = slot * this.#capacity;
    this.#mask.fill(0, start, start + length);
    this.#mask.fill(maskedScore, start + length, start + this.#capacity);
  }

  /** Appends one token to each of the first `rows` slots from a step's [layers, rows, heads, D]. */
  append(rows: number, newKeys: Float32Array, newValues: Float32Array): void {
    const size = this.#size;
    let source = 0;
    for (let layer = 0; layer < this.#layers; layer++) {
      const keys = this.#keys[layer];
      const values = this.#values[layer];
      for (let slot = 0; slot < rows; slot++) {
        for (let head = 0; head < this.#heads; head++) {
          const target = ((slot * this.#heads + head) * this.#capacity + this.lengths[slot]) * size;
          for (let index = 0; index < size; index++) {
            keys[target + index] = newKeys[source + index];
            values[target + index] = newValues[source + index];
          }
          source += size;
        }
      }
    }
    for (let slot = 0; slot < rows; slot++) this.#mask[slot * this.#capacity + this.lengths[slot]++] = 0;
  }

  /** Moves a row into another slot. */
  move(from: number, to: number): void {
    if (from === to) return;
    const strip = this.#heads * this.#capacity * this.#size;
    for (const data of [...this.#keys, ...this.#values]) data.copyWithin(to * strip, from * strip, (from + 1) * strip);
    this.#mask.copyWithin(to * this.#capacity, from * this.#capacity, (from + 1) * this.#capacity);
    this.lengths[to] = this.lengths[from];
  }

  /** The first `rows` slots as inputs of a decoding step. */
  feeds(rows: number): Record<string, TensorData> {
    const end = rows * this.#heads * this.#capacity * this.#size;
    const feeds: Record<string, TensorData> = { mask: this.#mask.subarray(0, rows * this.#capacity) };
    for (let layer = 0; layer < this.#layers; layer++) {
      feeds[keysName(layer)] = this.#keys[layer].subarray(0, end);
      feeds[valuesName(layer)] = this.#values[layer].subarray(0, end);
    }
    return feeds;
  }
}

/** Floats of cache that one token of one row takes. */
export function cacheFloatsPerToken(config: ModelConfig): number {
  return 2 * config.layers * config.keyValueHeads * config.headSize;
}
