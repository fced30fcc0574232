/** One answer of one method to one item, graded and written down as a record. Whatever fails becomes part of the record. */
import { type Budget, withinBudget } from "#kernel/budget.ts";
import type { Grader, Item, Score } from "#kernel/item.ts";
import { addUsage, type Message, type Model, noUsage, type Usage } from "#kernel/model.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, MethodTools, Outcome, TraceEvent } from "#kernel/trace.ts";
import { getOrMake } from "#kernel/values.ts";
import { waitingFor } from "#kernel/waiting.ts";
import { type AttemptRecord, type EvaluationRecord, knownFields } from "./evaluation-record.ts";
import { drain, type MethodSlip, slipOf, thrownWords } from "./handed-over.ts";
import { unreadAdvice, WatchedModel } from "./watched-model.ts";

/** What all answers of one evaluation have in common. */
export interface AnswerPlan {
  model: Model;
  /** Grades final answers, and attempts unless told otherwise. Every verifier is a grader. */
  verify: Grader;
  temperature: number;
  /** New tokens of one call. */
  maxTokens: number;
  /**
   * Sample s of an item draws from (seed, item, s), whatever the method: at equal settings the first draft of a method is the plain answer,
   * so that differences between methods are theirs and not the dice's.
   */
  seed: number;
  /** The conversation a method starts from; the bare question when left out. */
  ask?: ((item: Item) => readonly Message[]) | undefined;
  /** Help a method may use on this item. `oracle` reaches only methods that say they use it. */
  tools?: ((item: Item) => MethodTools) | undefined;
  /** Asked before each call with what the answer has cost so far. */
  mayCall?: ((spent: Usage) => boolean) | undefined;
  /** Most that one answer may cost. */
  budget?: Budget | undefined;
  /** False grades final answers alone, where grading is dear. */
  gradeAttempts?: boolean | undefined;
  /** Keep whole traces in the records. */
  keepTrace?: boolean | undefined;
  /** Keep wall times in the records, the one thing in them that two runs never share. */
  keepTime?: boolean | undefined;
  /** What is under way ends after an abort, and is not recorded. */
  signal?: AbortSignal | undefined;
  /** Put into the records. */
  task?: string | undefined;
  promptVersion?: string | undefined;
}

export interface Job {
  item: Item;
  method: Method;
  sample: number;
}

export interface Answered {
  record: EvaluationRecord;
  /** Where the method itself is at fault. */
  slip?: MethodSlip | undefined;
  /** What to do about the last call that failed. */
  advice?: string | undefined;
}

/** Undefined when it was cancelled. Never throws. */
export async function answerItem(plan: AnswerPlan, job: Job): Promise<Answered | undefined> {
  const { item, method } = job;
  const { signal } = plan;
  const startedAt = performance.now();
  const events: TraceEvent[] = [];
  const watched = new WatchedModel(plan.model);
  let outcome: Outcome;
  // What is thrown may be anything, undefined too.
  let failure: { thrown: unknown } | undefined;
  let slip: MethodSlip | undefined;
  try {
    outcome = await waitingFor(`the method ${method.id}`, () =>
      drain(method, requestOf({ ...plan, model: watched }, job), plan.keepTrace === true, (event) => events.push(event)),
    );
  } catch (thrown) {
    failure = { thrown };
    slip = slipOf(method.id, thrown);
    outcome = { text: "", answer: "", reason: "error", usage: spentIn(events) };
  }
  if (signal?.aborted && (failure !== undefined || outcome.reason === "cancelled")) return undefined;
  const seconds = (performance.now() - startedAt) / 1000;

  const grading = new Grading(plan, item);
  let score: Score = { accuracy: 0, extracted: undefined };
  let attempts: AttemptRecord[] = [];
  try {
    // An answer that was never given is wrong without asking the verifier.
    if (outcome.text !== "" || outcome.answer !== "") score = await grading.grade(outcome.answer, outcome.text);
    if (plan.gradeAttempts !== false) attempts = await gradeAttempts(grading, events);
  } catch (thrown) {
    if (signal?.aborted) return undefined;
    failure ??= { thrown };
  }
  const failed = failure === undefined ? firstError(events) : thrownWords(failure.thrown);
  const { notHonoured, unreadReasoning } = watched;
  const advice = unreadAdvice(unreadReasoning);
  const message = failed && advice ? `${failed} (${advice})` : failed;
  const record = {
    ...recordOf(plan, job, outcome, score, attempts, events),
    ...grading.cost(),
    ...knownFields({ notHonoured, unreadReasoning }),
    ...(message ? { error: message } : {}),
    ...(plan.keepTime ? { seconds } : {}),
  };
  return { record, slip, advice: watched.failureAdvice };
}

function requestOf(plan: AnswerPlan, { item, method, sample }: Job): MethodRequest {
  const { model, temperature, maxTokens, budget, signal } = plan;
  const mayCall = plan.mayCall ?? (budget && withinBudget(budget));
  return {
    model,
    messages: plan.ask?.(item) ?? [{ role: "user", content: item.question }],
    temperature,
    maxTokens,
    seed: deriveSeed(plan.seed, "evaluation", item.id, sample),
    mayCall,
    signal,
    ...(plan.tools ? { tools: toolsFor(method, plan.tools(item)) } : {}),
  };
}

/** The reference answer's keeper is handed out to nobody else. */
function toolsFor(method: Method, { oracle, ...others }: MethodTools): MethodTools {
  return method.usesOracle && oracle ? { ...others, oracle } : others;
}

function recordOf(
  plan: AnswerPlan,
  { item, method, sample }: Job,
  { text, answer, reason, usage }: Outcome,
  score: Score,
  attempts: AttemptRecord[],
  events: TraceEvent[],
): EvaluationRecord {
  const parsed = parseRefine(text);
  return {
    ...knownFields({ task: plan.task }),
    item: item.id,
    method: method.id,
    sample,
    text,
    answer,
    ...knownFields({ extracted: score.extracted }),
    accuracy: score.accuracy,
    ...knownFields({ strictAccuracy: score.strictAccuracy, status: score.status, measures: score.measures }),
    ...knownFields({ group: item.group, cluster: item.cluster, firstWrongStep: score.firstWrongStep }),
    ...(attempts.length > 1 ? { attempts } : {}),
    verdict: parsed.verdict,
    refinements: parsed.refines.length,
    reason,
    usage,
    ...(method.usesOracle ? { usesOracle: true } : {}),
    ...knownFields({ promptVersion: plan.promptVersion }),
    ...(plan.keepTrace ? { events } : {}),
  };
}

/** Grades the texts of one answer, each once: a final answer is often one of the attempts, and votes repeat themselves. */
class Grading {
  readonly #plan: AnswerPlan;
  readonly #item: Item;
  readonly #scores = new Map<string, Promise<Score>>();
  #usage: Usage | undefined;

  constructor(plan: AnswerPlan, item: Item) {
    this.#plan = plan;
    this.#item = item;
  }

  grade(answer: string, text: string): Promise<Score> {
    return getOrMake(this.#scores, JSON.stringify([answer, text]), () => this.#ask(answer, text));
  }

  /** What the graders' own calls cost, where they made some. */
  cost(): { gradingUsage?: Usage } {
    return this.#usage ? { gradingUsage: this.#usage } : {};
  }

  async #ask(answer: string, text: string): Promise<Score> {
    const score = await this.#plan.verify(this.#item, answer, text, this.#plan.signal);
    if (score.usage) this.#usage = addUsage(this.#usage ?? noUsage, score.usage);
    return score;
  }
}

async function gradeAttempts(grading: Grading, events: readonly TraceEvent[]): Promise<AttemptRecord[]> {
  const attempts = events.filter((event) => event.type === "attempt-end");
  if (attempts.length < 2) return [];
  return Promise.all(
    attempts.map(async ({ text, usage }) => {
      const answer = parseRefine(text).answerText;
      const { accuracy, extracted } = await grading.grade(answer, text);
      return {
        answer,
        accuracy,
        ...knownFields({ extracted, outputTokens: usage.outputTokens, inputTokens: usage.inputTokens }),
      };
    }),
  );
}

/** What is known to have been spent by a method that broke. The call it broke in may have cost more. */
function spentIn(events: readonly TraceEvent[]): Usage {
  const known = events.reduce((sum, event) => ("usage" in event ? addUsage(sum, event.usage) : sum), noUsage);
  return events.length === 0 ? known : { ...known, inputTokens: undefined, outputTokens: undefined };
}

function firstError(events: readonly TraceEvent[]): string | undefined {
  return events.find((event) => event.type === "error")?.message;
}
