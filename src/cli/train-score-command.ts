/** Registers `midcourse train score`; the work is in `train-score.ts`. */
import { type Command, Option } from "commander";
import { loraDropoutOption, loraOption } from "./adapter-options.ts";
import { metricOptions } from "./metric-options.ts";
import { fromOne, wholeNumber } from "./option-numbers.ts";

export function registerTrainScore(train: Command): void {
  const command = train
    .command("score")
    .description(
      "SCoRe: reinforcement learning over two turns, so that the second answer is better than the first (arXiv 2409.12917)",
    )
    .option("--out <folder>", "run directory; the same command goes on where it stopped", "runs/score")
    .option("--model <folder>", "checkpoint folder to start from (default: the shipped model)")
    .option("--data <file>", "question–answer file, JSONL or CSV (default: the small world)")
    .option("--test <file>", "question–answer file to measure on before and after")
    .option("--question <column>", "name of the question column")
    .option("--answer <column>", "name of the answer column")
    .addOption(
      new Option("--preset <name>", "what the options start from: for small models, or the paper's for mathematics or programs")
        .choices(["small", "paper", "paper-code"])
        .default("small"),
    )
    .option("--set <name=value...>", "change any option of the preset, e.g. --set progressBonus=5 keep=best-reward", [])
    .option("--steps <number>", "steps of both stages, divided between them as the options divide theirs", fromOne)
    .option("--items <number>", "held-out problems to measure on", wholeNumber, 400)
    .addOption(loraOption())
    .addOption(loraDropoutOption())
    .option("--seed <number>", "seed of everything random", wholeNumber, 1)
    .option("--threads <number>", "cores to use (default: all, up to 8)", fromOne)
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Examples:
  midcourse train score --out runs/score
  midcourse train score --set progressBonus=0 --out runs/no-bonus      the ablation without reward shaping
  midcourse train score --set stageOneSteps=0 --out runs/one-stage     the ablation without stage I
  midcourse train score --model runs/base/model --data train.csv --test test.csv --set keep=best-reward --out runs/mine

A name that --set does not know is answered with all names.
`,
    )
    .action(async (options) => (await import("./train-score.ts")).trainScoreCommand(options));
  for (const option of metricOptions()) command.addOption(option);
}
