/**
 * Supervised training from a source in a run directory: a new model with a vocabulary of its own, or one that exists. This is how the
 * shipped base model was made. The finished model lies in the run directory under `model`, a Hugging Face checkpoint folder.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { saveCheckpoint } from "#engines/embedded/checkpoint/checkpoint.ts";
import { parseConfig } from "#engines/embedded/checkpoint/config.ts";
import { initialiseParameters, newConfig } from "#engines/embedded/checkpoint/create.ts";
import { EmbeddedEngine, type EmbeddedEngineOptions } from "#engines/embedded/engine.ts";
import type { JsonObject } from "#files/json-lines.ts";
import type { Engine } from "#kernel/engine.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { trainTokenizer } from "#tokens/train-bpe.ts";
import type { Progress } from "#training/loop.ts";
import type { SupervisedMetrics } from "#training/supervised/supervised.ts";
import { type Source, toExample } from "../sources/source.ts";
import { type SftOptions, trainSupervised } from "./train.ts";

/** Width and depth of a new model of the Qwen3 family. */
export interface ModelSize {
  vocabularySize: number;
  hiddenSize: number;
  intermediateSize: number;
  layers: number;
  heads: number;
  keyValueHeads: number;
  maxContextTokens: number;
}

export const modelSizes: Readonly<Record<"tiny" | "small" | "medium", ModelSize>> = {
  /** For files of a few thousand short problems. */
  tiny: {
    vocabularySize: 1500,
    hiddenSize: 64,
    intermediateSize: 192,
    layers: 3,
    heads: 4,
    keyValueHeads: 4,
    maxContextTokens: 1024,
  },
  small: {
    vocabularySize: 384,
    hiddenSize: 128,
    intermediateSize: 384,
    layers: 5,
    heads: 4,
    keyValueHeads: 2,
    maxContextTokens: 1024,
  },
  medium: {
    vocabularySize: 1024,
    hiddenSize: 256,
    intermediateSize: 768,
    layers: 6,
    heads: 4,
    keyValueHeads: 2,
    maxContextTokens: 1024,
  },
};

export interface SupervisedRun {
  source: Source;
  /** A checkpoint folder to start from, or the size of a new model. */
  start: { folder: string } | { size: ModelSize };
  options: SftOptions;
  seed: number;
  run: RunDirectory;
  threads?: number;
  /** Train an adapter beside weights that stay. */
  lora?: EmbeddedEngineOptions["lora"];
  /** Recorded beside the validation loss. */
  evaluate?: ((engine: Engine, tokenizer: Tokenizer, signal: AbortSignal | undefined) => Promise<JsonObject>) | undefined;
  evaluateEvery?: number;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress<SupervisedMetrics>) => void) | undefined;
}

export interface TrainedModel {
  engine: Engine;
  tokenizer: Tokenizer;
  /** Checkpoint folder of the finished model. */
  folder: string;
}

/** Conversations read to learn a vocabulary from, and to measure the validation loss on. */
const vocabularyConversations = 5000;
const validationConversations = 200;

/** The engine stays open for whatever comes next. Stops with the signal's reason when interrupted. */
export async function runSupervised(setup: SupervisedRun): Promise<TrainedModel> {
  const { source, options, seed, run, threads, signal } = setup;
  const startFolder = "folder" in setup.start ? setup.start.folder : await newModel(setup, setup.start.size);
  const tokenizer = await Tokenizer.load(startFolder);
  const engine = await EmbeddedEngine.open({
    folder: startFolder,
    ...(threads === undefined ? {} : { threads }),
    ...(setup.lora === undefined ? {} : { lora: setup.lora }),
  });
  try {
    const conversations = source.conversations(deriveSeed(seed, "examples"));
    const held = source.conversations(deriveSeed(seed, "validation-examples"));
    const result = await trainSupervised({
      engine,
      examples: (index) => toExample(tokenizer, conversations(index)),
      validation: Array.from({ length: validationConversations }, (_, index) => toExample(tokenizer, held(index))),
      options,
      run,
      ...(setup.evaluate === undefined ? {} : { evaluate: (_done, stop) => setup.evaluate!(engine, tokenizer, stop) }),
      evaluateEvery: setup.evaluateEvery ?? Math.max(1, Math.round(options.steps / 10)),
      checkpointEvery: Math.max(1, Math.round(options.steps / 10)),
      signal,
      onProgress: setup.onProgress,
    });
    if (!result.finished) signal?.throwIfAborted();
    const folder = path.join(run.folder, "model");
    await engine.save(folder);
    return { engine, tokenizer, folder };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** Writes the untrained model into the run directory, once. */
async function newModel({ source, seed, run }: SupervisedRun, size: ModelSize): Promise<string> {
  const folder = path.join(run.folder, "initial");
  if (existsSync(path.join(folder, "model.safetensors"))) return folder;
  const vocabularyFolder = path.join(run.folder, "vocabulary");
  const conversations = source.conversations(deriveSeed(seed, "vocabulary"));
  const texts = Array.from({ length: vocabularyConversations }, (_, index) =>
    conversations(index)
      .messages.map((message) => message.content)
      .join("\n"),
  );
  const { vocabularySize } = await trainTokenizer({ texts, vocabularySize: size.vocabularySize, folder: vocabularyFolder });
  const { stopIds, padId } = await Tokenizer.load(vocabularyFolder);
  const rawConfig = newConfig({ ...size, vocabularySize, headSize: size.hiddenSize / size.heads, stopIds, padId });
  const parameters = initialiseParameters(parseConfig(rawConfig, "config.json"), deriveSeed(seed, "weights"), {
    scaleResidual: true,
  });
  await saveCheckpoint(folder, { rawConfig, parameters, companionsFrom: vocabularyFolder });
  return folder;
}
