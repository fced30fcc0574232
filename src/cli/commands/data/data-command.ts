/** Registers `midcourse data`; the work is in `data-ptr.ts`, `data-convert.ts`, `data-from-run.ts`, `data-world.ts` and `data-card.ts`. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { NearDuplicateScope } from "#data/filters/filters-near-duplicates.ts";
import type { WorldDomain } from "#tasks/world/domains.ts";
import { withServerOptions } from "../../options/model-options.ts";
import { fromOne, notNegative, positiveNumber, share, wholeNumber } from "../../options/option-numbers.ts";

/** Their problems are made where the work is; here are only the names. */
const worldDomains: readonly WorldDomain["id"][] = ["sums", "programs", "postfix"];

const formats = "midcourse, midcourse-pairs, ptr, trl-prompt-completion, trl-preference, verl, sharegpt (conversations), openai";

export function registerData(program: Command): void {
  const data = program.command("data").description("make and convert training data: ptr, convert, from-run, world, card");
  registerPtr(data);
  registerConvert(data);
  registerFromRun(data);
  registerWorld(data);
  registerCard(data);
}

function registerPtr(data: Command): void {
  const command = data
    .command("ptr")
    .description("PTR's training data: a weak model's attempts, a strong model's final answer (arXiv 2410.13413)")
    .requiredOption("--queries <file>", "questions: JSONL, JSON, CSV, TSV or Parquet with a question column")
    .requiredOption("--weak <model>", "writes the attempts: a checkpoint folder, or a model of a server")
    .requiredOption("--strong <model>", "writes the final answers: the same")
    .option("--out <folder>", "run directory; the same command goes on where it stopped", "runs/ptr-data")
    .option("--question <column>", "name of the question column")
    .option("--limit <number>", "use the first so many queries", fromOne)
    .option("--maximum-characters <number>", "leave out longer questions", fromOne)
    .option("--leave-out <file...>", "files whose questions must not be trained on, such as test sets", [])
    .option("--attempts <number>", "attempts on each query", fromOne, 1)
    .option("--max-tokens <number>", "new tokens of one call", fromOne, 2048)
    .option("--weak-temperature <number>", "of the attempts", notNegative, 0.95)
    .option("--strong-temperature <number>", "of the final answers", notNegative, 0.95)
    .option("--top-p <number>", "of both", share, 0.9)
    .option("--system <text>", "system message of both models and of the examples")
    .addOption(
      new Option("--strong-sees <form>", "attempts inside one instruction, or as the dialogue that the examples are")
        .choices(["instruction", "dialogue"])
        .default("instruction"),
    )
    .option("--refine-request <text>", "what the user says between an attempt and the next (default: our own words)")
    .addOption(
      new Option("--agreement <how>", "consistency filter over several final answers: by the answer they give, or by embeddings")
        .choices(["none", "answer", "embedding"])
        .default("none"),
    )
    .option("--samples <number>", "final answers asked for (default: 1; 4 where agreement is asked for)", fromOne)
    .option("--threshold <number>", "least agreement (default: 0.5 of the answers, 0.9 mean cosine)", share)
    .option("--embedding-model <name>", "model of the embeddings server at EMBEDDINGS_BASE_URL (default: BAAI/bge-m3)")
    .option("--minimum-characters <number>", "leave out shorter final answers", fromOne, 1)
    .option("--keep-repeats", "keep final answers that repeat an attempt word for word")
    .option("--plain <file>", "plain instruction data to mix in, in any known format")
    .option("--plain-share <number>", "its part of the examples (default: 0.2 where --plain is given)", share)
    .addOption(new Option("--gap <kind>", "by what the two models were chosen").choices(["size", "version", "domain"]))
    .option("--gap-check <file>", "questions with answers: both models answer them, and Wilcoxon's test says whether they differ")
    .option("--gap-items <number>", "use so many of them", fromOne, 100)
    .option("--require-gap", "stop before the first query where the test finds no gap")
    .option("--weak-base-url <address>", "server of the weak model (default: --base-url)")
    .option("--strong-base-url <address>", "server of the strong model (default: --base-url)")
    .option("--weak-api-key-env <variable>", "environment variable with its key (default: --api-key-env)")
    .option("--strong-api-key-env <variable>", "environment variable with its key (default: --api-key-env)");
  withServerOptions(command, "cache in the run directory")
    .option("--seed <number>", "seed of everything random", wholeNumber, 1)
    .option("--json", "print card.json instead of the card as text")
    .addHelpText(
      "after",
      `
Examples:
  midcourse data ptr --queries queries.jsonl --weak models/base --strong runs/start/model --strong-sees dialogue
  midcourse data ptr --queries evol.jsonl --weak Qwen/Qwen2.5-0.5B-Instruct --weak-base-url http://127.0.0.1:8001/v1 \\
    --strong Qwen/Qwen2.5-7B-Instruct --strong-base-url http://127.0.0.1:8002/v1 --gap size --gap-check gsm8k-train.jsonl \\
    --agreement answer --plain alpaca.jsonl --plain-share 0.2
`,
    )
    .action(async (options) => (await import("./data-ptr.ts")).dataPtr(options));
}

function registerConvert(data: Command): void {
  data
    .command("convert")
    .description("training data from one format to another; what the other cannot say is left out and counted")
    .argument("<file>", "JSONL, JSON, CSV, TSV or Parquet")
    .option("--from <format>", "its format (default: told by its columns)")
    .requiredOption("--to <format>", `one of ${formats}`)
    .requiredOption("--out <file>", ".jsonl, .json or .parquet; a data card is written beside it")
    .option("--minimum-characters <number>", "ptr: leave out shorter final answers", fromOne)
    .option("--keep-repeats", "ptr: keep final answers that repeat an attempt word for word")
    .addOption(nearDuplicates("leave out examples whose words are so similar to another's, such as 0.8"))
    .addOption(nearDuplicatesOf())
    .option("--ignore-weights", "write weighted examples without their weight where the format holds none (default: left out)")
    .option("--json", "print the data card as JSON")
    .addHelpText(
      "after",
      `
Examples:
  midcourse data convert thoughts.json --from ptr --to trl-prompt-completion --minimum-characters 8 --out train.jsonl
  midcourse data convert thoughts.json --to trl-preference --out pairs.jsonl      the answer against the attempt
  midcourse data convert train.jsonl --near-duplicates 0.8 --to midcourse --out fewer.jsonl
  midcourse data convert questions.jsonl --to verl --out train.parquet
`,
    )
    .action(async (file: string, options) => (await import("./data-convert.ts")).dataConvert(file, options));
}

function registerFromRun(data: Command): void {
  data
    .command("from-run")
    .description("training data from the traces of a `midcourse eval` run")
    .argument("<run>", "run directory with records.jsonl")
    .addOption(
      new Option("--view <name>", "what of a trace is shown and learned (default: final-only)").choices([
        "final-only",
        "all-but-wrong",
        "last-turn",
        "right-turns",
        "direct",
        "in-process",
      ]),
    )
    .addOption(
      new Option("--pairs <kind>", "preference pairs in place of a view").choices([
        "best-worst",
        "correct-wrong",
        "hard-negative",
        "flip",
      ]),
    )
    .option("--methods <names>", "use these methods alone, between commas")
    .option("--tasks <names>", "use these benchmarks alone, between commas")
    .option("--minimum-accuracy <number>", "least accuracy of a final answer (default: 1)", share)
    .option("--learn-ungraded", "learn attempts that were not graded (default: they are shown and not learned)")
    .option("--oracle", "use methods that look at the reference answer")
    .option("--system <text>", "system message in place of the question's own (views direct and in-process, pairs)")
    .option("--leave-out <file...>", "files whose questions must not be trained on", [])
    .option("--most <number>", "pairs of one question", fromOne, 1)
    .option(
      "--longest-ratio <number>",
      "a chosen answer has at most so many times the characters of the rejected one",
      notNegative,
    )
    .addOption(nearDuplicates("leave out examples whose words are so similar to another's, such as 0.8"))
    .addOption(nearDuplicatesOf())
    .option("--to <format>", `one of ${formats} (default: midcourse, or midcourse-pairs)`)
    .requiredOption("--out <file>", ".jsonl, .json or .parquet; a data card is written beside it")
    .option("--seed <number>", "seed of the choice of pairs", wholeNumber, 1)
    .option("--json", "print the data card as JSON")
    .addHelpText(
      "after",
      `
Examples:
  midcourse data from-run runs/eval --view all-but-wrong --methods self-refine-4 --out train.jsonl
  midcourse data from-run runs/eval --view in-process --system "Answer the question. Refine your steps." --out cold-start.jsonl
  midcourse data from-run runs/eval --pairs correct-wrong --to trl-preference --out pairs.jsonl
`,
    )
    .action(async (run: string, options) => (await import("./data-from-run.ts")).dataFromRun(run, options));
}

function registerWorld(data: Command): void {
  data
    .command("world")
    .description("problems of the small world with their answers, for commands that read questions from files")
    .addOption(new Option("--split <name>", "which problems").choices(["train", "validation", "test"]).default("train"))
    .addOption(new Option("--domain <name>", "of which domain").choices(worldDomains).default("sums"))
    .option("--count <number>", "how many", mostProblems, 1000)
    .option("--solutions", "conversations with the plain worked solution in place of question and answer")
    .requiredOption("--out <file>", ".jsonl, .json or .parquet; a data card is written beside it")
    .option("--seed <number>", "seed of the problems", wholeNumber, 1)
    .option("--json", "print the data card as JSON")
    .addHelpText(
      "after",
      `
Examples:
  midcourse data world --count 1500 --out queries.jsonl
  midcourse data world --split validation --count 200 --out gap.jsonl
`,
    )
    .action(async (options) => (await import("./data-world.ts")).dataWorld(options));
}

/** A domain's problems are found by drawing until there are enough new ones, so that there is an end to how many can be had. */
function mostProblems(text: string): number {
  const count = fromOne(text);
  if (count > 100_000) throw new InvalidArgumentError("It must be a whole number from 1 to 100000.");
  return count;
}

function registerCard(data: Command): void {
  data
    .command("card")
    .description("what is in a file of training data, or what was counted when it was made")
    .argument("<file>", "training data, a data card, or a run directory of `midcourse data ptr`")
    .option("--from <format>", "its format (default: told by its columns)")
    .option("--model <folder>", "count tokens with this checkpoint's tokenizer")
    .option("--tokens-per-step <number>", "with --model: how full optimiser steps of so many tokens are", fromOne, 8192)
    .addOption(nearDuplicates("count examples whose words are so similar to another's, such as 0.8"))
    .addOption(nearDuplicatesOf())
    .option("--json", "print it as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  midcourse data card train.jsonl --model models/base\n  midcourse data card runs/ptr-data\n",
    )
    .action(async (file: string, options) => (await import("./data-card.ts")).dataCardCommand(file, options));
}

function nearDuplicates(description: string) {
  return new Option("--near-duplicates <similarity>", `${description} (Jaccard similarity of runs of three words)`).argParser(
    (text) => {
      const value = positiveNumber(text);
      if (value > 1) throw new InvalidArgumentError("It must be a number above 0 and at most 1.");
      return value;
    },
  );
}

function nearDuplicatesOf() {
  const scopes = ["conversation", "question"] as const satisfies NearDuplicateScope[];
  return new Option("--near-duplicates-of <part>", "what is compared").choices(scopes).default("conversation");
}
