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
