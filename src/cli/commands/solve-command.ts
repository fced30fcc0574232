/** The options of `midcourse solve`; `solve.ts` does the work. */
import { type Command, Option } from "commander";
import { withModelOptions } from "../options/model-options.ts";
import { fromOne, notNegative, wholeNumber } from "../options/option-numbers.ts";

export function registerSolve(program: Command): void {
  const command = program
    .command("solve")
    .description("answer one question with a method, and show every call of it while it happens")
    .argument("<question>", "the question; - reads it from standard input")
    .option("--method <method>", "a method with its options (midcourse methods lists them)", "self-refine")
    .option("--task <name>", "put the question and read answers as this benchmark does (default: world for the shipped model)")
    .option("--system <text>", "a system message before the question")
    .option("--temperature <number>", "sampling temperature", notNegative, 0)
    .option("--max-tokens <number>", "new tokens of one call (default: the task's, or 1024)", fromOne)
    .option("--seed <number>", "seed of everything random", wholeNumber, 1)
    .option("--budget <caps>", "most that the answer may cost: tokens=…, output-tokens=…, calls=…, usd=…, seconds=…")
    .option("--scorer <model>", "model that scores answers, for best-of-n(select=verifier) and magicore")
    .addOption(
      new Option("--sandbox <kind>", "where programs run (midcourse sandbox shows what this machine has)")
        .choices(["auto", "process", "pyodide"])
        .default("auto"),
    )
    .option("--allow-bare", "run a model's programs under your own account when nothing safer works")
    .option("--quiet", "print the answer alone")
    .option("--json", "one JSON line for each event as it happens, the outcome last");
  withModelOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  midcourse solve "12 + 30 - 5"                                             the shipped model
  midcourse solve --model qwen3-8b --method "self-refine(rounds=2)" "How many primes are there below 100?"
  midcourse solve --method "best-of-n(self-refine(rounds=1),n=4)" --temperature 0.7 --budget calls=12 - < question.txt
  midcourse solve --method ptr-rounds:rounds=3 --task gsm8k --json "Ann has 3 apples …" > trace.jsonl
`,
    )
    .action(async (question: string, options) => (await import("./solve.ts")).solve(question, options));
}
