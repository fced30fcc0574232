/** What tells one model folder from another by what it holds, so that a run knows its model wherever that lies. */
import { createHash, type Hash } from "node:crypto";
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import path from "node:path";
import { modelChain } from "./adapter-base.ts";
import { guarded } from "./file-failures.ts";
import { namedFolder } from "./shipped-model.ts";

/** A name for people, and what decides whether it is the same. */
export type NamedContent = {
  name: string;
  content: string;
};

export function nameOf(model: NamedContent | string): string {
  return typeof model === "string" ? model : model.name;
}

const smallFiles = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "chat_template.jinja",
  "adapter_config.json",
];

/** Of weights, so much at the beginning, where their names and shapes are, and so many pieces of it spread over the rest. */
const weightHead = 1 << 20;
const weightPieces = 256;
const weightPiece = 4096;

/**
 * The model's folder, seen from `from`, and a digest: of its configuration, tokenizer and template whole, of weights of gigabytes by their size
 * and pieces. An adapter's holds its base too. The shipped model is known by its name alone, which stands for the package's version of it.
 *
 * @throws userError where a file cannot be read
 */
export function modelIdentity(folder: string, from?: string): NamedContent | string {
  const name = namedFolder(folder, from);
  if (name === "shipped") return name;
  const hash = createHash("sha256");
  for (const each of modelChain(folder)) guarded(`read ${each}`, () => addFolder(hash, each));
  return { name, content: hash.digest("hex").slice(0, 32) };
}

function addFolder(hash: Hash, folder: string): void {
  const names = readdirSync(folder).sort();
  for (const name of names) {
    // Where an adapter's base lies is not what it is.
    if (smallFiles.includes(name) && name !== "adapter_config.json")
      hash.update(`${name}\0`).update(readFileSync(path.join(folder, name)));
    else if (name === "adapter_config.json") hash.update(`${name}\0`).update(adapterContent(path.join(folder, name)));
    else if (name.endsWith(".safetensors") && name !== "optimizer.safetensors")
      addWeights(hash.update(`${name}\0`), path.join(folder, name));
  }
}

function adapterContent(file: string): string {
  return readFileSync(file, "utf8").replace(/"base_model_name_or_path"\s*:\s*(?:"(?:[^"\\]|\\.)*"|null)/, "");
}

function addWeights(hash: Hash, file: string): void {
  const descriptor = openSync(file, "r");
  try {
    const { size } = fstatSync(descriptor);
    const add = (at: number, length: number) => {
      const piece = Buffer.alloc(Math.max(0, Math.min(length, size - at)));
      hash.update(piece.subarray(0, readSync(descriptor, piece, 0, piece.length, at)));
    };
    hash.update(`${size}\0`);
    add(0, weightHead);
    const step = Math.max(weightPiece, Math.floor((size - weightHead) / weightPieces));
    for (let at = weightHead; at < size; at += step) add(at, weightPiece);
  } finally {
    closeSync(descriptor);
  }
}
