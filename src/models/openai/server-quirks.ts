/**
 * Servers say they speak OpenAI's protocol and differ in what they take and give. One row a server, read from its own source or manual;
 * `unknown` where it depends on version, model or start options, to be asked by the probe (`server-probe.ts`) instead of guessed.
 *
 * Sources, as of August to November 2026: vLLM `entrypoints/openai/chat_completion/protocol.py`; SGLang `srt/entrypoints/openai/protocol.py`;
 * llama.cpp `tools/server/server-schema.cpp` and `server-common.cpp`; Ollama `openai/openai.go` (no `n`, no `max_completion_tokens`: both are
 * ignored in silence); transformers 5.23 `cli/serving` (refuses fields it does not know with 422, ignores `n`, `logprobs` and
 * `stream_options` in silence, leaves stop texts in the answer, begins a new answer after an assistant's message); OpenAI's and OpenRouter's
 * API references.
 */

export type ServerKind = "vllm" | "sglang" | "llama.cpp" | "ollama" | "transformers" | "openai" | "openrouter" | "other";

export interface ServerQuirks {
  /** The field that bounds the sampled tokens. */
  maxTokens: "max_tokens" | "max_completion_tokens";
  /** Whether one request may ask for several samples (`n`), each drawn by itself. Where not, every sample is a request with its own seed. */
  samples: "many" | "one";
  /** Reasoning models of OpenAI refuse any temperature but their own. */
  temperature: "sent" | "left-out";
  logprobs: "given" | "absent";
  /** How a last message of the assistant is continued. */
  prefill: "last-message" | "continue-final-message" | "refused";
  /** Whether a stream tells its usage unasked, or the request has to ask with `stream_options`. */
  streamUsage: "asked" | "unasked";
}

export type KnownOrNot<Row> = { [Field in keyof Row]: Row[Field] | "unknown" };

export const serverQuirks: Record<ServerKind, KnownOrNot<ServerQuirks>> = {
  vllm: {
    maxTokens: "max_tokens",
    // Sample j gets the request's seed + j (`v1/engine/parallel_sampling.py`).
    samples: "many",
    temperature: "sent",
    logprobs: "given",
    prefill: "continue-final-message",
    streamUsage: "asked",
  },
  sglang: {
    maxTokens: "max_tokens",
    // It may give every sample of a request the same seed.
    samples: "unknown",
    temperature: "sent",
    logprobs: "given",
    prefill: "continue-final-message",
    streamUsage: "asked",
  },
  "llama.cpp": {
    maxTokens: "max_tokens",
    // Older versions ignore `n`, newer ones refuse more than they have slots.
    samples: "one",
    temperature: "sent",
    logprobs: "given",
    prefill: "last-message",
    streamUsage: "asked",
  },
  ollama: {
    maxTokens: "max_tokens",
    samples: "one",
    temperature: "sent",
    logprobs: "unknown",
    prefill: "unknown",
    streamUsage: "asked",
  },
  transformers: {
    maxTokens: "max_tokens",
    samples: "one",
    temperature: "sent",
    logprobs: "absent",
    prefill: "refused",
    streamUsage: "unasked",
  },
  openai: {
    maxTokens: "max_completion_tokens",
    // Whether a seed makes the samples of one request equal is not said.
    samples: "unknown",
    temperature: "unknown",
    logprobs: "unknown",
    prefill: "refused",
    streamUsage: "asked",
  },
  openrouter: {
    maxTokens: "max_tokens",
    samples: "one",
    temperature: "sent",
    logprobs: "unknown",
    prefill: "unknown",
    streamUsage: "unasked",
  },
  other: {
    maxTokens: "unknown",
    samples: "unknown",
    temperature: "unknown",
    logprobs: "unknown",
    prefill: "unknown",
    streamUsage: "unknown",
  },
};

/** What is assumed where nothing may be asked: what every server takes. */
const careful: ServerQuirks = {
  maxTokens: "max_tokens",
  samples: "one",
  temperature: "sent",
  logprobs: "absent",
  prefill: "refused",
  streamUsage: "unasked",
};

/** Fills what is unknown with the careful choice. */
export function carefulQuirks(row: KnownOrNot<ServerQuirks>): ServerQuirks {
  const known = Object.entries(row).filter(([, value]) => value !== "unknown");
  return { ...careful, ...Object.fromEntries(known) };
}
