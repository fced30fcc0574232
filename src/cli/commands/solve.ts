/** `midcourse solve`: one question, one method, its trace while it happens, the answer last. */
import { text as readAll } from "node:stream/consumers";
import { styleText } from "node:util";
import { withinBudget } from "#kernel/budget.ts";
import { userError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
import type { BoundMethod } from "#kernel/method-card.ts";
import type { Message } from "#kernel/model.ts";
import type { MethodTools, Outcome, TraceEvent } from "#kernel/trace.ts";
import { parseMethods } from "#methods/catalogue.ts";
import type { ModelOptions } from "#models/open-model.ts";
import { openModel } from "#models/open-model.ts";
import { bindFor } from "#recipes/benchmark/task-methods.ts";
import { promptedScorer } from "#recipes/shared/prompted-scorer.ts";
import { findTask } from "#tasks/catalogue.ts";
import type { Task } from "#tasks/task.ts";
import { pythonRunner } from "#verifiers/programs/grader.ts";
import { openSandbox } from "#verifiers/sandbox/open.ts";
import { parseBudget } from "../options/eval-options.ts";
import { interruptSignal } from "../terminal/interrupt.ts";
import { describeTotal, harmless } from "../terminal/trace-text.ts";
import { TraceView } from "../terminal/trace-view.ts";

export interface SolveOptions extends ModelOptions {
  method: string;
  task?: string;
  system?: string;
  temperature: number;
  maxTokens?: number;
  seed: number;
  budget?: string;
  scorer?: string;
  sandbox: "auto" | "process" | "pyodide";
  allowBare?: boolean;
  quiet?: boolean;
  json?: boolean;
}

/** New tokens of one call where no task says how many an answer needs. */
const usualMaxTokens = 1024;

/** Longer questions fit no model. */
const longestQuestion = 4_000_000;

export async function solve(question: string, options: SolveOptions): Promise<void> {
  const asked = (question === "-" ? await readAll(process.stdin) : question).trim();
  if (asked === "") throw userError("no-question", "the question is empty", "Write it in quotes, or - to read standard input.");
  if (asked.length > longestQuestion)
    throw userError("long-question", `the question has ${asked.length} characters`, "Shorten it.");
  const budget = options.budget === undefined ? undefined : parseBudget(options.budget, "--budget");
  // What is wrong with the command line is said before a model is opened.
  const named = options.task === undefined ? undefined : readableTask(options.task);
  checkNeeds(one(named ? bindFor(named, options.method) : parseMethods(options.method)), options);

  const signal = interruptSignal();
  const opened = await openModel({ ...options, seed: options.seed, signal });
  const toClose: { close(): Promise<void> }[] = [opened];
  try {
    // The shipped model was taught the questions and prompts of its own world and no others.
    const task = named ?? (opened.describe().folder === "shipped" ? readableTask("world") : undefined);
    const bound = one(task ? bindFor(task, options.method) : parseMethods(options.method));
    const item: Item = { id: "question", question: asked, answer: "" };
    const tools: MethodTools = {
      ...(task ? formOf(task, item) : {}),
      ...(await openHelp(bound, options, signal, toClose)),
    };

    const live = process.stdout.isTTY === true && !options.json && !options.quiet;
    const view = new TraceView({ write: print, live });
    const startedAt = performance.now();
    const run = bound.method.run({
      model: view.watch(opened.model),
      messages: conversation(task, item, options.system),
      temperature: options.temperature,
      maxTokens: options.maxTokens ?? task?.maxTokens ?? usualMaxTokens,
      seed: options.seed,
      signal,
      tools,
      ...(budget ? { mayCall: withinBudget(budget) } : {}),
    });
    const { outcome, failure } = await follow(run, (event) => {
      if (options.json) print(`${JSON.stringify(event)}\n`);
      else if (!options.quiet) view.add(event);
    });
    view.finish();
    report(outcome, performance.now() - startedAt, bound, options);
    endAs(outcome, failure, options);
  } finally {
    for (const each of toClose.reverse()) await each.close();
  }
}

async function follow(
  run: AsyncGenerator<TraceEvent, Outcome>,
  onEvent: (event: TraceEvent) => void,
): Promise<{ outcome: Outcome; failure: string | undefined }> {
  let failure: string | undefined;
  for (;;) {
    const next = await run.next();
    if (next.done) return { outcome: next.value, failure };
    failure = errorIn(next.value) ?? failure;
    onEvent(next.value);
  }
}

function errorIn(event: TraceEvent): string | undefined {
  if (event.type === "inner") return errorIn(event.event);
  return event.type === "error" ? event.message : undefined;
}

const endings: Record<Outcome["reason"], string | undefined> = {
  done: undefined,
  "budget-exhausted": "the budget is spent",
  "context-exceeded": "the conversation has outgrown the model's context",
  error: "a call failed",
  cancelled: "cancelled",
  "tool-calls": "the model asked for a tool",
};

function report(outcome: Outcome, milliseconds: number, { method, maxCalls }: BoundMethod, options: SolveOptions): void {
  if (options.json) {
    print(`${JSON.stringify({ type: "outcome", method: method.id, ...outcome, seconds: milliseconds / 1000 })}\n`);
    return;
  }
  if (!options.quiet) {
    const live = process.stdout.isTTY === true;
    const ending = endings[outcome.reason] === undefined ? "" : `; ended early: ${endings[outcome.reason]}`;
    const total = `${method.id}: ${describeTotal(outcome.usage, milliseconds)} (at most ${maxCalls} calls)${ending}`;
    print(`${live ? styleText("dim", total, { validateStream: false }) : total}\n\n`);
  }
  if (outcome.answer !== "") print(`${harmless(outcome.answer)}\n`);
}

/** With an answer a failure is told by the exit code; without one it ends the command. */
function endAs({ reason, answer }: Outcome, failure: string | undefined, { json }: SolveOptions): void {
  if (reason === "cancelled") process.exitCode = 130;
  else if (reason === "error") process.exitCode = 2;
  else if (reason === "tool-calls") process.exitCode = 1;
  if (json || reason === "cancelled") return;
  if (answer === "")
    process.stderr.write(
      `midcourse: no answer${(failure ?? endings[reason]) ? `: ${harmless(failure ?? endings[reason] ?? "")}` : ""}\n`,
    );
}

function conversation(task: Task | undefined, item: Item, system: string | undefined): Message[] {
  const asked = task?.ask(item, []) ?? [{ role: "user" as const, content: item.question }];
  if (!system) return [...asked];
  const [first, ...rest] = asked;
  if (first?.role === "system") return [{ role: "system", content: `${system}\n\n${first.content}` }, ...rest];
  return [{ role: "system", content: system }, ...asked];
}

function formOf(task: Task, item: Item): MethodTools {
  return {
    readAnswer: (completion) => task.readAnswer(completion, item),
    sameAnswer: (first, second) => task.sameAnswer(first, second),
  };
}

/** Tasks whose question is text and nothing else. */
function readableTask(name: string): Task {
  const task = findTask(name);
  if (task.answerKind !== "choice" && task.answerKind !== "program") return task;
  throw userError(
    "task-for-solve",
    `a question of ${task.id} is more than its text`,
    "Leave --task out, or take one of the tasks with a number, a formula or words as the answer, such as gsm8k or math-500.",
  );
}

function one(methods: readonly BoundMethod[]): BoundMethod {
  const [first, ...others] = methods;
  if (first && others.length === 0) return first;
  throw userError("one-method", `--method names ${methods.length} methods`, "solve takes one; midcourse eval compares several.");
}

function checkNeeds({ method, needs = [] }: BoundMethod, { scorer }: SolveOptions): void {
  if (needs.includes("oracle")) {
    throw userError(
      "no-oracle",
      `${method.id} looks at the reference answer, and a question of your own has none`,
      "Take a method without an oracle; midcourse eval has reference answers.",
    );
  }
  if (needs.includes("visible-tests")) {
    throw userError(
      "no-tests",
      `${method.id} runs programs against tests that come with a benchmark's question`,
      "Take another method, or midcourse eval --tasks humaneval.",
    );
  }
  if (needs.includes("scorer") && scorer === undefined) {
    throw userError("no-scorer", `${method.id} needs a model that scores answers`, "Name one with --scorer.");
  }
}

/** What the method needs beside the model. */
async function openHelp(
  { needs = [] }: BoundMethod,
  options: SolveOptions,
  signal: AbortSignal,
  toClose: { close(): Promise<void> }[],
): Promise<MethodTools> {
  const tools: MethodTools = {};
  if (needs.includes("python")) {
    const sandbox = await openSandbox({ prefer: options.sandbox, allowBare: options.allowBare === true });
    toClose.push(sandbox);
    tools.runPython = pythonRunner(sandbox);
  }
  if (options.scorer !== undefined && needs.includes("scorer")) {
    const scorer = await openModel({ ...options, model: options.scorer, seed: options.seed, signal });
    toClose.push(scorer);
    tools.scoreCompletion = promptedScorer(scorer.model, { seed: options.seed });
  }
  return tools;
}

function print(text: string): void {
  process.stdout.write(text);
}
