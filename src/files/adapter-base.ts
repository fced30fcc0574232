/**
 * Where the model lies that an adapter's folder belongs to: `base_model_name_or_path` of PEFT's adapter_config.json, a folder seen from the
 * adapter's own or the name of a model on the hub that was downloaded.
 */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { userError } from "#kernel/errors.ts";
import { isRecord, jsonIn } from "#kernel/values.ts";
import { guarded } from "./file-failures.ts";
import { shippedModel } from "./shipped-model.ts";

/** How an adapter's configuration names the model that ships with the package, which lies elsewhere on every machine. */
const shippedName = "midcourse/base";

/** Adapters on adapters on … */
const mostLevels = 8;

export function isAdapterFolder(folder: string): boolean {
  return existsSync(path.join(folder, "adapter_config.json")) && !existsSync(path.join(folder, "config.json"));
}

/** A checkpoint, or an adapter whose base can be looked for. */
export function isModelFolder(folder: string): boolean {
  return ["config.json", "adapter_config.json"].some((name) => existsSync(path.join(folder, name)));
}

/**
 * The folder itself, and where it holds an adapter, its base, and that one's base, down to a checkpoint.
 *
 * @throws userError naming the configuration and what was looked for where a base is missing or none is named
 */
export function modelChain(folder: string): string[] {
  const chain = [path.resolve(folder)];
  while (isAdapterFolder(chain[chain.length - 1])) {
    if (chain.length > mostLevels) throw endless(folder);
    chain.push(baseOf(chain[chain.length - 1]));
  }
  return chain;
}

/** The first folder of the chain that has this file: an adapter's own tokenizer goes before its base's. The folder itself where none has. */
export function folderWith(file: string, folder: string): string {
  if (!isAdapterFolder(folder)) return folder;
  return modelChain(folder).find((each) => existsSync(path.join(each, file))) ?? folder;
}

/** How an adapter in `folder` is to name its base. */
export function baseName(base: string, folder: string): string {
  if (path.resolve(base) === shippedModel) return shippedName;
  return path.relative(path.resolve(folder), path.resolve(base)).split(path.sep).join("/");
}

function baseOf(folder: string): string {
  const file = path.join(folder, "adapter_config.json");
  const json = jsonIn(guarded(`read ${file}`, () => readFileSync(file, "utf8")));
  const name = isRecord(json) ? json.base_model_name_or_path : undefined;
  if (typeof name !== "string" || name === "") {
    throw userError(
      "adapter-base-unnamed",
      `${file} names no base model`,
      `Write the base's folder, seen from ${folder}, or its name on the hub into base_model_name_or_path.`,
    );
  }
  if (name === shippedName) return shippedModel;
  const tried = [path.resolve(folder, name), path.resolve(name), ...downloaded(name)];
  const found = tried.find(isModelFolder);
  if (found !== undefined && found !== folder) return found;
  throw userError(
    "adapter-base-missing",
    `${file}: the base model “${name}” is not at ${[...new Set(tried)].join(", nor at ")}`,
    "Put it there, or write its folder, seen from the adapter's, into base_model_name_or_path.",
  );
}

/** Snapshots of a hub model in Hugging Face's cache, the one `main` points to first. */
function downloaded(name: string): string[] {
  if (!/^[\w.-]+\/[\w.-]+$/.test(name)) return [];
  const cache =
    process.env.HF_HUB_CACHE || path.join(process.env.HF_HOME || path.join(homedir(), ".cache", "huggingface"), "hub");
  const folder = path.join(cache, `models--${name.replace("/", "--")}`);
  const reference = path.join(folder, "refs", "main");
  if (!existsSync(reference)) return [folder];
  const revision = guarded(`read ${reference}`, () => readFileSync(reference, "utf8")).trim();
  return [path.join(folder, "snapshots", revision)];
}

function endless(folder: string) {
  return userError(
    "adapter-chain",
    `${folder} is an adapter on an adapter on an adapter, ${mostLevels} levels and more`,
    "Merge one of them: midcourse merge ADAPTER --out FOLDER.",
  );
}
