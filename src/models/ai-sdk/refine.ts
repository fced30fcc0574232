/**
 * A method over a language model as a language model of the AI SDK (specification 4): one request runs the method, and every inner call
 * carries the request's own options (tools, response format, headers, provider options, sampling); calls that write no answer (feedback,
 * verdicts, plans) go without its response format and cannot call its tools. Reasoning parts tell the progress,
 * text parts hold the answer, and usage is the sum over the inner calls.
 *
 *   generateText({ model: refine(openai("…"), selfRefine({ rounds: 2 })), prompt: "…" })
 */
import { randomInt } from "node:crypto";
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamResult,
  SharedV4Warning,
} from "@ai-sdk/provider";
import { type Budget, checkBudget, withinBudget } from "#kernel/budget.ts";
import {
  type CallSpecs,
  checkCall,
  flag,
  maxTokensOption,
  most,
  seedOption,
  temperatureOption,
  thing,
} from "#kernel/call-options.ts";
import { userError } from "#kernel/errors.ts";
import type { BoundMethod, Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import { retrying } from "../around/retry.ts";
import { sdkFailure } from "./failure.ts";
import { checkVersion } from "./from-ai-sdk.ts";
import { messagesOf } from "./prompt.ts";
import { type CallListener, RequestModel, type RequestRun } from "./request.ts";
import { answerParts, generateResult } from "./result.ts";
import { StreamTeller } from "./teller.ts";

export interface RefineOptions {
  /** What one request may cost; when it is spent, the method ends with its best answer so far. */
  budget?: Budget;
  /** Where the request names no temperature; without either, the provider's own default holds. */
  temperature?: number;
  /** Of each inner call, where the request names no `maxOutputTokens`; without either, the provider's own default holds. */
  maxTokens?: number;
  /** Where the request names no seed. Without either, each request draws one and tells it in `providerMetadata.midcourse.seed`. */
  seed?: number;
  /** False: no reasoning parts about the method's progress. */
  showProgress?: boolean;
  /** Tries after the first of inner calls once there is something to lose; the SDK itself tries failed requests again. 2 when left out. */
  retries?: number;
}

const refineSpecs: CallSpecs<RefineOptions> = {
  budget: thing("what one request may cost"),
  temperature: temperatureOption,
  maxTokens: maxTokensOption,
  seed: seedOption,
  showProgress: flag("reasoning parts tell the progress"),
  retries: most("tries after the first of inner calls"),
};

/**
 * Finish reasons: a method that is done or stopped early with an answer (budget spent, a later call failed) finishes with `stop`, or with
 * `length` or `content-filter` where the completion that became the answer did; `finishReason.raw` and `providerMetadata.midcourse.reason`
 * hold the method's own reason, and early stops are told in a warning. A request for a tool finishes with `tool-calls` and the model's own
 * parts. Without any answer the request fails with the error of the call that failed.
 */
export function refine(model: LanguageModelV4, method: Method | BoundMethod, options: RefineOptions = {}): LanguageModelV4 {
  checkVersion(model);
  checkCall("refine", refineSpecs, options);
  if (options.budget) checkBudget(options.budget);
  const run = "method" in method ? method.method : method;
  const live = run.liveAnswer;
  return {
    specificationVersion: "v4",
    provider: `midcourse.${model.provider}`,
    modelId: `${run.id}/${model.modelId}`,
    get supportedUrls() {
      return model.supportedUrls;
    },

    async doGenerate(call): Promise<LanguageModelV4GenerateResult> {
      call.abortSignal?.throwIfAborted();
      const { state, request } = prepare(model, run, options, call, undefined);
      const outcome = await finish(state, run, request, () => {});
      return generateResult(state, outcome, warningsOf(state, outcome));
    },

    async doStream(call): Promise<LanguageModelV4StreamResult> {
      call.abortSignal?.throwIfAborted();
      const showProgress = options.showProgress ?? true;
      const teller = new StreamTeller({ showProgress, live });
      const signal = call.abortSignal ? AbortSignal.any([call.abortSignal, teller.cancelled]) : teller.cancelled;
      const listener = showProgress || live ? teller : undefined;
      const { state, request } = prepare(model, run, options, { ...call, abortSignal: signal }, listener);
      teller.warnings = () => state.model.warnings().filter(isAsked(call));
      const telling = finish(state, run, request, (event) => teller.event(event)).then(
        (outcome) => teller.finish(answerParts(state, outcome), outcome, state),
        (error) => teller.fail(error, call.abortSignal?.aborted === true),
      );
      // A request that fails before it has told anything fails as a whole, so that the SDK can try it again.
      await Promise.race([teller.begun, telling]);
      return { stream: teller.stream };
    },
  };
}

function prepare(
  model: LanguageModelV4,
  method: Method,
  options: RefineOptions,
  call: LanguageModelV4CallOptions,
  listener: CallListener | undefined,
): { state: RequestRun; request: MethodRequest } {
  const seed = call.seed ?? options.seed ?? randomInt(2 ** 31);
  const temperature = call.temperature ?? options.temperature;
  const maxTokens = call.maxOutputTokens ?? options.maxTokens;
  const requestModel = new RequestModel(model, call, {
    policy: retrying({ retries: options.retries ?? 2, seed }),
    ...(listener ? { listener } : {}),
    placeholders: {
      ...(temperature === undefined ? { temperature: placeholders.temperature } : {}),
      ...(maxTokens === undefined ? { maxTokens: placeholders.maxTokens } : {}),
    },
  });
  const request: MethodRequest = {
    model: requestModel,
    messages: messagesOf(call.prompt),
    temperature: temperature ?? placeholders.temperature,
    maxTokens: maxTokens ?? placeholders.maxTokens,
    seed,
    ...(options.budget ? { mayCall: withinBudget(options.budget) } : {}),
    signal: call.abortSignal,
  };
  const showProgress = options.showProgress ?? true;
  return { state: { methodId: method.id, model: requestModel, call, seed, showProgress, events: [] }, request };
}

/** What methods reckon with where nobody named a value. */
const placeholders = { temperature: 1, maxTokens: 32_768 } as const;

/** Runs the method to its end. Throws where there is no answer. */
async function finish(
  state: RequestRun,
  method: Method,
  request: MethodRequest,
  onEvent: (event: TraceEvent) => void,
): Promise<Outcome> {
  const running = method.run(request);
  for (;;) {
    const step = await running.next();
    if (!step.done) {
      state.events.push(step.value);
      onEvent(step.value);
      continue;
    }
    const outcome = step.value;
    if (outcome.reason === "cancelled")
      throw request.signal?.reason ?? new DOMException("The request was aborted.", "AbortError");
    if (outcome.text !== "" || outcome.reason === "done" || outcome.reason === "tool-calls") return outcome;
    if (outcome.reason === "budget-exhausted") {
      throw userError("budget-exhausted", `The budget allows ${method.id} no call`, "Give refine(…) a larger budget.");
    }
    throw sdkFailure(state.model.failure ?? new Error(`${method.id} ended without an answer`));
  }
}

/** Warnings about a seed that only we sent are of no use to the caller. */
function isAsked(call: LanguageModelV4CallOptions): (warning: SharedV4Warning) => boolean {
  return (warning) => call.seed !== undefined || warning.type !== "unsupported" || warning.feature !== "seed";
}

function warningsOf(state: RequestRun, outcome: Outcome): SharedV4Warning[] {
  const early = earlyEnd(state, outcome);
  return [...state.model.warnings().filter(isAsked(state.call)), ...(early ? [early] : [])];
}

function earlyEnd({ methodId, model }: RequestRun, { reason }: Outcome): SharedV4Warning | undefined {
  if (reason === "budget-exhausted") return { type: "other", message: `${methodId} stopped early: the budget was spent` };
  if (reason !== "error" && reason !== "context-exceeded") return undefined;
  const why = model.failure instanceof Error ? model.failure.message : "a call failed";
  return { type: "other", message: `${methodId} stopped early: ${why}` };
}
