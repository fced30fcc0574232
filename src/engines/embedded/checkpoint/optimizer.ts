/** The optimiser's state beside a checkpoint: both AdamW moments of every trained tensor and the number of steps taken. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { userError } from "#kernel/errors.ts";
import { SafetensorsFile, type Tensor, writeSafetensors } from "./safetensors.ts";

export interface OptimizerState {
  /** Steps taken so far. */
  step: number;
  /** By parameter name; same lengths as the parameters. */
  firstMoments: ReadonlyMap<string, Float32Array>;
  secondMoments: ReadonlyMap<string, Float32Array>;
}

export const optimizerFile = "optimizer.safetensors";
const firstPrefix = "exp_avg.";
const secondPrefix = "exp_avg_sq.";

/** `parameters` gives the shapes. */
export async function saveOptimizerState(
  folder: string,
  state: OptimizerState,
  parameters: ReadonlyMap<string, { shape: number[] }>,
): Promise<void> {
  const tensors = new Map<string, Tensor>();
  for (const [prefix, moments] of [[firstPrefix, state.firstMoments] as const, [secondPrefix, state.secondMoments] as const]) {
    for (const [name, data] of moments) tensors.set(prefix + name, { shape: parameters.get(name)!.shape, data });
  }
  await writeSafetensors(join(folder, optimizerFile), tensors, { format: "pt", step: String(state.step) });
}

/**
 * @param shapes the trained tensors
 * @returns undefined when the folder holds no optimiser state
 * @throws userError when the state is damaged or belongs to another model
 */
export async function loadOptimizerState(
  folder: string,
  shapes: ReadonlyMap<string, readonly number[]>,
): Promise<OptimizerState | undefined> {
  const path = join(folder, optimizerFile);
  if (!existsSync(path)) return undefined;
  return SafetensorsFile.use(path, (file) => readState(file, shapes));
}

async function readState(file: SafetensorsFile, shapes: ReadonlyMap<string, readonly number[]>): Promise<OptimizerState> {
  const { path } = file;
  const stepText = file.metadata.get("step") ?? "";
  if (!/^\d{1,15}$/.test(stepText)) {
    throw userError("optimizer-step", `${path}: the step count is ${JSON.stringify(stepText)}.`, otherCheckpoint);
  }
  const read = async (prefix: string) => {
    const moments = new Map<string, Float32Array>();
    for (const [name, shape] of shapes) {
      const entry = file.tensors.get(prefix + name);
      if (entry === undefined || entry.shape.join() !== shape.join()) {
        const found = entry === undefined ? "missing" : `of shape [${entry.shape.join(", ")}]`;
        throw userError(
          "optimizer-tensor",
          `${path}: tensor ${prefix}${name} is ${found}, expected shape [${shape.join(", ")}].`,
          otherCheckpoint,
        );
      }
      moments.set(name, (await file.read(prefix + name)).data);
    }
    return moments;
  };
  const firstMoments = await read(firstPrefix);
  const secondMoments = await read(secondPrefix);
  if (file.tensors.size !== 2 * shapes.size) {
    throw userError("optimizer-tensor", `${path}: it holds the state of tensors that are not being trained.`, otherCheckpoint);
  }
  return { step: Number(stepText), firstMoments, secondMoments };
}

const otherCheckpoint = "Use a checkpoint of the same run, or remove the file to start with a fresh optimiser.";
