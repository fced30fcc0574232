/**
 * Runs methods over the items of several benchmarks with many answers in flight. Records are handed out as they come and not kept, so
 * that a long run is no larger in memory than a short one; answers an earlier process gave are not asked for again.
 */
import { type Budget, checkBudget, isWithin } from "#kernel/budget.ts";
import {
  type CallSpecs,
  callback,
  checkCall,
  flag,
  list,
  maxTokensOption,
  modelOption,
  needed,
  seedOption,
  signalOption,
  temperatureOption,
  text,
  thing,
  whole,
} from "#kernel/call-options.ts";
import { userError } from "#kernel/errors.ts";
import { inParallel } from "#kernel/in-parallel.ts";
import type { Item } from "#kernel/item.ts";
import { addUsage, type Model, noUsage, type Usage } from "#kernel/model.ts";
import type { Method } from "#kernel/trace.ts";
import { isRecord } from "#kernel/values.ts";
import { type Answered, type AnswerPlan, answerItem, type Job } from "./answer-item.ts";
import { type EvaluationRecord, recordKey } from "./evaluation-record.ts";
import type { MethodSlip } from "./handed-over.ts";

/** One benchmark: its items, the methods bound to its prompts, and how it asks and grades. */
export interface EvaluationTask
  extends Pick<AnswerPlan, "verify" | "ask" | "tools" | "maxTokens" | "promptVersion" | "gradeAttempts"> {
  /** Put into the records; item ids are unique within it. May be absent where there is one. */
  task?: string | undefined;
  items: readonly Item[];
  /** Their ids name the records, so they must differ. */
  methods: readonly EvaluationMethod[];
}

export interface EvaluationMethod {
  method: Method;
  /** Runs on each item. */
  samples: number;
}

export interface EvaluationPlan {
  model: Model;
  tasks: readonly EvaluationTask[];
  temperature: number;
  seed: number;
  /** Answers in flight; 256 when left out, enough to fill an engine's batches. */
  concurrency?: number | undefined;
  /** Most that one answer may cost. */
  budget?: Budget | undefined;
  /** Most that the whole run may cost, earlier processes included: no new answer is begun once it is spent. */
  allowance?: Budget | undefined;
  /** Keep whole traces and wall times in the records. */
  keepTrace?: boolean | undefined;
  keepTime?: boolean | undefined;
  /** Whether an answer is there already, by `recordKey`. */
  isKnown?: (key: string) => boolean;
  /** What the known answers cost. */
  spentBefore?: Usage;
  /** Called with each new record as it comes, to store it. */
  onRecord: (record: EvaluationRecord) => void;
  onProgress?: ((progress: EvaluationProgress) => void) | undefined;
  /** No new answer is begun after an abort; those under way end and are not recorded. */
  signal?: AbortSignal | undefined;
}

export interface EvaluationProgress {
  done: number;
  total: number;
  /** Of the answers this process gave. */
  failures: number;
  /** The answer that has just been given, and its method. */
  record: EvaluationRecord;
  method: string;
  /** Where the answer failed by a mistake in the method itself. */
  slip?: MethodSlip | undefined;
  /** Of the whole run so far, grading included. */
  spent: Usage;
}

/** `allowance`: what the run may cost is spent, and answers are missing. */
export type EvaluationEnd = "complete" | "interrupted" | "allowance";

/** As many answers in a row come to nothing before the run gives up: a wrong key or a dead server fails every answer. */
const hopelessAfter = 12;

const askingSpecs = {
  model: needed(modelOption),
  temperature: needed(temperatureOption),
  seed: needed(seedOption),
  concurrency: whole("answers in flight", 1),
  budget: thing("most that one answer may cost"),
  keepTrace: flag("keep whole traces in the records"),
  keepTime: flag("keep wall times in the records"),
  onProgress: callback("told of each answer"),
  signal: signalOption,
};

const planSpecs: CallSpecs<EvaluationPlan> = {
  ...askingSpecs,
  tasks: needed(list("the benchmarks", isRecord)),
  allowance: thing("most that the whole run may cost"),
  isKnown: callback("whether an answer is there already"),
  spentBefore: thing("what the known answers cost"),
  onRecord: needed(callback("stores each new record")),
};

const gradingSpecs = {
  task: text("name of the benchmark"),
  items: needed(list("the questions", isRecord)),
  verify: needed(callback("grades the answers")),
  ask: callback("the conversation that a method starts from"),
  tools: callback("help that a method may use"),
  maxTokens: needed(maxTokensOption),
  promptVersion: text("version of the prompts"),
  gradeAttempts: flag("grade attempts as well as final answers"),
};

const taskSpecs: CallSpecs<EvaluationTask> = { ...gradingSpecs, methods: needed(list("the methods", isRecord)) };

const methodSpecs: CallSpecs<EvaluationMethod> = {
  method: needed(thing("the method", "a method", isMethod)),
  samples: needed(whole("runs on each item", 1)),
};

function isMethod(value: unknown): boolean {
  return isRecord(value) && typeof value.id === "string" && typeof value.run === "function";
}

function checkPlan(plan: EvaluationPlan): void {
  checkCall("evaluate", planSpecs, plan);
  for (const task of plan.tasks) {
    checkCall("evaluate, a task", taskSpecs, task);
    for (const method of task.methods) checkCall("evaluate, a method", methodSpecs, method);
  }
  for (const budget of [plan.budget, plan.allowance]) if (budget) checkBudget(budget);
}

/** Item by item, all methods of an item side by side: a run that is stopped early has compared what it did. */
export async function evaluate(wanted: EvaluationPlan): Promise<EvaluationEnd> {
  checkPlan(wanted);
  const ending = new AbortController();
  const { signal } = ending;
  const follow = () => ending.abort(wanted.signal?.reason);
  if (wanted.signal?.aborted) follow();
  wanted.signal?.addEventListener("abort", follow, { once: true });
  const plan = { ...wanted, signal };
  const { concurrency = 256, isKnown = () => false } = plan;
  const total = plan.tasks.reduce((sum, task) => sum + task.items.length * samplesOf(task), 0);
  const startedAt = performance.now();
  let spent = plan.spentBefore ?? noUsage;
  let done = countKnown(plan.tasks, isKnown);
  let failures = 0;
  let failedInRow = 0;
  let last: Answered | undefined;
  let hopeless: Error | undefined;

  const mayBegin = () =>
    !signal.aborted && !hopeless && isWithin(plan.allowance ?? {}, spent, (performance.now() - startedAt) / 1000);
  let leftOut = false;
  function* waiting(): Generator<[task: EvaluationTask, job: Job]> {
    for (const [task, job] of jobs(plan.tasks)) {
      if (isKnown(keyOf(task, job))) continue;
      if (!mayBegin()) {
        leftOut = true;
        return;
      }
      yield [task, job];
    }
  }

  async function work([task, job]: [task: EvaluationTask, job: Job]): Promise<void> {
    const answered = await answerItem(answerPlan(plan, task), job);
    if (!answered) {
      leftOut = true;
      return;
    }
    const { record, slip } = answered;
    try {
      plan.onRecord(record);
    } catch (error) {
      // What cannot be written down must not be paid for: a full disk ends what is under way too.
      ending.abort(error);
      throw error;
    }
    done++;
    last = answered;
    spent = addUsage(addUsage(spent, record.usage), record.gradingUsage ?? noUsage);
    if (record.error !== undefined) failures++;
    failedInRow = record.error !== undefined && record.text === "" ? failedInRow + 1 : 0;
    if (failedInRow >= Math.max(hopelessAfter, concurrency)) hopeless = everyAnswerFails(answered, failedInRow);
    plan.onProgress?.({ done, total, failures, record, method: record.method, slip, spent });
  }
  await inParallel(waiting(), concurrency, work).finally(() => wanted.signal?.removeEventListener("abort", follow));
  if (hopeless) throw hopeless;
  if (leftOut) return signal.aborted ? "interrupted" : "allowance";
  // A short run too: a table of zeros would say something of the model.
  if (last && failedInRow === total) throw everyAnswerFails(last, total);
  return "complete";
}

/** One task whose records fit into memory. */
export interface TaskPlan
  extends Omit<EvaluationTask, "methods">,
    Pick<
      EvaluationPlan,
      "model" | "temperature" | "seed" | "concurrency" | "budget" | "keepTrace" | "keepTime" | "onProgress" | "signal"
    > {
  methods: readonly Method[];
  /** Runs of each method on each item; 1 when left out. */
  samples?: number;
  /** Records of an earlier run: taken as they are. Those with an error are run again. */
  known?: readonly EvaluationRecord[] | undefined;
  /** Called with each new record as it comes, to store it. */
  onRecord?: ((record: EvaluationRecord) => void) | undefined;
}

const oneTaskSpecs: CallSpecs<TaskPlan> = {
  ...askingSpecs,
  ...gradingSpecs,
  methods: needed(list("the methods", isMethod)),
  samples: whole("runs of each method on each item", 1),
  known: list("records of an earlier run", isRecord),
  onRecord: callback("stores each new record"),
};

/** `evaluate` for one task: its records by method, then item, then sample. Throws the signal's reason after an abort. */
export async function evaluateTask(plan: TaskPlan): Promise<EvaluationRecord[]> {
  checkCall("evaluateTask", oneTaskSpecs, plan);
  const { model, temperature, seed, concurrency, budget, keepTrace, keepTime, onProgress, signal, ...rest } = plan;
  const { methods, samples = 1, known = [], onRecord, ...task } = rest;
  const records = new Map(known.filter(({ error }) => error === undefined).map((record) => [recordKey(record), record]));
  const end = await evaluate({
    model,
    tasks: [{ ...task, methods: methods.map((method) => ({ method, samples })) }],
    temperature,
    seed,
    concurrency,
    budget,
    keepTrace,
    keepTime,
    isKnown: (key) => records.has(key),
    onRecord: (record) => {
      records.set(recordKey(record), record);
      onRecord?.(record);
    },
    onProgress,
    signal,
  });
  if (end === "interrupted") signal?.throwIfAborted();
  return methods.flatMap(({ id: method }) =>
    task.items.flatMap(({ id: item }) =>
      Array.from(
        { length: samples },
        (_, sample) => records.get(recordKey({ task: task.task, item, method, sample })) ?? [],
      ).flat(),
    ),
  );
}

/** Number of answers that a benchmark asks of each item. */
export function samplesOf(task: EvaluationTask): number {
  return task.methods.reduce((sum, { samples }) => sum + samples, 0);
}

function countKnown(tasks: readonly EvaluationTask[], isKnown: (key: string) => boolean): number {
  let known = 0;
  for (const [task, job] of jobs(tasks)) if (isKnown(keyOf(task, job))) known++;
  return known;
}

function keyOf({ task }: EvaluationTask, { item, method, sample }: Job): string {
  return recordKey({ task, item: item.id, method: method.id, sample });
}

function* jobs(tasks: readonly EvaluationTask[]): Generator<[task: EvaluationTask, job: Job]> {
  for (const task of tasks) {
    for (const item of task.items) {
      for (const { method, samples } of task.methods) {
        for (let sample = 0; sample < samples; sample++) yield [task, { item, method, sample }];
      }
    }
  }
}

function answerPlan(
  { model, temperature, seed, budget, keepTrace, keepTime, signal }: EvaluationPlan,
  task: EvaluationTask,
): AnswerPlan {
  const { items: _items, methods: _methods, ...asked } = task;
  return { ...asked, model, temperature, seed, budget, keepTrace, keepTime, signal };
}

function everyAnswerFails({ record, slip, advice = "See what the error says." }: Answered, inRow: number): Error {
  return userError(
    "every-answer-fails",
    `${inRow} ${inRow === 1 ? "answer" : "answers in a row"} failed; the last one (${record.method} on ${record.item}): ${record.error}`,
    slip === undefined
      ? `${advice} The same command goes on where this one stopped.`
      : `The mistake is in the method${slip.place === undefined ? "" : `, at ${slip.place}`}. The same command goes on once it is mended.`,
  );
}
