/** Registers `midcourse train ptr`; the work is in `train-ptr.ts`. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { loraDropoutOption, loraOption } from "../../options/adapter-options.ts";
import { metricOptions } from "../../options/metric-options.ts";
import { fromOne, notNegative, positiveNumber, wholeNumber } from "../../options/option-numbers.ts";

export function registerTrainPtr(train: Command): void {
  const command = train
    .command("ptr")
    .description("PTR: learn to improve on attempts, which are shown and not learned (arXiv 2410.13413)")
    .requiredOption(
      "--data <file...>",
      "examples of `midcourse data ptr`, {question, output1, output2}, or any other format of training data",
    )
    .option("--from <format>", "their format (default: told by the columns)")
    .option("--model <folder>", "checkpoint folder to start from (default: the shipped model)")
    .option("--out <folder>", "run directory; the same command goes on where it stopped", "runs/ptr")
    .option("--load-checkpoint <folder>", "weights, and the optimiser's state where it is there, to begin a new run with")
    .addOption(
      new Option(
        "--preset <name>",
        "what the other options start from: for small models, the authors' release, or PASR's rerun of it",
      )
        .choices(["small", "paper", "rerun"])
        .default("small"),
    )
    .option("--epochs <number>", "most passes over the examples", positiveNumber)
    .option("--max-steps <number>", "most optimiser steps", fromOne)
    .option("--save-every <steps>", "steps between checkpoints", fromOne)
    .option("--keep-checkpoints <number>", "how many of the newest stay on the disk", fromOne, 3)
    .option("--learning-rate <number>", "peak learning rate", positiveNumber)
    .addOption(new Option("--schedule <shape>", "what the rate does after the warm-up").choices(["constant", "linear", "cosine"]))
    .option("--warmup <number>", "steps of warm-up; below 1 the share of all steps", notNegative)
    .option("--weight-decay <number>", "of AdamW", notNegative)
    .option("--max-length <tokens>", "leave out longer examples", fromOne)
    .option("--batch-tokens <number>", "tokens of one forward and backward pass", fromOne)
    .option("--gradient-accumulation <number>", "such passes to an optimiser step", fromOne)
    .addOption(loraOption())
    .addOption(loraDropoutOption())
    .option("--lora-targets <names...>", "the matrices it is laid over (default: all seven of a layer)")
    .option(
      "--validation <file or share>",
      "examples that decide which weights are kept; a number is the share of the questions",
      "0.1",
    )
    .option("--evaluate-every <steps>", "steps between measurements of the validation loss", fromOne)
    .option("--early-stop <patience>", "end after so many measurements without a lower validation loss", fromOne)
    .option("--likelihood-weight <number>", "λ1: weight of the final answer's −log p", notNegative)
    .option("--confidence-weight <number>", "λ3: weight of its confidence term; costs a second pass", notNegative)
    .option("--confidence-scale <number>", "β_0 of the confidence term", positiveNumber)
    .addOption(new Option("--confidence-ramp <shape>", "β over the answer's tokens").choices(["rising", "flat"]))
    .option("--learn-thoughts", "learn the attempts too: the paper's ablation without mask")
    .option("--minimum-characters <number>", "layout {question, output1, …}: leave out shorter final answers", fromOne)
    .option("--keep-repeats", "layout {question, output1, …}: keep final answers that repeat an attempt word for word")
    .option("--rounds <number>", "measure rounds 1 to so many of refinement in one chat, before training and after", roundsNumber)
    .option("--test <file>", "question–answer file to measure them on (default: the small world)")
    .option("--items <number>", "problems of it (default: 300)", fromOne)
    .option("--answer-tokens <number>", "new tokens of one answer there (default: 192, of a file 512)", fromOne)
    .option("--seed <number>", "seed of everything random", wholeNumber, 1)
    .option("--threads <number>", "cores to use (default: all, up to 8)", fromOne)
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Examples:
  midcourse train ptr --data runs/ptr-data/examples.jsonl --out runs/ptr
  midcourse train ptr --data PTR_thought_dataset_sampled.jsonl --minimum-characters 8 --lora 8 --early-stop 3
  midcourse train ptr --data runs/ptr-data/examples.jsonl --rounds 10          each round's accuracy and tokens, before and after
  midcourse eval --model runs/ptr/model --methods vanilla,ptr-rounds --tasks world

--rounds may be added to a run that is finished: what it measures does not change the training.
`,
    )
    .action(async (options) => (await import("./train-ptr.ts")).trainPtrCommand(options as never));
  for (const option of metricOptions()) command.addOption(option);
}

/** As many as the method itself allows. */
function roundsNumber(text: string): number {
  const rounds = Number(text);
  if (!Number.isSafeInteger(rounds) || rounds < 1 || rounds > 100)
    throw new InvalidArgumentError("It must be a whole number from 1 to 100.");
  return rounds;
}
