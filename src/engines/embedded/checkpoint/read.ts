/** Reads the weights of a checkpoint folder, whole or in shards, and holds them against what the config calls for. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileFailure } from "#files/file-failures.ts";
import { userError } from "#kernel/errors.ts";
import { isRecord } from "#kernel/values.ts";
import { embeddingTable, expectedTensors, type ModelConfig, tiedHead } from "./config.ts";
import { SafetensorsFile, type Tensor } from "./safetensors.ts";

export async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw fileFailure(error, `read ${file}`);
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw userError("checkpoint-not-json", `${file} is not valid JSON.`, "Take the file again from the model's folder.", cause);
  }
}

/** @throws userError naming file and tensor, with the shape that was expected and the one found */
export async function readWeights(folder: string, config: ModelConfig): Promise<Map<string, Tensor>> {
  const wanted = expectedTensors(config);
  const { list, owners } = await locate(folder);
  for (const [name] of owners) {
    if (wanted.has(name) || name.endsWith(".rotary_emb.inv_freq") || (config.tieEmbeddings && name === tiedHead)) continue;
    throw userError(
      "checkpoint-extra-tensor",
      `${owners.get(name)}: tensor ${name} does not belong to a ${config.architecture} model with this config.json.`,
      "Use the config.json and weights of the same model; merge adapters before loading.",
    );
  }
  for (const [name, shape] of wanted) {
    if (owners.has(name)) continue;
    throw userError(
      "checkpoint-missing-tensor",
      `${list}: tensor ${name} of shape [${shape.join(", ")}] is missing.`,
      "Use the config.json and weights of the same model; if the download was interrupted, repeat it.",
    );
  }
  return readAll(wanted, owners, config);
}

async function readAll(
  wanted: ReadonlyMap<string, number[]>,
  owners: ReadonlyMap<string, string>,
  config: ModelConfig,
): Promise<Map<string, Tensor>> {
  const shapes = new Map(wanted);
  if (config.tieEmbeddings) shapes.set(tiedHead, wanted.get(embeddingTable)!);
  const found = new Map<string, Tensor>();
  for (const path of new Set(owners.values())) {
    const names = [...owners].flatMap(([name, owner]) => (owner === path && shapes.has(name) ? [name] : []));
    await SafetensorsFile.use(path, async (file) => {
      for (const name of names) {
        checkShape(file, name, shapes.get(name)!);
        found.set(name, await file.read(name));
      }
    });
  }
  const head = config.tieEmbeddings ? found.get(tiedHead) : undefined;
  if (head !== undefined && !sameNumbers(head.data, found.get(embeddingTable)!.data)) {
    throw userError(
      "checkpoint-not-tied",
      `${owners.get(tiedHead)}: ${tiedHead} differs from ${embeddingTable}, although config.json says tie_word_embeddings.`,
      "Set tie_word_embeddings to false in config.json if the head was trained apart.",
    );
  }
  return new Map([...wanted.keys()].map((name) => [name, found.get(name)!]));
}

function checkShape(file: SafetensorsFile, name: string, shape: readonly number[]): void {
  const stored = file.tensors.get(name)?.shape;
  if (stored === undefined) throw missingFromShard(file.path, name);
  if (stored.length === shape.length && stored.every((size, axis) => size === shape[axis])) return;
  throw userError(
    "checkpoint-wrong-shape",
    `${file.path}: tensor ${name} has shape [${stored.join(", ")}], but config.json calls for [${shape.join(", ")}].`,
    "Use the config.json and weights of the same model.",
  );
}

function sameNumbers(a: Float32Array, b: Float32Array): boolean {
  return a.every((value, index) => Object.is(value, b[index]) || value === b[index]);
}

/** `owners`: the file of each tensor. `list`: the file that says which tensors there are. */
async function locate(folder: string): Promise<{ list: string; owners: Map<string, string> }> {
  const whole = join(folder, "model.safetensors");
  if (existsSync(whole)) {
    const names = await SafetensorsFile.use(whole, (file) => [...file.tensors.keys()]);
    return { list: whole, owners: new Map(names.map((name) => [name, whole])) };
  }
  const index = join(folder, "model.safetensors.index.json");
  if (!existsSync(index)) {
    throw userError(
      "checkpoint-no-weights",
      `${folder} holds neither model.safetensors nor model.safetensors.index.json.`,
      "Download the model's safetensors files; older .bin files are not read.",
    );
  }
  const map = ((await readJson(index)) as { weight_map?: unknown } | null)?.weight_map;
  if (!isRecord(map)) {
    throw userError("checkpoint-index", `${index}: weight_map is missing or not an object.`, "Download the file again.");
  }
  const owners = new Map<string, string>();
  for (const [name, shard] of Object.entries(map)) {
    if (typeof shard !== "string" || shard === "" || /[/\\]/.test(shard) || shard.startsWith("..")) {
      throw userError(
        "checkpoint-index",
        `${index}: tensor ${name} is said to be in ${JSON.stringify(shard)}.`,
        "Download the file again.",
      );
    }
    owners.set(name, join(folder, shard));
  }
  return { list: index, owners };
}

function missingFromShard(path: string, name: string) {
  return userError(
    "checkpoint-missing-tensor",
    `${path}: tensor ${name} is missing, although the index says it is here.`,
    "Download the shard and the index again.",
  );
}
