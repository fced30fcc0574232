/** `--lora RANK` as an adapter of every linear map, with the usual α of twice the rank. */

import { adaptableModules } from "#engines/embedded/checkpoint/lora-config.ts";
import type { EmbeddedEngineOptions } from "#engines/embedded/engine.ts";
import type { JsonObject } from "#files/json-lines.ts";
import { userError } from "#kernel/errors.ts";
import type { AdapterOptions } from "./adapter-options.ts";

/** `lora` for an engine to be opened with; nothing without `--lora`. */
export function adapterOf(
  { lora: rank, loraDropout: dropout = 0 }: AdapterOptions,
  seed: number,
  targetModules = adaptableModules,
): Pick<EmbeddedEngineOptions, "lora"> {
  if (rank === undefined && dropout > 0)
    throw userError("lora-rank", "--lora-dropout without --lora", "Give the rank too, for example --lora 8.");
  if (rank === undefined) return {};
  if (rank < 1) throw userError("lora-rank", "An adapter needs a rank of 1 or more", "For example --lora 8.");
  return { lora: { rank, alpha: 2 * rank, targetModules, seed, ...(dropout > 0 ? { dropout } : {}) } };
}

/** What of it decides a run's result; dropout only where there is some, so that a run without any is the same run as ever. */
export function adapterRecord({ lora, loraDropout = 0 }: AdapterOptions): JsonObject {
  return { ...(lora === undefined ? {} : { lora }), ...(loraDropout > 0 ? { loraDropout } : {}) };
}
