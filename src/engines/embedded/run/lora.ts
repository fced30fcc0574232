/**
 * Low-rank adapters (LoRA, arXiv 2106.09685) in PEFT's layout: a module's weight W stays, and (alpha / rank) · B · A is added to it, with
 * A [rank, inputs] and B [outputs, rank].
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type FolderKind, recoverFolder, replaceFile, replaceFolder } from "#files/durable.ts";
import { userError } from "#kernel/errors.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import type { Parameters } from "../checkpoint/checkpoint.ts";
import { expectedTensors, type ModelConfig } from "../checkpoint/config.ts";
import { adaptableModules, type LoraOptions, parseAdapterConfig, writeAdapterConfig } from "../checkpoint/lora-config.ts";
import { type OptimizerState, saveOptimizerState } from "../checkpoint/optimizer.ts";
import { readJson } from "../checkpoint/read.ts";
import { allocateFloats, SafetensorsFile, writeSafetensors } from "../checkpoint/safetensors.ts";
import type { AdapterDescription } from "../graph/transformer.ts";

export interface Adapter {
  options: LoraOptions;
  /** Exactly the tensors of `adapterTensors`, under PEFT's names. */
  parameters: Parameters;
}

/**
 * The adapted modules by full name, such as `model.layers.0.self_attn.q_proj`, with [outputs, inputs].
 *
 * @throws userError when a target names no module of this model, or the embedding or head
 */
export function adaptedModules(config: ModelConfig, options: LoraOptions): Map<string, [number, number]> {
  checkOptions(options);
  const targets = new Map(options.targetModules.map((target) => [target, 0]));
  const modules = new Map<string, [number, number]>();
  for (const [name, shape] of expectedTensors(config)) {
    const module = name.replace(/\.weight$/, "");
    for (const [target, matches] of targets) {
      if (shape.length !== 2 || (module !== target && !module.endsWith(`.${target}`))) continue;
      if (!adaptableModules.some((known) => module.endsWith(`.${known}`))) throw wrongTargets(`${module} cannot be adapted.`);
      targets.set(target, matches + 1);
      modules.set(module, [shape[0], shape[1]]);
    }
  }
  const unmatched = [...targets].filter(([, matches]) => matches === 0).map(([target]) => target);
  if (unmatched.length > 0) throw wrongTargets(`This model has no module ${unmatched.join(", ")}.`);
  return modules;
}

function wrongTargets(message: string) {
  return userError(
    "lora-targets",
    `An adapter's target modules are wrong: ${message}`,
    `Choose among ${adaptableModules.join(", ")}.`,
  );
}

/** PEFT's name of a module's A, which maps its inputs down to the rank. */
export function downName(module: string): string {
  return `base_model.model.${module}.lora_A.weight`;
}

/** PEFT's name of a module's B, which maps the rank up to its outputs. */
export function upName(module: string): string {
  return `base_model.model.${module}.lora_B.weight`;
}

/** Names and shapes of an adapter's tensors. */
export function adapterTensors(config: ModelConfig, options: LoraOptions): Map<string, number[]> {
  const tensors = new Map<string, number[]>();
  for (const [module, [outputs, inputs]] of adaptedModules(config, options)) {
    tensors.set(downName(module), [options.rank, inputs]);
    tensors.set(upName(module), [outputs, options.rank]);
  }
  return tensors;
}

/** What the graphs need to know of an adapter. */
export function describeAdapter(config: ModelConfig, options: LoraOptions): AdapterDescription {
  const modules = new Set(adaptedModules(config, options).keys());
  return { rank: options.rank, scale: options.alpha / options.rank, modules, downName, upName };
}

/**
 * A uniform in ±1/√inputs (Kaiming's bound as PEFT calls it), B zero: the adapted model starts equal to its base. Each tensor draws from
 * (seed, its name).
 */
export function initialiseAdapter(config: ModelConfig, options: LoraOptions, seed: number): Adapter {
  const parameters: Parameters = new Map();
  for (const [name, shape] of adapterTensors(config, options)) {
    const data = allocateFloats(shape[0] * shape[1]);
    if (name.endsWith(".lora_A.weight")) {
      const bound = 1 / Math.sqrt(shape[1]);
      const random = new Random(deriveSeed(seed, "adapter", name));
      for (let index = 0; index < data.length; index++) data[index] = (2 * random.uniform() - 1) * bound;
    }
    parameters.set(name, { shape, data });
  }
  return { options, parameters };
}

function checkOptions({ rank, alpha, dropout = 0, targetModules }: LoraOptions): void {
  if (!Number.isSafeInteger(rank) || rank < 1) {
    throw userError("lora-rank", `The adapter's rank is ${rank}.`, "Use a whole number of at least 1, such as 16.");
  }
  if (!(alpha > 0) || !Number.isFinite(alpha)) {
    throw userError("lora-alpha", `The adapter's alpha is ${alpha}.`, "Use a number above 0, such as twice the rank.");
  }
  if (!(dropout >= 0 && dropout < 1)) {
    throw userError("lora-dropout", `The adapter's dropout is ${dropout}.`, "Use a number from 0 to below 1, such as 0.05.");
  }
  if (targetModules.length === 0) throw wrongTargets("there are none.");
}

/** New weights W + (alpha / rank) · B · A; tensors without adapter are shared with `parameters`. */
export function mergeAdapter(config: ModelConfig, parameters: Parameters, adapter: Adapter): Parameters {
  const { rank, alpha } = adapter.options;
  const merged: Parameters = new Map(parameters);
  for (const [module, [outputs, inputs]] of adaptedModules(config, adapter.options)) {
    const name = `${module}.weight`;
    const down = adapter.parameters.get(downName(module))!.data;
    const up = adapter.parameters.get(upName(module))!.data;
    const data = allocateFloats(outputs * inputs);
    const row = new Float64Array(inputs);
    for (let output = 0; output < outputs; output++) {
      row.fill(0);
      for (let k = 0; k < rank; k++) {
        const factor = (alpha / rank) * up[output * rank + k];
        for (let input = 0; input < inputs; input++) row[input] += factor * down[k * inputs + input];
      }
      const base = parameters.get(name)!.data;
      for (let input = 0; input < inputs; input++) data[output * inputs + input] = base[output * inputs + input] + row[input];
    }
    merged.set(name, { shape: [outputs, inputs], data });
  }
  return merged;
}

const configFile = "adapter_config.json";
const weightsFile = "adapter_model.safetensors";
const adapterKind: FolderKind = {
  name: "adapter",
  marker: configFile,
  owned: /^(?:adapter_config\.json|adapter_model\.safetensors|optimizer\.safetensors)$/,
};

export interface AdapterContent extends Adapter {
  /** Folder or hub name of the model the adapter belongs to, for PEFT's `base_model_name_or_path`. */
  baseModel?: string | undefined;
  /** Written as optimizer.safetensors when given; `loadOptimizerState` reads it. */
  optimizer?: OptimizerState | undefined;
}

/** Writes a folder that PEFT loads unchanged; a kill at any moment leaves the old folder or the new one. */
export async function saveAdapter(folder: string, content: AdapterContent): Promise<void> {
  const { options, parameters, optimizer } = content;
  const build = async (temporary: string) => {
    replaceFile(join(temporary, configFile), writeAdapterConfig(options, content.baseModel));
    await writeSafetensors(join(temporary, weightsFile), parameters);
    if (optimizer !== undefined) await saveOptimizerState(temporary, optimizer, parameters);
  };
  await replaceFolder(folder, build, adapterKind);
}

/**
 * Reads what `saveAdapter` or PEFT wrote for the model of `config`.
 *
 * @throws userError naming file, field or tensor when the adapter needs what is not supported, or does not fit the model
 */
export async function loadAdapter(folder: string, config: ModelConfig): Promise<Adapter> {
  folder = resolve(folder);
  await recoverFolder(folder);
  const file = join(folder, configFile);
  if (!existsSync(file)) throw userError("adapter-missing", `There is no adapter at ${folder}.`, "Check the path.");
  const options = parseAdapterConfig(await readJson(file), file);
  const wanted = adapterTensors(config, options);
  const parameters = await SafetensorsFile.use(join(folder, weightsFile), async (weights) => {
    for (const name of weights.tensors.keys()) {
      if (!wanted.has(name)) throw misfit(weights.path, `tensor ${name} belongs to no module that ${configFile} names`);
    }
    const found: Parameters = new Map();
    for (const [name, shape] of wanted) {
      const stored = weights.tensors.get(name)?.shape;
      if (stored?.join() !== shape.join()) {
        const what = stored === undefined ? "missing" : `of shape [${stored.join(", ")}]`;
        throw misfit(weights.path, `tensor ${name} is ${what}, expected shape [${shape.join(", ")}]`);
      }
      found.set(name, await weights.read(name));
    }
    return found;
  });
  return { options, parameters };
}

function misfit(path: string, what: string) {
  return userError("adapter-misfit", `${path}: ${what}.`, "Use the adapter with the model it was trained on.");
}
