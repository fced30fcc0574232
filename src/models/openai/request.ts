/** The body of one chat request, from a conversation, what is asked for, and what the server takes. */
import { userError } from "#kernel/errors.ts";
import { type GenerateOptions, isAside, type Message } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { ServerQuirks } from "./server-quirks.ts";

export interface RequestSettings {
  model: string;
  quirks: ServerQuirks;
  /** Samples asked for in this request. */
  samples: number;
  /** As the server is to get it; see `requestSeed`. */
  seed: number;
  stream: boolean;
  /** Fields that are sent as they are, over ours. */
  extraBody?: Readonly<Record<string, unknown>> | undefined;
  /** The reasoning that came with an answer of before, for servers that want it back. */
  reasoningOf?: ((text: string) => string) | undefined;
}

/** Without them there is no request. */
const needed = ["model", "messages"];

/** Throws where the user leaves out what the protocol needs. */
export function checkExtraBody(extraBody: Readonly<Record<string, unknown>> | undefined): void {
  const missing = needed.find((field) => extraBody?.[field] === null);
  if (missing === undefined) return;
  throw userError("bad-omit", `“${missing}” cannot be left out of a request`, "Leave out other fields, such as seed or stop.");
}

/** Servers take seeds of different widths; 31 bits without a sign fit them all. */
export function requestSeed(seed: number, ...path: (string | number)[]): number {
  return deriveSeed(seed, ...path) & 0x7fffffff;
}

/** Throws user errors for messages and options that no server would understand. */
export function buildRequest(
  messages: readonly Message[],
  options: Pick<GenerateOptions, "temperature" | "maxTokens" | "topP" | "topK" | "stop" | "topLogprobs" | "purpose">,
  settings: RequestSettings,
): Record<string, unknown> {
  const { quirks, samples, stream } = settings;
  if (messages.length === 0) {
    throw userError("empty-conversation", "A conversation needs at least one message", "Give a message of the user.");
  }
  if (!Number.isSafeInteger(options.maxTokens) || options.maxTokens < 1) {
    throw userError("bad-option", `maxTokens is ${options.maxTokens}`, "It must be a whole number from 1.");
  }
  if (!(options.temperature >= 0 && Number.isFinite(options.temperature))) {
    throw userError("bad-option", `temperature is ${options.temperature}`, "It must be a number from 0.");
  }
  const stop = options.stop?.filter((text) => text !== "") ?? [];
  const prefilled = messages.at(-1)?.role === "assistant";
  if (prefilled && quirks.prefill === "refused") {
    throw userError(
      "prefill-unsupported",
      "The conversation ends with a message of the assistant, and this server cannot continue one",
      "Use a method that does not continue answers, or a server that can: vLLM, SGLang, llama.cpp.",
    );
  }
  return {
    model: settings.model,
    messages: messages.map((message, place) => {
      const wired = wireMessage(message);
      const isEarlier = message.role === "assistant" && place < messages.length - 1;
      return isEarlier && settings.reasoningOf ? { ...wired, reasoning_content: settings.reasoningOf(message.content) } : wired;
    }),
    ...(quirks.temperature === "sent" ? { temperature: options.temperature } : {}),
    [quirks.maxTokens]: options.maxTokens,
    seed: settings.seed,
    ...(options.topP === undefined ? {} : { top_p: options.topP }),
    // Not OpenAI's own: vLLM, SGLang, llama.cpp, OpenRouter and others take it. Servers disagree about the number for “all”.
    ...(options.topK ? { top_k: options.topK } : {}),
    ...(stop.length === 0 ? {} : { stop }),
    ...(samples > 1 ? { n: samples } : {}),
    ...(options.topLogprobs !== undefined && quirks.logprobs === "given"
      ? // Some servers give no log-probabilities at all for 0 alternatives; 20 is the most OpenAI takes.
        { logprobs: true, top_logprobs: Math.min(20, Math.max(1, options.topLogprobs)) }
      : {}),
    ...(prefilled && quirks.prefill === "continue-final-message"
      ? { continue_final_message: true, add_generation_prompt: false }
      : {}),
    ...(stream ? { stream: true, ...(quirks.streamUsage === "asked" ? { stream_options: { include_usage: true } } : {}) } : {}),
    ...(isAside(options) ? withoutForm(settings.extraBody) : settings.extraBody),
  };
}

/** By these OpenAI's protocol, vLLM, SGLang, llama.cpp and Ollama are told the form of an answer. */
const formFields = new Set([
  ...["response_format", "structured_outputs", "guided_json", "guided_regex", "guided_choice", "guided_grammar"],
  ...["json_schema", "regex", "ebnf", "grammar", "format"],
]);

/** What is no answer needs no form, and calls no tool. */
function withoutForm(extraBody: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const rest = Object.entries(extraBody).filter(([field]) => !formFields.has(field));
  return { ...Object.fromEntries(rest), ...(extraBody.tools ? { tool_choice: "none" } : {}) };
}

const partTypes = new Set(["text", "image_url", "input_audio", "file", "refusal", "video_url", "audio_url"]);

/** Half a surrogate pair has no UTF-8 form and stops some servers, so text goes out well formed. */
function wireMessage(message: Message): Record<string, unknown> {
  const content = message.content.toWellFormed();
  const { role, parts } = message;
  if (parts === undefined || parts === null) {
    if (role === "tool") throw unknownParts(message, "a message of a tool needs parts: { tool_call_id }");
    return { role, content };
  }
  if (Array.isArray(parts)) {
    if (!parts.every(isContentPart))
      throw unknownParts(message, "the list holds something other than content parts of OpenAI's form");
    const hasText = parts.some((part) => part.type === "text");
    return { role, content: hasText || content === "" ? parts : [{ type: "text", text: content }, ...parts] };
  }
  const { tool_calls: calls, tool_call_id: callId } = parts as { tool_calls?: unknown; tool_call_id?: unknown };
  if (role === "assistant" && Array.isArray(calls)) return { role, content: content === "" ? null : content, tool_calls: calls };
  if (role === "tool" && typeof callId === "string") return { role, content, tool_call_id: callId };
  throw unknownParts(message, "the form is not known");
}

function isContentPart(part: unknown): part is { type: string } {
  const type = (part as { type?: unknown } | null | undefined)?.type;
  return typeof type === "string" && partTypes.has(type);
}

function unknownParts(message: Message, why: string) {
  return userError(
    "unknown-message-parts",
    `The parts of a message of the ${message.role} cannot be sent: ${why}`,
    "Give a list of OpenAI content parts, { tool_calls } with the assistant, or { tool_call_id } with a tool.",
  );
}
