/** Replies of OpenAI-compatible servers as completions: lenient in what is there beside, strict in what is counted. */
import { z } from "zod";
import { type MidcourseError, remoteError } from "#kernel/errors.ts";
import { type Completion, type FinishReason, noUsage, type TokenLogprob, type Usage } from "#kernel/model.ts";
import { errorInReply, type FailureContext } from "./failure.ts";
import { type ReasoningTags, splitReasoning } from "./reasoning-text.ts";

/** Anything that is not what it should be is absent: one odd field does not lose a paid answer. */
const text = z.string().nullish().catch(undefined);
const count = z.number().int().nonnegative().nullish().catch(undefined);

const logprobEntry = z.object({
  token: z.string(),
  logprob: z.number(),
  top_logprobs: z
    .array(z.object({ token: z.string(), logprob: z.number() }))
    .nullish()
    .catch(undefined),
});
const logprobs = z
  .object({ content: z.array(logprobEntry).nullish() })
  .nullish()
  .catch(undefined);

const toolCall = z.looseObject({ index: count, id: text, function: z.looseObject({ name: text, arguments: text }).nullish() });

const messageShape = z.object({
  content: z
    .union([z.string(), z.array(z.looseObject({ text }))])
    .nullish()
    .catch(undefined),
  refusal: text,
  reasoning_content: text,
  reasoning: text,
  tool_calls: z.array(toolCall).nullish().catch(undefined),
});

const usageShape = z
  .object({
    prompt_tokens: count,
    completion_tokens: count,
    prompt_tokens_details: z.object({ cached_tokens: count }).nullish().catch(undefined),
    /** DeepSeek's own name. */
    prompt_cache_hit_tokens: count,
    completion_tokens_details: z.object({ reasoning_tokens: count }).nullish().catch(undefined),
    /** OpenRouter: dollars. */
    cost: z.number().nonnegative().nullish().catch(undefined),
  })
  .nullish()
  .catch(undefined);

const choice = { index: count, finish_reason: text, logprobs, error: z.unknown().optional() };

const replyShape = z.object({
  choices: z.array(z.object({ ...choice, message: messageShape.nullish() })),
  usage: usageShape,
});

export const chunkShape = z.object({
  choices: z
    .array(z.object({ ...choice, delta: messageShape.nullish() }))
    .nullish()
    .catch(undefined),
  usage: usageShape,
});

export type MessageShape = z.infer<typeof messageShape>;
export type LogprobsShape = z.infer<typeof logprobs>;
export type UsageShape = z.infer<typeof usageShape>;

/** One sample as the server gave it, before tags are told apart. */
export interface RawChoice {
  text: string;
  reasoning: string;
  finishReason: string | undefined;
  toolCalls: unknown[];
  logprobs: TokenLogprob[] | undefined;
  failed: boolean;
}

export interface ReplySettings {
  reasoningTags: ReasoningTags;
  /** Alternatives to keep a token; undefined where no log-probabilities were asked for. */
  topLogprobs: number | undefined;
  milliseconds: number;
  context: FailureContext;
}

/** Reads a whole reply. Throws remote errors for replies that hold no answer. */
export function readReply(body: string, settings: ReplySettings): Completion[] {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    const what = body.trim() === "" ? "nothing" : body.trimStart().startsWith("<") ? "a web page" : "JSON that breaks off";
    throw unreadable(`${settings.context.url} answered with ${what}`, body, cause);
  }
  const error = (value as { error?: unknown } | null)?.error;
  if (error !== undefined && error !== null) throw errorInReply(error, settings.context);
  const reply = replyShape.safeParse(value);
  if (!reply.success) throw unreadable(`${settings.context.url} answered with no “choices”`, body);
  if (reply.data.choices.length === 0) throw emptyReply(settings.context, body);
  const inOrder = reply.data.choices.toSorted((first, second) => (first.index ?? 0) - (second.index ?? 0));
  return completionsOf(
    inOrder.map((choice) => ({
      text: messageText(choice.message),
      reasoning: messageReasoning(choice.message),
      finishReason: choice.finish_reason ?? undefined,
      toolCalls: choice.message?.tool_calls ?? [],
      logprobs: readLogprobs(choice.logprobs, settings.topLogprobs),
      failed: choice.error !== undefined && choice.error !== null,
    })),
    reply.data.usage,
    settings,
  );
}

/** What the call cost stands in the first completion: servers give one sum for all samples. */
export function completionsOf(choices: readonly RawChoice[], usage: UsageShape, settings: ReplySettings): Completion[] {
  const total = readUsage(
    usage,
    settings.milliseconds,
    choices.some((choice) => choice.text !== "" || choice.reasoning !== ""),
  );
  return choices.map((choice, index) => {
    const split = splitReasoning(choice.text, settings.reasoningTags);
    const joins = settings.reasoningTags === "join" && choice.reasoning !== "";
    const reasoning = joins ? "" : choice.reasoning + split.reasoning;
    return {
      text: joins ? joined(choice) : split.text,
      ...(reasoning === "" ? {} : { reasoning }),
      finishReason: choice.failed ? "error" : finishReasonOf(choice.finishReason, choice.toolCalls.length > 0),
      usage: index === 0 ? total : { ...noUsage },
      logprobs: choice.logprobs,
      parts: choice.toolCalls.length === 0 ? undefined : { tool_calls: choice.toolCalls },
    };
  });
}

/** A passage that was cut off before its end stays open, as the model left it. */
function joined({ text, reasoning, finishReason }: RawChoice): string {
  return text === "" && finishReason === "length" ? `<think>${reasoning}` : `<think>${reasoning}</think>${text}`;
}

export function messageText(message: MessageShape | null | undefined): string {
  const content = message?.content;
  if (Array.isArray(content)) return content.map((part) => part.text ?? "").join("");
  return content ?? message?.refusal ?? "";
}

/** vLLM, Ollama and OpenRouter say `reasoning`; SGLang, llama.cpp and DeepSeek `reasoning_content`; some send both, equal. */
export function messageReasoning(message: MessageShape | null | undefined): string {
  return message?.reasoning || message?.reasoning_content || "";
}

export function readLogprobs(given: LogprobsShape, most: number | undefined): TokenLogprob[] | undefined {
  if (most === undefined || !given?.content) return undefined;
  return given.content.map(({ token, logprob, top_logprobs: top }) => ({
    token,
    logprob,
    ...(most > 0 && top ? { top: top.slice(0, most).map((other) => ({ token: other.token, logprob: other.logprob })) } : {}),
  }));
}

/** Tokens that were not told are unknown. So is a prompt of 0 tokens, which no conversation has, and an output of 0 beside text. */
export function readUsage(usage: UsageShape, milliseconds: number, hasText: boolean): Usage {
  const cached = usage?.prompt_tokens_details?.cached_tokens ?? usage?.prompt_cache_hit_tokens ?? undefined;
  const output = usage?.completion_tokens ?? undefined;
  const reasoning = usage?.completion_tokens_details?.reasoning_tokens ?? undefined;
  return {
    calls: 1,
    inputTokens: usage?.prompt_tokens || undefined,
    outputTokens: output === 0 && hasText ? undefined : output,
    ...(cached === undefined ? {} : { cachedInputTokens: cached }),
    ...(reasoning === undefined ? {} : { reasoningTokens: reasoning }),
    ...(usage?.cost === undefined || usage.cost === null ? {} : { dollars: usage.cost }),
    milliseconds,
  };
}

function finishReasonOf(said: string | undefined, asksForTools: boolean): FinishReason {
  switch (said) {
    case "length":
    case "max_tokens":
      return "length";
    case "content_filter":
      return "content-filter";
    case "tool_calls":
    case "function_call":
      return "tool-calls";
    case "error":
    case "abort":
      return "error";
    default:
      return asksForTools ? "tool-calls" : "stop";
  }
}

export function emptyReply(context: FailureContext, body: string): MidcourseError {
  return remoteError("empty-reply", `${context.url} answered without a single choice`, { body: body.slice(0, 600) });
}

function unreadable(message: string, body: string, cause?: unknown): MidcourseError {
  const advice = "OPENAI_BASE_URL (or --base-url) may lead to something other than a model server; it usually ends in /v1.";
  return remoteError("reply-unreadable", message, { body: body.slice(0, 600) }, { cause, advice });
}
