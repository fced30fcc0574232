/** `midcourse data world`: problems of the small world as a file, for the commands that read questions from files. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { WorldDomain } from "#tasks/world/domains.ts";
import { fromOne, wholeNumber } from "../../options/option-numbers.ts";
import { shownCommand } from "../../terminal/process.ts";
import { printCard } from "./shared.ts";

/** Their problems are made where the work is; here are only the names. */
const worldDomains = ["sums", "programs", "postfix"] as const satisfies WorldDomain["id"][];

export function registerWorld(data: Command): void {
  worldOptions(data).action(async (options) => {
    const { writeWorldFile } = await import("#recipes/sources/world-file.ts");
    const { card, cardFile } = writeWorldFile({ ...options, command: shownCommand() });
    await printCard(card, options, { data: options.out, card: cardFile });
  });
}

/** A domain's problems are found by drawing until there are enough new ones, so that there is an end to how many can be had. */
function mostProblems(text: string): number {
  const count = fromOne(text);
  if (count > 100_000) throw new InvalidArgumentError("It must be a whole number from 1 to 100000.");
  return count;
}

function worldOptions(data: Command) {
  return data
    .command("world")
    .description("problems of the small world with their answers, for commands that read questions from files")
    .addOption(new Option("--split <name>", "which problems").choices(["train", "validation", "test"]).default("train"))
    .addOption(new Option("--domain <name>", "of which domain").choices(worldDomains).default("sums"))
    .option("--count <number>", "how many", mostProblems, 1000)
    .option("--solutions", "conversations with the plain worked solution in place of question and answer")
    .requiredOption("--out <file>", ".jsonl, .json or .parquet; a data card is written beside it")
    .option("--seed <number>", "seed of the problems", wholeNumber, 1)
    .option("--json", "print the data card as JSON")
    .addHelpText(
      "after",
      `
Examples:
  midcourse data world --count 1500 --out queries.jsonl
  midcourse data world --split validation --count 200 --out gap.jsonl
`,
    );
}
