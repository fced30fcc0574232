/** `midcourse data convert`: one file of training data in another format, with a card of what it lost. */
import type { Command } from "commander";
import { fromOne } from "../../options/option-numbers.ts";
import { shownCommand } from "../../terminal/process.ts";
import { formats, nearDuplicateFilter, printCard, withNearDuplicates } from "./shared.ts";

export function registerConvert(data: Command): void {
  convertOptions(data).action(async (file, options) => {
    const { convertFile } = await import("#data/training-files/written-file.ts");
    const { card, cardFile } = await convertFile(file, {
      from: options.from,
      limits: { minimumAnswerCharacters: options.minimumCharacters, keepRepeats: options.keepRepeats },
      to: options.to,
      out: options.out,
      nearDuplicates: nearDuplicateFilter(options),
      ignoreWeights: options.ignoreWeights,
      strict: options.strict,
      command: shownCommand(),
    });
    await printCard(card, options, { data: options.out, card: cardFile });
  });
}

function convertOptions(data: Command) {
  const command = data
    .command("convert")
    .description("training data from one format to another; what the other cannot say is left out and counted")
    .argument("<file>", "JSONL, JSON, CSV, TSV or Parquet")
    .option("--from <format>", "its format (default: told by its columns)")
    .requiredOption("--to <format>", `one of ${formats}`)
    .requiredOption("--out <file>", ".jsonl, .json or .parquet; a data card is written beside it")
    .option("--minimum-characters <number>", "ptr: leave out shorter final answers", fromOne)
    .option("--keep-repeats", "ptr: keep final answers that repeat an attempt word for word");
  return withNearDuplicates(command, "leave out")
    .option("--ignore-weights", "write weighted examples without their weight where the format holds none (default: left out)")
    .option("--strict", "stop where rows would be left out, before anything is written")
    .option("--json", "print the data card as JSON")
    .addHelpText(
      "after",
      `
Examples:
  midcourse data convert thoughts.json --from ptr --to trl-prompt-completion --minimum-characters 8 --out train.jsonl
  midcourse data convert thoughts.json --to trl-preference --out pairs.jsonl      the answer against the attempt
  midcourse data convert train.jsonl --near-duplicates 0.8 --to midcourse --out fewer.jsonl
  midcourse data convert questions.jsonl --to verl --out train.parquet
`,
    );
}
