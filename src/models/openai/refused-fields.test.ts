/** Which field a refusal is about, in the words that servers were reported to refuse it in. */
import { describe, expect, test } from "vitest";
import { reasoningWish, refusedFields } from "./refused-fields.ts";
import { serverWords } from "./server-words.ts";

const sent = {
  model: "m",
  messages: [{ role: "user", content: "stop here" }],
  temperature: 0,
  max_tokens: 20,
  seed: 7,
  top_p: 0.9,
  stop: ["\n"],
  n: 4,
  logprobs: true,
  top_logprobs: 1,
  stream: true,
  stream_options: { include_usage: true },
};

const named = (body: unknown, more: Record<string, unknown> = {}, kept: readonly string[] = []) =>
  refusedFields(serverWords(typeof body === "string" ? body : JSON.stringify(body)), { ...sent, ...more }, new Set(kept));
const fields = (body: unknown, more: Record<string, unknown> = {}) => named(body, more).map(({ field }) => field);

const forbidden = (...names: string[]) =>
  names.map((name) => ({ type: "extra_forbidden", loc: ["body", name], msg: "Extra inputs are not permitted", input: 7 }));

describe("a refused field is read from the structures of", () => {
  test.each<[string, unknown, string[]]>([
    [
      "Mistral",
      { object: "error", message: { detail: forbidden("seed") }, type: "invalid_request_error", param: null, code: null },
      ["seed"],
    ],
    [
      "Mistral, of several",
      { detail: forbidden("stream_options", "logprobs", "top_logprobs") },
      ["logprobs", "top_logprobs", "stream_options"],
    ],
    [
      "Mistral through a proxy, as a text",
      { object: "error", message: JSON.stringify({ detail: forbidden("n") }), type: "internal_error_proxy" },
      ["n"],
    ],
    [
      "vLLM of old, as Python's text",
      {
        object: "error",
        message: "[{'type': 'extra_forbidden', 'loc': ('body', 'seed'), 'msg': 'Extra inputs are not permitted', 'input': 7}]",
        code: 400,
      },
      ["seed"],
    ],
    [
      "Gemini",
      [
        {
          error: {
            code: 400,
            message: 'Invalid JSON payload received. Unknown name "seed": Cannot find field.',
            status: "INVALID_ARGUMENT",
            details: [{ fieldViolations: [{ description: "…" }] }],
          },
        },
      ],
      ["seed"],
    ],
    [
      "Gemini, of two",
      [
        {
          error: {
            code: 400,
            message:
              'Invalid JSON payload received. Unknown name "logprobs": Cannot find field.\nInvalid JSON payload received. Unknown name "seed": Cannot find field.',
          },
        },
      ],
      ["seed", "logprobs"],
    ],
    [
      "OpenAI",
      {
        error: {
          message: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
          param: "max_tokens",
          code: "unsupported_parameter",
        },
      },
      ["max_tokens"],
    ],
    [
      "OpenAI, of a value",
      {
        error: {
          message:
            "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
          param: "temperature",
          code: "unsupported_value",
        },
      },
      ["temperature"],
    ],
    ["OpenAI, with the parameter alone", { error: { message: "Invalid request.", param: "top_p" } }, ["top_p"]],
    [
      "FastAPI's value",
      { detail: [{ type: "less_than_equal", loc: ["body", "n"], msg: "Input should be less than or equal to 1" }] },
      ["n"],
    ],
    [
      "Azure",
      {
        error: {
          message: "Unrecognized request argument supplied: stream_options",
          type: "invalid_request_error",
          param: null,
          code: null,
        },
      },
      ["stream_options"],
    ],
  ])("%s", (_, body, expected) => {
    expect(fields(body)).toEqual(expected);
  });
});

test("a refused field is read from faults under the names of fields, as ASP.NET and Django write them", () => {
  expect(fields({ title: "One or more validation errors occurred.", errors: { Seed: ["The field Seed is invalid."] } })).toEqual([
    "seed",
  ]);
  expect(fields({ error: { seed: ["Unknown field."] } })).toEqual(["seed"]);
});

describe("a refused field is read from the words", () => {
  test.each<[string, string[]]>([
    ["seed: Extra inputs are not permitted", ["seed"]],
    ["`temperature` is deprecated for this model.", ["temperature"]],
    ["temperature is deprecated for this model.", ["temperature"]],
    ["`temperature` and `top_p` cannot both be specified for this model. Please use only one.", ["top_p"]],
    [
      "The model returned the following errors: `temperature` and `top_p` cannot both be specified for this model. Please use only one.",
      ["top_p"],
    ],
    ["Argument not supported on this model: stop", ["stop"]],
    ["Unsupported parameter: 'stop' is not supported with this model.", ["stop"]],
    ["invalid temperature: only 1 is allowed for this model", ["temperature"]],
    [
      "litellm.UnsupportedParamsError: anthropic does not support parameters: ['seed'], for model=claude. To drop these, set `litellm.drop_params=True` or for proxy:\n\n`litellm_settings:\n drop_params: true`\n. If you want to use these params dynamically send allowed_openai_params=['seed', 'stop'] in your request.",
      ["seed"],
    ],
    [
      "litellm.UnsupportedParamsError: gpt-5-nano doesn't support temperature=0.0 while reasoning is active. Only temperature=1 is supported.",
      ["temperature"],
    ],
    ["ollama does not support parameters: {'seed': 1}, for model=llama3:latest.", ["seed"]],
    ["Unsupported fields in the request: {'n'}", ["n"]],
    ["property 'logprobs' is unsupported", ["logprobs"]],
    ["Logprobs is not supported for this model.", ["logprobs"]],
    [
      "Gaudi doesn't support logprobs. Please remove 'logprobs'/'top_logprobs' from your request to receive a response.",
      ["logprobs", "top_logprobs"],
    ],
    ["unknown field `seed`, expected one of `model`, `messages`, `temperature`, `top_p`, `stop`, `max_tokens`", ["seed"]],
    ['json: unknown field "seed"', ["seed"]],
    ["Additional properties are not allowed ('stop', 'seed' were unexpected)", ["seed", "stop"]],
    ["Completions.create() got an unexpected keyword argument 'seed'", ["seed"]],
    ["Unrecognized request arguments supplied: logprobs, top_logprobs", ["logprobs", "top_logprobs"]],
    ["Only n=1 is supported", ["n"]],
    ["n > 1 is not supported", ["n"]],
    ["'n' must be at most 1", ["n"]],
    ["This model does not support multiple completions", ["n"]],
    ["candidate_count is not supported by this model", ["n"]],
    ["This model does not support stop sequences.", ["stop"]],
    ["Streaming is not supported with n>1", ["n"]],
    ["extraneous key [seed] is not permitted", ["seed"]],
    ["The parameter `seed` is not supported. Supported parameters are: temperature, top_p, stop, max_tokens.", ["seed"]],
    ["top_p is not supported; please use temperature instead", ["top_p"]],
    ["Malformed input request: #: extraneous key [stop] is not permitted, please reformat your input and try again.", ["stop"]],
    ["parameter.seed is invalid", ["seed"]],
    ["参数 seed 不支持", ["seed"]],
    [
      "[{'type': 'value_error', 'loc': ('body',), 'msg': 'Value error, best_of must be 1', 'input': {'seed': 1, 'temperature': 0}}]",
      ["n"],
    ],
    ["No endpoints found that support the parameter: seed", ["seed"]],
    ["Sampling parameters (temperature, top_p, top_k) are not supported for this model", ["temperature", "top_p"]],
    ["temperature参数非法。请检查文档。", ["temperature"]],
    ["Model grok-4.5 does not support parameter stop.", ["stop"]],
    ["len(stop) > 4 is not supported", ["stop"]],
    ["custom stop words are not implemented for completions.", ["stop"]],
    [
      "ValidationException: Malformed input request: #/p: 1 is not less or equal to 0.99, please reformat your input and try again.",
      ["top_p"],
    ],
    ["deepseek-reasoner does not support the parameter `temperature`", ["temperature"]],
    ["Validation: Unsupported parameter(s): `seed`", ["seed"]],
    ["Extra inputs are not permitted, field: 'seed', value: 7", ["seed"]],
    ['Bad request: json: unknown field "stream_options"\n', ["stream_options"]],
    [
      "1 validation error for ChatCompletionRequest\nseed\n  Extra inputs are not permitted [type=extra_forbidden, input_value=7, input_type=int]",
      ["seed"],
    ],
    ["The parameter `n` specified in the request are not valid: expected a value <= 1, but got 4 instead.", ["n"]],
    ["Unsupported value: 'stream' does not support true with this model.", ["stream"]],
    ["logprobs are not supported for reasoning models.", ["logprobs"]],
  ])("%s", (message, expected) => {
    expect(fields({ error: { message } })).toEqual(expected);
  });

  test("the number of tokens is never left out for its size", () => {
    for (const message of [
      "max_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you provided 100000.",
      "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
      "max_tokens (384000) exceeds model's maximum output tokens (65536)",
      "`max_tokens` must be less than or equal to `8192`",
    ]) {
      expect(fields({ error: { message, param: "max_tokens" } })).toEqual([]);
    }
    expect(fields({ detail: forbidden("max_tokens") })).toEqual(["max_tokens"]);
    expect(fields({ error: { message: "Unknown parameter: maxOutputTokens" } })).toEqual(["max_tokens"]);
  });

  test.each([
    "The model `m` is not supported, please stop asking.",
    "Messages must alternate between user and assistant",
    "Invalid request",
    "Too many requests: stop and try again",
    "n",
    "",
  ])("nothing is read from: %s", (message) => {
    expect(fields({ error: { message } })).toEqual([]);
  });

  test("what the protocol needs and what the user insists on are never named", () => {
    expect(fields({ detail: forbidden("messages", "model") })).toEqual([]);
    const body = { detail: forbidden("seed", "top_k") };
    expect(named(body, { top_k: 4 }, ["top_k", "seed"])).toEqual([]);
    const both = { error: { message: "`temperature` and `top_p` cannot both be specified for this model." } };
    expect(named(both, {}, ["top_p"]).map(({ field }) => field)).toEqual(["temperature"]);
  });

  test("a field inside of the messages is none of the request", () => {
    expect(
      fields({ detail: [{ type: "extra_forbidden", loc: ["body", "messages", 1, "user", "name"], msg: "Extra inputs" }] }),
    ).toEqual([]);
    expect(fields({ error: { message: "Invalid 'messages[0].content'", param: "messages[0].content" } })).toEqual([]);
  });
});

describe("a value out of range is replaced by the nearest that the server takes", () => {
  test.each<[string, number, number | undefined]>([
    ["`temperature` must be strictly positive", 0, 0.01],
    ["temperature must be greater than 0", 0, 0.01],
    ["temperature: Input should be less than or equal to 1", 1.5, 1],
    ["temperature: range: 0..1", 1.5, 1],
    ["temperature must be between 0 and 1", 1.5, 1],
    ["temperature should be in (0.0, 2.0)", 0, 0.01],
    ["temperature must be in [0, 1.5]", 2, 1.5],
    ["Invalid params: temperature must be in range (0, +inf)", 0, 0.01],
    ["'temperature' must be at most 1.0", 1.5, 1],
    ["invalid temperature: only 1 is allowed for this model", 0, undefined],
    ["temperature is not supported", 0.7, undefined],
  ])("%s, asked for %d", (message, temperature, instead) => {
    expect(named({ error: { message } }, { temperature })).toEqual([{ field: "temperature", instead }]);
  });
});

test("hostile sentences are read in a moment", () => {
  for (const piece of [
    "temperature ",
    "not supported ",
    "use use ",
    "please ",
    "supported a b c are ",
    "[0,",
    "seed, ",
    "expected one ",
  ]) {
    fields({ error: { message: `invalid ${piece.repeat(20_000 / piece.length)}` } });
  }
});

describe("whether reasoning is wanted back", () => {
  test.each<[string, string | undefined]>([
    ["The `reasoning_content` in the thinking mode must be passed back to the API.", "wanted"],
    ["thinking is enabled but reasoning_content is missing in assistant tool call message at index 2", "wanted"],
    ["Missing required parameter: 'messages[1].reasoning_content'", "wanted"],
    ["property 'reasoning_content' is unsupported", "refused"],
    ["The reasoning_content is not allowed in input messages", "refused"],
    ["Missing `reasoning_content` field in the assistant message at message index 2.", "wanted"],
    ["messages with tool_calls must include reasoning_content", "wanted"],
    ["seed is not supported", undefined],
  ])("%s", (message, wish) => {
    expect(reasoningWish(serverWords(JSON.stringify({ error: { message } })))).toBe(wish);
  });

  test("Mistral refuses it by its place", () => {
    const loc = ["body", "messages", 1, "assistant", "reasoning_content"];
    const body = { detail: [{ type: "extra_forbidden", loc, msg: "Extra inputs are not permitted" }] };
    expect(reasoningWish(serverWords(JSON.stringify(body)))).toBe("refused");
  });
});
