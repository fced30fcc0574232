/** The client against a real server on loopback that answers in the shapes each kind of server really sends, and breaks in every way. */
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { CompletionDelta, GenerateOptions, Message } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { chatEvents, chatReply, chunk, type Play } from "../../../test/support/model-server.ts";
import { closedAfterEach } from "../../../test/support/played-server.ts";
import { retrying } from "../around/retry.ts";
import { OpenAiModel, type OpenAiModelOptions } from "./openai.ts";
import { requestSeed } from "./request.ts";
import { carefulQuirks, type ServerKind, serverQuirks } from "./server-quirks.ts";

const options: GenerateOptions = { n: 1, temperature: 0.7, maxTokens: 20, seed: 7 };
const ask: Message[] = [{ role: "user", content: "How much is 2 + 2?" }];

const connected = closedAfterEach();

async function client(play: Play, kind: ServerKind = "vllm", more: Partial<OpenAiModelOptions> = {}) {
  const { server, connections } = await connected(play);
  const address = { baseUrl: server.baseUrl, apiKey: "sk-test" };
  const quirks = carefulQuirks(serverQuirks[kind]);
  return { server, model: new OpenAiModel({ model: "m", address, connections, quirks, ...more }) };
}

describe("requests", () => {
  test("carry what was asked for, the key, and a seed of 31 bits", async () => {
    const { server, model } = await client(() => ({ body: chatReply(["4"]) }));
    const [completion] = await model.generate(ask, { ...options, topP: 0.9, topK: 30, stop: ["\n", ""], topLogprobs: 0 });
    expect(completion).toMatchObject({ text: "4", finishReason: "stop", usage: { calls: 1, inputTokens: 10, outputTokens: 3 } });
    const { headers, body } = server.chats()[0];
    expect(headers.authorization).toBe("Bearer sk-test");
    expect(body).toEqual({
      model: "m",
      messages: [{ role: "user", content: "How much is 2 + 2?" }],
      temperature: 0.7,
      max_tokens: 20,
      seed: deriveSeed(7, 0) & 0x7fffffff,
      top_p: 0.9,
      top_k: 30,
      stop: ["\n"],
      logprobs: true,
      top_logprobs: 1,
    });
  });

  test("several samples in one request: the prompt is paid once and stands in the first", async () => {
    const { server, model } = await client(() => ({ body: chatReply(["a", "b", "c"]) }));
    const completions = await model.generate(ask, { ...options, n: 3 });
    expect(completions.map(({ text }) => text)).toEqual(["a", "b", "c"]);
    expect(completions.map(({ usage }) => [usage.calls, usage.inputTokens, usage.outputTokens])).toEqual([
      [1, 10, 9],
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(server.chats()[0].body).toMatchObject({ n: 3, seed: requestSeed(7, "samples", 0) });
  });

  test("where a server takes one sample a request, each has its own seed and pays its own prompt", async () => {
    const { server, model } = await client((request) => ({ body: chatReply([String(request.body?.seed)]) }), "llama.cpp");
    const completions = await model.generate(ask, { ...options, n: 3 });
    expect(completions.map(({ text }) => text)).toEqual([0, 1, 2].map((sample) => String(requestSeed(7, sample))));
    expect(completions.map(({ usage }) => usage.inputTokens)).toEqual([10, 10, 10]);
    expect(server.chats().every(({ body }) => body?.n === undefined)).toBe(true);
  });

  test("samples that a reply leaves out are asked for one by one, as many as there are, and it is said", async () => {
    const { server, model } = await client(() => ({ body: chatReply(["x"]) }));
    const completions = await model.generate(ask, { ...options, n: 3 });
    expect(completions).toHaveLength(3);
    expect(completions.map(({ usage }) => usage.calls)).toEqual([1, 1, 1]);
    expect(new Set(server.chats().map(({ body }) => body?.seed)).size).toBe(3);
    const nine = await model.generate(ask, { ...options, n: 9 });
    expect(nine.map(({ finishReason }) => finishReason)).toEqual(Array(9).fill("stop"));
    expect(nine[0].notHonoured).toMatchObject([{ field: "n", asked: 9, why: "the server gave 1 a request" }]);
    expect(server.chats()).toHaveLength(3 + 9);
  });

  test("one failed sample beside good ones is a completion that ended in an error", async () => {
    const { model } = await client(
      (_, number) => (number === 1 ? { status: 500, body: { error: { message: "out of memory" } } } : { body: chatReply(["4"]) }),
      "ollama",
    );
    const completions = await model.generate(ask, { ...options, n: 3 });
    expect(completions.map(({ finishReason }) => finishReason).sort()).toEqual(["error", "stop", "stop"]);
    const failed = completions.find(({ finishReason }) => finishReason === "error")!;
    expect(failed.usage).toMatchObject({ calls: 1, inputTokens: undefined, outputTokens: undefined });
  });

  test("prefill is continued where the server can, in its own way, and refused where it cannot", async () => {
    const prefilled: Message[] = [...ask, { role: "assistant", content: "It is" }];
    const vllm = await client(() => ({ body: chatReply([" 4"]) }));
    await vllm.model.generate(prefilled, options);
    expect(vllm.server.chats()[0].body).toMatchObject({ continue_final_message: true, add_generation_prompt: false });
    const llama = await client(() => ({ body: chatReply([" 4"]) }), "llama.cpp");
    await llama.model.generate(prefilled, options);
    expect(llama.server.chats()[0].body).not.toHaveProperty("continue_final_message");
    const openai = await client(() => ({ body: chatReply([" 4"]) }), "openai");
    await expect(openai.model.generate(prefilled, options)).rejects.toMatchObject({
      family: "user",
      code: "prefill-unsupported",
    });
    expect(openai.server.requests).toHaveLength(0);
  });

  test("no samples cost nothing", async () => {
    const { server, model } = await client(() => ({ body: chatReply(["4"]) }));
    expect(await model.generate(ask, { ...options, n: 0 })).toEqual([]);
    expect(server.requests).toHaveLength(0);
  });
});

describe("streams", () => {
  test("pieces are told as they come and the whole is returned", async () => {
    const { server, model } = await client(() => ({ events: chatEvents(["It ", "is ", "4"]) }));
    const deltas: CompletionDelta[] = [];
    const [completion] = await model.generate(ask, { ...options, onDelta: (delta) => deltas.push(delta) });
    expect(deltas).toEqual(["It ", "is ", "4"].map((text) => ({ sample: 0, text })));
    expect(completion).toMatchObject({ text: "It is 4", finishReason: "stop", usage: { inputTokens: 10, outputTokens: 3 } });
    expect(server.chats()[0].body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  test("side by side, pieces name their sample", async () => {
    const { model } = await client((request) => ({ events: chatEvents([String(request.body?.seed)]) }), "llama.cpp");
    const told = new Map<number, string>();
    const completions = await model.generate(ask, {
      ...options,
      n: 3,
      onDelta: ({ sample, text = "" }) => told.set(sample, (told.get(sample) ?? "") + text),
    });
    expect([0, 1, 2].map((sample) => told.get(sample))).toEqual(completions.map(({ text }) => text));
  });

  test("transformers serve: no closing mark, usage in the last piece, unasked", async () => {
    const events = [
      chunk({ choices: [{ index: 0, delta: { role: "assistant" }, finish_reason: null }] }),
      chunk({ choices: [{ index: 0, delta: { content: "4" }, finish_reason: null }] }),
      chunk({ choices: [{ index: 0, delta: {}, finish_reason: "length" }], usage: { prompt_tokens: 5, completion_tokens: 1 } }),
    ];
    const { server, model } = await client(() => ({ events }), "transformers", { stream: true });
    const [completion] = await model.generate(ask, { ...options, topLogprobs: 2 });
    expect(completion).toMatchObject({ text: "4", finishReason: "length", usage: { inputTokens: 5, outputTokens: 1 } });
    const body = server.chats()[0].body!;
    for (const refused of ["n", "logprobs", "stream_options", "max_completion_tokens"]) expect(body).not.toHaveProperty(refused);
  });

  test("a server that answers a stream with a whole is read all the same", async () => {
    const { model } = await client(() => ({ body: chatReply(["4"]) }));
    const deltas: CompletionDelta[] = [];
    const [completion] = await model.generate(ask, { ...options, onDelta: (delta) => deltas.push(delta) });
    expect(completion!.text).toBe("4");
    expect(deltas).toEqual([{ sample: 0, text: "4" }]);
  });

  test("a stream that breaks unheard is tried again; one that was heard is not", async () => {
    const broken = chatEvents(["It ", "is "]).slice(0, 2);
    const policy = retrying({ retries: 2, firstDelaySeconds: 0.001 });
    const play: Play = (_, number) => (number === 0 ? { events: broken, breaks: true } : { events: chatEvents(["4"]) });
    const unheard = await client(play, "vllm", { policy, stream: true });
    const [completion] = await unheard.model.generate(ask, options);
    expect(completion!.text).toBe("4");
    // The broken try may have been worked on, so the cost of the answer is unknown.
    expect(completion!.usage).toMatchObject({ calls: 2, inputTokens: undefined, outputTokens: undefined });
    const heard = await client(play, "vllm", { policy });
    await expect(heard.model.generate(ask, { ...options, onDelta: () => {} })).rejects.toMatchObject({
      code: "stream-broken-midway",
    });
    expect(heard.server.requests).toHaveLength(1);
  });

  test.each([
    ["an end in the middle", chatEvents(["It "]).slice(0, 2), "reply-broken"],
    ["JSON that breaks off", [chunk('{"choices":[{"ind')], "reply-broken"],
    [
      "an error object",
      [...chatEvents(["It "]).slice(0, 1), chunk({ error: { message: "engine died", code: 500 } })],
      "server-failed",
    ],
    ["an error as a word", [chunk({ error: "CUDA out of memory" })], "server-failed"],
    ["no choice at all", [chunk("[DONE]")], "empty-reply"],
  ])("%s is an error of unknown cost", async (_, events, code) => {
    const { model } = await client(() => ({ events }), "vllm", { stream: true });
    const error = await model.generate(ask, options).catch((thrown) => thrown);
    expect(error).toMatchObject({ family: "remote", code });
    expect(error.remote.costsNothing).toBeUndefined();
  });
});

describe("failures", () => {
  test.each<[string, number, unknown, object]>([
    [
      "a wrong key",
      401,
      { error: { message: "Incorrect API key provided", code: "invalid_api_key" } },
      { family: "user", code: "not-authorised" },
    ],
    ["a wrong path", 404, { detail: "Not Found" }, { family: "user", code: "no-such-endpoint" }],
    [
      "a web page",
      404,
      "<html><head><title>404 Not Found</title></head></html>",
      { code: "no-such-endpoint", message: /titled “404 Not Found”/ },
    ],
    [
      "credit used up",
      429,
      { error: { message: "You exceeded your current quota", code: "insufficient_quota" } },
      { family: "user", code: "no-credit" },
    ],
    [
      "a long conversation (OpenAI)",
      400,
      {
        error: {
          message: "This model's maximum context length is 8192 tokens.",
          type: "invalid_request_error",
          code: "context_length_exceeded",
        },
      },
      { family: "user", code: "context-exceeded" },
    ],
    [
      "a long conversation (vLLM)",
      400,
      {
        error: {
          message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
          type: "BadRequestError",
          param: null,
          code: 400,
        },
      },
      { code: "context-exceeded" },
    ],
    [
      "a long conversation (llama.cpp)",
      400,
      {
        error: {
          code: 400,
          message: "the request exceeds the available context size",
          type: "exceed_context_size_error",
          n_ctx: 512,
        },
      },
      { code: "context-exceeded" },
    ],
    [
      "a field it does not take (transformers)",
      422,
      { detail: "Unsupported fields in the request: {'n'}" },
      { family: "remote", code: "request-refused", message: /Unsupported fields/, remote: { status: 422, costsNothing: true } },
    ],
    [
      "too many requests",
      429,
      { error: { message: "slow down" } },
      { code: "too-many-requests", remote: { status: 429, retryAfterSeconds: 7, costsNothing: true } },
    ],
    [
      "an overloaded server",
      503,
      { error: { message: "Loading model", code: 503 } },
      { code: "server-failed", remote: { status: 503, costsNothing: true } },
    ],
    ["a failure inside", 500, "Internal Server Error", { family: "remote", code: "server-failed", remote: { status: 500 } }],
    [
      "a filtered prompt",
      400,
      { error: { message: "filtered", code: "content_filter" } },
      { family: "remote", code: "content-filter" },
    ],
    ["an empty reply", 200, {}, { family: "remote", code: "reply-unreadable" }],
    ["no choices", 200, { choices: [] }, { family: "remote", code: "empty-reply" }],
    [
      "an error inside a 200",
      200,
      { error: { message: "Provider returned error", code: 502 } },
      { code: "server-failed", remote: { status: 502 } },
    ],
    ["JSON that breaks off", 200, '{"choices":[{"index":0,"mess', { code: "reply-unreadable", message: /breaks off/ }],
    ["a web page instead of JSON", 200, "<!doctype html><html></html>", { code: "reply-unreadable", message: /web page/ }],
    ["a redirect", 301, "", { family: "user", code: "redirected" }],
  ])("%s", async (_, status, body, expected) => {
    const { model } = await client(() => ({ status, body, headers: { "retry-after": "7" } }));
    const error = await model.generate(ask, options).catch((thrown) => thrown);
    const { message, ...rest } = expected as { message?: RegExp };
    expect(error).toMatchObject(rest);
    if (message) expect(error.message).toMatch(message);
    if (status === 500) expect(error.remote.costsNothing).toBeUndefined();
    expect(JSON.stringify([error.message, error.advice, error.remote])).not.toContain("sk-test");
  });

  test("an unknown model is answered with the models the server has", async () => {
    const { model } = await client(({ path }) =>
      path === "/v1/models"
        ? { body: { object: "list", data: [{ id: "qwen", object: "model", owned_by: "vllm" }] } }
        : { status: 404, body: { error: { message: "The model `m` does not exist.", type: "NotFoundError", code: 404 } } },
    );
    await expect(model.generate(ask, options)).rejects.toMatchObject({
      family: "user",
      code: "model-unknown",
      advice: expect.stringMatching(/qwen/),
    });
  });

  test("what to do about a mistake that fails every call is told once", async () => {
    const notes: string[] = [];
    const refusal = { status: 401, body: { error: { message: "who are you" } } };
    const { model } = await client(() => refusal, "vllm", { onNote: (note) => notes.push(note) });
    for (let call = 0; call < 3; call++) await expect(model.generate(ask, options)).rejects.toThrow(/who are you/);
    expect(notes).toEqual([expect.stringMatching(/answered 401: who are you → Set OPENAI_API_KEY/)]);
  });

  test("nobody there", async () => {
    const { server, model } = await client(() => ({}));
    await server.close();
    await expect(model.generate(ask, options)).rejects.toMatchObject({
      family: "user",
      code: "server-unreachable",
      advice: expect.stringMatching(/OPENAI_BASE_URL/),
    });
  });

  test("a connection that breaks before and in the middle of a reply", async () => {
    const { model } = await client((_, number) => ({
      body: '{"choices":[',
      breaks: true,
      headers: number === 0 ? { "content-length": "500" } : undefined,
    }));
    for (let time = 0; time < 2; time++) {
      await expect(model.generate(ask, options)).rejects.toMatchObject({ family: "remote", code: "reply-broken" });
    }
  });

  test("a silent server and a body without end", async () => {
    const silent = await client(() => ({ hangs: true }), "vllm", { idleSeconds: 0.05 });
    await expect(silent.model.generate(ask, options)).rejects.toMatchObject({ code: "server-silent" });
    const huge = await client(() => ({ body: "x".repeat(100_000) }), "vllm", { maxReplyBytes: 50_000 });
    await expect(huge.model.generate(ask, options)).rejects.toMatchObject({ code: "reply-too-large" });
  });

  test("a bomb of compressed bytes is stopped at the bound, honest compression is read", async () => {
    const bomb = await client(
      () => ({
        body: gzipSync(Buffer.alloc(5_000_000, 32)),
        headers: { "content-encoding": "gzip", "content-type": "application/json" },
      }),
      "vllm",
      { maxReplyBytes: 100_000 },
    );
    await expect(bomb.model.generate(ask, options)).rejects.toMatchObject({ code: "reply-too-large" });
    const packed = await client(() => ({
      body: gzipSync(JSON.stringify(chatReply(["4"]))),
      headers: { "content-encoding": "gzip", "content-type": "application/json" },
    }));
    expect((await packed.model.generate(ask, options))[0].text).toBe("4");
  });

  test("cancelled before, while waiting and in the middle of a stream", async () => {
    const { server, model } = await client(({ body }) =>
      body?.stream ? { events: chatEvents(["It "]).slice(0, 2), hangs: true } : { hangs: true },
    );
    const before = AbortSignal.abort(new Error("before"));
    await expect(model.generate(ask, { ...options, signal: before })).rejects.toThrow("before");
    expect(server.requests).toHaveLength(0);
    const waiting = new AbortController();
    const call = model.generate(ask, { ...options, signal: waiting.signal });
    waiting.abort(new Error("while waiting"));
    await expect(call).rejects.toThrow("while waiting");
    const middle = new AbortController();
    const onDelta = () => middle.abort(new Error("in the middle"));
    await expect(model.generate(ask, { ...options, signal: middle.signal, onDelta })).rejects.toThrow("in the middle");
  });

  test("a kept connection that the server closed meanwhile is no failure; a new one that it closes is", async () => {
    const { server, model } = await client((_, number) => (number === 1 ? { drops: true } : { body: chatReply(["4"]) }));
    for (let time = 0; time < 2; time++) expect(await model.generate(ask, options)).toHaveLength(1);
    expect(server.requests).toHaveLength(3);
    const lost = await client(() => ({ drops: true }));
    await expect(lost.model.generate(ask, options)).rejects.toMatchObject({ family: "remote", code: "connection-lost" });
  });
});
