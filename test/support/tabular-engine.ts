/**
 * A real engine of the smallest kind: a table of logits, one row per context, where a function says which context a position is in.
 * Gradients are exact, and everything is the same on every run.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type {
  AdamWOptions,
  Engine,
  EngineInfo,
  PolicyLossOptions,
  PolicySequence,
  Sample,
  SampleOptions,
  Scorer,
  StepResult,
  TokenSequence,
  WeightedSequence,
} from "#kernel/engine.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";

export interface TableShape {
  vocabulary: number;
  contexts: number;
  /** Row for the token that follows ids[0..t-1]. */
  contextOf(ids: readonly number[], t: number): number;
}

export class TabularEngine implements Engine {
  readonly info: EngineInfo;
  readonly #shape: TableShape;
  readonly #vocabulary: number;
  #logits: Float32Array;
  #gradient: Float64Array;
  #first: Float32Array;
  #second: Float32Array;
  #steps = 0;

  constructor(shape: TableShape) {
    const { vocabulary, contexts } = shape;
    this.#shape = shape;
    this.#vocabulary = vocabulary;
    const size = contexts * vocabulary;
    this.#logits = new Float32Array(size);
    this.#gradient = new Float64Array(size);
    this.#first = new Float32Array(size);
    this.#second = new Float32Array(size);
    this.info = { architecture: "table", parameters: size, vocabularySize: vocabulary, maxContextTokens: 512 };
  }

  get weights(): Float32Array {
    return this.#logits.slice();
  }

  async sample(prompts: readonly (readonly number[])[], options: SampleOptions, signal?: AbortSignal): Promise<Sample[][]> {
    signal?.throwIfAborted();
    return prompts.map((prompt, i) => {
      const seed = options.promptSeeds?.[i];
      const draw = (j: number) => (seed === undefined ? deriveSeed(options.seed, i, j) : deriveSeed(seed, j));
      return Array.from({ length: options.n }, (_, j) => this.#sampleOne(prompt, options, new Random(draw(j))));
    });
  }

  async logprobs(sequences: readonly TokenSequence[], signal?: AbortSignal): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    return sequences.map((sequence) =>
      Float32Array.from(scored(sequence), (t) => Math.log(this.#distribution(sequence.ids, t)[sequence.ids[t]])),
    );
  }

  async accumulate(sequences: readonly WeightedSequence[], signal?: AbortSignal): Promise<Float32Array[]> {
    const seen = await this.logprobs(sequences, signal);
    for (const { ids, start, weights } of sequences) {
      for (const t of scored({ ids, start })) {
        const row = this.#row(ids, t);
        const distribution = this.#distribution(ids, t);
        for (let v = 0; v < this.#vocabulary; v++) {
          this.#gradient[row + v] += weights[t - start] * ((v === ids[t] ? 1 : 0) - distribution[v]);
        }
      }
    }
    return seen;
  }

  /** Written out here, so that comparing it with the losses of the training room compares two things. */
  async accumulatePolicy(
    sequences: readonly PolicySequence[],
    { clipLow, clipHigh, klCoefficient }: PolicyLossOptions,
    signal?: AbortSignal | undefined,
  ): Promise<Float32Array[]> {
    const seen = await this.logprobs(sequences, signal);
    const weighted = sequences.map((sequence, s) => ({
      ...sequence,
      weights: seen[s].map((logprob, k) => {
        const advantage = sequence.advantages[k];
        const ratio = Math.exp(logprob - sequence.oldLogprobs[k]);
        const inside = advantage >= 0 ? ratio <= 1 + clipHigh : ratio >= 1 - clipLow;
        const reference = sequence.referenceLogprobs?.[k] ?? logprob;
        return sequence.scales[k] * ((inside ? advantage * ratio : 0) + klCoefficient * (Math.exp(reference - logprob) - 1));
      }),
    }));
    return this.accumulate(weighted, signal);
  }

  async step(options: AdamWOptions): Promise<StepResult> {
    const gradientNorm = Math.sqrt(this.#gradient.reduce((sum, value) => sum + value * value, 0));
    const applied = Number.isFinite(gradientNorm);
    if (applied) this.#adamW(options, Math.min(1, options.maxGradientNorm / gradientNorm));
    await this.clearGradient();
    return { gradientNorm, applied };
  }

  async clearGradient(): Promise<void> {
    this.#gradient.fill(0);
  }

  async freeze(): Promise<Scorer> {
    const copy = new TabularEngine(this.#shape);
    copy.#logits.set(this.#logits);
    return copy;
  }

  async save(folder: string, options: { optimizer?: boolean } = {}): Promise<void> {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "weights.bin"), this.#logits);
    if (!options.optimizer) return;
    writeFileSync(path.join(folder, "first.bin"), this.#first);
    writeFileSync(path.join(folder, "second.bin"), this.#second);
    writeFileSync(path.join(folder, "steps.txt"), String(this.#steps));
  }

  async restore(folder: string): Promise<void> {
    this.#logits = floats(path.join(folder, "weights.bin"));
    this.#gradient.fill(0);
    this.#first.fill(0);
    this.#second.fill(0);
    this.#steps = 0;
    if (!existsSync(path.join(folder, "steps.txt"))) return;
    this.#first = floats(path.join(folder, "first.bin"));
    this.#second = floats(path.join(folder, "second.bin"));
    this.#steps = Number(readFileSync(path.join(folder, "steps.txt"), "utf8"));
  }

  async close(): Promise<void> {}

  #adamW({ learningRate, beta1, beta2, epsilon, weightDecay }: AdamWOptions, clip: number): void {
    this.#steps += 1;
    const correction1 = 1 - beta1 ** this.#steps;
    const correction2 = 1 - beta2 ** this.#steps;
    for (let i = 0; i < this.#logits.length; i++) {
      const descent = -this.#gradient[i] * clip;
      this.#first[i] = beta1 * this.#first[i] + (1 - beta1) * descent;
      this.#second[i] = beta2 * this.#second[i] + (1 - beta2) * descent * descent;
      const move = this.#first[i] / correction1 / (Math.sqrt(this.#second[i] / correction2) + epsilon);
      this.#logits[i] -= learningRate * (move + weightDecay * this.#logits[i]);
    }
  }

  #sampleOne(prompt: readonly number[], options: SampleOptions, random: Random): Sample {
    const ids = [...prompt];
    const logprobs: number[] = [];
    for (let count = 0; count < options.maxTokens; count++) {
      const distribution = this.#distribution(ids, ids.length);
      const id = pick(distribution, options.temperature, random.uniform());
      logprobs.push(Math.log(distribution[id]));
      ids.push(id);
      if (options.stopIds.includes(id))
        return { ids: ids.slice(prompt.length), logprobs: Float32Array.from(logprobs), stopReason: "stop" };
    }
    return { ids: ids.slice(prompt.length), logprobs: Float32Array.from(logprobs), stopReason: "length" };
  }

  #row(ids: readonly number[], t: number): number {
    return this.#shape.contextOf(ids, t) * this.#vocabulary;
  }

  #distribution(ids: readonly number[], t: number): Float64Array {
    const row = this.#row(ids, t);
    const values = Float64Array.from(this.#logits.subarray(row, row + this.#vocabulary));
    const largest = values.reduce((first, second) => Math.max(first, second));
    const powers = values.map((value) => Math.exp(value - largest));
    const total = powers.reduce((sum, value) => sum + value, 0);
    return powers.map((value) => value / total);
  }
}

/** An engine that does some calls otherwise. */
export function delegate(engine: Engine, changed: Partial<Engine>): Engine {
  return {
    info: engine.info,
    sample: (...given) => engine.sample(...given),
    logprobs: (...given) => engine.logprobs(...given),
    accumulate: (...given) => engine.accumulate(...given),
    accumulatePolicy: (...given) => engine.accumulatePolicy(...given),
    step: (...given) => engine.step(...given),
    clearGradient: () => engine.clearGradient(),
    freeze: () => engine.freeze(),
    save: (...given) => engine.save(...given),
    restore: (...given) => engine.restore(...given),
    close: () => engine.close(),
    ...changed,
  };
}

function scored({ ids, start }: TokenSequence): number[] {
  return Array.from({ length: ids.length - start }, (_, k) => start + k);
}

function pick(distribution: Float64Array, temperature: number, uniform: number): number {
  if (temperature === 0) return distribution.indexOf(distribution.reduce((first, second) => Math.max(first, second)));
  const powers = distribution.map((value) => value ** (1 / temperature));
  let left = uniform * powers.reduce((sum, value) => sum + value, 0);
  for (let id = 0; id < powers.length; id++) {
    left -= powers[id];
    if (left < 0) return id;
  }
  return powers.length - 1;
}

function floats(file: string): Float32Array {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
}
