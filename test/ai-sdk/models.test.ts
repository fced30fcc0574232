/** AI SDK models as models of ours and back, over a real HTTP server and over the shipped checkpoint. */
import { APICallError, type LanguageModelV4, type LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { generateText, streamText, wrapLanguageModel } from "ai";
import { MockLanguageModelV3 } from "ai/test";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { remoteError, userError } from "#kernel/errors.ts";
import type { CompletionDelta, GenerateOptions, Message } from "#kernel/model.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { selfRefine } from "#methods/refinement/self-refine.ts";
import { selfConsistency } from "#methods/sampling/self-consistency.ts";
import { fromAiSdk } from "#models/ai-sdk/from-ai-sdk.ts";
import { LiveAnswer } from "#models/ai-sdk/live.ts";
import { messagesOf, promptOf } from "#models/ai-sdk/prompt.ts";
import { refine } from "#models/ai-sdk/refine.ts";
import { toAiSdk } from "#models/ai-sdk/to-ai-sdk.ts";
import { usageOf } from "#models/ai-sdk/usage.ts";
import { EmbeddedModel } from "#models/embedded.ts";
import { FakeModel } from "#models/fake.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import type { PlayedRequest } from "../support/model-server.ts";
import { type ChatServer, chatServer, type ScriptedReply } from "./chat-server.ts";

(globalThis as { AI_SDK_LOG_WARNINGS?: boolean }).AI_SDK_LOG_WARNINGS = false;

let server: ChatServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function serve(reply: (request: PlayedRequest, number: number) => ScriptedReply): Promise<ChatServer> {
  server = await chatServer(reply);
  return server;
}

const question: Message[] = [{ role: "user", content: "What is it?" }];
const plain: GenerateOptions = { n: 1, temperature: 0.5, maxTokens: 20, seed: 3 };

describe("fromAiSdk", () => {
  it("sends the conversation and its options, and reads text, reasoning, usage and finish reason", async () => {
    const { model, chats } = await serve(() => ({
      content: "42",
      reasoning: "hm",
      finishReason: "length",
      usage: {
        prompt_tokens: 10,
        completion_tokens: 5,
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
    }));
    const ours = fromAiSdk(model, { stopSequences: ["Z"], headers: { "x-team": "blue" } });
    expect(ours.id).toBe("test-model");
    const [completion] = await ours.generate([{ role: "system", content: "Be brief." }, ...question], {
      ...plain,
      topP: 0.9,
      stop: ["END", ""],
    });
    expect(completion).toEqual({
      text: "42",
      reasoning: "hm",
      finishReason: "length",
      usage: {
        calls: 1,
        inputTokens: 10,
        outputTokens: 5,
        cachedInputTokens: 4,
        reasoningTokens: 2,
        reasoningCount: { inside: 0, beside: 0, untold: 1, untoldTokens: 2, addedTokens: 0 },
        milliseconds: expect.any(Number),
      },
    });
    expect(chats()[0]?.headers["x-team"]).toBe("blue");
    expect(chats()[0]?.body).toMatchObject({
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "What is it?" },
      ],
      temperature: 0.5,
      max_tokens: 20,
      top_p: 0.9,
      stop: ["Z", "END"],
      seed: deriveSeed(3, 0) & 0x7fffffff,
    });
  });

  it("makes n calls with a seed each; a failed one among them is a completion that says so", async () => {
    const { model, chats } = await serve((_, number) => (number === 1 ? { status: 400 } : { content: "fine" }));
    const completions = await fromAiSdk(model).generate(question, { ...plain, n: 3 });
    expect(completions.map(({ finishReason }) => finishReason).toSorted()).toEqual(["error", "stop", "stop"]);
    expect(
      chats()
        .map(({ body }) => body?.seed as number)
        .toSorted(),
    ).toEqual([0, 1, 2].map((sample) => deriveSeed(3, sample) & 0x7fffffff).toSorted());
    // Refused before it was worked on: free.
    expect(completions.find(({ finishReason }) => finishReason === "error")?.usage.outputTokens).toBe(0);
  });

  it("tells pieces while they arrive, and gives the whole at the end", async () => {
    const { model } = await serve(() => ({ content: "The answer is 42.", reasoning: "six times seven" }));
    const deltas: CompletionDelta[] = [];
    const [completion] = await fromAiSdk(model).generate(question, { ...plain, onDelta: (delta) => deltas.push(delta) });
    expect(deltas.map(({ text }) => text ?? "").join("")).toBe("The answer is 42.");
    expect(deltas.map(({ reasoning }) => reasoning ?? "").join("")).toBe("six times seven");
    expect(deltas.length).toBeGreaterThan(4);
    expect(completion).toMatchObject({
      text: "The answer is 42.",
      reasoning: "six times seven",
      finishReason: "stop",
      usage: { inputTokens: 10 },
    });
  });

  it("gives a tool request as it is, streamed or not", async () => {
    const { model } = await serve(() => ({ toolCalls: [{ id: "c1", name: "look", arguments: "{}" }] }));
    for (const onDelta of [undefined, () => {}]) {
      const [completion] = await fromAiSdk(model).generate(question, { ...plain, onDelta });
      expect(completion?.finishReason).toBe("tool-calls");
      expect(completion?.parts).toContainEqual({ type: "tool-call", toolCallId: "c1", toolName: "look", input: "{}" });
    }
  });

  it("says what failed: status, waiting time, whether it was free", async () => {
    const { model } = await serve((_, number) =>
      number === 0 ? { status: 429, headers: { "retry-after": "7" } } : { status: [500, 401, 404][number - 1] },
    );
    const ours = fromAiSdk(model);
    await expect(ours.generate(question, plain)).rejects.toMatchObject({
      family: "remote",
      code: "too-many-requests",
      remote: { status: 429, retryAfterSeconds: 7, costsNothing: true },
    });
    await expect(ours.generate(question, plain)).rejects.toMatchObject({
      family: "remote",
      code: "server-failed",
      remote: { status: 500 },
    });
    await expect(ours.generate(question, plain)).rejects.toMatchObject({ family: "user", code: "not-authorised" });
    await expect(ours.generate(question, plain)).rejects.toMatchObject({ family: "user", code: "model-unknown" });
  });

  it("reports a stream that breaks after its first piece as broken midway", async () => {
    const { model } = await serve(() => ({ content: "half", hangs: true }));
    const asked = fromAiSdk(model).generate(question, { ...plain, onDelta: () => void server?.close() });
    await expect(asked).rejects.toMatchObject({ family: "remote", code: "stream-broken-midway" });
  });

  it("ends on abort with the signal's reason", async () => {
    const { model } = await serve(() => ({ content: "half", hangs: true }));
    for (const onDelta of [undefined, () => {}]) {
      const abort = new AbortController();
      const asked = fromAiSdk(model).generate(question, { ...plain, signal: abort.signal, onDelta });
      abort.abort(new Error("enough"));
      await expect(asked).rejects.toThrow("enough");
    }
  });

  it("refuses model names and older models, and takes those once they are wrapped", async () => {
    expect(() => fromAiSdk("openai/gpt" as unknown as LanguageModelV4)).toThrow("the name “openai/gpt”");
    const older = new MockLanguageModelV3({
      doGenerate: {
        content: [{ type: "text", text: "old but good" }],
        finishReason: { unified: "stop", raw: "stop" },
        usage: {
          inputTokens: { total: 3, noCache: 3, cacheRead: undefined, cacheWrite: undefined },
          outputTokens: { total: 4, text: 4, reasoning: undefined },
        },
        warnings: [],
      },
    });
    expect(() => fromAiSdk(older as unknown as LanguageModelV4)).toThrow("specification v3");
    const wrapped = wrapLanguageModel({ model: older, middleware: [] });
    const [completion] = await fromAiSdk(wrapped).generate(question, plain);
    expect(completion).toMatchObject({ text: "old but good", usage: { inputTokens: 3, outputTokens: 4 } });
  });

  it("counts reasoning as sampled, whether the server tells it inside of the completion or beside it", async () => {
    const told = (prompt: number, completion: number, reasoning: number, total?: number) => ({
      prompt_tokens: prompt,
      completion_tokens: completion,
      completion_tokens_details: { reasoning_tokens: reasoning },
      ...(total === undefined ? {} : { total_tokens: total }),
    });
    const sampled = async (...usages: Record<string, unknown>[]) => {
      const { model } = await serve((_, number) => ({ content: "42", usage: usages[number] }));
      const ours = fromAiSdk(model);
      const read: (number | undefined)[] = [];
      for (const _ of usages) read.push((await ours.generate(question, plain))[0].usage.outputTokens);
      await server?.close();
      return read;
    };
    expect(await sampled(told(10, 2, 400, 412))).toEqual([402]);
    expect(await sampled(told(10, 500, 400, 910))).toEqual([900]);
    expect(await sampled(told(10, 500, 400, 510))).toEqual([500]);
    expect(await sampled(told(10, 2, 400), told(10, 500, 400))).toEqual([402, 900]);
  });

  it("hands top-k to the provider, and says where that takes none", async () => {
    const { model } = await serve(() => ({ content: "42" }));
    const [completion] = await fromAiSdk(model).generate(question, { ...plain, topK: 7 });
    expect(completion.notHonoured).toEqual([{ field: "top_k", asked: 7, why: "the provider does not support it" }]);
    const fake = new FakeModel(["fine"]);
    const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "?" }] }];
    expect((await toAiSdk(fake).doGenerate({ prompt, topK: 3 })).warnings).toEqual([]);
    expect(fake.calls[0].options).toMatchObject({ topK: 3 });
  });

  it("says of each setting that a provider does not heed that it was asked and not honoured", async () => {
    const warnings = [
      { type: "unsupported" as const, feature: "temperature", details: "reasoning models have none" },
      { type: "unsupported" as const, feature: "seed" },
      { type: "unsupported" as const, feature: "topK" },
      { type: "other" as const, message: "temperature" },
    ];
    const { model } = await serve(() => ({ content: "42" }));
    const warning = Object.assign(Object.create(model), {
      doGenerate: async (call: Parameters<typeof model.doGenerate>[0]) => ({ ...(await model.doGenerate(call)), warnings }),
    }) as typeof model;
    expect((await fromAiSdk(warning).generate(question, plain))[0].notHonoured).toEqual([
      { field: "temperature", asked: 0.5, why: "the provider does not support it: reasoning models have none" },
      { field: "seed", why: "the provider does not support it" },
    ]);
    expect((await fromAiSdk(model).generate(question, plain))[0]).not.toHaveProperty("notHonoured");
  });

  it("does not take a count of 0 for known where there must have been tokens", () => {
    const zero = {
      inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: undefined },
      outputTokens: { total: 0, text: 0, reasoning: 0 },
    };
    expect(usageOf(zero, true, 1)).toEqual({ calls: 1, inputTokens: undefined, outputTokens: undefined, milliseconds: 1 });
    expect(usageOf(zero, false, 1)).toMatchObject({ inputTokens: undefined, outputTokens: 0 });
  });
});

describe("messages", () => {
  const image = { type: "file", data: { type: "data", data: "AAAA" }, mediaType: "image/png" } as const;

  it("come back as they went in, originals where there is more than text", () => {
    const prompt = [
      { role: "system" as const, content: "Be brief." },
      { role: "user" as const, content: [{ type: "text" as const, text: "one" }, image, { type: "text" as const, text: "two" }] },
      {
        role: "assistant" as const,
        content: [
          { type: "reasoning" as const, text: "hm", providerOptions: { some: { signature: "s" } } },
          { type: "text" as const, text: "three" },
          { type: "tool-call" as const, toolCallId: "c", toolName: "t", input: { a: 1 } },
        ],
      },
      {
        role: "tool" as const,
        content: [
          { type: "tool-result" as const, toolCallId: "c", toolName: "t", output: { type: "json" as const, value: [1] } },
        ],
      },
      { role: "user" as const, content: [{ type: "text" as const, text: "four" }] },
    ];
    const messages = messagesOf(prompt);
    expect(messages.map(({ content }) => content)).toEqual(["Be brief.", "one\ntwo", "three", "[1]", "four"]);
    expect(messages[4]).toEqual({ role: "user", content: "four" });
    expect(promptOf(messages)).toEqual(prompt);
  });

  it("keep the image when the words are changed", () => {
    const [message] = messagesOf([
      { role: "user", content: [{ type: "text", text: "one" }, image, { type: "text", text: "two" }] },
    ]);
    expect(promptOf([{ ...message!, content: "other words" }])).toEqual([
      { role: "user", content: [{ type: "text", text: "other words" }, image] },
    ]);
  });

  it("lose the progress that was told to the reader", () => {
    const [message] = messagesOf([
      {
        role: "assistant",
        content: [
          { type: "reasoning", text: "Attempt 1", providerOptions: { midcourse: { progress: true } } },
          { type: "text", text: "42" },
        ],
      },
    ]);
    expect(message).toEqual({ role: "assistant", content: "42" });
  });

  it("of a form that the SDK does not have are refused", () => {
    expect(() => promptOf([{ role: "user", content: "", parts: [{ type: "image_url" }] }])).toThrow("AI SDK's form");
    expect(() => promptOf([{ role: "tool", content: "42" }])).toThrow("as text alone");
    expect(() => promptOf([])).toThrow("at least one message");
  });
});

describe("LiveAnswer", () => {
  const fragment = fc.constantFrom(
    "<think>",
    "</think>",
    "<answer>",
    "</answer>",
    "<refine>",
    "</refine>",
    "7",
    " ",
    "\n",
    "a<b",
    "<thin",
  );

  it("tells the whole answer and nothing else where the format holds or no tag is used, however the text is split", () => {
    fc.assert(
      fc.property(
        fc.array(fragment, { maxLength: 12 }),
        fc.array(fc.nat(8), { maxLength: 30 }),
        fc.constantFrom("whole", "tagged"),
        (fragments, sizes, mode) => {
          const text = fragments.join("");
          const parsed = parseRefine(text);
          const live = new LiveAnswer(mode as "whole" | "tagged");
          let told = "";
          for (let at = 0, turn = 0; at < text.length; turn++) {
            const size = 1 + (sizes[turn % Math.max(1, sizes.length)] ?? 0);
            told += live.push(text.slice(at, at + size)).text;
            at += size;
          }
          told += live.flush().text;
          const isClear = parsed.ok || !/<\/?(think|refine|answer)>/.test(text);
          const whole = told + live.rest(parsed.answerText);
          if (isClear) expect(whole).toBe(parsed.answerText);
          else expect(whole.endsWith(parsed.answerText)).toBe(true);
        },
      ),
      { numRuns: 2000, seed: 1 },
    );
  });
});

describe("toAiSdk", () => {
  it("answers generateText and streamText with a model's text, reasoning and usage", async () => {
    const fake = new FakeModel(() => ({ text: "four words it has", reasoning: "hm" }));
    const model = toAiSdk(fake);
    const result = await generateText({ model, prompt: "two words", temperature: 0.25, seed: 9, stopSequences: ["END"] });
    expect(result).toMatchObject({
      text: "four words it has",
      reasoningText: "hm",
      finishReason: "stop",
      usage: { inputTokens: 2, outputTokens: 4 },
    });
    expect(fake.calls[0]?.options).toMatchObject({ n: 1, temperature: 0.25, seed: 9, stop: ["END"], maxTokens: 1024 });
    const streamed = streamText({ model, prompt: "two words" });
    expect(await streamed.text).toBe("four words it has");
    expect(await streamed.reasoningText).toBe("hm");
    expect((await streamed.usage).outputTokens).toBe(4);
  });

  it("warns of settings that have no place, and fails with errors that say whether to try again", async () => {
    const fake = new FakeModel(() => remoteError("too-many-requests", "later", { status: 429, retryAfterSeconds: 2 }));
    const model = toAiSdk(fake);
    const call = { prompt: [{ role: "user" as const, content: [{ type: "text" as const, text: "?" }] }] };
    const failure = await Promise.resolve(model.doGenerate(call)).catch((error: unknown) => error);
    expect(APICallError.isInstance(failure) && [failure.statusCode, failure.isRetryable, failure.responseHeaders]).toEqual([
      429,
      true,
      { "retry-after": "2" },
    ]);
    const parts: LanguageModelV4StreamPart[] = [];
    for await (const part of (await model.doStream(call)).stream) parts.push(part);
    expect(parts.map(({ type }) => type)).toEqual(["stream-start", "error"]);
    const mine = toAiSdk(new FakeModel(() => userError("context-exceeded", "too long")));
    await expect(generateText({ model: mine, prompt: "?" })).rejects.toMatchObject({ code: "context-exceeded" });
    const { warnings } = await toAiSdk(new FakeModel(["fine"])).doGenerate({
      ...call,
      responseFormat: { type: "json" },
    });
    expect(warnings).toEqual([{ type: "unsupported", feature: "responseFormat" }]);
  });
});

describe("the shipped model under the SDK", () => {
  let engine: EmbeddedEngine;
  let model: EmbeddedModel;
  beforeAll(async () => {
    engine = await EmbeddedEngine.open({ folder: "models/base", threads: 1 });
    model = new EmbeddedModel(engine, await Tokenizer.load("models/base"), { id: "shipped" });
  });
  afterAll(async () => {
    await engine.close();
  });

  it("answers the same with and without the SDK between, and votes over samples that differ", async () => {
    const prompt = "(6+3)*7-4";
    const greedy = { n: 1, temperature: 0, maxTokens: 80, seed: 1 };
    const [direct] = await model.generate([{ role: "user", content: prompt }], greedy);
    const [through] = await fromAiSdk(toAiSdk(model)).generate([{ role: "user", content: prompt }], greedy);
    expect(through?.text).toBe(direct?.text);
    expect(through?.usage).toMatchObject({ inputTokens: direct?.usage.inputTokens, outputTokens: direct?.usage.outputTokens });
    const voting = refine(toAiSdk(model, { maxTokens: 80 }), selfConsistency({ samples: 4, temperature: 0.9 }), { seed: 5 });
    const first = await generateText({ model: voting, prompt });
    const again = await generateText({ model: voting, prompt });
    expect(first.text).toBe(again.text);
    expect(first.providerMetadata?.midcourse?.calls).toBe(4);
    expect(first.usage.inputTokens).toBe(4 * (direct?.usage.inputTokens ?? 0));
    const drafts = first.reasoning.map((part) => (part.type === "reasoning" ? part.text : "")).slice(0, 4);
    expect(drafts.filter((draft) => draft.length > 10).length).toBeGreaterThan(2);
  });

  it("streams a refined answer", async () => {
    const refined = refine(toAiSdk(model, { maxTokens: 80 }), selfRefine({ rounds: 1 }), { seed: 5, temperature: 0 });
    const result = streamText({ model: refined, prompt: "(6+3)*7-4" });
    expect((await result.text).length).toBeGreaterThan(0);
    expect((await result.finalStep).providerMetadata?.midcourse).toMatchObject({ method: "self-refine-1", seed: 5 });
  });
});
