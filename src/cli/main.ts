#!/usr/bin/env node
/** The `midcourse` command: parse, call, print. Each command's module is loaded only when it runs. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { registerCommands } from "./commands.ts";
import { reportFailure } from "./failure.ts";

const description = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };

const program = new Command("midcourse")
  .description("Self-refinement for language models: train models to refine while they answer, and see what it changed.")
  .version(description.version)
  .showSuggestionAfterError()
  .showHelpAfterError("(midcourse --help lists the commands)")
  .addHelpText(
    "after",
    `
Examples:
  midcourse start                                   measure the shipped model, train it with PASR, measure again, write a report
  midcourse train pasr --model models/base --out runs/mine --steps 200
  midcourse train sft --data questions.csv --question Question --answer Answer --out runs/from-scratch
  midcourse check-format --json < answers.jsonl     does each answer keep the think/refine/answer format?
`,
  );
registerCommands(program);

// A reader that closes early (`midcourse … | head`) ends the command quietly.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}
