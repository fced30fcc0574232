/** Registers `midcourse grade`; the work is in `grade.ts`. */
import { type Command, Option } from "commander";
import { fromOne } from "../options/option-numbers.ts";

export function registerGrade(program: Command): void {
  program
    .command("grade")
    .description(
      "read JSON lines {gold, answer} or {item, answer} from standard input and say of each answer whether it is right",
    )
    .requiredOption("--kind <kind>", "math, number, integer, choice, drop, humaneval, summary, or the name of any benchmark")
    .option("--json", "one JSON record for each line, in order: {equal} for a gold answer, {correct, status} for an item")
    .option("--concurrency <number>", "lines graded at a time, where programs are run (default: 4)", fromOne)
    .addOption(
      new Option("--sandbox <kind>", "where programs run (midcourse sandbox shows what this machine has)")
        .choices(["auto", "process", "pyodide"])
        .default("auto"),
    )
    .option("--allow-bare", "run programs under your own account when nothing safer works")
    .addHelpText(
      "after",
      `
Lines:
  {"gold": "3/4", "answer": "So the answer is $\\\\boxed{0.75}$."}
  {"gold": "B", "choices": ["red", "blue"], "answer": "It must be blue."}
  {"item": {"task_id": …, "prompt": …, "entry_point": …, "test": …}, "answer": "def f(n): …"}

Examples:
  midcourse grade --kind math --json < answers.jsonl
  midcourse grade --kind humaneval < programs.jsonl
`,
    )
    .action(async (options) => {
      const [{ gradeLines }, { interruptSignal }] = await Promise.all([import("./grade.ts"), import("../terminal/interrupt.ts")]);
      const signal = interruptSignal();
      await gradeLines(process.stdin.setEncoding("utf8"), process.stdout, { ...options, json: options.json === true, signal });
    });
}
