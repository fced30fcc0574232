/** What the options lead to: the shipped model, a folder, a server; the cache across runs; nothing secret in the record. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { withModelOptions } from "#cli/options/model-options.ts";
import { shippedModel } from "#files/shipped-model.ts";
import type { GenerateOptions, Message } from "#kernel/model.ts";
import { chatReply, type ModelServer, type PlayedReply, playServer } from "../../test/support/model-server.ts";
import { type OpenedModel, type OpenModelOptions, openModel } from "./open-model.ts";

let folder: string;
let opened: OpenedModel[] = [];
let servers: ModelServer[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "midcourse-open-"));
});
afterEach(async () => {
  for (const model of opened) await model.close();
  for (const server of servers) await server.close();
  [opened, servers] = [[], []];
  rmSync(folder, { recursive: true, force: true });
});

const options: GenerateOptions = { n: 2, temperature: 0.9, maxTokens: 12, seed: 5 };
const ask: Message[] = [{ role: "user", content: "Start with 3. Add 4." }];

async function open(given: OpenModelOptions): Promise<OpenedModel> {
  const model = await openModel({ environment: {}, ...given });
  opened.push(model);
  return model;
}

/** A vLLM server with the given models; chats answer with their seed. */
async function vllm(names: readonly string[], chat?: (number: number) => PlayedReply) {
  let chats = 0;
  const server = await playServer(({ path: place, body }) => {
    if (place === "/v1/models")
      return { body: { object: "list", data: names.map((id) => ({ id, object: "model", owned_by: "vllm" })) } };
    if (place !== "/v1/chat/completions") return { status: 404, body: { detail: "Not Found" } };
    const texts = Array.from({ length: Number(body?.n ?? 1) }, (_, sample) => `${body?.seed}/${sample}`);
    return chat?.(chats++) ?? { body: chatReply(texts) };
  });
  servers.push(server);
  return server;
}

describe("checkpoint folders", () => {
  test("without any option the shipped model answers; a second run reads its cache and reports the same", async () => {
    const cache = path.join(folder, "cache");
    const first = await open({ threads: 1, cache });
    const answers = await first.model.generate(ask, options);
    expect(answers).toHaveLength(2);
    expect(first.describe()).toEqual({ kind: "embedded", model: "base", folder: "shipped" });
    const spent = first.meter.usage;
    await first.close();
    const second = await open({ model: shippedModel, threads: 1, cache });
    expect(await second.model.generate(ask, options)).toEqual(answers);
    expect(second.meter.usage).toEqual(spent);
    expect(second.cache).toMatchObject({ hits: 2, misses: 0 });
  });

  test("a folder draws from the likeliest tokens alone where that is asked for, and its record says so", async () => {
    const greedy = (await (await open({})).model.generate(ask, { ...options, n: 1, temperature: 0 }))[0].text;
    for (const choice of [{ topK: 1 }, { topP: 0.001 }]) {
      const chosen = await open({ ...choice, cache: path.join(folder, "cache") });
      const texts = (await chosen.model.generate(ask, { ...options, n: 4, temperature: 5 })).map(({ text }) => text);
      expect(texts).toEqual([greedy, greedy, greedy, greedy]);
      expect(chosen.describe()).toMatchObject(choice);
    }
    // A call's own choice goes before, and the cache tells them apart.
    const all = await open({ topK: 1, cache: path.join(folder, "cache") });
    const free = await all.model.generate(ask, { ...options, n: 4, temperature: 5, topK: 0 });
    expect(new Set(free.map(({ text }) => text)).size).toBeGreaterThan(1);
    for (const wrong of [{ topP: 0 }, { topP: 1.1 }, { topP: Number.NaN }, { topK: -1 }, { topK: 1.5 }])
      await expect(open(wrong)).rejects.toMatchObject({ code: "option-value" });
  });

  test("what only a server heeds is told where the model is a folder, and --threads where it is at a server", async () => {
    const notes: string[] = [];
    const onNote = (note: string) => void notes.push(note);
    await open({ onNote, extraBody: '{"top_k":20}', omit: "seed", header: ["a: b"], probe: false, idleSeconds: 5 });
    expect(notes).toEqual([
      "shipped is a checkpoint folder, and --extra-body, --omit, --header, --idle-seconds, --no-probe are for servers: not heeded here. " +
        "Sampling is chosen with --top-p and --top-k.",
    ]);
    await open({ onNote, concurrency: 3, threads: 1, topK: 5 });
    expect(notes).toHaveLength(1);
    await expect(open({ extraBody: '{"top_k":20}' })).rejects.toMatchObject({ code: "option-of-servers" });
    const server = await vllm(["qwen"]);
    await open({ onNote, baseUrl: server.baseUrl, threads: 2 });
    expect(notes[1]).toBe("qwen is at a server, and --threads is for checkpoint folders: not heeded there.");
  });

  test("a folder without a model and a path to nowhere are told", async () => {
    await expect(open({ model: folder })).rejects.toMatchObject({ family: "user", code: "not-a-checkpoint" });
    await expect(open({ model: "./nowhere" })).rejects.toMatchObject({ code: "not-a-checkpoint" });
  });
});

describe("servers", () => {
  test("without a probe a wrong key costs one request, whatever runs at once", async () => {
    let asked = 0;
    const server = createServer((_request, reply) => {
      asked++;
      reply.writeHead(401, { "content-type": "application/json" }).end('{"error":{"message":"wrong key"}}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const model = await open({ model: "qwen", baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: "sk-wrong", probe: false });
      const ends = await Promise.allSettled(Array.from({ length: 12 }, () => model.model.generate(ask, options)));
      const codes = ends.map((end) => (end.status === "rejected" ? (end.reason as { code?: string }).code : "answered"));
      expect(new Set(codes)).toEqual(new Set(["not-authorised"]));
      expect(asked).toBe(1);
    } finally {
      server.close();
    }
  });

  test("the only model of a server need not be named; the key travels and is not recorded", async () => {
    const server = await vllm(["qwen"]);
    const model = await open({ environment: { OPENAI_BASE_URL: server.baseUrl, OPENAI_API_KEY: "sk-secret" } });
    expect(model.model.id).toBe("qwen");
    await model.model.generate(ask, options);
    expect(server.chats()[0].headers.authorization).toBe("Bearer sk-secret");
    expect(model.profile).toMatchObject({ kind: "vllm" });
    const described = model.describe();
    expect(described).toMatchObject({ kind: "openai-compatible", model: "qwen", server: server.baseUrl, serverKind: "vllm" });
    expect(JSON.stringify(described)).not.toContain("secret");
    expect(model.meter.usage).toMatchObject({ calls: 1, inputTokens: 10, outputTokens: 6 });
  });

  test("several models, or a wrong name: the server's names are listed", async () => {
    const server = await vllm(["qwen", "llama"]);
    await expect(open({ baseUrl: server.baseUrl })).rejects.toMatchObject({
      code: "model-not-chosen",
      message: expect.stringMatching(/qwen, llama/),
    });
    await expect(open({ baseUrl: server.baseUrl, model: "gpt" })).rejects.toMatchObject({
      code: "model-unknown",
      advice: expect.stringMatching(/qwen/),
    });
    expect((await open({ baseUrl: server.baseUrl, model: "llama" })).model.id).toBe("llama");
  });

  test("a program may give the key itself", async () => {
    const server = await vllm(["qwen"]);
    const model = await open({ baseUrl: server.baseUrl, apiKey: "sk-own", environment: { OPENAI_API_KEY: "sk-other" } });
    await model.model.generate(ask, options);
    expect(server.chats()[0].headers.authorization).toBe("Bearer sk-own");
  });

  test("an address on the command line wins over a folder of the same name", async () => {
    const server = await vllm([shippedModel]);
    expect((await open({ baseUrl: server.baseUrl, model: shippedModel })).profile).toMatchObject({ kind: "vllm" });
  });

  test("a name without a key or an address, and what is wrong with options", async () => {
    await expect(open({ model: "gpt-4o-mini" })).rejects.toMatchObject({ family: "user", code: "no-api-key" });
    await expect(open({ model: "m", apiKeyEnv: "MY_KEY" })).rejects.toMatchObject({
      code: "no-api-key",
      message: expect.stringMatching(/MY_KEY/),
    });
    await expect(open({ model: "m", baseUrl: "localhost:8000" })).rejects.toMatchObject({ code: "bad-base-url" });
    await expect(open({ model: "m", baseUrl: "http://127.0.0.1:1/v1", extraBody: "[1]" })).rejects.toMatchObject({
      code: "bad-extra-body",
    });
    await expect(open({ model: "m", prices: path.join(folder, "none.json") })).rejects.toMatchObject({ code: "no-such-file" });
    await expect(open({ model: "m", baseUrl: "http://127.0.0.1:1/v1" })).rejects.toMatchObject({ code: "server-unreachable" });
  });

  test("headers travel, are checked, and are neither described nor part of an error", async () => {
    const server = await playServer(({ method }) => (method === "POST" ? { body: chatReply(["a", "b"]) } : { status: 404 }));
    servers.push(server);
    const azure = { baseUrl: `${server.baseUrl}?api-version=2026-01-01`, model: "qwen" };
    const model = await open({
      ...azure,
      header: ["api-key: first", "Api-Key:secret-value", "X-Team: us: all"],
      headers: { "x-more": "1" },
    });
    await model.model.generate(ask, options);
    const chat = server.requests.find(({ method }) => method === "POST");
    expect(chat?.path).toBe("/v1/chat/completions?api-version=2026-01-01");
    expect(chat?.headers).toMatchObject({ "api-key": "secret-value", "x-team": "us: all", "x-more": "1" });
    expect(chat?.headers.authorization).toBeUndefined();
    expect(JSON.stringify(model.describe())).not.toContain("secret-value");
    for (const header of ["secret-value", ": secret-value", "a b: secret-value", "x: secret\nvalue", "content-length: 1"]) {
      const error = await open({ ...azure, header: [header] }).catch((thrown) => thrown);
      expect(error).toMatchObject({ family: "user", code: "bad-header" });
      expect(JSON.stringify([error.message, error.advice])).not.toMatch(/secret/);
    }
  });

  test("the address of one call, as consoles hand it out, is as good as the base address", async () => {
    const server = await vllm(["qwen"]);
    for (const end of ["/chat/completions", "/chat/completions/", "/", ""]) {
      const model = await open({ baseUrl: `${server.baseUrl}${end}` });
      await model.model.generate(ask, options);
      expect(model.describe()).toMatchObject({ server: server.baseUrl });
    }
    expect(server.chats()).toHaveLength(4);
  });

  test("a header may hold the key in the place of OPENAI_API_KEY", async () => {
    const given = { model: "gpt", environment: {}, probe: false };
    await expect(open({ ...given, header: ["x-other: 1"] })).rejects.toMatchObject({ code: "no-api-key" });
    expect((await open({ ...given, header: ["Authorization: Bearer sk"] })).profile).toMatchObject({ kind: "openai" });
  });

  test("fields are left out by name or as null, alike; what cannot be left out is told", async () => {
    const server = await vllm(["qwen"]);
    const byName = await open({ baseUrl: server.baseUrl, omit: "seed, stop" });
    const byNull = await open({ baseUrl: server.baseUrl, extraBody: '{"seed":null,"stop":null}' });
    for (const model of [byName, byNull]) {
      await model.model.generate(ask, { ...options, stop: ["x"] });
      expect(server.chats().at(-1)?.body).not.toHaveProperty("seed");
      expect(server.chats().at(-1)?.body).not.toHaveProperty("stop");
      expect(model.notHonoured().map(({ field }) => field)).toEqual(["seed", "stop"]);
    }
    expect(byName.describe()).toEqual(byNull.describe());
    const wrong = (given: OpenModelOptions) => expect(open({ baseUrl: server.baseUrl, ...given })).rejects;
    await wrong({ omit: "model" }).toMatchObject({
      code: "bad-omit",
      what: expect.stringContaining("“model” cannot be left out"),
    });
    await wrong({ extraBody: '{"messages":null}' }).toMatchObject({ code: "bad-omit" });
    await wrong({ omit: "sead" }).toMatchObject({ code: "bad-omit", advice: expect.stringContaining("Did you mean seed?") });
    await wrong({ omit: " ," }).toMatchObject({ code: "bad-omit" });
    await wrong({ omit: "seed", extraBody: '{"seed":1}' }).toMatchObject({ code: "bad-omit" });
  });

  test.each([401, 403, 404, 405, 500])(
    "a server whose list of models answers %d and that chats is asked all the same",
    async (status) => {
      const server = await playServer(({ path: place }) =>
        place === "/v1/chat/completions" ? { body: chatReply(["4"]) } : { status, body: { error: { message: "not for you" } } },
      );
      servers.push(server);
      const model = await open({ baseUrl: server.baseUrl, model: "m", retries: 0 });
      expect(await model.model.generate(ask, options)).toHaveLength(2);
      const before = server.requests.length;
      const unprobed = await open({ baseUrl: server.baseUrl, model: "m", probe: false });
      await unprobed.model.generate(ask, options);
      expect(server.requests.slice(before).every(({ path: place }) => place === "/v1/chat/completions")).toBe(true);
      await expect(open({ baseUrl: server.baseUrl })).rejects.toMatchObject({
        code: "model-not-chosen",
        what: expect.stringContaining("not for you"),
        advice: expect.stringContaining("--model"),
      });
    },
  );

  test("a server that wants a key before it lists its models: where the key goes is said first", async () => {
    const server = await playServer(() => ({ status: 401, body: { error: { message: "no api-key header" } } }));
    servers.push(server);
    await expect(open({ baseUrl: server.baseUrl })).rejects.toMatchObject({
      what: expect.stringContaining("no api-key header"),
      advice: expect.stringMatching(/^Set OPENAI_API_KEY .*--header .*--model\.$/),
    });
  });

  test("a field that the server refuses is learnt by its probe and refused no more", async () => {
    const server = await playServer(({ path: place, body }) => {
      if (place !== "/v1/chat/completions") return { status: 404, body: { detail: "Not Found" } };
      const detail = [{ type: "extra_forbidden", loc: ["body", "seed"], msg: "Extra inputs are not permitted" }];
      return "seed" in body! ? { status: 422, body: { detail } } : { body: chatReply(["4"]) };
    });
    servers.push(server);
    const model = await open({ baseUrl: server.baseUrl, model: "m" });
    expect(model.notHonoured()).toEqual([]);
    for (let seed = 0; seed < 3; seed++) await model.model.generate(ask, { ...options, seed });
    expect(server.chats().filter(({ body }) => "seed" in body!)).toHaveLength(1);
    expect(model.notHonoured().map(({ field }) => field)).toEqual(["seed"]);
  });

  test("an answer says in the server's words why its temperature was left out, though the probe had found it", async () => {
    const server = await playServer(({ path: place, body }) => {
      if (place !== "/v1/chat/completions") return { status: 404 };
      const error = { message: "invalid temperature: only 1 is allowed for this model", type: "invalid_request_error" };
      return "temperature" in body! ? { status: 400, body: { error } } : { body: chatReply(["4"]) };
    });
    servers.push(server);
    const model = await open({ baseUrl: server.baseUrl, model: "m" });
    const [completion] = await model.model.generate(ask, options);
    expect(completion.notHonoured).toMatchObject([
      { field: "temperature", asked: 0.9, why: expect.stringContaining("only 1 is allowed") },
    ]);
    expect(server.chats().filter(({ body }) => "temperature" in body!)).toHaveLength(1);
  });

  test("what an earlier run found out is taken and nothing is asked for again", async () => {
    const server = await vllm(["qwen"]);
    const first = await open({ baseUrl: server.baseUrl });
    const before = server.requests.length;
    const profile = { ...first.profile!, kind: "other" as const };
    const second = await open({ baseUrl: server.baseUrl, model: "qwen", profile });
    expect(second.profile).toEqual(profile);
    expect(server.requests).toHaveLength(before);
  });

  test("top_k goes to servers that know it; Ollama, which ignores it in silence, is not asked, and that is told", async () => {
    const known = await vllm(["qwen"]);
    const opened = await open({ baseUrl: known.baseUrl, topK: 20, topP: 0.9 });
    const [first] = await opened.model.generate(ask, options);
    expect(known.chats().at(-1)?.body).toMatchObject({ top_k: 20, top_p: 0.9 });
    expect(first.notHonoured).toBeUndefined();
    const ollama = await playServer(({ path: place }) => {
      if (place === "/api/version") return { body: { version: "0.20.0" } };
      if (place === "/v1/models") return { body: { object: "list", data: [{ id: "qwen", owned_by: "library" }] } };
      return place === "/v1/chat/completions" ? { body: chatReply(["4"]) } : { status: 404, body: "404 page not found" };
    });
    servers.push(ollama);
    const other = await open({ baseUrl: ollama.baseUrl, model: "qwen", topK: 20 });
    expect(other.profile?.kind).toBe("ollama");
    const [answer] = await other.model.generate(ask, { ...options, n: 1 });
    expect(ollama.chats().some(({ body }) => "top_k" in body!)).toBe(false);
    const why = "Ollama has no such field in OpenAI's protocol";
    expect(answer.notHonoured).toEqual([{ field: "top_k", asked: 20, why }]);
    expect(other.notHonoured()).toEqual([{ field: "top_k", why }]);
  });

  test("prices, a cache over a server, tries again, fields for every request", async () => {
    const prices = path.join(folder, "prices.json");
    const server = await vllm(["qwen"], (number) =>
      number === 0
        ? { status: 429, body: { error: { message: "slow down" } }, headers: { "retry-after-ms": "5" } }
        : { body: chatReply(["a", "b"]) },
    );
    writeFileSync(prices, JSON.stringify({ [new URL(server.baseUrl).host]: { "*": { input: 1, output: 100 } } }));
    const given = { baseUrl: server.baseUrl, prices, cache: path.join(folder, "cache"), extraBody: '{"top_k":20}' };
    const retries: string[] = [];
    const first = await open({ ...given, onRetry: ({ error }) => retries.push(error.code) });
    await first.model.generate(ask, options);
    expect(first.meter.usage).toMatchObject({ calls: 1, inputTokens: 10, outputTokens: 6, dollars: (10 + 600) / 1e6 });
    expect(retries).toEqual(["too-many-requests"]);
    expect(first.limiter!.refusals).toBe(1);
    expect(server.chats()[0].body).toMatchObject({ top_k: 20 });
    await first.close();
    const asked = server.chats().length;
    const second = await open(given);
    await second.model.generate(ask, options);
    expect(second.meter.usage).toEqual(first.meter.usage);
    expect(server.chats()).toHaveLength(asked);
  });
});

test("the options of a command are what opening takes", () => {
  const read = (...given: string[]) => {
    const command = withModelOptions(new Command())
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    return command.parse(given, { from: "user" }).opts();
  };
  expect(read()).toEqual({ probe: true });
  expect(read("--no-cache", "--no-probe")).toEqual({ cache: false, probe: false });
  expect(
    read(
      "--model",
      "m",
      "--base-url",
      "http://h/v1",
      "--api-key-env",
      "K",
      "--concurrency",
      "8",
      "--retries",
      "0",
      "--cache",
      "c",
    ),
  ).toEqual({ model: "m", baseUrl: "http://h/v1", apiKeyEnv: "K", concurrency: 8, retries: 0, cache: "c", probe: true });
  expect(
    read("--reasoning-tags", "split", "--idle-seconds", "9", "--extra-body", "{}", "--prices", "p", "--threads", "2"),
  ).toEqual({
    reasoningTags: "split",
    idleSeconds: 9,
    extraBody: "{}",
    prices: "p",
    threads: 2,
    probe: true,
  });
  expect(() => read("--concurrency", "0")).toThrow();
  expect(() => read("--reasoning-tags", "lose")).toThrow();
});
