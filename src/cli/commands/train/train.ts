/** `midcourse train`: lists the recipes, and runs the one that is named: of the catalogue, of a file of one's own or of a package. */

import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { renderMeasurement } from "#evaluation/report/table.ts";
import { guarded } from "#files/file-failures.ts";
import { messageOf, userError } from "#kernel/errors.ts";
import { readOption } from "#kernel/options.ts";
import { isRecord } from "#kernel/values.ts";
import { recipes } from "#recipes/catalogue.ts";
import { findRecipe } from "#recipes/find-recipe.ts";
import { optionLines } from "#recipes/option-table.ts";
import { slipIn } from "#recipes/outside-recipe.ts";
import type { RecipeCard, RecipeFlag } from "#recipes/recipe-card.ts";
import { changeOf, optionsByName, readSetting } from "#recipes/recipe-options.ts";
import { type RecipeResult, type RecipeRun, runRecipe } from "#recipes/run-recipe.ts";
import { evalNames } from "#recipes/shared/world-methods.ts";
import { harmless, harmlessJson } from "#text/signs.ts";
import { alignedRows } from "#text/table.ts";
import { judgeKinds } from "#verifiers/judges/judge.ts";
import { fromOne, notNegative, positiveNumber, share, wholeNumber } from "../../options/option-numbers.ts";
import { exitCodesHelp } from "../../terminal/failure.ts";
import { interruptSignal, screen } from "../../terminal/process.ts";
import { Progress } from "../../terminal/progress.ts";
import { serverLines } from "../../terminal/waiting.ts";

/** `words` follow the recipe's name; `parent` says how failures are shown. */
export async function train(name: string | undefined, words: readonly string[], parent: Command): Promise<void> {
  const isHelp = words.includes("--help") || words.includes("-h") || name === "--help" || name === "-h";
  if (name === undefined || (isHelp && name.startsWith("-"))) {
    process.stdout.write(recipeList());
    return;
  }
  if (name.startsWith("-"))
    throw userError("no-recipe", `${name} stands where the recipe is named`, "For example midcourse train pasr.");
  const card = await findRecipe(name);
  try {
    const command = recipeCommand(card, name)
      .copyInheritedSettings(parent)
      .showHelpAfterError(`(midcourse train ${name} --help has all that it takes)`)
      .helpOption("-h, --help");
    command.action(() => runCommand(card, command));
    await command.parseAsync(words, { from: "user" });
  } catch (error) {
    if (recipes.includes(card)) throw error;
    const taken = error instanceof Error ? /due to conflicting flag '(.+?)'/.exec(error.message)?.[1] : undefined;
    if (taken === undefined) throw slipIn(name, error);
    throw userError("flag-taken", `${name}: the flag ${taken} of its card is one that every recipe has`, "Give it another name.");
  }
}

export function recipeCommand(card: RecipeCard, name = card.id): Command {
  const presets = Object.keys(card.presets);
  const command = new Command(`midcourse train ${name}`)
    .description(`${card.name}: ${card.summary}${card.paper ? ` (arXiv ${card.paper.arxiv})` : ""}`)
    .option("--out <folder>", "run directory; the same command goes on where it stopped", `runs/${card.id}`)
    .option(
      "--model <folder>",
      `checkpoint folder to start from (default: ${card.newModel ? "a new model" : "the shipped model"})`,
    );
  if (card.learnsFrom === "questions") {
    command
      .option(
        "--data <file>",
        "questions with answers: JSONL, JSON, CSV, TSV or Parquet, as .gz too; columns, Alpaca, ShareGPT, OpenAI, TRL (default: the small world)",
      )
      .option("--test <file>", "question–answer file to measure on before and after")
      .option("--question <column>", "name of the question column")
      .option("--answer <column>", "name of the answer column")
      .option("--resample", "give word problems new numbers in every pass")
      .option("--items <number>", "held-out problems to measure on (default: 400)", wholeNumber);
    withJudgeOptions(command);
  }
  command
    .addOption(new Option("--preset <name>", "what the options start from").default(presets[0], presets.join(", ")))
    .option("--settings <file>", "options as JSON, in the place of the preset's")
    .option("--set <name=value...>", "change any option, in the place of those", [])
    .option("--options", "list every option with its value in each preset");
  for (const [flags, flag] of Object.entries(card.flags ?? {})) command.option(flags, flagDescription(card, flag));
  command
    .option("--keep-checkpoints <number>", "how many of the newest stay on the disk", fromOne, 3)
    .option("--lora <rank>", "train a low-rank adapter beside frozen weights, saved in PEFT's layout", fromOne)
    .option("--lora-alpha <number>", "its update is scaled by this over the rank (default: twice the rank)", positiveNumber)
    .option(
      "--lora-dropout <share>",
      "share of its inputs left out while training, PEFT's lora_dropout (default: 0)",
      shareBelowOne,
    )
    .option("--lora-targets <names...>", "the matrices it is laid over (default: all seven of a layer)")
    .option("--seed <number>", "seed of everything random", wholeNumber, 1)
    .option("--threads <number>", "cores to use (default: all, up to 8)", fromOne)
    .option("--strict", "stop where rows of the data would be left out, before anything is trained")
    .option("--json", "print the result as JSON")
    .option("--tensorboard <folder>", "write metrics as TensorBoard event files too")
    .option("--mlflow <address>", "send metrics to an MLflow tracking server too, such as http://127.0.0.1:5000")
    .option("--experiment <name>", "MLflow's experiment (default: midcourse)");
  const examples = card.examples?.map((example) => `\n  ${example}`).join("") ?? "";
  return command.addHelpText(
    "after",
    `${examples === "" ? "" : `\nExamples:${examples}\n`}${exitCodesHelp("trained", "a setting")}`,
  );
}

/** For answers that no rule can grade; `openTrainingJudge` reads them. */
function withJudgeOptions(command: Command): void {
  command
    .option(
      "--judge <models>",
      "judge models that grade every answer in the place of the rule: names at a server, or checkpoint folders",
    )
    .option("--judge-base-url <address>", "where the judge is served (default: OPENAI_BASE_URL, or OpenAI)")
    .option("--judge-api-key-env <variable>", "environment variable with the judge's key (default: OPENAI_API_KEY)")
    .addOption(
      new Option(
        "--judge-kind <kind>",
        "how it grades: graded, any score from 0 to 1; general, right or wrong; choice, of options; summary, quality (default: graded)",
      ).choices([...judgeKinds]),
    )
    .option("--judge-samples <number>", "verdicts of each judge on each answer (default: 1)", fromOne)
    .option("--judge-temperature <number>", "temperature of its verdicts (default: 0.2)", notNegative)
    .option("--judge-max-tokens <number>", "new tokens of a verdict; a reasoning model wants more (default: 512)", fromOne)
    .option("--judge-concurrency <number>", "most requests at once; refusals by the server lower it (default: 32)", fromOne)
    .option("--judge-retries <number>", "tries after a failed request (default: 5)", wholeNumber)
    .option("--judge-extra-body <json>", 'fields for every request to it, such as {"reasoning_effort":"low"}');
}

function shareBelowOne(text: string): number {
  const value = share(text);
  if (value === 1) throw new InvalidArgumentError("It must be below 1.");
  return value;
}

function flagDescription({ options }: RecipeCard, flag: RecipeFlag): string {
  if ("spec" in flag) return flag.description ?? flag.spec.description;
  const option = optionsByName(options).get(flag.option);
  const choices = flag.description === undefined && option?.choices ? `: ${option.choices.join(", ")}` : "";
  return `${flag.description ?? option?.description}${choices}`;
}

/** What the command has beside the run. */
interface CommandOnly {
  set: string[];
  settings?: string;
  json?: boolean;
}

/** What the words after the recipe's name ask for. Throws user errors alone. */
export function recipeRun(card: RecipeCard, command: Command): RecipeRun {
  const { set, settings, json: _, ...given } = command.opts() as unknown as RecipeRun & CommandOnly;
  const common = Object.entries(given).filter(([name]) => isCommon(card, name));
  return {
    ...(Object.fromEntries(common) as typeof given),
    options: [
      ...(settings === undefined ? [] : [readSettings(card, settings)]),
      ...set.map((setting) => readSetting(card.id, card.options, setting)),
      ...flagChanges(card, command),
    ] as never,
  };
}

async function runCommand(card: RecipeCard, command: Command): Promise<void> {
  const { options, json = false } = command.opts() as { options?: true; json?: true };
  if (options) {
    process.stdout.write(`${optionLines(card, screen().width).join("\n")}\n`);
    return;
  }
  const run = recipeRun(card, command);
  const progress = new Progress();
  try {
    const result = await runRecipe(card, {
      ...run,
      ...serverLines(),
      signal: interruptSignal(),
      onProgress: (state) => progress.update(state),
      onNote: (text) => process.stderr.write(`${harmless(text)}\n`),
    });
    progress.finish();
    printResult(result, json);
    process.stderr.write(progress.nothingDone());
  } finally {
    progress.finish();
  }
}

/** A recipe's flag may be called as an option that others have, such as `--items`; then it is the recipe's alone. */
function isCommon({ flags = {} }: RecipeCard, name: string): boolean {
  return !Object.keys(flags).some((flag) => new Option(flag).attributeName() === name);
}

type Change = object | ((values: object) => object);

function flagChanges(card: RecipeCard, command: Command): Change[] {
  return Object.entries(card.flags ?? {}).flatMap(([flags, flag]): Change[] => {
    const option = new Option(flags);
    const text: unknown = command.getOptionValue(option.attributeName());
    if (command.getOptionValueSource(option.attributeName()) !== "cli") return [];
    if ("spec" in flag) {
      const value = readOption(card.id, option.long ?? flags, flag.spec, String(text));
      return [(values: object) => flag.changes(value, values as never)];
    }
    if ("value" in flag) return [changeOf(flag.option, flag.value)];
    return [Array.isArray(text) ? changeOf(flag.option, text) : readSetting(card.id, card.options, `${flag.option}=${text}`)];
  });
}

/** JSON has no Infinity, so that it stands there as text. */
function readSettings(card: RecipeCard, file: string): object {
  // Some editors begin a file with a mark that JSON does not know.
  const text = guarded(`read ${file}`, () => readFileSync(file, "utf8")).replace(/^\uFEFF/, "");
  try {
    const value: unknown = JSON.parse(text, (_name, each) => (each === "Infinity" ? Number.POSITIVE_INFINITY : each));
    if (isRecord(value)) return value;
  } catch (error) {
    throw userError("bad-settings", `${file} is no JSON: ${messageOf(error)}`, settingsExample(card), error);
  }
  throw userError("bad-settings", `${file} holds no options`, settingsExample(card));
}

function settingsExample({ options }: RecipeCard): string | undefined {
  const named = [...optionsByName(options)].find(([, option]) => Number.isFinite(option.default));
  return named && `For example ${JSON.stringify(changeOf(named[0], named[1].default))}.`;
}

function printResult({ model, run, results, table, page, lines }: RecipeResult, json: boolean): void {
  if (json) {
    process.stdout.write(`${harmlessJson(table === undefined ? { ...results, model } : results)}\n`);
    return;
  }
  const shown = table === undefined ? [] : ["", renderMeasurement(table, { ...screen(), evalNames }), ""];
  process.stdout.write(
    `${[...shown, ...lines(screen()), `model    ${model}`, `run      ${run}`, `report   ${page}`].join("\n")}\n`,
  );
}

function recipeList(): string {
  const rows = recipes.map(({ id, summary, paper, status }) => {
    const notes = [...(paper ? [`arXiv ${paper.arxiv}`] : []), ...(status === "experimental" ? [status] : [])];
    return [`  ${id}`, `${summary}${notes.length > 0 ? ` (${notes.join(", ")})` : ""}`];
  });
  const usage = "Usage: midcourse train <recipe> [options]";
  const more = [
    "A recipe of your own is named by its file, such as ./mine.ts, or by its package.",
    "midcourse train pasr --help         its flags",
    "midcourse train pasr --options      every option, with its value in each preset",
  ];
  return `${[usage, "", ...alignedRows(rows, () => "left"), "", ...more].join("\n")}\n`;
}
