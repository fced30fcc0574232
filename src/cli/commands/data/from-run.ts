/** `midcourse data from-run`: traces of an evaluation as training examples or preference pairs. */
import { type Command, Option } from "commander";
import { userError } from "#kernel/errors.ts";
import { parseNames } from "../../options/eval-options.ts";
import { fromOne, notNegative, share, wholeNumber } from "../../options/option-numbers.ts";
import { shownCommand } from "../../terminal/process.ts";
import { formats, nearDuplicateFilter, printCard, withNearDuplicates } from "./shared.ts";

export function registerFromRun(data: Command): void {
  fromRunOptions(data).action(async (run, options) => {
    const { view = "final-only", pairs, methods, tasks } = options;
    if (options.view !== undefined && pairs !== undefined) {
      throw userError("view-and-pairs", "--view and --pairs make different kinds of data", "Give one of them.");
    }
    const { writeExamplesFromRun } = await import("#recipes/benchmark/run-examples.ts");
    const { card, cardFile } = await writeExamplesFromRun(
      run,
      {
        make: pairs === undefined ? { view } : { pairs },
        methods: methods === undefined ? undefined : parseNames(methods, "--methods"),
        tasks: tasks === undefined ? undefined : parseNames(tasks, "--tasks"),
        minimumAccuracy: options.minimumAccuracy,
        learnUngraded: options.learnUngraded,
        oracle: options.oracle,
        system: options.system,
        most: options.most,
        longestRatio: options.longestRatio,
        seed: options.seed,
      },
      {
        to: options.to,
        out: options.out,
        leaveOut: options.leaveOut,
        nearDuplicates: nearDuplicateFilter(options),
        command: shownCommand(),
      },
    );
    await printCard(card, options, { data: options.out, card: cardFile });
  });
}

function fromRunOptions(data: Command) {
  const command = data
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
    );
  return withNearDuplicates(command, "leave out")
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
    );
}
