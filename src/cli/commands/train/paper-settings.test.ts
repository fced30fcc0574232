import { readFileSync } from "node:fs";
import path from "node:path";
import { Command, type CommandUnknownOpts } from "commander";
import { expect, test } from "vitest";
import { recipes } from "#recipes/catalogue.ts";
import { recipeOptionsPage } from "#recipes/option-table.ts";
import { optionsByName } from "#recipes/recipe-options.ts";
import { scoreOptions } from "#recipes/score/options.ts";
import { registerCommands } from "../../commands.ts";
import { recipeCommand } from "./train.ts";

const docs = path.resolve(import.meta.dirname, "../../../../docs");
const page = readFileSync(path.join(docs, "paper-settings.md"), "utf8");
const sections = page.split(/^##+ /m).slice(1);

const recipeOf = (words: string) => recipes.find(({ id }) => words === `train ${id}`);

function flagsOf(words: string): string[] {
  const recipe = recipeOf(words);
  if (recipe) return recipeCommand(recipe).options.map(({ long }) => long!);
  const program = new Command("midcourse");
  registerCommands(program);
  let command: CommandUnknownOpts | undefined = program;
  for (const word of words.split(" ")) command = command?.commands.find((each) => each.name() === word);
  return command!.options.map(({ long }) => long!);
}

/** The command of each section; where one names none, that of the section before it. */
const commands: string[] = [];
for (const section of sections) {
  const named = section.match(/`midcourse (train [a-z-]+|data ptr|eval)/)?.[1];
  commands.push(named ?? commands.at(-1)!);
}

/** Names that `--set` of a command knows. */
function settable(command: string): string[] {
  const recipe = recipeOf(command);
  return recipe ? [...optionsByName(recipe.options).keys()] : [];
}

/** Cells of the column “here”. */
function here(section: string): string[] {
  const rows = section.split("\n").filter((line) => line.startsWith("|") && !line.startsWith("|--"));
  const place = (rows[0] ?? "").split("|").findIndex((cell) => cell.trim() === "here");
  return place < 0 ? [] : rows.slice(1).map((row) => row.split("|")[place]);
}

test.each(sections.map((section, index) => [section.split("\n")[0], commands[index], section]))(
  "what stands under “here” in “%s” is an option of midcourse %s",
  (_title, command, section) => {
    const flags = flagsOf(command);
    for (const cell of here(section)) {
      for (const [, name] of cell.matchAll(/`([^`]+)`/g)) {
        if (name!.startsWith("--")) expect(flags, name).toContain(name);
        else expect(settable(command), name).toContain(name);
      }
    }
  },
);

test("every option of SCoRe that the paper speaks of, or that decides what it measures, has its place", () => {
  const score = sections.find((section) => section.startsWith("SCoRe"))!;
  const more = ["topP", "topK", "maskTruncated", "earlierTurns", "normaliser"];
  for (const name of Object.keys(scoreOptions)) if (!more.includes(name)) expect(score).toContain(`\`${name}`);
});

test("every key of PASR's README has its row", () => {
  const keys = [
    "model_path",
    "data_path",
    "gen_device",
    "Q_batch_size",
    "num_pre_Q",
    "eval_prompt",
    "train_batch_size",
    "all_steps",
  ];
  for (const key of [...keys, "ref_server", "port", "wandb_key"]) expect(sections[0]).toContain(`| \`${key}\` |`);
});

test("the page of options says what the cards say", () => {
  expect(readFileSync(path.join(docs, "recipe-options.md"), "utf8")).toBe(recipeOptionsPage(recipes));
});
