/** The list of commands with their options; each imports its work only when it runs. */
import { type Command, Option } from "commander";
import { registerCheckFormat } from "./commands/check-format.ts";
import { registerCard } from "./commands/data/card.ts";
import { registerConvert } from "./commands/data/convert.ts";
import { registerFromRun } from "./commands/data/from-run.ts";
import { registerPtr } from "./commands/data/ptr.ts";
import { registerWorld } from "./commands/data/world.ts";
import { registerEval } from "./commands/eval.ts";
import { registerGrade } from "./commands/grade.ts";
import { registerMethods } from "./commands/methods.ts";
import { registerReproduce } from "./commands/reproduce.ts";
import { registerSandbox } from "./commands/sandbox.ts";
import { registerSolve } from "./commands/solve.ts";
import { registerTrainBaselines } from "./commands/train/train-baselines-command.ts";
import { registerTrainPasr, registerTrainSft } from "./commands/train/train-commands.ts";
import { registerTrainPtr } from "./commands/train/train-ptr-command.ts";
import { registerTrainScore } from "./commands/train/train-score-command.ts";
import { wholeNumber } from "./options/option-numbers.ts";

export function registerCommands(program: Command): void {
  registerStart(program);
  registerSolve(program);
  registerMethods(program);
  registerEval(program);
  const train = program.command("train").description("train a model: sft, pasr, ptr, score, and the other trained baselines");
  registerTrainSft(train);
  registerTrainPasr(train);
  registerTrainPtr(train);
  registerTrainScore(train);
  registerTrainBaselines(train);
  const data = program.command("data").description("make and convert training data: ptr, convert, from-run, world, card");
  registerPtr(data);
  registerConvert(data);
  registerFromRun(data);
  registerWorld(data);
  registerCard(data);
  registerReproduce(program);
  registerReport(program);
  registerExport(program);
  registerGrade(program);
  registerCheckFormat(program);
  registerSandbox(program);
}

function registerStart(program: Command): void {
  program
    .command("start")
    .description("measure the shipped model, train it with PASR, measure it again on held-out problems, write a report")
    .option("--out <folder>", "run directory; the same command goes on where it stopped", "runs/start")
    .option("--model <folder>", "checkpoint folder to start from (default: the shipped model)")
    .option("--seed <number>", "seed of everything random", wholeNumber, 1)
    .option("--steps <number>", "training steps", wholeNumber)
    .option("--items <number>", "held-out problems each method answers", wholeNumber, 400)
    .option("--fast", "a smoke of the same code in about a minute: few steps, few problems; proves nothing")
    .option("--threads <number>", "cores to use (default: all, up to 8)", wholeNumber)
    .option("--json", "print results.json instead of the table")
    .addHelpText(
      "after",
      "\nExamples:\n  midcourse start\n  midcourse start --seed 2 --out runs/start-2\n  midcourse start --fast --out runs/smoke\n",
    )
    .action(async (options) => (await import("./commands/start.ts")).start(options));
}

function registerReport(program: Command): void {
  program
    .command("report")
    .description("one page from several runs: evaluations side by side, or training curves together")
    .argument("<runs...>", "run directories of midcourse eval, or of midcourse start")
    .option("--out <file>", "file to write", "report.html")
    .addHelpText(
      "after",
      "\nExamples:\n  midcourse report runs/eval                     its table and page again\n  midcourse report runs/a runs/b --out ab.html   two evaluations, paired where their items are the same\n  midcourse report runs/start runs/start-2       training curves of two seeds\n",
    )
    .action(async (runs: string[], options) => (await import("./commands/report.ts")).report(runs, options));
}

function registerExport(program: Command): void {
  program
    .command("export")
    .description("an evaluation in the formats of other tools")
    .argument("<run>", "run directory of midcourse eval")
    .addOption(
      new Option("--format <name>", "lm-eval: samples and results of lm-evaluation-harness; inspect: logs of Inspect")
        .choices(["lm-eval", "inspect"])
        .default("lm-eval"),
    )
    .option("--out <folder>", "folder to write into (default: the format's name in the run directory)")
    .addHelpText("after", "\nExamples:\n  midcourse export runs/eval --format inspect --out logs\n")
    .action(async (run: string, options) => (await import("./commands/export.ts")).exportRun(run, options));
}
