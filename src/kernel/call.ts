/** One model call as methods make it: the budget is asked before, a failure becomes a value, and usage is summed either way. */
import { MidcourseError, messageOf, remoteError } from "./errors.ts";
import {
  addUsage,
  type CallPurpose,
  type Completion,
  type GenerateOptions,
  type Message,
  type Model,
  noUsage,
  type Usage,
} from "./model.ts";
import type { EndReason, MethodRequest } from "./trace.ts";

export interface CallOptions {
  seed: number;
  /** Samples wanted; 1 when left out. */
  n?: number;
  /** The request's own when left out. */
  temperature?: number | undefined;
  maxTokens?: number | undefined;
  topP?: number | undefined;
  topK?: number | undefined;
  stop?: readonly string[];
  purpose?: CallPurpose | undefined;
  /** Another model than the request's; its calls count like the others. */
  model?: Model | undefined;
}

export type CallResult =
  | { ok: true; completions: Completion[]; usage: Usage }
  | { ok: false; reason: Exclude<EndReason, "done">; message: string };

/** Makes the calls of one run of a method and keeps their sum. */
export class Caller {
  /** Sum over every call made so far, failed ones included. */
  spent: Usage = noUsage;
  readonly #request: Pick<MethodRequest, "model" | "mayCall" | "signal" | "temperature" | "maxTokens">;

  constructor(request: MethodRequest) {
    this.#request = request;
  }

  /**
   * Never throws for a failed call. Completions that end in an error are left out; when all do, the call has failed. A completion that
   * asks for a tool ends the method: only the caller can run it.
   */
  async ask(messages: readonly Message[], options: CallOptions): Promise<CallResult> {
    const { mayCall, signal } = this.#request;
    if (signal?.aborted) return { ok: false, reason: "cancelled", message: "cancelled before the call" };
    if (mayCall && !mayCall(this.spent)) return { ok: false, reason: "budget-exhausted", message: "the budget is spent" };
    const { model = this.#request.model, n = 1, ...others } = options;
    const { temperature = this.#request.temperature, maxTokens = this.#request.maxTokens, ...rest } = others;
    let completions: Completion[];
    try {
      completions = await model.generate(messages, { n, temperature, maxTokens, ...rest, signal });
    } catch (error) {
      this.spent = addUsage(this.spent, failedCallUsage(error));
      return { ok: false, reason: failureReason(error, signal), message: messageOf(error) };
    }
    const usage = completions.reduce((sum, completion) => addUsage(sum, completion.usage), noUsage);
    this.spent = addUsage(this.spent, usage);
    if (completions.some((completion) => completion.finishReason === "tool-calls")) {
      return { ok: false, reason: "tool-calls", message: "the model asked for a tool" };
    }
    const usable = completions.filter((completion) => completion.finishReason !== "error");
    if (usable.length === 0) {
      const said = completions.find(({ finishSaid }) => finishSaid !== undefined)?.finishSaid;
      const ending = said === undefined ? "" : `: it ended with “${said}”`;
      return { ok: false, reason: "error", message: `the model returned no usable completion${ending}` };
    }
    return { ok: true, completions: usable, usage };
  }
}

function failureReason(error: unknown, signal: AbortSignal | undefined): "cancelled" | "context-exceeded" | "error" {
  if (signal?.aborted) return "cancelled";
  return MidcourseError.isInstance(error) && error.code === "context-exceeded" ? "context-exceeded" : "error";
}

/** A call that failed before it reached the model cost no tokens; what any other cost is what the server told, or unknown, which is not 0. */
export function failedCallUsage(error: unknown): Usage {
  const told = MidcourseError.isInstance(error) ? error.remote?.usage : undefined;
  if (told !== undefined) return told;
  const isFree = MidcourseError.isInstance(error) && (error.family === "user" || error.remote?.costsNothing === true);
  return isFree ? { ...noUsage, calls: 1 } : { calls: 1, inputTokens: undefined, outputTokens: undefined, milliseconds: 0 };
}

/** The error of a call, with what its other tries or samples cost, those that were free left out. */
export function costing(error: unknown, others: readonly Usage[]): unknown {
  const paid = others.filter(({ outputTokens }) => outputTokens !== 0);
  if (!MidcourseError.isInstance(error) || error.family !== "remote" || paid.length === 0) return error;
  const own = failedCallUsage(error);
  const usage = (own.outputTokens === 0 ? paid : [own, ...paid]).reduce(addUsage);
  return remoteError(error.code, error.what, { ...error.remote, usage }, { advice: error.advice, cause: error.cause ?? error });
}

/**
 * Several samples as several calls at once. A sample that failed beside others that did not is a completion with the finish reason `error`;
 * when all failed, the call did.
 */
export async function sideBySide(
  { n, signal }: Pick<GenerateOptions, "n" | "signal">,
  ask: (sample: number) => Promise<Completion>,
): Promise<Completion[]> {
  const results = await Promise.allSettled(Array.from({ length: n }, (_, sample) => ask(sample)));
  signal?.throwIfAborted();
  const failed = results.filter((result) => result.status === "rejected");
  if (failed.length > 0 && failed.length === results.length) {
    const [{ reason }, ...others] = failed;
    const costs = others.map((other) => failedCallUsage(other.reason));
    throw costing(reason, costs);
  }
  return results.map((result) =>
    result.status === "fulfilled" ? result.value : { text: "", finishReason: "error", usage: failedCallUsage(result.reason) },
  );
}

/** Where the first of the stop texts begins, which end a completion and are no part of it; undefined where none does. */
export function firstStop(text: string, stop: readonly string[] | undefined): number | undefined {
  const places = (stop ?? []).flatMap((ending) => (ending === "" ? [] : text.indexOf(ending))).filter((place) => place >= 0);
  return places.length === 0 ? undefined : Math.min(...places);
}

/** For servers that leave the stop texts in. */
export function cutAtStop(completion: Completion, stop: readonly string[] | undefined): Completion {
  const end = firstStop(completion.text, stop);
  return end === undefined ? completion : { ...completion, text: completion.text.slice(0, end) };
}

/** The conversation with an instruction as its system message, placed before a system message the user wrote. */
export function withInstruction(messages: readonly Message[], instruction: string | undefined): Message[] {
  if (!instruction) return [...messages];
  const [first, ...rest] = messages;
  // One system message only: many chat templates refuse a second one.
  if (first?.role === "system") return [{ role: "system", content: `${instruction}\n\n${first.content}` }, ...rest];
  return [{ role: "system", content: instruction }, ...messages];
}
