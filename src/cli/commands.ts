/** The list of commands. Each file declares its options and imports its work only when it runs. */
import type { Command } from "commander";
import { registerCheckFormat } from "./commands/check-format.ts";
import { registerCompletion } from "./commands/completion.ts";
import { registerCard } from "./commands/data/card.ts";
import { registerConvert } from "./commands/data/convert.ts";
import { registerFromRun } from "./commands/data/from-run.ts";
import { registerPtr } from "./commands/data/ptr.ts";
import { registerWorld } from "./commands/data/world.ts";
import { registerEval } from "./commands/eval.ts";
import { registerExport } from "./commands/export.ts";
import { registerGrade } from "./commands/grade.ts";
import { registerMerge } from "./commands/merge.ts";
import { registerMethods } from "./commands/methods.ts";
import { registerReport } from "./commands/report.ts";
import { registerReproduce } from "./commands/reproduce.ts";
import { registerSandbox } from "./commands/sandbox.ts";
import { registerSolve } from "./commands/solve.ts";
import { registerStart } from "./commands/start.ts";
import { registerTrain } from "./commands/train/train-command.ts";
import { exitCodesHelp } from "./terminal/failure.ts";

export function registerCommands(program: Command): void {
  registerStart(program);
  registerSolve(program);
  registerMethods(program);
  registerEval(program);
  registerTrain(program);
  const data = program.command("data").description("make and convert training data: ptr, convert, from-run, world, card");
  registerPtr(data);
  registerConvert(data);
  registerFromRun(data);
  registerWorld(data);
  registerCard(data);
  registerMerge(program);
  registerReproduce(program);
  registerReport(program);
  registerExport(program);
  registerGrade(program);
  registerCheckFormat(program);
  registerSandbox(program);
  registerCompletion(program);
  sayExitCodes(program.commands);
  sayHelp(program.commands, "midcourse");
}

/** What is to be typed where lines are read that no argument names. */
const readers: Readonly<Record<string, string>> = {
  grade: "midcourse grade --kind math < answers.jsonl",
  "check-format": "midcourse check-format < answers.jsonl",
};

/** Behind a refusal of the command line: the help that has the answer, which is the command's own. */
function sayHelp(commands: Command["commands"], parent: string): void {
  for (const command of commands) {
    const name = `${parent} ${command.name()}`;
    const reader = readers[command.name()];
    command.showHelpAfterError(
      reader === undefined
        ? `(${name} --help has all that it takes)`
        : `(It reads lines from standard input: ${reader}; ${name} --help has all that it takes)`,
    );
    sayHelp(command.commands, name);
  }
}

/** What 0 and 1 mean where a command does not say it itself, in other words. */
const meanings: Readonly<Record<string, readonly [good: string, bad: string]>> = {
  "check-format": ["checked, whatever the verdicts are", "a name"],
  sandbox: ["everything that was tried was contained", "or something that was not contained"],
};

const sayingItThemselves = ["eval", "solve", "grade", "train"];

function sayExitCodes(commands: Command["commands"]): void {
  for (const command of commands) {
    if (command.commands.length > 0) sayExitCodes(command.commands);
    else if (!sayingItThemselves.includes(command.name()))
      command.addHelpText("after", exitCodesHelp(...(meanings[command.name()] ?? ["done", "a name"])));
  }
}
