/** `--lora RANK` as an adapter of every linear map, with the usual α of twice the rank. */
import type { EmbeddedEngineOptions } from "#engines/embedded/engine.ts";
import { adaptableModules } from "#engines/embedded/lora-config.ts";
import { userError } from "#kernel/errors.ts";

export function adapterOf(rank: number, seed: number): NonNullable<EmbeddedEngineOptions["lora"]> {
  if (rank < 1) throw userError("lora-rank", "An adapter needs a rank of 1 or more", "For example --lora 8.");
  return { rank, alpha: 2 * rank, targetModules: adaptableModules, seed };
}
