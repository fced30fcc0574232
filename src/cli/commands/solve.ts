/** `midcourse solve`: one question, one method, its trace while it happens, the answer last. */

import { text as readAll } from "node:stream/consumers";
import { styleText } from "node:util";
import type { Command } from "commander";
import { counted } from "#kernel/numbers.ts";
import type { Outcome } from "#kernel/trace.ts";
import type { Solved } from "#recipes/benchmark/question.ts";
import { harmless, harmlessJson } from "#text/signs.ts";
import { parseBudget } from "../options/eval-options.ts";
import { modelOptionsOf, sandboxOption, withModelOptions, withTokenChoice } from "../options/model-options.ts";
import { fromOne, notNegative, wholeNumber } from "../options/option-numbers.ts";
import { exitCodesHelp } from "../terminal/failure.ts";
import { interruptSignal } from "../terminal/process.ts";
import { describeTotal, TraceView } from "../terminal/trace.ts";
import { serverLines } from "../terminal/waiting.ts";

export function registerSolve(program: Command): void {
  solveOptions(program).action(solve);
}

function solveOptions(program: Command) {
  const command = program
    .command("solve")
    .description("answer one question with a method, and show every call of it while it happens")
    .argument("<question>", "the question; - reads it from standard input")
    .option("--method <method>", "a method with its options (midcourse methods lists them)", "self-refine")
    .option("--task <name>", "put the question and read answers as this benchmark does (default: world for the shipped model)")
    .option("--system <text>", "a system message before the question")
    .option("--temperature <number>", "sampling temperature", notNegative, 0)
    .option("--max-tokens <number>", "new tokens of one call (default: the task's, or 1024)", fromOne)
    .option("--seed <number>", "seed of everything random", wholeNumber, 1)
    .option("--budget <caps>", "most that the answer may cost: tokens=…, output-tokens=…, calls=…, usd=…, seconds=…")
    .option("--scorer <model>", "model that scores answers, for best-of-n(select=verifier) and magicore")
    .addOption(sandboxOption())
    .option("--allow-bare", "run a model's programs under your own account when nothing safer works")
    .option("--quiet", "print the answer alone")
    .option("--json", "one JSON line for each event as it happens, the outcome last");
  return withModelOptions(withTokenChoice(command)).addHelpText(
    "after",
    `
The shipped model knows the sums and stories of its own small world alone; for anything else name a model.

Examples:
  midcourse solve "Take 704. Then add 2. Plus 9."                           the shipped model
  midcourse solve --method "self-refine(rounds=1)" "A box holds 311 pens. Mia buys 4 boxes. How many pens does Mia have?"
  midcourse solve --model qwen3-8b --method "self-refine(rounds=2)" "How many primes are there below 100?"
  midcourse solve --model qwen3-8b --method "best-of-n(self-refine(rounds=1),n=4)" --temperature 0.7 --budget calls=12 - < question.txt
  midcourse solve --model qwen3-8b --method ptr-rounds:rounds=3 --task gsm8k --json "Ann has 3 apples …" > trace.jsonl
${exitCodesHelp("an answer, a spent budget's too", "a method's own mistake, or no answer at all")}`,
  );
}

type SolveOptions = ReturnType<ReturnType<typeof solveOptions>["opts"]>;

async function solve(question: string, options: SolveOptions): Promise<void> {
  const asked = (question === "-" ? await readAll(process.stdin) : question).trim();
  const budget = options.budget === undefined ? undefined : parseBudget(options.budget, "--budget");
  const signal = interruptSignal({ goesOn: false });
  const isTrace = !options.json && !options.quiet;
  const view = new TraceView({ write: print, live: process.stdout.isTTY === true && isTrace });
  const { solveQuestion } = await import("#recipes/benchmark/question.ts");
  const solved = await solveQuestion(
    {
      question: asked,
      method: options.method,
      task: options.task,
      system: options.system,
      temperature: options.temperature,
      maxTokens: options.maxTokens,
      seed: options.seed,
      budget,
      model: { ...modelOptionsOf(options), ...serverLines() },
      scorer: options.scorer,
      sandbox: { prefer: options.sandbox, allowBare: options.allowBare === true },
    },
    {
      signal,
      watch: (model) => view.watch(model),
      onEvent: (event) => {
        if (options.json) print(`${harmlessJson(event)}\n`);
        else if (isTrace) view.add(event);
      },
    },
  );
  view.finish();
  report(solved, options);
  endAs(solved, options);
}

const endings: Record<Outcome["reason"], string | undefined> = {
  done: undefined,
  "budget-exhausted": "the budget is spent",
  "context-exceeded": "the conversation has outgrown the model's context",
  error: "a call failed",
  cancelled: "cancelled",
  "tool-calls": "the model asked for a tool",
};

const aboutShipped =
  "(The shipped model answered, which knows the sums and stories of its own small world alone; --model names another.)";

function report({ outcome, bound: { method, maxCalls }, milliseconds, isShipped, inVain }: Solved, options: SolveOptions): void {
  if (inVain.length > 0 && !options.quiet) process.stderr.write(`Asked and not honoured: ${harmless(inVain.join("; "))}.\n`);
  if (options.json) {
    print(`${harmlessJson({ type: "outcome", method: method.id, ...outcome, seconds: milliseconds / 1000 })}\n`);
    return;
  }
  if (!options.quiet) {
    if (isShipped) process.stderr.write(`${aboutShipped}\n`);
    const live = process.stdout.isTTY === true;
    const ending = endings[outcome.reason] === undefined ? "" : `; ended early: ${endings[outcome.reason]}`;
    const total = `${method.id}: ${describeTotal(outcome.usage, milliseconds)} (at most ${counted(maxCalls, "call")})${ending}`;
    print(`${live ? styleText("dim", total, { validateStream: false }) : total}\n\n`);
  }
  if (outcome.answer !== "") print(`${harmless(outcome.answer)}\n`);
}

/** With an answer a failure is told by the exit code; without one it ends the command. */
function endAs({ outcome: { reason, answer }, failure, advice }: Solved, { json }: SolveOptions): void {
  if (reason === "cancelled") process.exitCode = 130;
  else if (reason === "error") process.exitCode = 2;
  else if (reason === "tool-calls" || answer === "") process.exitCode = 1;
  if (json || reason === "cancelled" || answer !== "") return;
  const why = [failure ?? endings[reason], advice].filter((part) => part !== undefined).join("; ") || undefined;
  process.stderr.write(`midcourse: no answer${why ? `: ${harmless(why)}` : ""}\n`);
}

function print(text: string): void {
  process.stdout.write(text);
}
