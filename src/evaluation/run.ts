/** Runs methods over items with many conversations in flight, one record each; failures are recorded, finished records are not run again. */
import type { Item, Score, Verifier } from "#kernel/item.ts";
import { type Message, type Model, noUsage, type Usage } from "#kernel/model.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import { type AttemptRecord, type EvaluationRecord, recordKey } from "./evaluation-record.ts";

export interface EvaluationPlan {
  model: Model;
  items: readonly Item[];
  /** Their ids name the records, so they must differ. */
  methods: readonly Method[];
  verify: Verifier;
  temperature: number;
  /** New tokens of one call. */
  maxTokens: number;
  /**
   * Sample s of an item draws from (seed, item, s), whatever the method: at equal settings the first draft of a method is the plain answer,
   * so that differences between methods are theirs and not the dice's.
   */
  seed: number;
  /** Runs of each method on each item; 1 when left out. */
  samples?: number;
  /** Conversations in flight; 256 when left out, enough to fill an engine's batches. */
  concurrency?: number;
  /** The conversation a method starts from; the bare question when left out. */
  ask?: (item: Item) => readonly Message[];
  /** Asked before each call with what the answer has cost so far. */
  mayCall?: (spent: Usage) => boolean;
  /** Finished records of an earlier run by `recordKey`: taken as they are. Those with an error are run again. */
  known?: ReadonlyMap<string, EvaluationRecord>;
  /** Called with each new record as it comes, to store it. */
  onRecord?: (record: EvaluationRecord) => void;
  onProgress?: (progress: EvaluationProgress) => void;
  /** Keep whole traces in the records. */
  keepTrace?: boolean;
  /** No new answer is begun after an abort, and those under way end; what they had is not recorded. */
  signal?: AbortSignal;
}

export interface EvaluationProgress {
  done: number;
  total: number;
  failures: number;
  /** Method of the answer that has just been finished. */
  method: string;
}

export interface EvaluationResult {
  /** By method, then item, then sample; without those that an abort left undone. */
  records: EvaluationRecord[];
  /** False after an abort. */
  complete: boolean;
}

interface Job {
  item: Item;
  method: Method;
  sample: number;
}

export async function evaluate(plan: EvaluationPlan): Promise<EvaluationResult> {
  const { methods, items, samples = 1, concurrency = 256, known, signal } = plan;
  const jobs: Job[] = methods.flatMap((method) =>
    items.flatMap((item) => Array.from({ length: samples }, (_, sample) => ({ item, method, sample }))),
  );
  const records = new Array<EvaluationRecord | undefined>(jobs.length);
  const waiting: number[] = [];
  for (const [index, { item, method, sample }] of jobs.entries()) {
    const earlier = known?.get(recordKey({ item: item.id, method: method.id, sample }));
    if (earlier && earlier.error === undefined) records[index] = earlier;
    else waiting.push(index);
  }
  let done = jobs.length - waiting.length;
  let failures = 0;
  let cursor = 0;

  async function work(): Promise<void> {
    while (cursor < waiting.length && !signal?.aborted) {
      const index = waiting[cursor++]!;
      const job = jobs[index]!;
      const record = await answer(plan, job);
      if (!record) return;
      records[index] = record;
      plan.onRecord?.(record);
      done++;
      if (record.error !== undefined) failures++;
      plan.onProgress?.({ done, total: jobs.length, failures, method: job.method.id });
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, waiting.length) }, work));
  const finished = records.filter((record) => record !== undefined);
  return { records: finished, complete: finished.length === jobs.length };
}

/** One answer and its grade; undefined when it was cancelled. */
async function answer(plan: EvaluationPlan, { item, method, sample }: Job): Promise<EvaluationRecord | undefined> {
  const { model, temperature, maxTokens, mayCall, signal } = plan;
  const request: MethodRequest = {
    model,
    messages: plan.ask?.(item) ?? [{ role: "user", content: item.question }],
    temperature,
    maxTokens,
    seed: deriveSeed(plan.seed, "evaluation", item.id, sample),
    ...(mayCall ? { mayCall } : {}),
    ...(signal ? { signal } : {}),
  };
  const events: TraceEvent[] = [];
  let outcome: Outcome;
  let failure: unknown;
  try {
    outcome = await drain(method, request, events);
  } catch (error) {
    failure = error;
    outcome = { text: "", answer: "", reason: "error", usage: noUsage };
  }
  if (signal?.aborted && (failure !== undefined || outcome.reason === "cancelled")) return undefined;

  const { text, reason, usage } = outcome;
  let score: Score = { accuracy: 0, extracted: undefined };
  let attempts: AttemptRecord[] = [];
  try {
    // An answer that was never given is wrong without asking the verifier.
    if (text !== "" || outcome.answer !== "") score = plan.verify(item, outcome.answer, text);
    attempts = gradeAttempts(plan.verify, item, events);
  } catch (error) {
    failure ??= error;
  }
  const parsed = parseRefine(text);
  const message = failure === undefined ? events.find((event) => event.type === "error")?.message : describe(failure);
  return {
    item: item.id,
    method: method.id,
    sample,
    text,
    answer: outcome.answer,
    ...(score.extracted === undefined ? {} : { extracted: score.extracted }),
    accuracy: score.accuracy,
    ...(score.firstWrongStep === undefined ? {} : { firstWrongStep: score.firstWrongStep }),
    ...(attempts.length > 1 ? { attempts } : {}),
    verdict: parsed.verdict,
    refinements: parsed.refines.length,
    reason,
    ...(message === undefined ? {} : { error: message }),
    usage,
    ...(plan.keepTrace ? { events } : {}),
  };
}

async function drain(method: Method, request: MethodRequest, events: TraceEvent[]): Promise<Outcome> {
  const run = method.run(request);
  for (;;) {
    const next = await run.next();
    if (next.done) return next.value;
    events.push(next.value);
  }
}

function gradeAttempts(verify: Verifier, item: Item, events: readonly TraceEvent[]): AttemptRecord[] {
  const attempts = events.filter((event) => event.type === "attempt-end");
  if (attempts.length < 2) return [];
  return attempts.map(({ text, usage }) => {
    const answer = parseRefine(text).answerText;
    const { accuracy, extracted } = verify(item, answer, text);
    return {
      answer,
      ...(extracted === undefined ? {} : { extracted }),
      accuracy,
      ...(usage.outputTokens === undefined ? {} : { outputTokens: usage.outputTokens }),
    };
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
