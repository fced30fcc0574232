/** Replies of OpenAI-compatible servers as completions: lenient in what is there beside, strict in what is counted. */
import { z } from "zod";
import { type MidcourseError, remoteError } from "#kernel/errors.ts";
import { type Completion, noUsage, type TokenLogprob } from "#kernel/model.ts";
import { struck } from "#kernel/secrets.ts";
import { isRecord } from "#kernel/values.ts";
import type { ReasoningMemory } from "../around/reasoning-memory.ts";
import type { FailureContext } from "./failure.ts";
import { finishReasonOf } from "./finish-reasons.ts";
import { type ReasoningTags, splitReasoning } from "./reasoning-text.ts";
import type { ToldUsage } from "./usage.ts";

/** Anything that is not what it should be is absent: one odd field does not lose a paid answer. */
const text = z.string().nullish().catch(undefined);
const count = z.number().int().nonnegative().nullish().catch(undefined);

/** What is no finite number, NaN above all, is unknown. */
const logprob = z.number().optional().catch(undefined);

const logprobEntry = z.object({
  token: z.string(),
  logprob,
  top_logprobs: z
    .array(z.object({ token: z.string(), logprob }))
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
    .union([z.string(), z.array(z.union([z.string(), z.looseObject({})])), z.looseObject({})])
    .nullish()
    .catch(undefined),
  refusal: text,
  reasoning_content: text,
  reasoning: text,
  tool_calls: z.array(toolCall).nullish().catch(undefined),
});

/** Of a whole reply and of a piece of a stream alike: servers and proxies send each in the place of the other. */
export const chunkShape = z.object({
  object: text,
  choices: z
    .array(
      z.object({
        index: count,
        finish_reason: z.unknown().optional(),
        /** Gemini's compatible endpoint says it here alone at times. */
        finishReason: z.unknown().optional(),
        logprobs,
        error: z.unknown().optional(),
        delta: messageShape.nullish().catch(undefined),
        message: messageShape.nullish().catch(undefined),
        /** Of the older protocol for completions. */
        text,
      }),
    )
    .nullish()
    .catch(undefined),
});

export type MessageShape = z.infer<typeof messageShape>;
export type LogprobsShape = z.infer<typeof logprobs>;
export type ChoiceShape = NonNullable<z.infer<typeof chunkShape>["choices"]>[number];

/** One sample as the server gave it, before tags are told apart. */
export interface RawChoice {
  text: string;
  reasoning: string;
  finishReason: string | undefined;
  toolCalls: unknown[];
  logprobs: TokenLogprob[] | undefined;
  /** What the server said of a failure of this sample alone. */
  failure: string | undefined;
}

export interface ReplySettings {
  reasoningTags: ReasoningTags;
  /** Alternatives to keep a token; undefined where no log-probabilities were asked for. */
  topLogprobs: number | undefined;
  /** Samples that were asked for. 1 when left out. */
  samples?: number | undefined;
  milliseconds: number;
  context: FailureContext;
  /** What the server's earlier replies have shown of its counts. Nothing when left out. */
  memory?: ReasoningMemory | undefined;
}

/** What the call cost stands in the first completion: servers give one sum for all samples. */
export function completionsOf(choices: readonly RawChoice[], usage: ToldUsage, settings: ReplySettings): Completion[] {
  const hasText = choices.some((choice) => choice.text !== "" || choice.reasoning !== "");
  const total = usage.read(settings.milliseconds, hasText, settings.memory);
  return choices.map((choice, index) => {
    const split = splitReasoning(choice.text, settings.reasoningTags);
    const joins = settings.reasoningTags === "join" && choice.reasoning !== "";
    const reasoning = joins ? "" : choice.reasoning + split.reasoning;
    return {
      text: joins ? joined(choice) : split.text,
      ...(reasoning === "" ? {} : { reasoning }),
      ...ending(choice),
      usage: index === 0 ? total : { ...noUsage },
      logprobs: choice.logprobs,
      parts: choice.toolCalls.length === 0 ? undefined : { tool_calls: choice.toolCalls },
    };
  });
}

function ending({ failure, finishReason: said, toolCalls }: RawChoice): Pick<Completion, "finishReason" | "finishSaid"> {
  const finishReason = failure === undefined ? finishReasonOf(said, toolCalls.length > 0) : "error";
  const finishSaid = finishReason === "error" || finishReason === "other" ? (failure ?? said) : undefined;
  return finishSaid === undefined ? { finishReason } : { finishReason, finishSaid };
}

/** A passage that was cut off before its end stays open, as the model left it. */
function joined({ text, reasoning, finishReason }: RawChoice): string {
  return text === "" && finishReasonOf(finishReason, false) === "length"
    ? `<think>${reasoning}`
    : `<think>${reasoning}</think>${text}`;
}

export function messageText(message: MessageShape | null | undefined): string {
  const { content, refusal } = message ?? {};
  if (content === undefined || content === null) return refusal ?? "";
  return typeof content === "string" ? content : partsOf(content, false);
}

/**
 * vLLM, Ollama and OpenRouter say `reasoning`; SGLang, llama.cpp and DeepSeek `reasoning_content`; some send both, equal. Mistral, Databricks and
 * gateways to Anthropic's have it as parts of the content.
 */
export function messageReasoning(message: MessageShape | null | undefined): string {
  const { content, reasoning, reasoning_content: other } = message ?? {};
  return reasoning || other || (typeof content === "object" && content !== null ? partsOf(content, true) : "");
}

/** The text of a content's parts: of those that are thoughts, or of the others. */
function partsOf(content: object, ofThoughts: boolean): string {
  const parts: unknown[] = Array.isArray(content) ? content : [content];
  return parts
    .filter((part) => isThought(part) === ofThoughts)
    .map((part) => wordsIn(part, 0))
    .join("");
}

function isThought(part: unknown): boolean {
  return (
    isRecord(part) && (/reason|think|thought/i.test(String(part.type ?? "")) || "thinking" in part || "reasoningContent" in part)
  );
}

const wordKeys = ["text", "thinking", "reasoning", "summary", "reasoningContent", "reasoningText", "content"];

function wordsIn(value: unknown, depth: number): string {
  if (typeof value === "string") return value;
  if (depth > 4) return "";
  if (Array.isArray(value)) return value.map((each) => wordsIn(each, depth + 1)).join("");
  if (!isRecord(value)) return "";
  const key = wordKeys.find((name) => value[name] !== undefined && value[name] !== null);
  return key === undefined ? "" : wordsIn(value[key], depth + 1);
}

export function readLogprobs(given: LogprobsShape, most: number | undefined): TokenLogprob[] | undefined {
  if (most === undefined || !given?.content) return undefined;
  return given.content.map(({ token, logprob, top_logprobs: top }) => ({
    token,
    logprob,
    ...(most > 0 && top ? { top: top.slice(0, most).map((other) => ({ token: other.token, logprob: other.logprob })) } : {}),
  }));
}

export function emptyReply(context: FailureContext, body: string): MidcourseError {
  return remoteError("empty-reply", `${context.url} answered without a single choice`, { body: struck(body).slice(0, 600) });
}
