/** The options that training commands share: where questions come from, what is trained, and where the run goes. */
import type { Command } from "commander";
import { loraDropoutOption, loraOption } from "./adapter-options.ts";
import { metricOptions } from "./metric-options.ts";
import { fromOne, wholeNumber } from "./option-numbers.ts";

/** `--out`, `--model` and the options of a source (source-options.ts). */
export function sourceOptions(
  command: Command,
  out: string,
  model = "checkpoint folder to start from (default: the shipped model)",
): Command {
  return command
    .option("--out <folder>", "run directory; the same command goes on where it stopped", out)
    .option("--model <folder>", model)
    .option("--data <file>", "question–answer file, JSONL or CSV (default: the small world)")
    .option("--test <file>", "question–answer file to measure on before and after")
    .option("--question <column>", "name of the question column")
    .option("--answer <column>", "name of the answer column");
}

/** What is measured, adapters, seed, cores, and where figures go besides. */
export function runOptions(command: Command): Command {
  command
    .option("--items <number>", "held-out problems to measure on", wholeNumber, 400)
    .addOption(loraOption())
    .addOption(loraDropoutOption())
    .option("--seed <number>", "seed of everything random", wholeNumber, 1)
    .option("--threads <number>", "cores to use (default: all, up to 8)", fromOne)
    .option("--json", "print the result as JSON");
  for (const option of metricOptions()) command.addOption(option);
  return command;
}
