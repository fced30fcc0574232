/** `midcourse data card`: a card that was written, or the figures of a file of training data. */
import type { Command } from "commander";
import { fromOne } from "../../options/option-numbers.ts";
import { nearDuplicateFilter, printCard, withNearDuplicates } from "./shared.ts";

export function registerCard(data: Command): void {
  cardOptions(data).action(async (file, options) => {
    const [{ readCard }, { fileFigures }] = await Promise.all([
      import("#data/training-files/data-card.ts"),
      import("#recipes/sources/data-figures.ts"),
    ]);
    const { from: format, model, tokensPerStep } = options;
    const card =
      readCard(file) ?? (await fileFigures(file, { format, model, tokensPerStep, nearDuplicates: nearDuplicateFilter(options) }));
    await printCard(card, options);
  });
}

function cardOptions(data: Command) {
  const command = data
    .command("card")
    .description("what is in a file of training data, or what was counted when it was made")
    .argument("<file>", "training data, a data card, or a run directory of `midcourse data ptr`")
    .option("--from <format>", "its format (default: told by its columns)")
    .option("--model <folder>", "count tokens with this checkpoint's tokenizer")
    .option("--tokens-per-step <number>", "with --model: how full optimiser steps of so many tokens are", fromOne, 8192);
  return withNearDuplicates(command, "count")
    .option("--json", "print it as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  midcourse data card train.jsonl --model runs/start/model\n  midcourse data card runs/ptr-data\n",
    );
}
