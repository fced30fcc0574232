/** A model with its weights, inside the worker: what the engine's calls do, without threads or messages. */
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
import {
  type Checkpoint,
  expectedTensors,
  type InitialisationOptions,
  initialiseParameters,
  loadCheckpoint,
  loadOptimizerState,
  type Parameters,
  saveCheckpoint,
} from "./checkpoint.ts";
import { parseConfig } from "./config.ts";
import { Decoder } from "./decoder.ts";
import { checkPolicy, checkPrompts, checkSequences, checkWeights } from "./requests.ts";
import type { Backend, TensorData } from "./runtime.ts";
import { Trainer, TrainingGraphs } from "./trainer.ts";

/** Where a model comes from: a checkpoint folder, or a config.json's content and a seed for fresh weights. */
export type ModelSource =
  | { folder: string }
  | { rawConfig: Record<string, unknown>; seed: number; initialisation?: InitialisationOptions };

const never = new AbortController().signal;

export class LanguageModel {
  readonly info: EngineInfo;
  readonly #checkpoint: Checkpoint;
  readonly #folder: string | undefined;
  readonly #graphs: TrainingGraphs;
  readonly #decoder: SharedDecoder;
  readonly #trainer: Trainer;
  readonly #feeds: Readonly<Record<string, TensorData>>;

  private constructor(checkpoint: Checkpoint, folder: string | undefined, graphs: TrainingGraphs, decoder: SharedDecoder) {
    const { config, parameters } = checkpoint;
    this.#checkpoint = checkpoint;
    this.#folder = folder;
    this.#graphs = graphs;
    this.#decoder = decoder;
    const data = new Map([...parameters].map(([name, tensor]) => [name, tensor.data]));
    this.#trainer = new Trainer(config, graphs, data, [...parameters.keys()]);
    this.#feeds = Object.fromEntries(data);
    this.info = {
      architecture: config.architecture,
      parameters: [...data.values()].reduce((sum, values) => sum + values.length, 0),
      vocabularySize: config.vocabularySize,
      maxContextTokens: config.maxContextTokens,
    };
  }

  static async open(source: ModelSource, backend: Backend): Promise<LanguageModel> {
    const checkpoint = "folder" in source ? await loadCheckpoint(source.folder) : newCheckpoint(source);
    const { config } = checkpoint;
    const options = { config, shapes: expectedTensors(config) };
    const decoder = new SharedDecoder(() => Decoder.create(backend, options));
    const folder = "folder" in source ? source.folder : undefined;
    return new LanguageModel(checkpoint, folder, new TrainingGraphs(backend, options), decoder);
  }

  async sample(prompts: readonly (readonly number[])[], options: SampleOptions, signal = never): Promise<Sample[][]> {
    checkPrompts(this.#checkpoint.config, prompts, options);
    if (prompts.length === 0) return [];
    return (await this.#decoder.get()).sample(this.#feeds, prompts, options, signal);
  }

  async logprobs(sequences: readonly TokenSequence[], signal = never): Promise<Float32Array[]> {
    checkSequences(this.#checkpoint.config, sequences);
    return this.#trainer.run({ mode: "score", sequences }, signal);
  }

  async accumulate(sequences: readonly WeightedSequence[], signal = never): Promise<Float32Array[]> {
    checkSequences(this.#checkpoint.config, sequences);
    checkWeights(sequences);
    return this.#trainer.run({ mode: "weights", sequences }, signal);
  }

  async accumulatePolicy(sequences: readonly PolicySequence[], loss: PolicyLossOptions, signal = never): Promise<Float32Array[]> {
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

  /** Shares the compiled graphs, not the weights. */
  freeze(): LanguageModel {
    const parameters: Parameters = new Map(
      [...this.#checkpoint.parameters].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]),
    );
    return new LanguageModel({ ...this.#checkpoint, parameters }, this.#folder, this.#graphs, this.#decoder);
  }

  async save(folder: string, options: { optimizer?: boolean } = {}): Promise<void> {
    const { rawConfig, parameters } = this.#checkpoint;
    await saveCheckpoint(folder, {
      rawConfig,
      parameters,
      ...(options.optimizer ? { optimizer: this.#trainer.optimizerState() } : {}),
      ...(this.#folder === undefined ? {} : { companionsFrom: this.#folder }),
    });
  }

  async restore(folder: string): Promise<void> {
    const loaded = await loadCheckpoint(folder);
    const shapes = new Map<string, readonly number[]>();
    for (const [name, { shape }] of this.#checkpoint.parameters) {
      const found = loaded.parameters.get(name)?.shape;
      if (found?.join() !== shape.join() || loaded.parameters.size !== this.#checkpoint.parameters.size) {
        throw userError(
          "checkpoint-other-model",
          `${folder}: tensor ${name} is ${found === undefined ? "missing" : `of shape [${found.join(", ")}]`}, and this model's is [${shape.join(", ")}].`,
          "Restore a checkpoint of the same model.",
        );
      }
      shapes.set(name, shape);
    }
    const state = await loadOptimizerState(folder, shapes);
    for (const [name, { data }] of this.#checkpoint.parameters) data.set(loaded.parameters.get(name)!.data);
    this.#trainer.clearGradient();
    this.#trainer.setOptimizerState(state);
  }

  /** Releases the compiled graphs, those of frozen copies included. */
  async close(): Promise<void> {
    await this.#graphs.close();
    await this.#decoder.close();
  }
}

/** The decoding graphs, compiled when first used. */
class SharedDecoder {
  readonly #create: () => Promise<Decoder>;
  #decoder: Promise<Decoder> | undefined;

  constructor(create: () => Promise<Decoder>) {
    this.#create = create;
  }

  get(): Promise<Decoder> {
    this.#decoder ??= this.#create();
    return this.#decoder;
  }

  async close(): Promise<void> {
    await (await this.#decoder)?.close();
    this.#decoder = undefined;
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
