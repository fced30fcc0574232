/** A model with its weights, inside the worker: what the engine's calls do, without threads or messages. */

import { baseName } from "#files/adapter-base.ts";
import type {
  AdamWOptions,
  EngineInfo,
  PolicyLossOptions,
  PolicySequence,
  Sample,
  SampleOptions,
  StepResult,
  TokenSequence,
  WeightedSequence,
} from "#kernel/engine.ts";
import { userError } from "#kernel/errors.ts";
import { type Checkpoint, loadCheckpoint, type Parameters, saveCheckpoint } from "../checkpoint/checkpoint.ts";
import { expectedTensors, type ModelConfig, parseConfig } from "../checkpoint/config.ts";
import { type InitialisationOptions, initialiseParameters } from "../checkpoint/create.ts";
import type { LoraOptions } from "../checkpoint/lora-config.ts";
import { loadOptimizerState } from "../checkpoint/optimizer.ts";
import type { DecodingGraphOptions } from "../graph/decoding-graph.ts";
import { Decoder, DecodingGraphs } from "./decoder.ts";
import type { AdapterDropout } from "./dropout.ts";
import {
  type Adapter,
  adaptedModules,
  adapterTensors,
  describeAdapter,
  initialiseAdapter,
  loadAdapter,
  saveAdapter,
} from "./lora.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { checkPolicy, checkPrompts, checkSequences, checkWeights } from "./requests.ts";
import type { Backend } from "./runtime.ts";
import { Trainer, TrainingGraphs } from "./trainer.ts";

/**
 * Where a model comes from: a checkpoint folder, or a config.json's content and a seed for fresh weights. With `lora` the model's own
 * weights stay as they are, and what is trained, saved and restored is an adapter in PEFT's layout: a new one, or one from a folder.
 */
export type ModelSource = (
  | { folder: string }
  | { rawConfig: Record<string, unknown>; seed: number; initialisation?: InitialisationOptions }
) & { lora?: (LoraOptions & { seed: number }) | { folder: string } };

const never = new AbortController().signal;

export class LanguageModel {
  readonly info: EngineInfo;
  readonly #checkpoint: Checkpoint;
  readonly #adapter: Adapter | undefined;
  readonly #origin: Origin | undefined;
  readonly #graphs: TrainingGraphs;
  readonly #decodingGraphs: DecodingGraphs;
  readonly #decoder: Decoder;
  readonly #trainer: Trainer;
  readonly #data: ReadonlyMap<string, Float32Array>;

  private constructor(weights: Weights, origin: Origin | undefined, graphs: TrainingGraphs, decodingGraphs: DecodingGraphs) {
    const { checkpoint, adapter } = weights;
    const { config } = checkpoint;
    this.#checkpoint = checkpoint;
    this.#adapter = adapter;
    this.#origin = origin;
    this.#graphs = graphs;
    this.#decodingGraphs = decodingGraphs;
    this.#decoder = new Decoder(decodingGraphs);
    const tensors = [...checkpoint.parameters, ...(adapter?.parameters ?? [])];
    const data = new Map(tensors.map(([name, tensor]) => [name, tensor.data]));
    this.#trainer = new Trainer(config, graphs, data, [...this.trainable().keys()], weights.dropout);
    this.#data = data;
    this.info = {
      architecture: config.architecture,
      parameters: [...data.values()].reduce((sum, values) => sum + values.length, 0),
      vocabularySize: config.vocabularySize,
      maxContextTokens: config.maxContextTokens,
    };
  }

  static async open(source: ModelSource, backend: Backend): Promise<LanguageModel> {
    const opened = "folder" in source ? await openCheckpoint(source.folder) : { checkpoint: newCheckpoint(source) };
    const { checkpoint } = opened;
    const { config } = checkpoint;
    const { lora } = source;
    const loaded =
      lora && ("folder" in lora ? await loadAdapter(lora.folder, config) : initialiseAdapter(config, lora, lora.seed));
    const options: DecodingGraphOptions = {
      config,
      shapes: new Map([...expectedTensors(config), ...(loaded ? adapterTensors(config, loaded.options) : [])]),
      ...(loaded ? { adapters: describeAdapter(config, loaded.options) } : {}),
    };
    const trainable = loaded ? (name: string) => loaded.parameters.has(name) : () => true;
    const origin = "folder" in source && "companions" in opened ? { ...opened, folder: source.folder } : undefined;
    const seed = lora && "seed" in lora ? lora.seed : 0;
    const dropout = loaded && dropoutOf(config, loaded.options, seed);
    const graphs = new TrainingGraphs(backend, { ...options, trainable, ...(dropout ? { dropout: dropout.rate } : {}) });
    return new LanguageModel({ checkpoint, adapter: loaded, dropout }, origin, graphs, new DecodingGraphs(backend, options));
  }

  /** The tensors that `step` moves. */
  trainable(): Parameters {
    return this.#adapter?.parameters ?? this.#checkpoint.parameters;
  }

  async sample(
    prompts: readonly (readonly number[])[],
    options: SampleOptions,
    signal: AbortSignal = never,
  ): Promise<Sample[][]> {
    checkPrompts(this.#checkpoint.config, prompts, options);
    if (prompts.length === 0) return [];
    return this.#decoder.sample({ data: this.#data, version: this.#trainer.version }, prompts, options, signal);
  }

  async logprobs(sequences: readonly TokenSequence[], signal: AbortSignal = never): Promise<Float32Array[]> {
    checkSequences(this.#checkpoint.config, sequences);
    return this.#trainer.run({ mode: "score", sequences }, signal);
  }

  async accumulate(sequences: readonly WeightedSequence[], signal: AbortSignal = never): Promise<Float32Array[]> {
    checkSequences(this.#checkpoint.config, sequences);
    checkWeights(sequences);
    return this.#trainer.run({ mode: "weights", sequences }, signal);
  }

  async accumulatePolicy(
    sequences: readonly PolicySequence[],
    loss: PolicyLossOptions,
    signal: AbortSignal = never,
  ): Promise<Float32Array[]> {
    checkSequences(this.#checkpoint.config, sequences);
    checkPolicy(sequences, loss);
    return this.#trainer.run({ mode: "policy", sequences, loss }, signal);
  }

  step(options: AdamWOptions): StepResult {
    return this.#trainer.step(options);
  }

  clearGradient(): void {
    this.#trainer.clearGradient();
  }

  /** The accumulated gradient by parameter name. */
  gradients(): ReadonlyMap<string, Float32Array> {
    return this.#trainer.gradients();
  }

  /** Shares the compiled graphs and what cannot move, not the trained weights. */
  freeze(): LanguageModel {
    const parameters: Parameters = new Map(
      [...this.trainable()].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]),
    );
    // Nothing is differentiated in a copy, so it needs no dropout.
    const weights = this.#adapter
      ? { checkpoint: this.#checkpoint, adapter: { ...this.#adapter, parameters } }
      : { checkpoint: { ...this.#checkpoint, parameters } };
    return new LanguageModel(weights, this.#origin, this.#graphs, this.#decodingGraphs);
  }

  async save(folder: string, options: { optimizer?: boolean } = {}): Promise<void> {
    const optimizer = options.optimizer ? this.#trainer.optimizerState() : undefined;
    const origin = this.#origin;
    if (this.#adapter) {
      await saveAdapter(folder, { ...this.#adapter, optimizer, baseModel: origin && baseName(origin.folder, folder) });
      return;
    }
    const { rawConfig, parameters } = this.#checkpoint;
    await saveCheckpoint(folder, { rawConfig, parameters, optimizer, companionsFrom: origin?.companions });
  }

  async restore(folder: string): Promise<void> {
    const loaded = this.#adapter ? await loadAdapter(folder, this.#checkpoint.config) : await loadCheckpoint(folder);
    const trainable = this.trainable();
    checkSameTensors(folder, trainable, loaded.parameters);
    const shapes = new Map([...trainable].map(([name, { shape }]) => [name, shape]));
    const state = await loadOptimizerState(folder, shapes);
    for (const [name, { data }] of trainable) data.set(loaded.parameters.get(name)!.data);
    this.#trainer.clearGradient();
    this.#trainer.setOptimizerState(state);
  }

  /** Releases what this copy alone uses. */
  async release(): Promise<void> {
    await this.#decoder.close();
  }

  /** Releases the compiled graphs too, which frozen copies share. */
  async close(): Promise<void> {
    await this.release();
    await this.#graphs.close();
    await this.#decodingGraphs.close();
  }
}

/** The folder a model was opened with, and those its tokenizer's files come from. */
interface Origin {
  folder: string;
  companions: readonly string[];
}

interface Weights {
  checkpoint: Checkpoint;
  adapter?: Adapter | undefined;
  dropout?: AdapterDropout | undefined;
}

function dropoutOf(config: ModelConfig, options: LoraOptions, seed: number): AdapterDropout | undefined {
  const { dropout: rate = 0 } = options;
  if (rate === 0) return undefined;
  const inputs = new Map([...adaptedModules(config, options)].map(([module, [, width]]) => [module, width]));
  return { rate, seed, inputs };
}

function checkSameTensors(folder: string, expected: Parameters, loaded: Parameters): void {
  for (const [name, { shape }] of expected) {
    const found = loaded.get(name)?.shape;
    if (found?.join() === shape.join() && loaded.size === expected.size) continue;
    const what = found === undefined ? "missing" : `of shape [${found.join(", ")}]`;
    throw userError(
      "checkpoint-other-model",
      `${folder}: the weights are not this model's: tensor ${name} is ${what}, expected [${shape.join(", ")}] and ${expected.size} tensors in all.`,
      "Restore a checkpoint of the same model.",
    );
  }
}

function newCheckpoint(source: {
  rawConfig: Record<string, unknown>;
  seed: number;
  initialisation?: InitialisationOptions;
}): Checkpoint {
  const config = parseConfig(source.rawConfig, "the new model's config");
  return { config, rawConfig: source.rawConfig, parameters: initialiseParameters(config, source.seed, source.initialisation) };
}
