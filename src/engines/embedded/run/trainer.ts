/** Scores sequences, accumulates gradients batch by batch, and takes AdamW steps. */
import type {
  AdamWOptions,
  PolicyLossOptions,
  PolicySequence,
  StepResult,
  TokenSequence,
  WeightedSequence,
} from "#kernel/engine.ts";
import { getOrMake } from "#kernel/values.ts";
import { embeddingTable, type ModelConfig } from "../checkpoint/config.ts";
import type { OptimizerState } from "../checkpoint/optimizer.ts";
import { blocksFor, causalLimits } from "../graph/attention.ts";
import { RotationCache } from "../graph/rotation.ts";
import { gradientName, type TrainingGraphOptions, type TrainingMode, trainingGraph } from "../graph/training-graph.ts";
import { headName, keptName } from "../graph/transformer.ts";
import { adamwStep, squaredNorm } from "./adamw.ts";
import { batchByLength } from "./batches.ts";
import { type AdapterDropout, keptInputs } from "./dropout.ts";
import type { Backend, Executable, TensorData } from "./runtime.ts";

type ParameterData = ReadonlyMap<string, Float32Array>;

/** The sequences of one call with what each mode needs per scored token. */
export type TrainingRequest =
  | { mode: "score"; sequences: readonly TokenSequence[] }
  | { mode: "weights"; sequences: readonly WeightedSequence[] }
  | { mode: "policy"; sequences: readonly PolicySequence[]; loss: PolicyLossOptions };

/** Compiled training graphs of one architecture; they hold no weights and are shared by an engine and its frozen copies. */
export class TrainingGraphs {
  readonly #backend: Backend;
  readonly #options: Omit<TrainingGraphOptions, "mode" | "blocks">;
  readonly #compiled = new Map<string, Promise<Executable>>();

  constructor(backend: Backend, options: Omit<TrainingGraphOptions, "mode" | "blocks">) {
    this.#backend = backend;
    this.#options = options;
  }

  get(mode: TrainingMode, blocks: number): Promise<Executable> {
    const compile = () => this.#backend.compile(trainingGraph({ ...this.#options, mode, blocks }));
    return getOrMake(this.#compiled, `${mode} ${blocks}`, compile);
  }

  async close(): Promise<void> {
    for (const executable of this.#compiled.values()) await (await executable).close();
    this.#compiled.clear();
  }
}

export class Trainer {
  readonly #config: ModelConfig;
  readonly #graphs: TrainingGraphs;
  readonly #rotation: RotationCache;
  readonly #parameters: ParameterData;
  readonly #feeds: Readonly<Record<string, TensorData>>;
  readonly #trainable: readonly string[];
  readonly #dropout: AdapterDropout | undefined;
  #gradients = new Map<string, Float32Array>();
  #firstMoments = new Map<string, Float32Array>();
  #secondMoments = new Map<string, Float32Array>();
  #steps = 0;
  /** Differentiating passes since the last step. */
  #passes = 0;
  #version = 0;

  /**
   * @param trainable names of the parameters that `step` moves
   * @param dropout what the graphs were built to take, if anything
   */
  constructor(
    config: ModelConfig,
    graphs: TrainingGraphs,
    parameters: ParameterData,
    trainable: readonly string[],
    dropout?: AdapterDropout,
  ) {
    this.#config = config;
    this.#graphs = graphs;
    this.#rotation = new RotationCache(config);
    this.#parameters = parameters;
    this.#feeds = Object.fromEntries(parameters);
    this.#trainable = trainable;
    this.#dropout = dropout;
  }

  /** Log-probs of each sequence's scored tokens; in the differentiating modes their gradient is added to what was accumulated. */
  async run(request: TrainingRequest, signal: AbortSignal): Promise<Float32Array[]> {
    const { mode, sequences } = request;
    const results = sequences.map(({ ids, start }) => new Float32Array(Math.max(0, ids.length - start)));
    const scored = sequences.map((_, index) => index).filter((index) => results[index].length > 0);
    // The last token is only ever a target, so it takes no column.
    const batches = batchByLength(scored, (index) => sequences[index].ids.length - 1, this.#config);
    for (const batch of batches) {
      signal.throwIfAborted();
      const { feeds, bindings, layout } = this.#assemble(request, batch);
      const executable = await this.#graphs.get(mode, layout.blocks);
      const outputs = await executable.run({ ...this.#feeds, ...feeds }, bindings);
      let offset = 0;
      for (const index of batch) {
        const count = results[index].length;
        results[index].set((outputs.logprobs as Float32Array).subarray(offset, offset + count));
        offset += count;
      }
      if (mode !== "score") this.#accumulate(outputs, layout.ids, layout.targets);
    }
    return results;
  }

  #assemble(request: TrainingRequest, batch: readonly number[]) {
    const { sequences } = request;
    const longest = Math.max(...batch.map((index) => sequences[index].ids.length)) - 1;
    const blocks = blocksFor(longest);
    const blockTime = Math.ceil(longest / blocks);
    const time = blocks * blockTime;
    const count = batch.reduce((sum, index) => sum + sequences[index].ids.length - sequences[index].start, 0);
    const ids = new Int32Array(batch.length * time);
    const rows = new Int32Array(count);
    const targets = new Int32Array(count);
    const places = new Int32Array(batch.length * time).fill(count);
    let place = 0;
    batch.forEach((index, row) => {
      const sequence = sequences[index];
      for (let column = 0; column < sequence.ids.length - 1; column++) ids[row * time + column] = sequence.ids[column];
      for (let position = sequence.start; position < sequence.ids.length; position++) {
        rows[place] = row * time + position - 1;
        targets[place] = sequence.ids[position];
        places[rows[place]] = place++;
      }
    });
    const feeds: Record<string, TensorData> = {
      ids,
      rows,
      targets,
      places,
      limits: causalLimits(blockTime, blocks),
      ...this.#rotation.exactly(time),
    };
    if (this.#dropout !== undefined && request.mode !== "score") {
      const kept = keptInputs(this.#dropout, ids.length, this.#steps, this.#passes++);
      for (const [module, mask] of kept) feeds[keptName(module)] = mask;
    }
    if (request.mode === "weights") feeds.weights = joined(batch.map((index) => request.sequences[index].weights));
    if (request.mode === "policy") {
      const { loss } = request;
      const pick = (select: (sequence: PolicySequence) => Float32Array) =>
        joined(batch.map((index) => select(request.sequences[index])));
      feeds.oldLogprobs = pick((sequence) => sequence.oldLogprobs);
      // Without a reference the coefficient is 0; the sampling log-probs keep the unused term finite.
      feeds.referenceLogprobs = pick((sequence) => sequence.referenceLogprobs ?? sequence.oldLogprobs);
      feeds.advantages = pick((sequence) => sequence.advantages);
      feeds.scales = pick((sequence) => sequence.scales);
      feeds.lowestRatio = Float32Array.of(1 - loss.clipLow);
      feeds.highestRatio = Float32Array.of(1 + loss.clipHigh);
      feeds.klCoefficient = Float32Array.of(loss.klCoefficient);
    }
    return { feeds, bindings: { B: batch.length, t: blockTime, R: count }, layout: { blocks, ids, targets } };
  }

  #accumulate(outputs: Record<string, TensorData>, ids: Int32Array, targets: Int32Array): void {
    for (const name of this.#trainable) {
      const part = outputs[gradientName(name)] as Float32Array | undefined;
      if (part === undefined) continue;
      const sum = this.#gradients.get(name);
      if (sum === undefined) this.#gradients.set(name, part);
      else for (let index = 0; index < sum.length; index++) sum[index] += part[index];
    }
    const width = this.#config.hiddenSize;
    if (outputs.targetRows) addRows(this.#gradientOf(headName(this.#config)), targets, outputs.targetRows as Float32Array, width);
    if (outputs.embedded) addRows(this.#gradientOf(embeddingTable), ids, outputs.embedded as Float32Array, width);
  }

  #gradientOf(name: string): Float32Array {
    return numbersOf(this.#gradients, name, this.#parameters.get(name)!.length);
  }

  /** Changes whenever the parameters may have moved. */
  get version(): number {
    return this.#version;
  }

  /** A parameter without accumulated gradient moves as if it were zero. */
  step(options: AdamWOptions): StepResult {
    let sum = 0;
    for (const gradient of this.#gradients.values()) sum += squaredNorm(gradient);
    const gradientNorm = Math.sqrt(sum);
    const applied = Number.isFinite(gradientNorm);
    if (applied) {
      this.#steps++;
      this.#version++;
      // The gradient is of something to go up, and AdamW goes down. The small number is PyTorch's.
      const scale = -Math.min(1, options.maxGradientNorm / (gradientNorm + 1e-6));
      for (const name of this.#trainable) {
        const parameter = this.#parameters.get(name)!;
        const first = numbersOf(this.#firstMoments, name, parameter.length);
        const second = numbersOf(this.#secondMoments, name, parameter.length);
        const isSpared = options.decayed === "matrices" && /(?:norm\.weight|\.bias)$/.test(name);
        const numbers = isSpared ? { ...options, weightDecay: 0 } : options;
        adamwStep(parameter, this.#gradientOf(name), first, second, numbers, this.#steps, scale);
      }
    }
    this.clearGradient();
    return { gradientNorm, applied };
  }

  clearGradient(): void {
    this.#gradients = new Map();
    this.#passes = 0;
  }

  /** The accumulated gradient of Σ weight · log p, for tests and inspection. */
  gradients(): ReadonlyMap<string, Float32Array> {
    return this.#gradients;
  }

  optimizerState(): OptimizerState {
    for (const name of this.#trainable) {
      const length = this.#parameters.get(name)!.length;
      numbersOf(this.#firstMoments, name, length);
      numbersOf(this.#secondMoments, name, length);
    }
    return { step: this.#steps, firstMoments: this.#firstMoments, secondMoments: this.#secondMoments };
  }

  /** Takes over a loaded state, or starts afresh. */
  setOptimizerState(state: OptimizerState | undefined): void {
    this.#steps = state?.step ?? 0;
    this.#version++;
    this.#firstMoments = new Map(state?.firstMoments);
    this.#secondMoments = new Map(state?.secondMoments);
  }
}

/** The numbers of a parameter, all 0 where there are none yet. */
function numbersOf(map: Map<string, Float32Array>, name: string, length: number): Float32Array {
  return getOrMake(map, name, () => new Float32Array(length));
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}

/** target[index[i]] += rows[i], one after the other, so the result does not depend on threads. */
function addRows(target: Float32Array, indices: Int32Array, rows: Float32Array, width: number): void {
  for (let row = 0; row < indices.length; row++) {
    const to = indices[row] * width;
    const from = row * width;
    for (let column = 0; column < width; column++) target[to + column] += rows[from + column];
  }
}
