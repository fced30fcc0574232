/** Registers the baselines of `midcourse train`: star, isc, rise, pasr-ift. The work is in `train-baselines.ts`. */
import { type Command, Option } from "commander";
import { fromOne, positiveNumber } from "../../options/option-numbers.ts";
import { runOptions, sourceOptions } from "../../options/training-options.ts";

export function registerTrainBaselines(train: Command): void {
  baseline(train, "star", "STaR: learn one's own right rationales, with hints where there were none (arXiv 2203.14465)")
    .option("--rounds <number>", "most loops, each from the base anew", fromOne)
    .option("--no-rationalise", "give no hints")
    .addHelpText("after", "\nExamples:\n  midcourse train star --out runs/star --rounds 3\n");
  baseline(
    train,
    "isc",
    "ISC: learn to check an answer and to correct it; wrong first answers are not learned (arXiv 2401.07301)",
  )
    .option("--samples <number>", "answers drawn to each question", fromOne)
    .option("--learn-wrong", "learn wrong first answers too: the ablation without partial answer masking")
    .addHelpText("after", "\nExamples:\n  midcourse train isc --out runs/isc --questions 500\n");
  baseline(train, "rise", "RISE: learn the best of one's own next attempts, weighed by reward (arXiv 2407.18219)")
    .option("--rounds <number>", "iterations, each from the base anew on all data so far", fromOne)
    .option("--samples <number>", "samples the last turn is the best of", fromOne)
    .addOption(new Option("--keep <which>", "turns that are learned").choices(["all", "better", "best", "success"]))
    .addHelpText("after", "\nExamples:\n  midcourse train rise --out runs/rise --keep success\n");
  baseline(train, "pasr-ift", "PASR+IFT: plain training on the good refinements of a model trained with PASR")
    .option("--trained <folder>", "checkpoint folder of that model, to draw answers of")
    .option("--from-run <folder>", "run directory of midcourse train pasr or start, to take its rollouts of")
    .option("--samples <number>", "refined, and as many plain, answers drawn to each question", fromOne)
    .addHelpText("after", "\nExamples:\n  midcourse train pasr-ift --trained runs/pasr/model --out runs/pasr-ift\n");
}

export type Baseline = "star" | "isc" | "rise" | "pasr-ift";

function baseline(train: Command, name: Baseline, description: string): Command {
  const command = train.command(name).description(description);
  sourceOptions(command, `runs/${name}`)
    .addOption(
      new Option("--preset <name>", "what the recipe's constants are: for small models, or the paper's")
        .choices(["small", "paper"])
        .default("small"),
    )
    .option("--questions <number>", "training questions that are asked", fromOne, 200)
    .option("--learning-rate <number>", "peak learning rate", positiveNumber)
    .option("--epochs <number>", "passes over the examples of a round (star counts steps)", positiveNumber);
  return runOptions(command).action(async (options) =>
    (await import("./train-baselines.ts")).trainBaseline(name, options as never),
  );
}
