/** One question of a user's own: put to a method as a benchmark would put it, with what the method needs beside the model. */

import { drain, slipOf } from "#evaluation/records/handed-over.ts";
import { unreadAdvice, WatchedModel } from "#evaluation/records/watched-model.ts";
import { notHonouredWords } from "#evaluation/report/run-notes.ts";
import { type Budget, withinBudget } from "#kernel/budget.ts";
import { userError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
import type { Message, Model } from "#kernel/model.ts";
import { counted } from "#kernel/numbers.ts";
import type { BoundMethod, Method, MethodRequest, MethodTools, Outcome, TraceEvent } from "#kernel/trace.ts";
import { waitingFor } from "#kernel/waiting.ts";
import type { ModelOptions } from "#models/model-options.ts";
import { openModel } from "#models/open-model.ts";
import { findTask } from "#tasks/catalogue.ts";
import type { Task } from "#tasks/task.ts";
import { pythonRunner } from "#verifiers/programs/grader.ts";
import { type OpenSandboxOptions, openSandbox } from "#verifiers/sandbox/open.ts";
import { promptedScorer } from "../shared/prompted-scorer.ts";
import { bindFor } from "./task-methods.ts";
import { formOf } from "./tools.ts";

export interface QuestionWanted {
  question: string;
  /** A method with its options, as typed. */
  method: string;
  /** The benchmark whose form the question and its answer have; for the shipped model its own world when left out. */
  task?: string | undefined;
  /** A system message before the question. */
  system?: string | undefined;
  temperature: number;
  /** New tokens of one call; the task's own, or `usualMaxTokens`, when left out. */
  maxTokens?: number | undefined;
  seed: number;
  /** Most that the answer may cost. */
  budget?: Budget | undefined;
  model: ModelOptions;
  /** Model that scores answers, opened as the other is. */
  scorer?: string | undefined;
  sandbox: OpenSandboxOptions;
}

export interface QuestionContext {
  signal: AbortSignal;
  /** Stands around the model, to see its words as they come. */
  watch: (model: Model) => Model;
  onEvent: (event: TraceEvent) => void;
}

export interface Solved {
  outcome: Outcome;
  bound: BoundMethod;
  /** What the last call that failed said, in this method or one inside it. */
  failure: string | undefined;
  milliseconds: number;
  /** The model that ships with the package answered, which was taught its own small world and nothing else. */
  isShipped: boolean;
  /** What was asked and not honoured, in words. */
  inVain: string[];
  /** What helps where all text came as reasoning. */
  advice: string | undefined;
}

/** New tokens of one call where no task says how many an answer needs. */
const usualMaxTokens = 1024;

/** Longer questions fit no model. */
const longestQuestion = 4_000_000;

/** Throws user errors; those about the question, the method and the task before a model is opened. */
export async function solveQuestion(wanted: QuestionWanted, { signal, watch, onEvent }: QuestionContext): Promise<Solved> {
  const { question, seed, budget } = wanted;
  if (question === "")
    throw userError("no-question", "the question is empty", "Write it in quotes, or - to read standard input.");
  if (question.length > longestQuestion)
    throw userError("long-question", `the question has ${counted(question.length, "character")}`, "Shorten it.");
  const named = wanted.task === undefined ? undefined : readableTask(wanted.task);
  let isModules = false;
  checkNeeds(
    await bind(wanted.method, named, () => {
      isModules = true;
    }),
    wanted.scorer,
  );

  const models = { ...wanted.model, seed, signal };
  const opened = await openModel(models);
  const toClose: { close(): Promise<void> }[] = [opened];
  try {
    // The shipped model was taught the questions and prompts of its own world and no others.
    const isShipped = opened.describe().folder === "shipped";
    const task = named ?? (isShipped ? readableTask("world") : undefined);
    const bound = await bind(wanted.method, task);
    const item: Item = { id: "question", question, answer: "" };
    const tools: MethodTools = task ? formOf(task, item) : {};
    if (bound.needs?.includes("python")) {
      const sandbox = await openSandbox(wanted.sandbox);
      toClose.push(sandbox);
      tools.runPython = pythonRunner(sandbox);
    }
    if (wanted.scorer !== undefined && bound.needs?.includes("scorer")) {
      const scorer = await openModel({ ...models, model: wanted.scorer, topP: undefined, topK: undefined });
      toClose.push(scorer);
      tools.scoreCompletion = promptedScorer(scorer.model, { seed });
    }
    const startedAt = performance.now();
    const watched = new WatchedModel(opened.model);
    const request: MethodRequest = {
      model: watch(watched),
      messages: conversation(task, item, wanted.system),
      temperature: wanted.temperature,
      maxTokens: wanted.maxTokens ?? task?.maxTokens ?? usualMaxTokens,
      seed,
      signal,
      tools,
      mayCall: budget && withinBudget(budget),
    };
    const followed = await waitingFor(`the method ${bound.method.id}`, () => follow(bound.method, request, onEvent)).catch(
      (thrown) => {
        throw isModules && !signal.aborted ? mistakeIn(bound.method, thrown) : thrown;
      },
    );
    const { notHonoured = [], unreadReasoning } = watched;
    return {
      ...followed,
      bound,
      milliseconds: performance.now() - startedAt,
      isShipped,
      inVain: notHonoured.map(notHonouredWords),
      advice: unreadAdvice(unreadReasoning),
    };
  } finally {
    for (const each of toClose.reverse()) await each.close();
  }
}

async function follow(
  method: Method,
  request: MethodRequest,
  onEvent: (event: TraceEvent) => void,
): Promise<{ outcome: Outcome; failure: string | undefined }> {
  let failure: string | undefined;
  const outcome = await drain(method, request, false, (event) => {
    failure = errorIn(event) ?? failure;
    onEvent(event);
  });
  return { outcome, failure };
}

/** Of a method of the user's own: what was thrown as a user error that says where, unless it says itself what is wrong. */
function mistakeIn({ id }: Method, thrown: unknown): unknown {
  const slip = slipOf(id, thrown);
  if (slip === undefined) return thrown;
  const where = slip.place && `It is at ${slip.place}.`;
  return userError("method-slip", `${id} has a mistake of its own: ${slip.message}`, where, thrown);
}

function errorIn(event: TraceEvent): string | undefined {
  if (event.type === "inner") return errorIn(event.event);
  return event.type === "error" ? event.message : undefined;
}

function conversation(task: Task | undefined, item: Item, system: string | undefined): Message[] {
  const asked = task?.ask(item, []) ?? [{ role: "user" as const, content: item.question }];
  if (!system) return [...asked];
  const [first, ...rest] = asked;
  if (first?.role === "system") return [{ role: "system", content: `${system}\n\n${first.content}` }, ...rest];
  return [{ role: "system", content: system }, ...asked];
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

async function bind(method: string, task: Task | undefined, onModule?: () => void): Promise<BoundMethod> {
  const methods = await bindFor(task, method, onModule);
  const [first, ...others] = methods;
  if (first && others.length === 0) return first;
  throw userError("one-method", `--method names ${methods.length} methods`, "solve takes one; midcourse eval compares several.");
}

function checkNeeds({ method, needs = [] }: BoundMethod, scorer: string | undefined): void {
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
