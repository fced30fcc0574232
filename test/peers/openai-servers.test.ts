/**
 * The client of OpenAI-compatible servers against servers that are not ours, with the shipped checkpoint behind both sides: `transformers serve`
 * and llama.cpp. Greedy text has to be the embedded engine's, word for word. MIDCOURSE_PYTHON names a Python with transformers[serving], gguf
 * and safetensors, MIDCOURSE_LLAMA_PYTHON one with llama-cpp-python[server]; skips with the reason where one is missing.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";
import { afterAll, describe, expect, it } from "vitest";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { HttpConnections } from "#http/connections.ts";
import type { CompletionDelta, GenerateOptions, Message, Model } from "#kernel/model.ts";
import type { Method, Outcome } from "#kernel/trace.ts";
import { selfConsistency } from "#methods/sampling/self-consistency.ts";
import { refine } from "#models/ai-sdk/refine.ts";
import { EmbeddedModel } from "#models/embedded.ts";
import { OpenAiModel } from "#models/openai/openai.ts";
import { probeServer, type ServerProfile } from "#models/openai/server-probe.ts";
import { askWorld, plainMethod, refiningMethod, untrainedMethods } from "#recipes/shared/world-methods.ts";
import { worldStream } from "#tasks/world/items.ts";
import { worldPrompts } from "#tasks/world/solutions.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { llamaServer, type PeerServer, transformersServer } from "./openai-servers.ts";

const checkpoint = path.resolve(import.meta.dirname, "../../models/base");
const folder = await mkdtemp(path.join(tmpdir(), "midcourse-servers-"));
const transformers = await transformersServer(checkpoint, folder);
const llama = await llamaServer(checkpoint, folder);
const connections = new HttpConnections();
const engine = await EmbeddedEngine.open({ folder: checkpoint, threads: 1 });
const embedded = new EmbeddedModel(engine, await Tokenizer.load(checkpoint));

afterAll(async () => {
  connections.close();
  await engine.close();
  await transformers?.stop();
  await llama?.stop();
  await rm(folder, { recursive: true, force: true });
});

const greedy: GenerateOptions = { n: 1, temperature: 0, maxTokens: 120, seed: 1 };
const stream = worldStream({ split: "test", seed: 11 });
const items = Array.from({ length: 12 }, () => stream.next().value!);

async function open(
  server: PeerServer,
  change: Partial<{ model: string }> = {},
): Promise<{ model: OpenAiModel; profile: ServerProfile }> {
  const address = { baseUrl: server.baseUrl };
  const model = change.model ?? server.model;
  const profile = await probeServer({ model: server.model, address, connections });
  return { model: new OpenAiModel({ model, address, connections, quirks: profile.quirks, ...extra(server) }), profile };
}

const extra = ({ extraBody }: PeerServer) => (extraBody ? { extraBody } : {});

async function runMethod(method: Method, model: Model, messages: Message[]): Promise<Outcome> {
  const running = method.run({ model, messages, temperature: 0, maxTokens: 120, seed: 3 });
  for (;;) {
    const step = await running.next();
    if (step.done) return step.value;
  }
}

/** `stop` ids are tokens to transformers and to us, and none to llama.cpp. */
function sharedChecks(server: PeerServer, countsStopToken: boolean): void {
  it("answers greedily what the embedded engine answers, and reads as many tokens", async () => {
    const { model } = await open(server);
    for (const item of items) {
      for (const prompt of [worldPrompts.plain, worldPrompts.refine]) {
        const messages: Message[] = [{ role: "system", content: prompt }, ...askWorld(item)];
        const [theirs] = await model.generate(messages, greedy);
        const [ours] = await embedded.generate(messages, greedy);
        expect(theirs?.text).toBe(ours?.text);
        expect(theirs?.finishReason).toBe(ours?.finishReason);
        expect(theirs?.usage.inputTokens).toBe(ours?.usage.inputTokens);
        const stopToken = ours?.finishReason === "stop" && !countsStopToken ? 1 : 0;
        expect(theirs?.usage.outputTokens).toBe((ours?.usage.outputTokens ?? 0) - stopToken);
      }
    }
  });

  it("gives whole methods the same answers: plain, refining, Self-Refine with its growing conversation", async () => {
    const { model } = await open(server);
    const methods = [
      plainMethod("vanilla"),
      refiningMethod("pasr"),
      ...untrainedMethods().filter(({ id }) => id === "self-refine-3"),
    ];
    expect(methods).toHaveLength(3);
    for (const method of methods) {
      for (const item of items.slice(0, 4)) {
        const theirs = await runMethod(method, model, askWorld(item));
        const ours = await runMethod(method, embedded, askWorld(item));
        expect([theirs.reason, theirs.text]).toEqual([ours.reason, ours.text]);
        expect(theirs.usage.calls).toBe(ours.usage.calls);
        expect(theirs.usage.inputTokens).toBe(ours.usage.inputTokens);
      }
    }
  });

  it("streams the same text in pieces", async () => {
    const { model } = await open(server);
    const deltas: CompletionDelta[] = [];
    const [whole] = await model.generate(askWorld(items[0]), greedy);
    const [streamed] = await model.generate(askWorld(items[0]), { ...greedy, onDelta: (delta) => deltas.push(delta) });
    expect(deltas.length).toBeGreaterThan(5);
    expect(deltas.map(({ text }) => text).join("")).toBe(whole?.text);
    expect(streamed?.text).toBe(whole?.text);
    expect(streamed?.finishReason).toBe("stop");
  });

  it("ends at the token limit, and before a stop text", async () => {
    const { model } = await open(server);
    const [short] = await model.generate(askWorld(items[0]), { ...greedy, maxTokens: 5 });
    expect(short).toMatchObject({ finishReason: "length", usage: { outputTokens: 5 } });
    const [stopped] = await model.generate(askWorld(items[0]), { ...greedy, stop: ["</think>"] });
    const [ours] = await embedded.generate(askWorld(items[0]), { ...greedy, stop: ["</think>"] });
    expect(stopped?.text).toBe(ours?.text);
    expect(stopped?.text).not.toContain("</think>");
    expect(stopped?.finishReason).toBe("stop");
  });

  it("gives the same sample for the same seed, and others for others", async () => {
    const { model } = await open(server);
    const hot: GenerateOptions = { n: 6, temperature: 2, maxTokens: 60, seed: 4 };
    // One after another: the seed of transformers serve is one for the whole process.
    const sample = async (seed: number) => (await model.generate(askWorld(items[1]), { ...hot, n: 1, seed }))[0]?.text;
    const first = [await sample(1), await sample(2), await sample(3), await sample(4)];
    expect([await sample(1), await sample(2), await sample(3), await sample(4)]).toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(1);
    const many = await model.generate(askWorld(items[1]), hot);
    expect(many).toHaveLength(6);
    expect(new Set(many.map(({ text }) => text)).size).toBeGreaterThan(1);
    expect(many.every(({ usage }) => usage.calls === 1)).toBe(true);
  });

  it("stops on abort, and answers the next call", async () => {
    const { model } = await open(server);
    const abort = new AbortController();
    const asked = model.generate(askWorld(items[0]), {
      ...greedy,
      maxTokens: 900,
      temperature: 2,
      signal: abort.signal,
      onDelta: () => abort.abort(new Error("enough")),
    });
    await expect(asked).rejects.toThrow("enough");
    expect((await model.generate(askWorld(items[0]), greedy))[0]?.finishReason).toBe("stop");
  });

  it("serves a refined model of the AI SDK", async () => {
    const provider = createOpenAICompatible({
      name: "peer",
      baseURL: server.baseUrl,
      transformRequestBody: (body) => ({ ...body, ...server.extraBody }),
    });
    const refined = refine(provider(server.model), selfConsistency({ samples: 3, instruction: worldPrompts.plain }), {
      seed: 1,
      temperature: 0,
    });
    const ours = await runMethod(plainMethod("vanilla"), embedded, askWorld(items[0]));
    const { text, providerMetadata } = await generateText({ model: refined, prompt: items[0].question });
    expect(text).toBe(ours.answer);
    expect(providerMetadata?.midcourse?.calls).toBe(3);
    const streamed = streamText({
      model: refine(provider(server.model), refiningMethod("pasr"), { seed: 1, temperature: 0 }),
      prompt: items[0].question,
    });
    const refining = await runMethod(refiningMethod("pasr"), embedded, askWorld(items[0]));
    expect(await streamed.text).toBe(refining.answer);
  });
}

describe.skipIf(!transformers)("transformers serve", () => {
  const server = transformers!;
  sharedChecks(server, true);

  it("is recognised, and its row needs no test requests", async () => {
    const { profile } = await open(server);
    expect(profile).toMatchObject({
      kind: "transformers",
      probed: [],
      quirks: { samples: "one", prefill: "refused", logprobs: "absent" },
    });
  });

  it("tells usage in streams unasked", async () => {
    const { model } = await open(server);
    const [streamed] = await model.generate(askWorld(items[0]), { ...greedy, onDelta: () => {} });
    const [whole] = await model.generate(askWorld(items[0]), greedy);
    expect(streamed?.usage).toMatchObject({ inputTokens: whole?.usage.inputTokens, outputTokens: whole?.usage.outputTokens });
  });

  it("names its model when asked for another, and what it does not take", async () => {
    const { model } = await open(server, { model: "other/model" });
    await expect(model.generate(askWorld(items[0]), greedy)).rejects.toMatchObject({
      family: "user",
      code: "model-unknown",
      message: expect.stringContaining(server.model),
    });
    const address = { baseUrl: server.baseUrl };
    const { quirks } = (await open(server)).profile;
    const odd = new OpenAiModel({ model: server.model, address, connections, quirks, extraBody: { top_k: 3 } });
    await expect(odd.generate(askWorld(items[0]), greedy)).rejects.toMatchObject({
      family: "remote",
      code: "request-refused",
      remote: { status: 422 },
    });
  });

  it("shows a failure inside the server as one that may be tried again", async () => {
    const address = { baseUrl: server.baseUrl };
    const { quirks } = (await open(server)).profile;
    const odd = new OpenAiModel({ model: server.model, address, connections, quirks, extraBody: { temperature: "warm" } });
    await expect(odd.generate(askWorld(items[0]), greedy)).rejects.toMatchObject({
      family: "remote",
      code: "server-failed",
      remote: { status: 500 },
    });
  });
});

describe.skipIf(!llama)("llama.cpp", () => {
  const server = llama!;
  sharedChecks(server, false);

  it("is unknown by its looks, and test requests find out what it takes", async () => {
    const { profile } = await open(server);
    expect(profile.kind).toBe("other");
    expect(profile.probed).toHaveLength(6);
    expect(profile.quirks).toMatchObject({
      maxTokens: "max_tokens",
      samples: "one",
      temperature: "sent",
      logprobs: "given",
      prefill: "refused",
    });
  });

  it("does not tell usage in streams, and we do not make it up", async () => {
    const { model } = await open(server);
    const [streamed] = await model.generate(askWorld(items[0]), { ...greedy, onDelta: () => {} });
    expect(streamed?.usage).toMatchObject({ calls: 1, inputTokens: undefined, outputTokens: undefined });
  });

  it("gives log-probabilities that are the embedded engine's", async () => {
    const { model } = await open(server);
    const [theirs] = await model.generate(askWorld(items[0]), { ...greedy, topLogprobs: 0 });
    const tokenizer = await Tokenizer.load(checkpoint);
    const prompt = tokenizer.encodeConversation(askWorld(items[0]), { addGenerationPrompt: true });
    const answer = tokenizer.encode(theirs!.text);
    const [scored] = await engine.logprobs([{ ids: [...prompt, ...answer], start: prompt.length }]);
    expect(theirs?.logprobs).toHaveLength(answer.length);
    for (const [index, { logprob }] of (theirs?.logprobs ?? []).entries()) expect(logprob).toBeCloseTo(scored![index], 3);
  });

  it("says when a conversation is too long", async () => {
    const { model } = await open(server);
    const long: Message[] = [{ role: "user", content: "7 ".repeat(3000) }];
    await expect(model.generate(long, greedy)).rejects.toMatchObject({ family: "user", code: "context-exceeded" });
  });
});
