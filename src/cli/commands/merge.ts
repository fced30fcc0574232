/** `midcourse merge`: a plain checkpoint out of an adapter's folder and its base. */
import type { Command } from "commander";
import { counted } from "#kernel/numbers.ts";

export function registerMerge(program: Command): void {
  mergeOptions(program).action(async (adapter, { out, json }) => {
    const [{ isAdapterFolder, modelChain }, { openCheckpoint }, { saveCheckpoint }, { userError }] = await Promise.all([
      import("#files/adapter-base.ts"),
      import("#engines/embedded/run/open-checkpoint.ts"),
      import("#engines/embedded/checkpoint/checkpoint.ts"),
      import("#kernel/errors.ts"),
    ]);
    if (!isAdapterFolder(adapter)) {
      const advice = "Give the folder of an adapter, such as the model of a run that was trained with --lora.";
      throw userError("no-adapter", `${adapter} holds no adapter_config.json, or a whole checkpoint beside it`, advice);
    }
    const { checkpoint, companions } = await openCheckpoint(adapter);
    await saveCheckpoint(out, { ...checkpoint, companionsFrom: companions });
    const base = modelChain(adapter).at(-1);
    const tensors = checkpoint.parameters.size;
    const said = `${out}: the ${counted(tensors, "tensor")} of ${base} with ${adapter} merged in.`;
    process.stdout.write(`${json ? JSON.stringify({ adapter, base, model: out, tensors }) : said}\n`);
  });
}

function mergeOptions(program: Command) {
  return program
    .command("merge")
    .description("write a plain checkpoint out of an adapter (LoRA) and the model it was trained on")
    .argument("<adapter>", "folder of the adapter: adapter_config.json and adapter_model.safetensors")
    .requiredOption("--out <folder>", "the checkpoint's folder")
    .option("--json", "print what was written as JSON")
    .addHelpText("after", "\nExample:\n  midcourse merge runs/pasr-lora/model --out runs/pasr-merged\n");
}
