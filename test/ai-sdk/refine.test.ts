/** `refine(model, method)` under the AI SDK's own generateText and streamText, over its own provider and a real HTTP server. */
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { generateText, isStepCount, Output, streamText, tool } from "ai";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { pasrFormat } from "#methods/plain/pasr-format.ts";
import { vanilla } from "#methods/plain/vanilla.ts";
import { selfRefine } from "#methods/refinement/self-refine.ts";
import { bestOfN } from "#methods/sampling/best-of-n.ts";
import { selfConsistency } from "#methods/sampling/self-consistency.ts";
import { type RefineOptions, refine } from "#models/ai-sdk/refine.ts";
import type { PlayedRequest } from "../support/model-server.ts";
import { type ChatServer, chatServer, lastText, type ScriptedReply } from "./chat-server.ts";

/** The SDK prints warnings of its own accord; here they are looked at. */
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

/** The same model, with the abort signals of its calls in the order they were made. */
function watched(model: LanguageModelV4): { model: LanguageModelV4; signals: (AbortSignal | undefined)[] } {
  const signals: (AbortSignal | undefined)[] = [];
  const keep = (call: LanguageModelV4CallOptions) => {
    signals.push(call.abortSignal);
    return call;
  };
  return {
    signals,
    model: {
      specificationVersion: "v4",
      provider: model.provider,
      modelId: model.modelId,
      supportedUrls: model.supportedUrls,
      doGenerate: (call) => model.doGenerate(keep(call)),
      doStream: (call) => model.doStream(keep(call)),
    },
  };
}

/** Draft, feedback, revision: known by what the method asks. */
const refineScript = (request: PlayedRequest): ScriptedReply => {
  const asked = lastText(request);
  if (asked.startsWith("Review the answer")) return { content: "Step 1 is wrong. 3/10" };
  if (asked.startsWith("Write the improved")) return { content: "The revised answer is 42." };
  return { content: "The draft says 41." };
};

const settings: RefineOptions = { seed: 7 };

describe("generateText", () => {
  it("gives the revised answer as text, the progress as reasoning, and the sum of the inner calls as usage", async () => {
    const { model, chats } = await serve(refineScript);
    const result = await generateText({ model: refine(model, selfRefine({ rounds: 1 }), settings), prompt: "What is it?" });
    expect(result.text).toBe("The revised answer is 42.");
    expect(chats()).toHaveLength(3);
    expect(result.usage).toMatchObject({ inputTokens: 30, outputTokens: 15, totalTokens: 45 });
    expect(result.finishReason).toBe("stop");
    expect(result.reasoning.map((part) => (part.type === "reasoning" ? part.text.replace(/\n\n$/, "") : ""))).toEqual([
      "Attempt 1\n\nThe draft says 41.",
      "Feedback on attempt 1\n\nStep 1 is wrong. 3/10",
      "Attempt 2",
      "Attempt 2 is the answer: last answer; all rounds done",
    ]);
    expect(result.providerMetadata?.midcourse).toMatchObject({
      method: "self-refine-1",
      reason: "done",
      calls: 3,
      seed: 7,
      usage: { inputTokens: 30, outputTokens: 15 },
      events: [
        { type: "attempt-end", attempt: 0, usage: { inputTokens: 10, outputTokens: 5 } },
        { type: "feedback-end", attempt: 0 },
        { type: "attempt-end", attempt: 1 },
        { type: "choice-end", attempt: 1 },
      ],
    });
  });

  it("sends the request's own settings with every inner call, and no temperature or limit that nobody named", async () => {
    const { model, chats } = await serve(refineScript);
    const refined = refine(model, selfRefine({ rounds: 1 }), settings);
    await generateText({ model: refined, prompt: "What is it?", headers: { "x-team": "blue" } });
    for (const { body, headers } of chats()) {
      expect(headers["x-team"]).toBe("blue");
      expect(body).not.toHaveProperty("temperature");
      expect(body).not.toHaveProperty("max_tokens");
    }
    await generateText({
      model: refined,
      prompt: "What is it?",
      temperature: 1,
      topP: 0.5,
      maxOutputTokens: 99,
      stopSequences: ["END"],
      presencePenalty: 0.25,
      providerOptions: { loopback: { flavour: "mint" } },
    });
    for (const { body } of chats().slice(3)) {
      expect(body).toMatchObject({
        temperature: 1,
        top_p: 0.5,
        max_tokens: 99,
        stop: ["END"],
        presence_penalty: 0.25,
        flavour: "mint",
      });
    }
    const seeds = chats().map(({ body }) => body?.seed);
    expect(new Set(seeds.slice(0, 3)).size).toBe(3);
    expect(seeds.slice(3)).toEqual(seeds.slice(0, 3));
    expect(seeds.every((seed) => Number.isInteger(seed) && (seed as number) >= 0 && (seed as number) < 2 ** 31)).toBe(true);
  });

  it("draws a seed where none is named, and tells it", async () => {
    const { model, chats } = await serve(() => ({ content: "fine" }));
    const told: unknown[] = [];
    for (let time = 0; time < 2; time++) {
      const { providerMetadata } = await generateText({ model: refine(model, vanilla()), prompt: "hello" });
      told.push(providerMetadata?.midcourse?.seed);
    }
    const again = await generateText({ model: refine(model, vanilla()), prompt: "hello", seed: told[0] as number });
    expect(told[0]).not.toBe(told[1]);
    expect(chats()[2]?.body?.seed).toBe(chats()[0]?.body?.seed);
    expect(again.providerMetadata?.midcourse?.seed).toBe(told[0]);
  });

  it("asks for the samples of a vote side by side, each with its own seed, and sums all of them", async () => {
    const { model, chats } = await serve((_, number) => ({ content: ["7", "8", "8"][number] }));
    const voting = refine(model, selfConsistency({ samples: 3, temperature: 0.7 }), settings);
    const { text, usage } = await generateText({ model: voting, prompt: "Count.", maxRetries: 0 });
    expect(text).toBe("8");
    expect(usage.totalTokens).toBe(45);
    expect(new Set(chats().map(({ body }) => body?.seed)).size).toBe(3);
    expect(chats().every(({ body }) => body?.temperature === 0.7)).toBe(true);
  });

  it("leaves usage that the server does not tell unknown", async () => {
    const { model } = await serve((request, number) =>
      number === 1 ? { ...refineScript(request), usage: null } : refineScript(request),
    );
    const { usage } = await generateText({ model: refine(model, selfRefine({ rounds: 1 }), settings), prompt: "?" });
    expect(usage.inputTokens).toBeUndefined();
    expect(usage.outputTokens).toBeUndefined();
  });

  it("takes the tags of the answer format off and shows what was thought", async () => {
    const { model } = await serve(() => ({ content: "<think>6*7<refine>yes</refine></think><answer> 42 </answer>" }));
    const { text, reasoningText } = await generateText({ model: refine(model, pasrFormat(), settings), prompt: "?" });
    expect(text).toBe("42");
    expect(reasoningText).toBe("Attempt 1\n\n6*7<refine>yes</refine>\n\n");
  });

  it("shows no progress where that is switched off, and says when the answer was cut", async () => {
    const { model } = await serve((request) => ({ ...refineScript(request), finishReason: "length" }));
    const quiet = refine(model, selfRefine({ rounds: 1 }), { ...settings, showProgress: false });
    const { reasoning, finishReason } = await generateText({ model: quiet, prompt: "?" });
    expect(reasoning).toEqual([]);
    expect(finishReason).toBe("length");
  });

  it("a slip in the budget or in a method's options is refused where it is made", async () => {
    const { model } = await serve(refineScript);
    expect(() => refine(model, vanilla(), { budget: { token: 4000 } as object })).toThrow("budget has no option “token”");
    expect(() => refine(model, selfRefine({ rounds: -1 }))).toThrow("rounds=-1 is not a whole number");
  });

  it("stops at the budget with the best answer so far, and says so", async () => {
    const { model, chats } = await serve(refineScript);
    const capped = refine(model, selfRefine({ rounds: 3 }), { ...settings, budget: { calls: 2 } });
    const result = await generateText({ model: capped, prompt: "?" });
    expect(result.text).toBe("The draft says 41.");
    expect(chats()).toHaveLength(2);
    expect(result.finishReason).toBe("stop");
    expect(result.rawFinishReason).toBe("budget-exhausted");
    expect(result.warnings).toEqual([{ type: "other", message: "self-refine-3 stopped early: the budget was spent" }]);
    const none = refine(model, vanilla(), { budget: { calls: 0 } });
    await expect(generateText({ model: none, prompt: "?" })).rejects.toThrow("The budget allows vanilla no call");
  });

  it("keeps requests that run at once apart", async () => {
    const { model } = await serve((request) => {
      const { messages } = request.body as { messages: { content: string }[] };
      return { content: `${messages[0].content} / ${lastText(request).slice(0, 6)}` };
    });
    const shared = refine(model, selfRefine({ rounds: 1 }), { ...settings, budget: { calls: 3 } });
    const words = ["one", "two", "three", "four", "five"];
    const results = await Promise.all(words.map((prompt) => generateText({ model: shared, prompt })));
    expect(results.map(({ text }) => text)).toEqual(words.map((word) => `${word} / Write`));
    expect(results.map(({ usage }) => usage.totalTokens)).toEqual(words.map(() => 45));
  });

  it("gives structured output", async () => {
    const { model, chats } = await serve((_, number) => ({ content: JSON.stringify({ answer: [7, 8, 8][number] }) }));
    const { output } = await generateText({
      model: refine(model, selfConsistency({ samples: 3 }), settings),
      output: Output.object({ schema: z.object({ answer: z.number() }) }),
      prompt: "Count.",
    });
    expect(output).toEqual({ answer: 8 });
    for (const { body } of chats()) expect(body?.response_format).toMatchObject({ type: "json_schema" });
  });

  it("asks for the response format where an answer is written, and for words where feedback is", async () => {
    const { model, chats } = await serve((request) =>
      request.body?.response_format
        ? { content: JSON.stringify({ answer: lastText(request).startsWith("Write the improved") ? 42 : 41 }) }
        : { content: "41 is one too few. 3/10" },
    );
    const { output, reasoningText } = await generateText({
      model: refine(model, selfRefine({ rounds: 1 }), settings),
      output: Output.object({ schema: z.object({ answer: z.number() }) }),
      prompt: "Count.",
    });
    expect(output).toEqual({ answer: 42 });
    expect(reasoningText).toContain("41 is one too few.");
    expect(chats().map(({ body }) => body?.response_format !== undefined)).toEqual([true, false, true]);
  });

  it("a method that votes by comparing asks its judge for words, too", async () => {
    const { model, chats } = await serve((request, number) =>
      request.body?.response_format ? { content: JSON.stringify({ answer: number }) } : { content: "The better answer is B." },
    );
    await generateText({
      model: refine(model, bestOfN({ n: 2, select: "pairwise" }), settings),
      output: Output.object({ schema: z.object({ answer: z.number() }) }),
      prompt: "Count.",
    });
    const formed = chats().map(({ body }) => body?.response_format !== undefined);
    expect(formed.slice(0, 2)).toEqual([true, true]);
    expect(formed.slice(2)).toEqual(formed.slice(2).map(() => false));
    expect(formed.length).toBeGreaterThan(2);
  });
});

describe("tools and images", () => {
  const weather = tool({
    description: "The weather in a city",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => ({ city, degrees: 21 }),
  });
  const toolScript = (request: PlayedRequest): ScriptedReply => {
    const { messages } = request.body as { messages: { role: string; content: unknown }[] };
    const result = messages.find(({ role }) => role === "tool");
    if (!result) return { content: "Let me look.", toolCalls: [{ id: "call-1", name: "weather", arguments: '{"city":"Oslo"}' }] };
    const asked = lastText(request);
    if (asked.startsWith("Review")) return { content: "Name the city. 6/10" };
    if (asked.startsWith("Write")) return { content: "It is 21 degrees in Oslo." };
    return { content: "It is 21 degrees." };
  };

  it("runs the SDK's tool loop: the model asks, the SDK runs the tool, the answer is refined", async () => {
    const { model, chats } = await serve(toolScript);
    const result = await generateText({
      model: refine(model, selfRefine({ rounds: 1 }), settings),
      tools: { weather },
      stopWhen: isStepCount(5),
      prompt: "How warm is Oslo?",
    });
    expect(result.steps).toHaveLength(2);
    expect(result.steps[0]?.finishReason).toBe("tool-calls");
    expect(result.steps[0]?.toolCalls[0]).toMatchObject({ toolName: "weather", input: { city: "Oslo" } });
    expect(result.text).toBe("It is 21 degrees in Oslo.");
    expect(chats()).toHaveLength(4);
    for (const { body } of chats()) expect(body?.tools).toHaveLength(1);
    // Feedback is words about an answer and calls nothing.
    expect(chats().map(({ body }) => body?.tool_choice)).toEqual(["auto", "auto", "none", "auto"]);
    for (const { body } of chats().slice(1)) {
      const { messages } = body as { messages: { role: string; content: unknown; tool_call_id?: string }[] };
      expect(messages[1]).toMatchObject({ role: "assistant", content: "Let me look." });
      expect(messages[1]).not.toHaveProperty("reasoning_content");
      expect(messages[2]).toMatchObject({ role: "tool", tool_call_id: "call-1", content: '{"city":"Oslo","degrees":21}' });
    }
    expect(result.usage.totalTokens).toBe(60);
  });

  it("does the same in a stream", async () => {
    const { model } = await serve(toolScript);
    const result = streamText({
      model: refine(model, selfRefine({ rounds: 1 }), settings),
      tools: { weather },
      stopWhen: isStepCount(5),
      prompt: "How warm is Oslo?",
    });
    expect(await result.text).toBe("It is 21 degrees in Oslo.");
    expect(await result.steps).toHaveLength(2);
  });

  it("sends an image as it came, with every call", async () => {
    const { model, chats } = await serve(refineScript);
    const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    await generateText({
      model: refine(model, selfRefine({ rounds: 1, instruction: "Look well." }), settings),
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "What colour?" },
            { type: "file", data: pixel, mediaType: "image/png" },
          ],
        },
      ],
    });
    for (const { body } of chats()) {
      const { messages } = body as { messages: unknown[] };
      expect(messages[0]).toEqual({ role: "system", content: "Look well." });
      expect(messages[1]).toEqual({
        role: "user",
        content: [
          { type: "text", text: "What colour?" },
          { type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } },
        ],
      });
    }
  });
});

describe("streamText", () => {
  async function collect(stream: AsyncIterable<{ type: string }>): Promise<{ type: string; id?: string; text?: string }[]> {
    const parts: { type: string; id?: string; text?: string }[] = [];
    for await (const part of stream) parts.push(part);
    return parts;
  }

  it("tells drafts and feedback while they arrive as reasoning, then the answer as text, then summed usage", async () => {
    const { model } = await serve(refineScript);
    const result = streamText({ model: refine(model, selfRefine({ rounds: 1 }), settings), prompt: "?" });
    const parts = await collect(result.stream);
    const types = parts.map(({ type }) => type);
    expect(types.filter((type) => type === "reasoning-delta").length).toBeGreaterThan(15);
    expect(types.indexOf("text-start")).toBeGreaterThan(types.lastIndexOf("reasoning-end"));
    expect(await result.text).toBe("The revised answer is 42.");
    const blocks = (await result.reasoning).map((part) => (part.type === "reasoning" ? part.text.replace(/\n\n$/, "") : ""));
    // Each headline stands over what it heads, streamed or not.
    expect(blocks).toEqual([
      "Attempt 1\n\nThe draft says 41.",
      "Feedback on attempt 1\n\nStep 1 is wrong. 3/10",
      "Attempt 2\n\nThe revised answer is 42.",
      "Attempt 2 is the answer: last answer; all rounds done",
    ]);
    expect(await result.usage).toMatchObject({ inputTokens: 30, outputTokens: 15 });
    expect((await result.finalStep).providerMetadata?.midcourse).toMatchObject({ method: "self-refine-1", calls: 3 });
  });

  it("streams the answer of a method of one call as text, tags told apart", async () => {
    const { model } = await serve(() => ({
      content: "<think>6*7 <refine>is it?</refine> yes</think>\n<answer> The answer is 42. </answer>",
    }));
    const result = streamText({ model: refine(model, pasrFormat(), settings), prompt: "?" });
    const parts = await collect(result.stream);
    const deltas = parts.filter(({ type }) => type === "text-delta");
    expect(deltas.length).toBeGreaterThan(3);
    expect(deltas.map(({ text }) => text).join("")).toBe("The answer is 42.");
    expect(await result.reasoningText).toContain("6*7 is it? yes");
  });

  it("streams a plain answer as it comes", async () => {
    const { model } = await serve(() => ({ content: " a < b and so on.\n", reasoning: "hm" }));
    const result = streamText({ model: refine(model, vanilla(), settings), prompt: "?" });
    const parts = await collect(result.stream);
    expect(parts.filter(({ type }) => type === "text-delta").length).toBeGreaterThan(3);
    expect(await result.text).toBe("a < b and so on.");
    expect(await result.reasoningText).toBe("hm");
  });

  it("asks without a stream where nothing is told on the way", async () => {
    const { model, chats } = await serve(refineScript);
    const quiet = refine(model, selfRefine({ rounds: 1 }), { ...settings, showProgress: false });
    const result = streamText({ model: quiet, prompt: "?" });
    expect(await result.text).toBe("The revised answer is 42.");
    expect(await result.reasoning).toEqual([]);
    expect(chats().some(({ body }) => body?.stream)).toBe(false);
  });

  it("ends every block that it begins, with its own id", async () => {
    const { model } = await serve((_, number) => ({ content: `answer ${number}` }));
    const { stream } = await refine(model, selfConsistency({ samples: 3 }), settings).doStream({
      prompt: [{ role: "user", content: [{ type: "text", text: "?" }] }],
    });
    const parts: LanguageModelV4StreamPart[] = [];
    for await (const part of stream) parts.push(part);
    expect(parts[0]?.type).toBe("stream-start");
    expect(parts.at(-1)?.type).toBe("finish");
    const open = new Set<string>();
    let begun = 0;
    for (const part of parts) {
      if (part.type === "reasoning-start" || part.type === "text-start") {
        expect(open.has(part.id)).toBe(false);
        open.add(part.id);
        begun++;
      } else if (part.type === "reasoning-delta" || part.type === "text-delta") expect(open.has(part.id)).toBe(true);
      else if (part.type === "reasoning-end" || part.type === "text-end") expect(open.delete(part.id)).toBe(true);
    }
    expect(open.size).toBe(0);
    // Three calls, each under its headline; the choice; the answer.
    expect(begun).toBe(3 + 1 + 1);
  });
});

describe("failures", () => {
  it("lets the SDK try a request again that failed before there was anything", async () => {
    const { model, chats } = await serve((request, number) =>
      number === 0 ? { status: 429, headers: { "retry-after-ms": "1" } } : refineScript(request),
    );
    const refined = refine(model, selfRefine({ rounds: 1 }), settings);
    expect((await generateText({ model: refined, prompt: "?" })).text).toBe("The revised answer is 42.");
    expect(chats()).toHaveLength(4);
  });

  it("does so in a stream, too", async () => {
    const { model, chats } = await serve((request, number) =>
      number === 0 ? { status: 503, headers: { "retry-after-ms": "1" } } : refineScript(request),
    );
    const result = streamText({ model: refine(model, selfRefine({ rounds: 1 }), settings), prompt: "?" });
    expect(await result.text).toBe("The revised answer is 42.");
    expect(chats()).toHaveLength(4);
  });

  it("throws the provider's own error where no call answered", async () => {
    const { model } = await serve(() => ({ status: 401 }));
    const failing = generateText({ model: refine(model, vanilla(), settings), prompt: "?" });
    await expect(failing).rejects.toMatchObject({ name: "AI_APICallError", statusCode: 401, isRetryable: false });
  });

  it("asks without a seed where the server refuses one, refuses it once, and warns those who named one", async () => {
    for (const streamed of [false, true]) {
      const { model, chats, close } = await serve((request) =>
        request.body?.seed === undefined ? refineScript(request) : { status: 422, says: "Extra inputs are not permitted: seed" },
      );
      const refined = refine(model, selfRefine({ rounds: 1 }), { temperature: 0.7, maxTokens: 64 });
      const request = { model: refined, prompt: "?", maxRetries: 0 };
      const silent = streamed ? streamText(request) : await generateText(request);
      expect(await silent.text).toBe("The revised answer is 42.");
      expect((await silent.warnings) ?? []).toEqual([]);
      expect(chats()).toHaveLength(4);
      expect((await generateText({ ...request, seed: 3 })).warnings).toEqual([
        { type: "unsupported", feature: "seed", details: "Extra inputs are not permitted: seed" },
      ]);
      expect(chats().filter(({ body }) => body?.seed !== undefined)).toHaveLength(1);
      await close();
    }
  });

  it("tries a later call again, and ends with the draft where it cannot be had", async () => {
    const later = (request: PlayedRequest, number: number): ScriptedReply =>
      number === 1 ? { status: 500, headers: { "retry-after-ms": "1" } } : refineScript(request);
    const patient = await serve(later);
    const { text } = await generateText({ model: refine(patient.model, selfRefine({ rounds: 1 }), settings), prompt: "?" });
    expect(text).toBe("The revised answer is 42.");
    await patient.close();
    const { model } = await serve(later);
    const result = await generateText({
      model: refine(model, selfRefine({ rounds: 1 }), { ...settings, retries: 0 }),
      prompt: "?",
    });
    expect(result.text).toBe("The draft says 41.");
    expect(result.rawFinishReason).toBe("error");
    expect(result.warnings?.[0]).toMatchObject({
      type: "other",
      message: expect.stringContaining("self-refine-1 stopped early"),
    });
    // What the failed call cost is unknown.
    expect(result.usage.inputTokens).toBeUndefined();
  });

  it("stops the inner calls on abort, in both ways of asking", async () => {
    for (const streamed of [false, true]) {
      const abort = new AbortController();
      let reached: () => void;
      const second = new Promise<void>((resolve) => {
        reached = resolve;
      });
      const {
        model: inner,
        chats,
        close,
      } = await serve((request, number) => {
        if (number === 1) reached();
        return number === 1 ? { content: "Step", hangs: true } : refineScript(request);
      });
      const { model, signals } = watched(inner);
      const options = { model: refine(model, selfRefine({ rounds: 2 }), settings), prompt: "?", abortSignal: abort.signal };
      if (streamed) {
        const types: string[] = [];
        const reading = (async () => {
          for await (const part of streamText(options).stream) types.push(part.type);
        })();
        await second;
        abort.abort();
        await reading;
        expect(types.at(-1)).toBe("abort");
      } else {
        const asked = generateText(options);
        await second;
        abort.abort();
        await expect(asked).rejects.toMatchObject({ name: "AbortError" });
      }
      expect(signals.map((signal) => signal?.aborted)).toEqual([true, true]);
      expect(chats()).toHaveLength(2);
      await close();
      server = undefined;
    }
  });

  it("stops the inner calls when nobody reads the stream any more", async () => {
    let reached: () => void;
    const second = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const { model: inner, chats } = await serve((request, number) => {
      if (number === 1) reached();
      return number === 1 ? { content: "Step", hangs: true } : refineScript(request);
    });
    const { model, signals } = watched(inner);
    const { stream } = await refine(model, selfRefine({ rounds: 2 }), settings).doStream({
      prompt: [{ role: "user", content: [{ type: "text", text: "?" }] }],
    });
    await second;
    await stream.cancel();
    expect(signals.map((signal) => signal?.aborted)).toEqual([true, true]);
    expect(chats()).toHaveLength(2);
  });

  it("tells a failure in the middle of the only call as an error part", async () => {
    const { model } = await serve(() => ({ content: "half of it", finishReason: "stop", hangs: true }));
    const abort = AbortSignal.timeout(60_000);
    const { stream } = await refine(model, vanilla(), settings).doStream({
      prompt: [{ role: "user", content: [{ type: "text", text: "?" }] }],
      abortSignal: abort,
    });
    const parts: LanguageModelV4StreamPart[] = [];
    for await (const part of stream) {
      parts.push(part);
      if (part.type === "text-delta") await server?.close();
    }
    expect(parts.at(-1)?.type).toBe("error");
    expect(parts.filter(({ type }) => type === "text-end")).toHaveLength(1);
  });
});
