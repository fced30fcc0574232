/** The options of `midcourse eval`; `evaluate.ts` does the work. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { withModelOptions } from "../options/model-options.ts";
import { fromOne, notNegative, wholeNumber } from "../options/option-numbers.ts";

export function registerEval(program: Command): void {
  const command = program
    .command("eval")
    .description("methods × benchmarks over any model: accuracy with intervals, tokens, and plain resampling at the same cost")
    .option("--methods <list>", "methods with their options (midcourse methods lists them)", defaultMethods)
    .option("--tasks <list>", "benchmarks (default: world for the shipped model)")
    .option("--data <file...>", "a file in place of the hub's table: FILE for one task, TASK=FILE for several")
    .option("--shots <number>", "worked examples before each question", wholeNumber, 0)
    .option("--shots-data <file...>", "where worked examples come from, when --data is given")
    .option("--limit <number>", "items of each task, the first ones (default: all; 200 of world)", wholeNumber)
    .option("--shuffle", "take the items in an order drawn from the seed")
    .option("--skip-bad-rows", "leave out rows that cannot be read, and say how many")
    .option("--samples <number>", "answers of each method to each item", fromOne, 1)
    .option("--temperature <number>", "sampling temperature (default: 0, or 0.7 for several samples)", notNegative)
    .option("--max-tokens <number>", "new tokens of one call (default: the task's)", fromOne)
    .option("--seed <number>", "seed of everything random", wholeNumber, 1)
    .option("--budget <caps>", "most that one answer may cost: tokens=…, output-tokens=…, calls=…, usd=…, seconds=…")
    .option(
      "--run-budget <caps>",
      "most that the whole run may cost, in the same words; answers under way then are still finished",
    )
    .option("--pool <number>", "plain samples of each item behind the resampling baseline, from 2; 0 for none", poolSize, 16)
    .option("--pool-temperature <number>", "their temperature (default: that of the run, 0.7 where that is 0)", notNegative)
    .option("--judge <models>", "judge models at the same kind of server, for summaries or with --grade-by judge")
    .option("--judge-samples <number>", "verdicts of each judge on each answer", fromOne, 1)
    .addOption(
      new Option("--grade-by <whom>", "who grades: the task's own rule, or the judge, as PASR's evaluation does for every task")
        .choices(["rule", "judge"])
        .default("rule"),
    )
    .option("--judge-base-url <address>", "where the judge is served (default: where the model is)")
    .option("--embeddings <model>", "embeddings model for summaries, such as BAAI/bge-m3 (EMBEDDINGS_BASE_URL)")
    .option("--scorer <model>", "model that scores answers without the reference, for best-of-n(select=verifier) and magicore")
    .addOption(
      new Option("--sandbox <kind>", "where programs run (midcourse sandbox shows what this machine has)")
        .choices(["auto", "process", "pyodide"])
        .default("auto"),
    )
    .option("--allow-bare", "run a model's programs under your own account when nothing safer works")
    .option("--out <folder>", "run directory; the same command goes on where it stopped", "runs/eval")
    .option("--json", "print results.json instead of the table");
  withModelOptions(command, "answers in the run directory")
    .addHelpText(
      "after",
      `
Examples:
  midcourse eval                                                              the shipped model on its own task
  midcourse eval --model qwen3-8b --tasks gsm8k,math-500 --limit 200          a model at OPENAI_BASE_URL
  midcourse eval --tasks gsm8k --data test.jsonl --methods "vanilla,self-refine(rounds=2),best-of-n(n=4)" --out runs/refine
  midcourse eval --tasks humaneval --methods vanilla,self-repair --run-budget usd=2

The same command after a crash, a kill or Ctrl-C goes on with what is missing. Other tasks, methods, limits and samples may be added to a
run; the model, prompts, seed and temperature may not change. Reports: midcourse report RUN [RUN…]; other tools: midcourse export RUN.
`,
    )
    .action(async (options) => (await import("./evaluate.ts")).evaluateCommand(options));
}

/** Plain answers, refinement while answering, refinement afterwards, and resampling. */
const defaultMethods = "vanilla,pasr-format,self-refine,self-consistency";

function poolSize(text: string): number {
  const samples = wholeNumber(text);
  if (samples === 1) throw new InvalidArgumentError("One sample has nothing to be resampled from: it must be 0, or 2 or more.");
  return samples;
}
