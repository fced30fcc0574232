/**
 * The calls of one run, each with its event: a method's body then reads as the steps of its paper. A call that was not made or failed is
 * thrown as `RunStopped`, which the method catches once, around all of its steps, to end with its best so far.
 */
import { Caller, type CallOptions, type CallResult, failedCallUsage } from "#kernel/call.ts";
import { messageOf } from "#kernel/errors.ts";
import { addUsage, type CallPurpose, type Completion, type Message, noUsage, type Usage } from "#kernel/model.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import type { EndReason, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import type { Candidate } from "./candidates.ts";
import { type InnerRun, runInner } from "./inner.ts";

/** A call that was not made or failed, or an inner run that ended early. */
export type FailedCall = CallResult & { ok: false };

/** Carries a failed call out of the steps of a method. */
class RunStopped extends Error {
  readonly failed: FailedCall;

  constructor(failed: FailedCall) {
    super(failed.message);
    this.failed = failed;
  }
}

/** The failed call that ended the steps; anything else that was thrown is thrown again. */
export function stoppedBy(thrown: unknown): FailedCall {
  if (thrown instanceof RunStopped) return thrown.failed;
  throw thrown;
}

/** What a method ends with. */
export interface Ending {
  /** The attempt chosen; undefined when there is none. */
  chosen?: { attempt: number; text: string } | undefined;
  /** Why this one, for a reader; without it nothing is said of a choice. */
  why?: string | undefined;
  /** `done` when left out. */
  reason?: EndReason;
  /** Sum over every call of the run. */
  usage: Usage;
}

/** Says what was chosen, where something was, and returns the outcome. */
export function* endWith({ chosen, why, reason = "done", usage }: Ending): Generator<TraceEvent, Outcome> {
  if (chosen === undefined || chosen === null) return { text: "", answer: "", reason, usage };
  if (typeof chosen !== "object" || typeof chosen.text !== "string") {
    throw new TypeError("what the steps chose is no candidate: return { chosen: CANDIDATE }, one of run.candidates");
  }
  if (why !== undefined) yield { type: "choice-end", attempt: chosen.attempt, reason: why };
  return { text: chosen.text, answer: parseRefine(chosen.text).answerText, reason, usage };
}

/** Ends because of a failed call, with the best so far or nothing; what failed becomes an event of its own. */
export function* endEarly(failed: FailedCall, { why, ...ending }: Omit<Ending, "reason">): Generator<TraceEvent, Outcome> {
  if (failed.reason === "error") yield { type: "error", message: failed.message };
  const reasons = [why, failed.message].filter((text) => text !== undefined).join("; ");
  return yield* endWith({ ...ending, why: reasons, reason: failed.reason });
}

/** What a reader made of a judge's words; nothing where they hold no verdict. */
export interface Judgement {
  passed?: boolean | undefined;
  /** In [0, 1]. */
  score?: number | undefined;
}

type CallEvent = TraceEvent & { messages: readonly Message[] };

export class TracedCalls {
  readonly caller: Caller;
  /** Every attempt so far, by its number. Steps that come to know its quality write the score here. */
  readonly candidates: Candidate[] = [];
  readonly #request: MethodRequest;

  constructor(request: MethodRequest) {
    this.#request = request;
    this.caller = new Caller(request);
  }

  /** One answer to the question, numbered in the order of appearance. */
  async *attempt(messages: readonly Message[], options: CallOptions): AsyncGenerator<TraceEvent, Candidate> {
    return (yield* this.attempts(messages, options))[0];
  }

  /** `options.n` answers from one call; fewer where some of them failed. */
  async *attempts(messages: readonly Message[], options: CallOptions): AsyncGenerator<TraceEvent, Candidate[]> {
    const completions = await this.#ask(messages, options, { kind: "answer", attempt: this.candidates.length });
    const added: Candidate[] = [];
    for (const { text, usage } of completions) {
      const candidate: Candidate = { attempt: this.candidates.length, text };
      this.candidates.push(candidate);
      added.push(candidate);
      yield { type: "attempt-end", attempt: candidate.attempt, messages, text, usage };
    }
    return added;
  }

  /** One answer by another method; what its run has cost stands on the attempt. A run that ended early still gives what it has. */
  async *innerAttempt(inner: InnerRun): AsyncGenerator<TraceEvent, Candidate> {
    const { text, usage, reason } = yield* runInner(this.#request, this.caller, inner);
    const candidate: Candidate = { attempt: this.candidates.length, text };
    if (text !== "" || reason === "done") {
      this.candidates.push(candidate);
      const { messages = this.#request.messages } = inner;
      yield { type: "attempt-end", attempt: candidate.attempt, messages, text, usage };
    }
    if (reason !== "done") this.#stop(reason, `${inner.method.id} ended early (${reason})`);
    return candidate;
  }

  /** One more attempt, unless its text is by `isFeedback` no answer but feedback on an earlier attempt; true in that case. */
  async *attemptUnless(
    isFeedback: (text: string) => boolean,
    about: number,
    messages: readonly Message[],
    options: CallOptions,
  ): AsyncGenerator<TraceEvent, boolean> {
    const purpose = { kind: "answer", attempt: this.candidates.length } as const;
    const { text, usage } = (await this.#ask(messages, options, purpose))[0];
    const found = isFeedback(text);
    const attempt = found ? about : this.candidates.length;
    if (!found) this.candidates.push({ attempt, text });
    yield { type: found ? "feedback-end" : "attempt-end", attempt, messages, text, usage };
    return found;
  }

  /** The model's words about an attempt. */
  async *feedback(attempt: number, messages: readonly Message[], options: CallOptions): AsyncGenerator<TraceEvent, string> {
    const purpose = { kind: "feedback", attempt } as const;
    return yield* this.#one(purpose, messages, options, (text, usage) => ({
      type: "feedback-end",
      attempt,
      messages,
      text,
      usage,
    }));
  }

  /** Any other call; `role` names it in plain words. */
  async *step(
    role: string,
    messages: readonly Message[],
    options: CallOptions,
    attempt?: number,
  ): AsyncGenerator<TraceEvent, string> {
    const about = attempt === undefined ? {} : { attempt };
    const purpose = { kind: "step", attempt, role } as const;
    return yield* this.#one(purpose, messages, options, (text, usage) => ({
      type: "step-end",
      role,
      ...about,
      messages,
      text,
      usage,
    }));
  }

  /** The model's verdict on an attempt, as `read` finds it in its words. */
  async *judge(
    { attempt, by }: { attempt: number; by: string },
    messages: readonly Message[],
    options: CallOptions,
    read: (text: string) => Judgement,
  ): AsyncGenerator<TraceEvent, Judgement & { text: string }> {
    const { text, usage } = (await this.#ask(messages, options, { kind: "check", attempt, role: by }))[0];
    const judgement = read(text);
    yield { type: "check-end", attempt, by, ...known(judgement), text, usage };
    return { ...judgement, text };
  }

  /** `judge` with n replies of one call, whose score `read` makes of all of them. */
  async *judgeOften(
    { attempt, by, n }: { attempt: number; by: string; n: number },
    messages: readonly Message[],
    options: CallOptions,
    read: (texts: readonly string[]) => number | undefined,
  ): AsyncGenerator<TraceEvent, Judgement> {
    const completions = await this.#ask(messages, { ...options, n }, { kind: "check", attempt, role: by });
    const judgement = { score: read(completions.map(({ text }) => text)) };
    const usage = completions.reduce((sum, completion) => addUsage(sum, completion.usage), noUsage);
    const text = completions.map((completion) => completion.text).join("\n\n");
    yield { type: "check-end", attempt, by, ...known(judgement), text, usage };
    return judgement;
  }

  /**
   * Something outside of the model that looks at an attempt: tests, a program, a reward model. `ask` returns what it cost where it costs
   * something; `costs` says that it may, so that the budget is asked before. What it throws ends the run like a failed call.
   */
  async *check<Found extends Judgement & { text: string; usage?: Usage }>(
    { attempt, by, costs = false }: { attempt: number; by: string; costs?: boolean },
    ask: () => Promise<Found>,
  ): AsyncGenerator<TraceEvent, Found> {
    const { signal, mayCall } = this.#request;
    if (signal?.aborted) this.#stop("cancelled", "cancelled before the check");
    if (costs && mayCall && !mayCall(this.caller.spent)) this.#stop("budget-exhausted", "the budget is spent");
    let found: Found;
    try {
      found = await ask();
    } catch (error) {
      if (costs) this.caller.spent = addUsage(this.caller.spent, failedCallUsage(error));
      const message = `${by}: ${messageOf(error)}`;
      return this.#stop(signal?.aborted ? "cancelled" : "error", message);
    }
    const usage = found.usage ?? noUsage;
    this.caller.spent = addUsage(this.caller.spent, usage);
    yield { type: "check-end", attempt, by, ...known(found), text: found.text, usage };
    return found;
  }

  async #ask(messages: readonly Message[], options: CallOptions, purpose: CallPurpose): Promise<Completion[]> {
    return this.#take(await this.caller.ask(messages, { ...options, purpose }));
  }

  async *#one(
    purpose: CallPurpose,
    messages: readonly Message[],
    options: CallOptions,
    event: (text: string, usage: Usage) => CallEvent,
  ): AsyncGenerator<TraceEvent, string> {
    const { text, usage } = (await this.#ask(messages, options, purpose))[0];
    yield event(text, usage);
    return text;
  }

  #take(result: CallResult): Completion[] {
    if (result.ok) return result.completions;
    throw new RunStopped(result);
  }

  #stop(reason: FailedCall["reason"], message: string): never {
    throw new RunStopped({ ok: false, reason, message });
  }
}

function known({ passed, score }: Judgement): { passed?: boolean; score?: number } {
  return { ...(passed === undefined ? {} : { passed }), ...(score === undefined ? {} : { score }) };
}
