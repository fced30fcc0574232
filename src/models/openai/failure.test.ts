/** What servers say when they refuse, in the forms that they were reported to say it in, and what the user is told. */
import { afterEach, describe, expect, test } from "vitest";
import { HttpConnections } from "#http/connections.ts";
import type { MidcourseError } from "#kernel/errors.ts";
import { playServer } from "../../../test/support/model-server.ts";
import { OpenAiModel } from "./openai.ts";
import { carefulQuirks, serverQuirks } from "./server-quirks.ts";
import { serverWords } from "./server-words.ts";

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** What a call ends with where the server answers everything so. */
async function failure(status: number, body: unknown, headers: Record<string, string> = {}): Promise<MidcourseError> {
  const server = await playServer(() => ({ status, body, headers }));
  const connections = new HttpConnections();
  closing.push(server.close, () => connections.close());
  const address = { baseUrl: server.baseUrl, apiKey: "sk-test" };
  const model = new OpenAiModel({ model: "m", address, connections, quirks: carefulQuirks(serverQuirks.vllm) });
  return model.generate([{ role: "user", content: "How much is 2 + 2?" }], { n: 1, temperature: 1, maxTokens: 20, seed: 7 }).then(
    () => expect.unreachable(),
    (error: MidcourseError) => error,
  );
}

const said = "the tokenizer has gone home";

describe("the server's own sentence is in the error", () => {
  test.each<[string, unknown]>([
    ["OpenAI's error object", { error: { message: said, type: "invalid_request_error", param: null, code: null } }],
    ["an error object in a list (Gemini)", [{ error: { code: 400, message: said, status: "INVALID_ARGUMENT" } }]],
    ["a list in a list", [[{ error: { message: said } }]]],
    ["an error as a text (Ollama, xAI, TGI)", { error: said, error_type: "validation" }],
    ["a message alone (Cohere, Bedrock)", { id: "1", message: said }],
    ["a Message with a capital letter (AWS)", { Message: said }],
    ["a flat error (vLLM of old)", { object: "error", message: said, type: "BadRequestError", code: 400 }],
    ["detail as a text (FastAPI)", { detail: said }],
    ["detail as pydantic's list", { detail: [{ type: "value_error", loc: ["body", "messages", 0], msg: said, input: {} }] }],
    [
      "a list of faults inside message (Mistral)",
      { object: "error", message: { detail: [{ type: "x", loc: ["body"], msg: said }] } },
    ],
    ["detail as an object", { detail: { error: { message: said } } }],
    ["a wrapper of the server's own inside the error", { detail: { error: { inner: { message: said } } } }],
    [
      "wrappers around the error, beside what was sent",
      { ok: false, request: { message: "What is 2 + 2?" }, result: { response: { error: said } } },
    ],
    ["several errors (Cloudflare)", { success: false, errors: [{ code: 7000, message: said }], result: null }],
    ["errors as texts", { errors: [said, "and more"] }],
    ["a problem document", { type: "about:blank", title: "Bad Request", status: 400, detail: said }],
    ["JSON inside a text (gateways)", { error: { message: JSON.stringify({ error: { message: said } }) } }],
    [
      "the provider's own words (OpenRouter)",
      {
        error: {
          message: "Provider returned error",
          code: 400,
          metadata: { raw: `{"error":{"message":"${said}"}}`, provider_name: "Other" },
        },
      },
    ],
    ["Spring's", { timestamp: "now", status: 400, error: "Bad Request", message: said, path: "/v1" }],
    ["faults under the names of fields (ASP.NET)", { title: "One or more errors", status: 400, errors: { Seed: [said] } }],
    ["plain words", said],
    ["JSON that breaks off", `{"error":{"message":"${said}","type":"inv`],
    ["JSON a line", `{"error":{"message":"${said}"}}\n{"done":true}\n`],
    ["a page with a title", `<html><head><title>${said}</title></head><body>lots</body></html>`],
    ["a page with a heading only", `<html><body><h1 class="x">${said}</h1></body></html>`],
  ])("%s", async (_, body) => {
    const error = await failure(400, body);
    expect(error.code).toBe("request-refused");
    expect(error.message).toContain(said);
    expect(error.message).not.toContain("{");
  });

  test("a page is not printed, only its title", async () => {
    const error = await failure(502, `<html><title>Bad gateway</title><body>${"secret ".repeat(99)}</body></html>`);
    expect(error.message).toMatch(/answered 502: a web page instead of JSON, titled “Bad gateway”$/);
  });

  test("a huge body is shortened, signs that a screen obeys are left out", async () => {
    const huge = await failure(400, { error: { message: `${said} ${"x".repeat(300_000)}` } });
    expect(huge.message).toContain(said);
    expect(huge.message.length).toBeLessThan(600);
    const odd = await failure(400, { error: { message: `the\u001b[2J tokenizer\r\nhas\u202e gone\u0000 home` } });
    expect(odd.what).toMatch(/the \[2J tokenizer has gone home$/);
    const vast = await failure(400, `{"error":{"message":"${said}","more":"${"y".repeat(3 << 20)}"}}`);
    expect(vast.message).toContain(said);
    expect(vast.message.length).toBeLessThan(600);
  });

  test("no body, and bodies without a sentence, are told by their status", async () => {
    for (const body of ["", "{}", "[]", "null", '{"error":null}', { error: {} }]) {
      expect((await failure(400, body)).what).toMatch(/answered 400(: (null|\{\}|\[\]))?$/);
    }
  });

  test("a body nested without end is read no deeper than is sensible", () => {
    const deep = `${'{"error":'.repeat(4000)}"x"${"}".repeat(4000)}`;
    expect(serverWords(deep).sentence).toBeUndefined();
    expect(serverWords("[".repeat(200_000)).sentence).toBeDefined();
  });
});

describe("what is done about it follows from what was said", () => {
  test.each<[string, number, unknown]>([
    [
      "OpenRouter",
      403,
      {
        error: {
          code: 403,
          message: 'Anthropic requires moderation. Your input was flagged for "violence"',
          metadata: { reasons: ["violence"], provider_name: "Anthropic" },
        },
      },
    ],
    [
      "Azure",
      400,
      {
        error: {
          message: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
          code: "content_filter",
        },
      },
    ],
    [
      "OpenAI",
      403,
      {
        error: {
          message: "Your request was flagged as potentially violating our usage policy.",
          type: "invalid_request_error",
          code: null,
        },
      },
    ],
    ["DashScope", 400, { error: { code: "data_inspection_failed", message: "Input data may contain inappropriate content." } }],
    ["xAI", 403, { code: "The caller does not have permission", error: "Content violates usage guidelines. Team: 1" }],
  ])("a refused content is not a wrong key (%s)", async (_, status, body) => {
    const error = await failure(status, body);
    expect(error).toMatchObject({ family: "remote", code: "content-filter" });
    expect(`${error.message} ${error.advice}`).not.toMatch(/OPENAI_API_KEY/);
  });

  test("a 403 says that the key is known, a 401 that it is wrong", async () => {
    const known = await failure(403, { error: { message: "Project has no access to model m" } });
    expect(known).toMatchObject({ code: "not-authorised", message: expect.stringContaining("no access to model m") });
    expect(known.advice).not.toMatch(/^Set OPENAI_API_KEY/);
    expect((await failure(401, { detail: "Unauthorized" })).advice).toMatch(/^Set OPENAI_API_KEY/);
  });

  test.each<[string, number, unknown]>([
    [
      "OpenAI",
      429,
      {
        error: {
          message: "You exceeded your current quota, please check your plan and billing details.",
          type: "insufficient_quota",
          code: "insufficient_quota",
        },
      },
    ],
    ["OpenAI, as the type alone", 429, { error: { message: "No quota", type: "insufficient_quota", code: null } }],
    [
      "Anthropic",
      400,
      { error: { type: "invalid_request_error", message: "Your credit balance is too low to access the Anthropic API." } },
    ],
    ["DeepSeek", 402, { error: { message: "Insufficient Balance" } }],
    ["xAI", 403, { code: "x", error: "Your team has used all available credits or reached its monthly spending limit." }],
  ])("a spent account is told and not waited for (%s)", async (_, status, body) => {
    expect(await failure(status, body)).toMatchObject({ family: "user", code: "no-credit" });
  });

  test("what a gateway fails over would fail again and is not asked for again; other failures may pass", async () => {
    const lasting = { error: { message: "litellm.BadRequestError: OpenAIException - Invalid schema", code: 500 } };
    expect(await failure(500, lasting)).toMatchObject({ code: "server-failed", remote: { isLasting: true } });
    expect(await failure(501, "Not Implemented")).toMatchObject({ remote: { isLasting: true } });
    expect((await failure(500, "Internal Server Error")).remote?.isLasting).toBeUndefined();
    expect((await failure(503, "Loading")).remote?.isLasting).toBeUndefined();
  });

  test("a minute's quota is waited for, as long as the body says", async () => {
    const gemini = [
      {
        error: {
          code: 429,
          message: "You exceeded your current quota, please check your plan and billing details.",
          status: "RESOURCE_EXHAUSTED",
          details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34.5s" }],
        },
      },
    ];
    expect(await failure(429, gemini)).toMatchObject({ code: "too-many-requests", remote: { retryAfterSeconds: 34.5 } });
    const openAi = {
      error: { message: "Rate limit reached on tokens per min. Please try again in 1m2.5s.", code: "rate_limit_exceeded" },
    };
    expect(await failure(429, openAi)).toMatchObject({ code: "too-many-requests", remote: { retryAfterSeconds: 62.5 } });
    const soon = { error: { message: "Please try again in 120ms." } };
    expect(await failure(429, soon)).toMatchObject({ remote: { retryAfterSeconds: 0.12 } });
  });

  test("after a redirect the base address is named, not that of one call", async () => {
    const far = await failure(308, "", { location: "https://far.example/api/v1/chat/completions" });
    expect(far).toMatchObject({
      code: "redirected",
      advice: expect.stringContaining("--base-url) to https://far.example/api/v1, where"),
    });
    const near = await failure(301, "", { location: "/openai/v1/chat/completions?api-version=3" });
    expect(near.advice).toMatch(/to http:\/\/127\.0\.0\.1:\d+\/openai\/v1\?api-version=3, where/);
    expect((await failure(302, "", { location: "https://me:word@login.example/?next=/v1" })).advice).toMatch(
      /login\.example.*log in/,
    );
    expect((await failure(302, "", { location: "https://me:word@login.example/" })).advice).not.toMatch(/word/);
    expect((await failure(301, "", {})).advice).toMatch(/does not say where/);
  });

  test.each([
    "Client sent an HTTP request to an HTTPS server.\n",
    "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
  ])("a server that wants https is told with its address: %s", async (body) => {
    const error = await failure(400, body);
    expect(error).toMatchObject({
      family: "user",
      code: "server-scheme",
      advice: expect.stringMatching(/to https:\/\/127\.0\.0\.1:\d+\/v1\.$/),
    });
  });

  test("too many tokens asked for, and fields, are told with the option that helps", async () => {
    const tokens = { error: { message: "max_tokens is too large: 100000. This model supports at most 16384 completion tokens" } };
    expect((await failure(400, tokens)).advice).toMatch(/--max-tokens/);
    expect((await failure(400, { error: { message: "no" } })).advice).toMatch(/--omit FIELD/);
  });
});
