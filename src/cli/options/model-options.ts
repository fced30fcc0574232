/** The options that choose a model, shared by every command that asks one. `open-model.ts` opens what they say. */
import { Command, Option, type OptionValues } from "commander";
import type { ModelOptions } from "#models/model-options.ts";
import { fromOne, someShare, wholeNumber } from "./option-numbers.ts";

/** The command with them; `cacheDefault` completes “(default: …)” in the help. */
export function withModelOptions<Words extends unknown[], Values extends OptionValues>(
  command: Command<Words, Values>,
  cacheDefault?: string,
) {
  return withServerOptions(
    command.option(
      "--model <name or folder>",
      "a checkpoint folder, or a model of an OpenAI-compatible server (default: the server's only model, or the shipped model)",
    ),
    cacheDefault,
  );
}

/** Those of a command's options that choose a model. */
export function modelOptionsOf(options: ModelOptions): ModelOptions {
  const names = withTokenChoice(withModelOptions(new Command())).options.map((option) => option.attributeName());
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));
}

/** What stands around a model, for commands that name several in other words. */
export function withServerOptions<Words extends unknown[], Values extends OptionValues>(
  command: Command<Words, Values>,
  cacheDefault = "no cache",
) {
  return command
    .option("--base-url <address>", "server such as http://127.0.0.1:8000/v1 (default: OPENAI_BASE_URL, or OpenAI)")
    .option("--api-key-env <variable>", "environment variable with the key (default: OPENAI_API_KEY)")
    .option("--concurrency <number>", "most requests at once; refusals by the server lower it (default: 32)", fromOne)
    .option("--retries <number>", "tries after a failed request (default: 5)", wholeNumber)
    .option("--cache <folder>", `where answers are kept, so that nothing is asked or paid twice (default: ${cacheDefault})`)
    .option("--no-cache", "ask again for everything")
    .option("--prices <file>", "JSON table of dollars per million tokens, over the built-in one")
    .option("--threads <number>", "cores for a checkpoint folder (default: all, up to 8)", fromOne)
    .addOption(
      new Option(
        "--reasoning-tags <what>",
        "<think> at the start of an answer: keep it in the text, split it off, split-from-start where the prompt opens it, or join what the server split off (default: keep)",
      ).choices(["keep", "split", "split-from-start", "join"]),
    )
    .option(
      "--idle-seconds <number>",
      "give up on a request when no piece of its answer comes for so long (default: 600)",
      fromOne,
    )
    .option("--first-seconds <number>", "or when the first piece is not here by then (default: as --idle-seconds)", fromOne)
    .option("--total-seconds <number>", "or when the whole answer is not here by then (default: 7200)", fromOne)
    .option(
      "--extra-body <json>",
      'fields for every request, such as {"top_k":20} or {"reasoning_effort":"low"}; null leaves one out',
    )
    .option(
      "--omit <fields>",
      "fields that the server refuses, such as seed,stop (default: found out from its first refusal); results say what was left out",
    )
    .addOption(
      new Option(
        "--header <name: value>",
        "header for every request, such as 'api-key: …'; may be repeated, and is never printed or written",
      ).argParser((line: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), line]),
    )
    .option("--no-probe", "ask the server nothing but the questions themselves: no test requests, and none for what kind it is");
}

/** Of commands that sample answers: which tokens are drawn from. `whose` completes the help. */
export function withTokenChoice<Words extends unknown[], Values extends OptionValues>(
  command: Command<Words, Values>,
  whose = "",
) {
  return command
    .option("--top-p <number>", `draw from the likeliest tokens with this share of the probability${whose}`, someShare)
    .option("--top-k <number>", `draw from so many of the likeliest tokens${whose}; 0 for all`, wholeNumber);
}

/** Of commands whose methods or tasks may run programs. */
export function sandboxOption() {
  return new Option("--sandbox <kind>", "where programs run (midcourse sandbox shows what this machine has)")
    .choices(["auto", "process", "pyodide"])
    .default("auto");
}
