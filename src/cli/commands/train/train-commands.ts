/** Registers `midcourse train sft` and `midcourse train pasr`. */
import { type Command, Option } from "commander";
import { positiveNumber, wholeNumber } from "../../options/option-numbers.ts";
import { runOptions, sourceOptions } from "../../options/training-options.ts";

export function registerTrainSft(train: Command): void {
  const command = train.command("sft").description("supervised training: the small world's base model, or question–answer files");
  sourceOptions(command, "runs/sft", "checkpoint folder to start from (default: a new model)")
    .option("--resample", "give word problems new numbers in every pass")
    .option("--size <name>", "new model: tiny (0.26 M, for files), small (1.03 M, the shipped one), medium (4.8 M)")
    .option("--steps <number>", "optimiser steps", wholeNumber)
    .option("--learning-rate <number>", "peak learning rate", positiveNumber);
  runOptions(command)
    .addHelpText(
      "after",
      "\nExamples:\n  midcourse train sft --out runs/base                      how the shipped model was made\n  midcourse train sft --data train.csv --test test.csv --out runs/word-problems\n",
    )
    .action(async (options) => (await import("./train-sft.ts")).trainSft(options as never));
}

export function registerTrainPasr(train: Command): void {
  const command = train
    .command("pasr")
    .description("PASR: reinforcement learning that compares refined with plain answers (arXiv 2508.12903)");
  sourceOptions(command, "runs/pasr")
    .addOption(new Option("--preset <name>", "option set to start from").choices(["small-world", "paper"]).default("small-world"))
    .option("--set <name=value...>", "change any option of the preset, e.g. --set learningRate=1e-5 tolerance=0", [])
    .option("--steps <number>", "training steps", wholeNumber);
  runOptions(command)
    .addHelpText(
      "after",
      "\nExamples:\n  midcourse train pasr --out runs/pasr\n  midcourse train pasr --set refineReward=any-refinement --out runs/any-refinement      the reward-hacking control\n  midcourse train pasr --model runs/base/model --data train.csv --test test.csv --out runs/mine\n",
    )
    .action(async (options) => (await import("./train-pasr.ts")).trainPasrCommand(options as never));
}
