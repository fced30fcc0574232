/** The low-rank adapter of a training, as it is asked for and as the run's record keeps it. */
import { adaptableModules } from "#engines/embedded/checkpoint/lora-config.ts";
import type { EmbeddedEngineOptions } from "#engines/embedded/engine.ts";
import type { JsonObject } from "#files/json-lines.ts";
import { userError } from "#kernel/errors.ts";

export interface AdapterOptions {
  /** Rank of an adapter beside frozen weights. */
  lora?: number | undefined;
  /** Its update is scaled by α over the rank; twice the rank when left out. */
  loraAlpha?: number | undefined;
  loraDropout?: number | undefined;
  /** The matrices it is laid over; all linear maps when left out. */
  loraTargets?: readonly string[] | undefined;
}

/** With the adapter that was asked for; nothing without a rank. */
export function adapterOf(
  { lora: rank, loraAlpha, loraDropout: dropout = 0, loraTargets }: AdapterOptions,
  seed: number,
): Pick<EmbeddedEngineOptions, "lora"> {
  const given = { "--lora-alpha": loraAlpha, "--lora-dropout": dropout || undefined, "--lora-targets": loraTargets };
  const stray = Object.entries(given).find(([, value]) => value !== undefined)?.[0];
  if (rank === undefined && stray !== undefined)
    throw userError("lora-rank", `${stray} without --lora`, "Give the rank too, for example --lora 8.");
  if (rank === undefined) return {};
  if (rank < 1) throw userError("lora-rank", "An adapter needs a rank of 1 or more", "For example --lora 8.");
  const targetModules = (loraTargets as typeof adaptableModules | undefined) ?? adaptableModules;
  return { lora: { rank, alpha: loraAlpha ?? 2 * rank, targetModules, seed, ...(dropout > 0 ? { dropout } : {}) } };
}

/** What of it decides a run's result; what is not there is not named, so that a run without any is the same run as ever. */
export function adapterRecord({ lora, loraAlpha, loraDropout = 0, loraTargets }: AdapterOptions): JsonObject {
  return {
    lora,
    loraAlpha: loraAlpha === undefined || loraAlpha === 2 * (lora ?? 0) ? undefined : loraAlpha,
    loraDropout: loraDropout > 0 ? loraDropout : undefined,
    loraTargets: loraTargets && [...loraTargets],
  };
}
