/** Registers `midcourse train score`; the work is in `train-score.ts`. */
import { type Command, Option } from "commander";
import { fromOne } from "../../options/option-numbers.ts";
import { runOptions, sourceOptions } from "../../options/training-options.ts";

export function registerTrainScore(train: Command): void {
  const command = train
    .command("score")
    .description(
      "SCoRe: reinforcement learning over two turns, so that the second answer is better than the first (arXiv 2409.12917)",
    );
  sourceOptions(command, "runs/score")
    .addOption(
      new Option("--preset <name>", "what the options start from: for small models, or the paper's for mathematics or programs")
        .choices(["small", "paper", "paper-code"])
        .default("small"),
    )
    .option("--set <name=value...>", "change any option of the preset, e.g. --set progressBonus=5 keep=best-reward", [])
    .option("--steps <number>", "steps of both stages, divided between them as the options divide theirs", fromOne);
  runOptions(command)
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
    .action(async (options) => (await import("./train-score.ts")).trainScoreCommand(options as never));
}
