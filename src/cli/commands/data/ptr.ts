/** `midcourse data ptr`: PTR's training data from a weak and a strong model. */
import path from "node:path";
import { type Command, Option } from "commander";
import type { ModelOptions } from "#models/model-options.ts";
import type { PtrDataSettings } from "#recipes/ptr-data/setup.ts";
import { modelOptionsOf, withServerOptions } from "../../options/model-options.ts";
import { fromOne, notNegative, share, someShare, wholeNumber } from "../../options/option-numbers.ts";
import { interruptSignal, shownCommand } from "../../terminal/process.ts";
import { Progress } from "../../terminal/progress.ts";
import { serverLines } from "../../terminal/waiting.ts";
import { printCard } from "./shared.ts";

export function registerPtr(data: Command): void {
  ptrOptions(data).action(async (options) => {
    const signal = interruptSignal();
    const progress = new Progress();
    const { ptrDataFromFiles } = await import("#recipes/ptr-data/from-files.ts");
    const { card, examplesFile, cardFile } = await ptrDataFromFiles(
      {
        folder: options.out,
        files: options,
        weak: modelOf(options, "weak"),
        strong: modelOf(options, "strong"),
        embeddingModel: options.embeddingModel,
        settings: settingsOf(options),
        concurrency: options.concurrency ?? defaultConcurrency,
      },
      {
        command: shownCommand(),
        signal,
        onProgress: ({ stage, done, total }) => progress.update({ label: stage, done, total }),
      },
    ).finally(() => progress.finish());
    await printCard(card, options, { examples: examplesFile, card: cardFile });
  });
}

/** Calls at once where nothing is said; the same for checkpoints, which gather them into batches. */
const defaultConcurrency = 32;

type PtrOptions = ReturnType<ReturnType<typeof ptrOptions>["opts"]>;

function settingsOf(options: PtrOptions): PtrDataSettings {
  const { agreement, plain } = options;
  return {
    attempts: options.attempts,
    weakTemperature: options.weakTemperature,
    weakTopP: options.topP,
    weakTopK: options.topK || undefined,
    strongTemperature: options.strongTemperature,
    strongTopP: options.topP,
    strongTopK: options.topK || undefined,
    maxTokens: options.maxTokens,
    strongSees: options.strongSees,
    samples: options.samples ?? (agreement === "none" ? 1 : 4),
    agreement,
    threshold: options.threshold ?? (agreement === "embedding" ? 0.9 : 0.5),
    plainShare: options.plainShare ?? (plain === undefined ? 0 : 0.2),
    minimumAnswerCharacters: options.minimumCharacters,
    keepRepeats: options.keepRepeats === true,
    requireGap: options.requireGap === true,
    seed: options.seed,
    system: options.system,
    refineRequest: options.refineRequest,
    gap: options.gap,
  };
}

/** The shared model options, with what one of the two has for itself. */
function modelOf(options: PtrOptions, which: "weak" | "strong"): ModelOptions & { model: string } {
  const { cache = path.join(options.out, "cache") } = options;
  return {
    ...modelOptionsOf(options),
    ...serverLines(),
    model: options[which],
    // Each call says for itself from which tokens it draws.
    topP: undefined,
    topK: undefined,
    baseUrl: options[`${which}BaseUrl`] ?? options.baseUrl,
    apiKeyEnv: options[`${which}ApiKeyEnv`] ?? options.apiKeyEnv,
    // Each has a folder of its own: two writers in one folder would only get in each other's way.
    cache: cache === false ? false : path.join(cache, which),
  };
}

function ptrOptions(data: Command) {
  const command = data
    .command("ptr")
    .description("PTR's training data: a weak model's attempts, a strong model's final answer (arXiv 2410.13413)")
    .requiredOption(
      "--queries <file...>",
      "questions: JSONL, JSON, CSV, TSV or Parquet with a question column; several files are one list",
    )
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
    .option("--top-p <number>", "share of the likeliest tokens that both draw from", someShare, 0.9)
    .option("--top-k <number>", "so many of the likeliest tokens (default: all)", wholeNumber)
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
  return withServerOptions(command, "cache in the run directory")
    .option("--seed <number>", "seed of everything random", wholeNumber, 1)
    .option("--json", "print card.json instead of the card as text")
    .addHelpText(
      "after",
      `
Examples:
  midcourse data ptr --queries queries.jsonl --weak runs/base/model --strong runs/start/model --strong-sees dialogue
  midcourse data ptr --queries evol.jsonl --weak Qwen/Qwen2.5-0.5B-Instruct --weak-base-url http://127.0.0.1:8001/v1 \\
    --strong Qwen/Qwen2.5-7B-Instruct --strong-base-url http://127.0.0.1:8002/v1 --gap size --gap-check gsm8k-train.jsonl \\
    --agreement answer --plain alpaca.jsonl --plain-share 0.2
`,
    );
}
