/** Registers `midcourse train`. Its recipes, and with them the engine, are only loaded when it runs (train.ts). */
import type { Command } from "commander";

export function registerTrain(program: Command): void {
  program
    .command("train")
    .description("train a model by a recipe: sft, pasr, ptr, score, …; without one, the list of them")
    .usage("<recipe> [options]")
    .argument("[recipe]", "a recipe of the list, a file such as ./mine.ts, or a package")
    .argument("[options...]")
    .allowUnknownOption()
    .helpOption(false)
    .action(async (name, words, _options, command) =>
      (await import("./train.ts")).train(name, words, command as unknown as Command),
    );
}
