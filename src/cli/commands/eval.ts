/** `midcourse eval`: methods × benchmarks over one model, and the table of what they reach at which cost. */

import path from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { EvaluationProgress } from "#evaluation/records/evaluate.ts";
import type { MethodSlip } from "#evaluation/records/handed-over.ts";
import { userError } from "#kernel/errors.ts";
import { counted, sum } from "#kernel/numbers.ts";
import type { BenchmarkOutcome, BenchmarkSettings } from "#recipes/benchmark/benchmark.ts";
import type { EvaluationWanted } from "#recipes/benchmark/evaluate.ts";
import type { PublishedTasks } from "#recipes/benchmark/ptr-config.ts";
import type { TasksWanted } from "#recipes/benchmark/tasks.ts";
import { percentSign } from "#text/numbers.ts";
import { harmless } from "#text/signs.ts";
import { allowanceWords, filesByTask, parseBudget, parseNames } from "../options/eval-options.ts";
import { modelOptionsOf, sandboxOption, withModelOptions, withTokenChoice } from "../options/model-options.ts";
import { byTask, fromOne, type NumbersByTask, notNegative, wholeNumber } from "../options/option-numbers.ts";
import { exitCodesHelp } from "../terminal/failure.ts";
import { interruptSignal, packageVersion, printResults, shownCommand } from "../terminal/process.ts";
import { Progress } from "../terminal/progress.ts";
import { serverLines } from "../terminal/waiting.ts";

export function registerEval(program: Command): void {
  evalOptions(program).action(evaluateCommand);
}

function evalOptions(program: Command) {
  const command = program
    .command("eval")
    .description("methods × benchmarks over any model: accuracy with intervals, tokens, and plain resampling at the same cost")
    .option("--methods <list>", "methods with their options (midcourse methods lists them)", defaultMethods)
    .option("--tasks <list>", "benchmarks (default: world for the shipped model)")
    .option("--data <file...>", "a file in place of the hub's table: FILE for one task, TASK=FILE for several")
    .option(
      "--shots <numbers>",
      "worked examples before each question, of all tasks or by task: 4, gsm8k=8,mmlu=5 or 4,mmlu=5 (default: 0)",
      byTask(wholeNumber),
    )
    .option("--shots-data <file...>", "where worked examples come from, when --data is given")
    .option(
      "--limit <numbers>",
      "items of each task, the first ones; by task as --shots (default: all; 200 of world)",
      byTask(wholeNumber),
    )
    .option("--config <file>", "tasks, num_fewshots and limit as PTR's evaluation has them in config.json; options go over them")
    .option("--shuffle", "take the items in an order drawn from the seed")
    .option("--skip-bad-rows", "leave out rows that cannot be read, and say how many")
    .option("--samples <number>", "answers of each method to each item", fromOne, 1)
    .option("--temperature <number>", "sampling temperature (default: 0, or 0.7 for several samples)", notNegative)
    .option("--max-tokens <number>", "new tokens of one call (default: the task's)", fromOne)
    .option("--seed <number>", "seed of everything random", wholeNumber, 1)
    .option("--budget <caps>", "most that one answer may cost: tokens=…, output-tokens=…, calls=…, usd=…, seconds=…")
    .option(
      "--run-budget <caps>",
      "most that the whole run may cost, in the same words; answers under way then are still finished",
    )
    .option("--pool <number>", "plain samples of each item behind the resampling baseline, from 2; 0 for none", poolSize, 16)
    .option("--pool-temperature <number>", "their temperature (default: that of the run, 0.7 where that is 0)", notNegative)
    .option("--judge <models>", "judge models at the same kind of server, for summaries or with --grade-by judge")
    .option("--judge-samples <number>", "verdicts of each judge on each answer", fromOne, 1)
    .addOption(
      new Option("--grade-by <whom>", "who grades: the task's own rule, or the judge, as PASR's evaluation does for every task")
        .choices(["rule", "judge"])
        .default("rule"),
    )
    .option("--judge-base-url <address>", "where the judge is served (default: where the model is)")
    .option("--judge-api-key-env <variable>", "environment variable with the judge's key (default: as --api-key-env)")
    .option("--embeddings <model>", "embeddings model for summaries, such as BAAI/bge-m3 (EMBEDDINGS_BASE_URL)")
    .option("--scorer <model>", "model that scores answers without the reference, for best-of-n(select=verifier) and magicore")
    .addOption(sandboxOption())
    .option("--allow-bare", "run a model's programs under your own account when nothing safer works")
    .option("--out <folder>", "run directory; the same command goes on where it stopped", "runs/eval")
    .option("--json", "print results.json instead of the table");
  return withModelOptions(withTokenChoice(command), "answers in the run directory").addHelpText(
    "after",
    `
Examples:
  midcourse eval                                                              the shipped model on its own task
  midcourse eval --model qwen3-8b --tasks gsm8k,math-500 --limit 200          a model at OPENAI_BASE_URL
  midcourse eval --tasks gsm8k --data test.jsonl --methods "vanilla,self-refine(rounds=2),best-of-n(n=4)" --out runs/refine
  midcourse eval --tasks humaneval --methods vanilla,self-repair --run-budget usd=2

The same command after a crash, a kill or Ctrl-C goes on with what is missing. Other tasks, methods, limits and samples may be added to a
run; the model, prompts, seed and temperature may not change. Reports: midcourse report RUN [RUN…]; other tools: midcourse export RUN.
${exitCodesHelp("done; single answers that failed are counted in the table", "a method of your own that never worked, or every answer failing")}`,
  );
}

type EvalOptions = ReturnType<ReturnType<typeof evalOptions>["opts"]>;

/** Plain answers, refinement while answering, refinement afterwards, and resampling. */
const defaultMethods = "vanilla,pasr-format,self-refine,self-consistency";

function poolSize(text: string): number {
  const samples = wholeNumber(text);
  if (samples === 1) throw new InvalidArgumentError("One sample has nothing to be resampled from: it must be 0, or 2 or more.");
  return samples;
}

async function evaluateCommand(options: EvalOptions): Promise<void> {
  const published = options.config === undefined ? undefined : await publishedTasks(options.config);
  const wanted = evaluationOf(options, published);
  const signal = interruptSignal();
  const progress = new Progress();
  const told: Told = { progress, answers: new Map(), slips: new Map() };
  const [{ evaluate }, { resamplingMethod }, { renderTable }] = await Promise.all([
    import("#recipes/benchmark/evaluate.ts"),
    import("#evaluation/summary/summary.ts"),
    import("#evaluation/report/table.ts"),
  ]);
  const outcome = await evaluate(wanted, {
    command: shownCommand(),
    version: packageVersion(),
    signal,
    onNote: (text) => process.stderr.write(`${harmless(text)}\n`),
    onProgress: showProgress(told, resamplingMethod),
  }).finally(() => progress.finish());
  printResults(outcome, options.json, renderTable);
  if (outcome.end === "complete") process.stderr.write(progress.nothingDone());
  process.stderr.write(await lossWords(outcome, wanted, told.failure));
  process.stderr.write(slipWords(told));
  // A method that never worked is no result, whatever the others reached.
  if ([...told.slips].some(([method, { count }]) => count === told.answers.get(method))) process.exitCode = 1;
  if (outcome.end === "interrupted") signal.throwIfAborted();
}

/** What each room is told of the command line. */
function evaluationOf(options: EvalOptions, published: PublishedTasks | undefined): EvaluationWanted {
  return {
    folder: options.out,
    model: { ...modelOptionsOf(options), ...serverLines() },
    tasks: (isShipped) => tasksOf(options, published, isShipped),
    help: {
      sandbox: { prefer: options.sandbox, allowBare: options.allowBare === true },
      judges: options.judge === undefined ? [] : parseNames(options.judge, "--judge"),
      judgeBaseUrl: options.judgeBaseUrl,
      judgeApiKeyEnv: options.judgeApiKeyEnv,
      judgeSamples: options.judgeSamples,
      embeddings: options.embeddings,
      scorer: options.scorer,
    },
    settings: settingsOf(options),
  };
}

function settingsOf({ samples, maxTokens, seed, pool, budget, runBudget, ...options }: EvalOptions): BenchmarkSettings {
  const temperature = options.temperature ?? (samples > 1 ? 0.7 : 0);
  return {
    samples,
    temperature,
    seed,
    poolSamples: pool,
    poolTemperature: options.poolTemperature ?? (temperature > 0 ? temperature : 0.7),
    gradeBy: options.gradeBy === "judge" ? "judge" : undefined,
    maxTokens,
    budget: budget === undefined ? undefined : parseBudget(budget, "--budget"),
    allowance: runBudget === undefined ? undefined : parseBudget(runBudget, "--run-budget"),
  };
}

async function publishedTasks(file: string): Promise<PublishedTasks> {
  const { readPtrEvaluationConfig } = await import("#recipes/benchmark/ptr-config.ts");
  const published = readPtrEvaluationConfig(file);
  for (const note of published.notes) process.stderr.write(`${harmless(note)}\n`);
  return published;
}

/** Of the benchmarks that are asked for, what the file says and no option does. */
function withPublished(
  given: NumbersByTask | undefined,
  published: ReadonlyMap<string, number> | undefined,
  names: readonly string[],
): NumbersByTask | undefined {
  if (published === undefined || given?.each !== undefined) return given;
  const others = names.flatMap((name) => {
    const count = published.get(name);
    return count === undefined || given?.tasks[name] !== undefined ? [] : [[name, count] as const];
  });
  return { tasks: { ...Object.fromEntries(others), ...given?.tasks } };
}

function tasksOf(
  { tasks, data = [], shotsData = [], ...options }: EvalOptions,
  published: PublishedTasks | undefined,
  isShipped: boolean,
): TasksWanted {
  if (tasks === undefined && published === undefined && !isShipped)
    throw userError(
      "no-tasks",
      "it is not said on which benchmarks",
      "Name them, such as --tasks gsm8k,math-500; a model that was trained from the shipped one knows --tasks world.",
    );
  const names = tasks !== undefined ? parseNames(tasks, "--tasks") : (published?.names ?? ["world"]);
  return {
    names,
    methods: options.methods,
    data: filesByTask(data, names, "--data"),
    shotsData: filesByTask(shotsData, names, "--shots-data"),
    shots: withPublished(options.shots, published?.shots, names),
    seed: options.seed,
    limit: withPublished(options.limit, published?.limit, names),
    shuffle: options.shuffle,
    badRows: options.skipBadRows ? "skip" : undefined,
  };
}

/** What was seen of the answers while they came. */
interface Told {
  progress: Progress;
  /** What the last failed answer says. */
  failure?: string;
  /** How many answers each method gave. */
  answers: Map<string, number>;
  /** Methods that are at fault themselves, with their first mistake. */
  slips: Map<string, { first: MethodSlip; count: number }>;
}

/** Accuracy so far of each method, as many as fit on a line. */
function showProgress(told: Told, resamplingMethod: string): (state: EvaluationProgress) => void {
  const methods = new Map<string, { right: number; answers: number }>();
  let failures = 0;
  return ({ done, total, record, slip }) => {
    told.answers.set(record.method, (told.answers.get(record.method) ?? 0) + 1);
    if (slip) {
      const { first = slip, count = 0 } = told.slips.get(slip.method) ?? {};
      told.slips.set(slip.method, { first, count: count + 1 });
    }
    if (record.error !== undefined) {
      failures++;
      told.failure = record.error;
    }
    if (record.method !== resamplingMethod) {
      const { right, answers } = methods.get(record.method) ?? { right: 0, answers: 0 };
      methods.set(record.method, { right: right + record.accuracy, answers: answers + 1 });
    }
    const figures = [...methods].slice(0, 6).map(([id, { right, answers }]) => [id, percentSign(right / answers, 0)]);
    told.progress.update({
      label: "Evaluate",
      done,
      total,
      figures: { ...Object.fromEntries(figures), ...(failures > 0 ? { failures: String(failures) } : {}) },
    });
  };
}

/** What the author of a method has to mend. */
function slipWords({ slips }: Told): string {
  const lines = [...slips].map(([method, { first, count }]) => {
    const place = first.place === undefined ? "" : `\n  at ${first.place}`;
    return `${method} has a mistake of its own, in ${counted(count, "answer")}; the first: ${first.message}${place}\n`;
  });
  return harmless(lines.join(""));
}

/** Which answers failed or are missing, and what brings them; empty where none are. */
async function lossWords(
  { end, results, spent }: BenchmarkOutcome,
  { folder, settings }: EvaluationWanted,
  failure?: string,
): Promise<string> {
  const { gradedWords } = await import("#evaluation/report/cells.ts");
  const methods = results.tasks.flatMap((task) => task.methods);
  const failures = sum(methods.map((method) => method.failures));
  const right = sum(methods.map(({ failuresRight = 0 }) => failuresRight));
  const lost = results.tasks.reduce((sum, { pool }) => sum + (pool?.itemsLeftOut ?? 0), 0);
  const lines: string[] = [];
  if (failures > 0 || failure !== undefined) {
    const what = [
      ...(failures > 0 ? [`${counted(failures, "answer")} failed (${gradedWords(failures, right)})`] : []),
      ...(lost > 0 ? [`${counted(lost, "item has", "items have")} no whole resampling pool`] : []),
    ];
    const last = failure === undefined ? "" : ` The last failure: ${harmless(failure)}.`;
    lines.push(
      `${what.join("; ") || "Samples of the resampling pool failed"}. The same command tries them again; ${path.join(folder, "records.jsonl")} has every reason.${last}\n`,
    );
  }
  if (end === "allowance") lines.push(`${allowanceWords(settings.allowance ?? {}, spent)}\n`);
  return lines.join("");
}
