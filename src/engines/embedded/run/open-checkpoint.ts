/** A model's weights from its folder: a checkpoint, or a checkpoint with the adapters of the folders that lead to it merged in. */
import { modelChain } from "#files/adapter-base.ts";
import { recoverFolder } from "#files/durable.ts";
import { type Checkpoint, loadCheckpoint } from "../checkpoint/checkpoint.ts";
import { loadAdapter, mergeAdapter } from "./lora.ts";

export interface OpenedCheckpoint {
  checkpoint: Checkpoint;
  /** Where tokenizer and the like stand: the adapters' own after their base's. */
  companions: string[];
}

/** @throws userError as `loadCheckpoint` and `loadAdapter` do, and where an adapter's base is missing */
export async function openCheckpoint(folder: string): Promise<OpenedCheckpoint> {
  await recoverFolder(folder);
  const [base, ...adapters] = modelChain(folder).reverse();
  const checkpoint = await loadCheckpoint(base);
  for (const each of adapters) {
    const adapter = await loadAdapter(each, checkpoint.config);
    checkpoint.parameters = mergeAdapter(checkpoint.config, checkpoint.parameters, adapter);
  }
  return { checkpoint, companions: [base, ...adapters] };
}
