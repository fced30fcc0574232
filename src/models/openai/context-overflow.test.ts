/** The words in which servers say that a conversation is longer than the model's context. */
import { describe, expect, test } from "vitest";
import { isContextExceeded } from "./context-overflow.ts";
import { httpFailure } from "./failure.ts";

const context = { url: "http://127.0.0.1:8000/v1/chat/completions", model: "m", keyVariable: "OPENAI_API_KEY" };

describe("a conversation longer than the context is known by every server's words", () => {
  test.each<[string, number, unknown]>([
    [
      "OpenAI",
      400,
      {
        error: {
          message: "This model's maximum context length is 8192 tokens. However, your messages resulted in 8545 tokens.",
          code: "context_length_exceeded",
        },
      },
    ],
    [
      "OpenAI, of a newer model",
      400,
      {
        error: {
          message: "Your input exceeds the context window of this model. Please adjust your input and try again.",
          code: null,
        },
      },
    ],
    [
      "Anthropic",
      400,
      { type: "error", error: { type: "invalid_request_error", message: "prompt is too long: 219898 tokens > 200000 maximum" } },
    ],
    [
      "Anthropic, with the answer",
      400,
      { error: { message: "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000" } },
    ],
    [
      "Gemini",
      400,
      [
        {
          error: {
            code: 400,
            message: "The input token count (1048600) exceeds the maximum number of tokens allowed (1048575).",
            status: "INVALID_ARGUMENT",
          },
        },
      ],
    ],
    [
      "xAI",
      400,
      {
        code: "Client specified an invalid argument",
        error: "This model's maximum prompt length is 131072 but the request contains 136973 tokens.",
      },
    ],
    [
      "TGI",
      422,
      {
        error:
          "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 20 `max_new_tokens`",
        error_type: "validation",
      },
    ],
    ["TGI, the input alone", 422, { error: "Input validation error: `inputs` must have less than 1024 tokens. Given: 2000" }],
    [
      "Cohere",
      400,
      {
        message:
          "too many tokens: total number of tokens (prompt and prediction) cannot exceed 4096 - received 6354. Try using a shorter prompt or a smaller max_tokens value.",
      },
    ],
    [
      "TensorRT-LLM",
      400,
      {
        object: "error",
        message:
          "The sum of prompt length (5000.0), query length (1.0) and max_tokens (100) should not exceed max_seq_len (2048)",
        code: 400,
      },
    ],
    [
      "Triton's TensorRT-LLM",
      500,
      { error: "Cannot process new request: Prompt length (5056) exceeds maximum sequence length (2048)" },
    ],
    [
      "DashScope",
      400,
      {
        error: {
          code: "invalid_parameter_error",
          message: "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 204800]",
        },
        request_id: "1",
      },
    ],
    [
      "vLLM",
      400,
      {
        error: {
          message:
            "'max_tokens' or 'max_completion_tokens' is too large: 2000. This model's maximum context length is 4096 tokens and your request has 2104 input tokens",
          code: 400,
        },
      },
    ],
    [
      "SGLang",
      400,
      { object: "error", message: "The input (5000 tokens) is longer than the model's context length (4096 tokens)." },
    ],
    [
      "llama.cpp",
      400,
      {
        error: {
          code: 400,
          message: "the request exceeds the available context size. try increasing the context size or enable context shift",
          type: "exceed_context_size_error",
        },
      },
    ],
    ["Ollama", 400, { error: { message: "input length exceeds maximum context length" } }],
    ["Bedrock", 400, { message: "ValidationException: Input is too long for requested model." }],
    [
      "Mistral",
      400,
      {
        object: "error",
        message: "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        code: "3051",
      },
    ],
    [
      "Groq",
      400,
      {
        error: {
          message: "Please reduce the length of the messages or completion.",
          type: "invalid_request_error",
          code: "context_length_exceeded",
        },
      },
    ],
    [
      "LM Studio",
      400,
      {
        error:
          "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens",
      },
    ],
    [
      "LiteLLM, which says 400 for 500",
      500,
      {
        error: {
          message:
            "litellm.ContextWindowExceededError: litellm.BadRequestError: ContextWindowExceededError: OpenAIException - too long",
          code: "400",
        },
      },
    ],
    [
      "Moonshot",
      400,
      { error: { message: "Invalid request: Your request exceeded model token limit: 131072", type: "invalid_request_error" } },
    ],
    [
      "Copilot",
      400,
      {
        error: { message: "prompt token count of 140000 exceeds the limit of 128000", code: "model_max_prompt_tokens_exceeded" },
      },
    ],
  ])("%s", (_, status, body) => {
    expect(httpFailure(status, {}, JSON.stringify(body), context)).toMatchObject({
      family: "user",
      code: "context-exceeded",
      advice: expect.stringMatching(/Shorten the conversation/),
    });
  });

  test.each([
    "Rate limit reached for gpt-4 in organization x on tokens per min (TPM): Limit 10000, Used 9000, Requested 2000.",
    "Too many tokens, please wait before trying again.",
    "Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 7000",
    "max_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you provided 100000.",
    "The model is overloaded",
  ])("but not in: %s", (sentence) => {
    expect(isContextExceeded(sentence, [])).toBe(false);
  });
});
