/**
 * Why an answer ended, from the words that servers use for it. One table; a word outside it is read by what it is made of, and where that
 * says nothing either it is kept by its name and never taken for a proper end.
 *
 * Sources, as of August to November 2026: API references of OpenAI, Azure, Anthropic (Messages, through gateways), Gemini (`FinishReason`),
 * Mistral (`model_length`), DeepSeek (`insufficient_system_resource`), Z.ai (`sensitive`, `network_error`), Cohere v1 and v2, Amazon Bedrock
 * (`stopReason`), MiniMax (`max_output`), Together and TGI (`eos`, `eos_token`), vLLM `v1/engine/__init__.py` and SGLang `managers/schedule_batch.py`
 * (`abort`), Ollama (`load`, `unload`), llama.cpp's own endpoint (`limit`, `word`), OpenRouter (`error`).
 */
import type { FinishReason } from "#kernel/model.ts";

/** Capital letters, hyphens and blanks do not count: `MAX_TOKENS`, `max-tokens` and `maxTokens` are one word. */
const words: Readonly<Record<FinishReason, string>> = {
  stop: `stop stop_sequence stop_sequences stop_token end end_turn eos eos_token eod im_end complete completed completion finish finished
    done success succeeded normal word natural`,
  length: `length max_tokens max_token max_length max_new_tokens max_output max_output_tokens max_completion_tokens model_length
    model_context_window_exceeded context_window_exceeded context_length_exceeded context_length token_limit limit truncated incomplete`,
  "content-filter": `content_filter content_filtered filter filtered sensitive safety recitation language blocklist
    prohibited_content spii image_safety image_recitation image_prohibited_content guardrail_intervened guardrail refusal refused blocked
    moderation flagged error_toxic model_armor risk policy_violation content_policy content_policy_violation`,
  "tool-calls": "tool_calls tool_call tool_use function_call function_calls function tool",
  error: `error abort aborted cancel canceled cancelled user_cancel network_error insufficient_system_resource server_error internal_error
    system_error engine_error timeout timed_out error_limit malformed_function_call malformed_response malformed_model_output malformed_tool_use
    unexpected_tool_call unexpected_state too_many_tool_calls missing_thought_signature no_image image_other failed failure unavailable
    overloaded interrupted interruption disconnect disconnected load unload`,
  other: "",
};

const table: ReadonlyMap<string, FinishReason> = new Map(
  Object.entries(words).flatMap(([reason, named]) =>
    named
      .split(/\s+/)
      .filter((word) => word !== "")
      .map((word) => [plain(word), reason as FinishReason]),
  ),
);

/** For words that no table has yet, in this order: `upstream_timeout_error` is a failure, whatever else it names. */
const parts: readonly [RegExp, FinishReason][] = [
  [/filter|safety|unsafe|sensitive|moderat|prohibit|blocklist|guardrail|toxic|harm|policy|refus/, "content-filter"],
  [
    /error|fail|quota|ratelimit|timeout|timedout|abort|cancel|interrupt|disconnect|overload|unavailable|insufficient|resource|malformed|crash/,
    "error",
  ],
  [/length|truncat|context|max.*token|token.*(limit|max)|limit/, "length"],
  [/tool|function/, "tool-calls"],
];

/** Said in a piece that is not the last one by servers that have no null there. */
const notYet = new Set(["", "null", "none", "undefined"]);

/** The word that a server gave for the end of an answer, in whatever form (SGLang's own is an object); undefined where it has not ended. */
export function finishWord(given: unknown): string | undefined {
  if (typeof given === "number") return String(given);
  if (typeof given === "object" && given !== null) {
    const { type, reason } = given as { type?: unknown; reason?: unknown };
    return finishWord(type ?? reason);
  }
  return typeof given !== "string" || notYet.has(given.trim().toLowerCase()) ? undefined : given.trim();
}

/** `word` as the server gave it; without one an answer that is there ended as it should. */
export function finishReasonOf(word: string | undefined, asksForTools: boolean): FinishReason {
  if (word === undefined) return asksForTools ? "tool-calls" : "stop";
  const reason = table.get(plain(word)) ?? parts.find(([part]) => part.test(plain(word)))?.[1] ?? "other";
  return asksForTools && (reason === "stop" || reason === "other") ? "tool-calls" : reason;
}

function plain(word: string): string {
  const short = word.length > 100 ? word.slice(0, 100) : word;
  return short
    .toLowerCase()
    .replace(/^(finish|stop)_?reason_?/, "")
    .replace(/[^a-z0-9]+/g, "");
}
