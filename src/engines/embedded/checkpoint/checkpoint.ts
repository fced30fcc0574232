/** Hugging Face checkpoint folders in and out: config.json, model.safetensors (or shards), tokenizer files beside them, optimiser state. */
import { constants, existsSync } from "node:fs";
import { access, copyFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type FolderKind, recoverFolder, replaceFile, replaceFolder } from "#files/durable.ts";
import { userError } from "#kernel/errors.ts";
import { type ModelConfig, parseConfig, tiedHead } from "./config.ts";
import { newGenerationConfig } from "./create.ts";
import { type OptimizerState, saveOptimizerState } from "./optimizer.ts";
import { readJson, readWeights } from "./read.ts";
import { type Tensor, writeSafetensors } from "./safetensors.ts";

/** Hugging Face names and layouts: a projection is [outputs, inputs], row-major. */
export type Parameters = Map<string, Tensor>;

export interface Checkpoint {
  config: ModelConfig;
  /** config.json as it was read; it is written back with `dtype` set to what was written. */
  rawConfig: Record<string, unknown>;
  /** Exactly the tensors of `expectedTensors(config)`, in that order. */
  parameters: Parameters;
}

/** What travels with the weights when a checkpoint is written from one that was loaded. */
const companions = [
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "tokenizer.model",
  "chat_template.jinja",
];

/**
 * Reads config.json, generation_config.json where there is one, and model.safetensors or the shards that model.safetensors.index.json names.
 *
 * @throws userError naming file, field or tensor: unsupported model, missing, extra or misshapen tensor, damaged file
 */
export async function loadCheckpoint(folder: string): Promise<Checkpoint> {
  folder = resolve(folder);
  await recoverFolder(folder);
  if (!existsSync(folder)) {
    throw userError("checkpoint-missing", `There is no checkpoint folder at ${folder}.`, "Check the path.");
  }
  const configFile = join(folder, "config.json");
  const rawConfig = await readJson(configFile);
  const generationFile = join(folder, "generation_config.json");
  const generation = existsSync(generationFile) ? { json: await readJson(generationFile), file: generationFile } : undefined;
  const config = parseConfig(rawConfig, configFile, generation);
  return { config, rawConfig: rawConfig as Record<string, unknown>, parameters: await readWeights(folder, config) };
}

export interface CheckpointContent {
  rawConfig: Readonly<Record<string, unknown>>;
  parameters: ReadonlyMap<string, Tensor>;
  /** Written as optimizer.safetensors when given. */
  optimizer?: OptimizerState | undefined;
  /** Folders whose tokenizer files and generation_config.json are copied along; a later one's stand before an earlier one's. */
  companionsFrom?: readonly string[] | undefined;
}

const checkpointKind: FolderKind = {
  name: "checkpoint",
  marker: "config.json",
  owned: /^(?:config\.json|optimizer\.safetensors|model.*\.safetensors(?:\.index\.json)?)$/,
};

/**
 * Writes a folder that transformers loads unchanged; a kill at any moment leaves the old folder or the new one. In a checkpoint that is
 * replaced, files that are not weights, config or optimiser state (a model card) are kept. Where neither it nor the folder of the companions
 * says how to generate, generation_config.json says that a server may sample.
 *
 * @throws userError naming the folder when the disk is full, the place cannot be written or holds something other than a checkpoint
 */
export async function saveCheckpoint(folder: string, content: CheckpointContent): Promise<void> {
  const { optimizer, companionsFrom, parameters } = content;
  const rawConfig: Record<string, unknown> = { ...content.rawConfig, dtype: "float32" };
  delete rawConfig.torch_dtype;
  const build = async (temporary: string) => {
    for (const origin of companionsFrom ?? []) await copyCompanions(origin, temporary);
    replaceFile(join(temporary, "config.json"), `${JSON.stringify(rawConfig, null, 2)}\n`);
    const generation = join(temporary, "generation_config.json");
    if (!existsSync(generation)) {
      const said = newGenerationConfig(parseConfig(rawConfig, "config.json"), rawConfig);
      replaceFile(generation, `${JSON.stringify(said, null, 2)}\n`);
    }
    await writeSafetensors(join(temporary, "model.safetensors"), untied(rawConfig, parameters));
    if (optimizer !== undefined) await saveOptimizerState(temporary, optimizer, parameters);
  };
  await replaceFolder(folder, build, checkpointKind);
}

/** A head that is the embedding table is stored once, as transformers stores it. */
function untied(rawConfig: Readonly<Record<string, unknown>>, parameters: ReadonlyMap<string, Tensor>) {
  if (rawConfig.tie_word_embeddings !== true || !parameters.has(tiedHead)) return parameters;
  return new Map([...parameters].filter(([name]) => name !== tiedHead));
}

async function copyCompanions(source: string, target: string): Promise<void> {
  for (const name of companions) {
    const from = join(source, name);
    const readable = await access(from, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (readable) await copyFile(from, join(target, name));
  }
}
