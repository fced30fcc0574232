/**
 * Any language model of the AI SDK (specification 4, `@ai-sdk/provider`) as a model. Messages keep what they hold beside text, usage is the
 * provider's own, and several samples are several calls side by side, since the specification has no way to ask for more than one.
 */
import { APICallError, type LanguageModelV4, type LanguageModelV4CallOptions, type SharedV4Warning } from "@ai-sdk/provider";
import { sideBySide } from "#kernel/call.ts";
import {
  type CallSpecs,
  checkCall,
  figure,
  flag,
  list,
  maxTokensOption,
  most,
  secret,
  seedOption,
  temperatureOption,
  text,
  texts,
  thing,
} from "#kernel/call-options.ts";
import { MidcourseError, remoteError, userError } from "#kernel/errors.ts";
import { type Completion, type CompletionDelta, type GenerateOptions, isAside, type Model } from "#kernel/model.ts";
import { checkGenerate } from "#kernel/request-options.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { ReasoningMemory } from "../around/reasoning-memory.ts";
import { refusedFields } from "../openai/refused-fields.ts";
import { serverWords } from "../openai/server-words.ts";
import { failureOf } from "./failure.ts";
import { notHonouredIn } from "./not-honoured.ts";
import { promptOf } from "./prompt.ts";
import { type AiSdkAnswer, readStream } from "./stream.ts";
import { finishReasonOf, usageOf } from "./usage.ts";

/** Sent with every call: tools, response format, headers, provider options. What `generate` is told goes over it. */
export type AiSdkCallOptions = Partial<Omit<LanguageModelV4CallOptions, "prompt" | "abortSignal">>;

const specs: CallSpecs<AiSdkCallOptions> = {
  maxOutputTokens: maxTokensOption,
  temperature: temperatureOption,
  stopSequences: texts("texts that end an answer"),
  topP: figure("share of the likeliest tokens that are sampled from", { maximum: 1 }),
  topK: most("how many of the likeliest tokens are sampled from"),
  presencePenalty: figure("against words that are there already", { minimum: Number.NEGATIVE_INFINITY }),
  frequencyPenalty: figure("against words that are there often", { minimum: Number.NEGATIVE_INFINITY }),
  responseFormat: thing("form of the answer"),
  seed: seedOption,
  tools: list("what the model may call"),
  toolChoice: thing("which of them"),
  includeRawChunks: flag("pieces as the provider sent them"),
  headers: secret(thing("sent with each request")),
  providerOptions: thing("for one provider alone"),
  reasoning: text("how much the model reasons"),
};

/**
 * A completion that holds more than text and reasoning has the SDK's content list in `parts`. Models of specification 2 and 3 are taken
 * after `wrapLanguageModel({ model, middleware: [] })` of the package `ai`.
 */
export function fromAiSdk(model: LanguageModelV4, baseOptions: AiSdkCallOptions = {}): Model {
  checkVersion(model);
  checkCall("fromAiSdk", specs, baseOptions);
  return {
    id: model.modelId,
    async generate(messages, options) {
      checkGenerate(options);
      options.signal?.throwIfAborted();
      const prompt = promptOf(messages);
      return sideBySide(options, async (sample) => {
        const call: LanguageModelV4CallOptions = { ...callOptions(baseOptions, options, sample), prompt };
        return (await askAiSdk(model, call, sample, options.onDelta)).completion;
      });
    },
  };
}

export function checkVersion(model: LanguageModelV4): void {
  const version = (model as { specificationVersion?: unknown } | undefined)?.specificationVersion;
  if (version === "v4") return;
  const what = typeof model === "string" ? `the name “${model}”` : `a model of specification ${String(version)}`;
  throw userError(
    "ai-sdk-version",
    `A language model of the AI SDK's specification v4 is needed, and this is ${what}`,
    typeof model === "string"
      ? "Give the model itself, such as openai(“…”)."
      : "Older models become v4 with wrapLanguageModel({ model, middleware: [] }) from the package ai.",
  );
}

export function callOptions(
  base: AiSdkCallOptions,
  options: GenerateOptions,
  sample: number,
): Omit<LanguageModelV4CallOptions, "prompt"> {
  const stops = [...new Set([...(base.stopSequences ?? []), ...(options.stop ?? []).filter((text) => text !== "")])];
  return {
    ...(isAside(options) ? withoutForm(base) : base),
    temperature: options.temperature,
    maxOutputTokens: options.maxTokens,
    seed: sampleSeed(options.seed, sample),
    ...(options.topP === undefined ? {} : { topP: options.topP }),
    ...(options.topK ? { topK: options.topK } : {}),
    ...(stops.length === 0 ? {} : { stopSequences: stops }),
    ...(options.signal ? { abortSignal: options.signal } : {}),
  };
}

/** The form is the answer's. Tools stay named, for a conversation may speak of them, and cannot be called. */
function withoutForm({ responseFormat: _, ...base }: AiSdkCallOptions): AiSdkCallOptions {
  return base.tools === undefined ? base : { ...base, toolChoice: { type: "none" } };
}

/** Providers take seeds of different widths; 31 bits without a sign fit them all. */
function sampleSeed(seed: number, sample: number): number {
  return deriveSeed(seed, sample) & 0x7fffffff;
}

/** What each model's server said when it refused a seed. */
const seedRefusals = new WeakMap<LanguageModelV4, string>();

/**
 * One call. Every call of ours has a seed, asked for or not, so a server that takes none is asked again without, and from then on at once;
 * the answer's warnings say so. Throws MidcourseErrors, or the signal's reason when it was aborted.
 */
export async function askAiSdk(
  model: LanguageModelV4,
  call: LanguageModelV4CallOptions,
  sample: number,
  onDelta: GenerateOptions["onDelta"],
): Promise<{ completion: Completion; answer: AiSdkAnswer }> {
  if (call.seed === undefined) return askOnce(model, call, sample, onDelta);
  let details = seedRefusals.get(model);
  if (details === undefined) {
    try {
      return await askOnce(model, call, sample, onDelta);
    } catch (error) {
      details = seedRefusal(error);
      if (details === undefined) throw error;
      seedRefusals.set(model, details);
    }
  }
  return askOnce(model, call, sample, onDelta, { type: "unsupported", feature: "seed", details });
}

/** What the server says where it is the seed that it refuses. */
function seedRefusal(error: unknown): string | undefined {
  const cause = MidcourseError.isInstance(error) ? error.cause : undefined;
  if (!APICallError.isInstance(cause) || (cause.statusCode !== 400 && cause.statusCode !== 422)) return undefined;
  const words = serverWords(cause.responseBody || cause.message);
  return refusedFields(words, { seed: 0 }, new Set()).length > 0 ? (words.sentence ?? cause.message) : undefined;
}

/** `withoutSeed`: the seed stays at home, and the answer has this warning. */
async function askOnce(
  model: LanguageModelV4,
  wanted: LanguageModelV4CallOptions,
  sample: number,
  onDelta: GenerateOptions["onDelta"],
  withoutSeed?: SharedV4Warning,
): Promise<{ completion: Completion; answer: AiSdkAnswer }> {
  const { seed: _, ...seedless } = wanted;
  const call = withoutSeed ? seedless : wanted;
  const startedAt = performance.now();
  let told = false;
  const tell =
    onDelta &&
    ((delta: CompletionDelta) => {
      told = true;
      onDelta(delta);
    });
  try {
    const given = tell
      ? await readStream((await model.doStream(call)).stream, (piece) => tell({ ...piece, sample }))
      : await model.doGenerate(call);
    const answer = withoutSeed ? { ...given, warnings: [...given.warnings, withoutSeed] } : given;
    const completion = completionOf(answer, performance.now() - startedAt, memoryOf(model));
    const notHonoured = notHonouredIn(answer.warnings, wanted);
    return { completion: notHonoured.length === 0 ? completion : { ...completion, notHonoured }, answer };
  } catch (error) {
    if (call.abortSignal?.aborted) throw call.abortSignal.reason;
    const failure = failureOf(error, model.modelId);
    throw told ? brokenMidway(failure) : failure;
  }
}

/** Pieces have been handed on, so the call cannot be made again without the listener seeing them twice. */
function brokenMidway(error: MidcourseError): MidcourseError {
  if (error.family !== "remote") return error;
  return remoteError("stream-broken-midway", error.what, { ...error.remote }, { cause: error.cause ?? error });
}

/** What each model's replies have shown, over all requests. */
const memories = new WeakMap<LanguageModelV4, ReasoningMemory>();

function memoryOf(model: LanguageModelV4): ReasoningMemory {
  const memory = memories.get(model) ?? new ReasoningMemory();
  memories.set(model, memory);
  return memory;
}

function completionOf(answer: AiSdkAnswer, milliseconds: number, memory: ReasoningMemory): Completion {
  const { content } = answer;
  const joined = (type: "text" | "reasoning") => content.map((part) => (part.type === type ? part.text : "")).join("");
  const reasoning = joined("reasoning");
  // Calls that the provider ran itself are already answered.
  const asksForTools = content.some((part) => part.type === "tool-call" && !part.providerExecuted);
  const finishReason = finishReasonOf(answer.finishReason, asksForTools);
  const hasMore = content.some((part) => part.type !== "text" && part.type !== "reasoning");
  return {
    text: joined("text"),
    reasoning: reasoning || undefined,
    finishReason,
    finishSaid: finishReason === "other" || finishReason === "error" ? answer.finishReason.raw : undefined,
    usage: usageOf(answer.usage, content.length > 0, milliseconds, memory),
    parts: hasMore ? content : undefined,
  };
}
