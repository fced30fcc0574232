/** A new model of the Qwen3 family with a vocabulary of its own, learned from what it will be trained on. */
import { existsSync } from "node:fs";
import path from "node:path";
import { saveCheckpoint } from "#engines/embedded/checkpoint/checkpoint.ts";
import { type ModelConfig, parseConfig } from "#engines/embedded/checkpoint/config.ts";
import { initialiseParameters, newConfig } from "#engines/embedded/checkpoint/create.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { trainTokenizer } from "#tokens/train-bpe.ts";
import type { Source } from "../sources/source.ts";

/** Width and depth of a new model of the Qwen3 family. */
export type ModelSize = Pick<
  ModelConfig,
  "vocabularySize" | "hiddenSize" | "intermediateSize" | "layers" | "heads" | "keyValueHeads" | "maxContextTokens"
>;

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

/** Conversations read to learn a vocabulary from. */
const vocabularyConversations = 5000;

/** Writes the untrained model into the run directory, once. */
export async function newModel(
  size: ModelSize,
  source: Source,
  run: Pick<RunDirectory, "folder">,
  seed: number,
): Promise<string> {
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
  await saveCheckpoint(folder, { rawConfig, parameters, companionsFrom: [vocabularyFolder] });
  return folder;
}
