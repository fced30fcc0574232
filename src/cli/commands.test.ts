import { Command } from "commander";
import { expect, test } from "vitest";
import { recipes } from "#recipes/catalogue.ts";
import { recipeCommand } from "./commands/train/train.ts";
import { registerCommands } from "./commands.ts";

function helpOf(command: { configureOutput: Command["configureOutput"]; outputHelp: Command["outputHelp"] }): string {
  let text = "";
  command.configureOutput({ writeOut: (piece) => (text += piece) });
  command.outputHelp();
  return text;
}

test("the help of every command that does something says its exit codes, once", () => {
  const program = new Command();
  registerCommands(program);
  const leaves = (commands: Command["commands"]): Command["commands"][number][] =>
    commands.flatMap((command) => (command.commands.length > 0 ? leaves(command.commands) : [command]));
  const commands = leaves(program.commands).filter((command) => command.name() !== "train");
  expect(commands.length).toBeGreaterThan(14);
  const own = [...commands, ...recipes.map((card) => recipeCommand(card))];
  for (const command of own)
    expect([command.name(), helpOf(command as never).split("Exit codes:").length]).toEqual([command.name(), 2]);
});

test("a refusal of the command line names the help of its own command, and how lines are handed to one that reads them", async () => {
  const refused = async (...words: string[]) => {
    let text = "";
    const program = new Command("midcourse");
    registerCommands(program);
    const quiet = (command: Command) => {
      command.exitOverride().configureOutput({ writeErr: (piece) => (text += piece) });
      for (const inner of command.commands) quiet(inner as Command);
    };
    quiet(program);
    await program.parseAsync(words, { from: "user" }).catch(() => {});
    return text;
  };
  expect(await refused("grade", "--kind", "number", "answers.jsonl")).toContain(
    "midcourse grade --kind math < answers.jsonl; midcourse grade --help",
  );
  expect(await refused("grade")).toContain("midcourse grade --help");
  expect(await refused("check-format", "answers.jsonl")).toContain("midcourse check-format < answers.jsonl");
  expect(await refused("solve")).toContain("(midcourse solve --help");
  expect(await refused("data", "world", "--nothing")).toContain("(midcourse data world --help");
  expect(await refused("train", "pasr", "--step", "3")).toContain("(midcourse train pasr --help");
});
