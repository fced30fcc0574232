/** What servers send, read piece by piece and whole; what is sent to them; tags told apart at any split. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CallPurpose, CompletionDelta, Message } from "#kernel/model.ts";
import { chatEvents, chatReply, chunk } from "../../../test/support/model-server.ts";
import { ReasoningSplitter, type ReasoningTags, splitReasoning } from "./reasoning-text.ts";
import type { ReplySettings } from "./reply.ts";
import { buildRequest, requestSeed } from "./request.ts";
import { carefulQuirks, type ServerKind, serverQuirks } from "./server-quirks.ts";
import { ChatStream } from "./stream.ts";

const context = { url: "http://127.0.0.1/v1/chat/completions", model: "m", keyVariable: "OPENAI_API_KEY" };
const settings: ReplySettings = { reasoningTags: "keep", topLogprobs: undefined, milliseconds: 5, context };

function readReply(body: string, given: ReplySettings) {
  const stream = new ChatStream(given);
  stream.push(new TextEncoder().encode(body));
  return stream.finish(given.milliseconds);
}

function cut<Whole extends string | Uint8Array>(whole: Whole, places: readonly number[]): Whole[] {
  const ends = [...new Set(places.map((place) => place % (whole.length + 1)))].sort((first, second) => first - second);
  return [0, ...ends].map((start, index) => whole.slice(start, ends[index] ?? whole.length) as Whole);
}

describe("streams", () => {
  test("split anywhere, the middle of a character included, they give the same completions and the same deltas in all", () => {
    const pieces = fc.array(
      fc.oneof(fc.string({ unit: "binary", maxLength: 6 }), fc.constantFrom("<think>", "</think>", "é😀", "\n")),
    );
    fc.assert(
      fc.property(
        pieces,
        fc.array(fc.nat()),
        fc.constantFrom<ReasoningTags>("keep", "split", "split-from-start"),
        (texts, places, tags) => {
          const wellFormed = texts.map((text) => text.toWellFormed());
          const bytes = new TextEncoder().encode(chatEvents(wellFormed).join(": a comment\r\n\r\n"));
          const read = (parts: readonly Uint8Array[]) => {
            const deltas: CompletionDelta[] = [];
            const stream = new ChatStream({ ...settings, reasoningTags: tags }, (delta) => deltas.push(delta));
            for (const part of parts) stream.push(part);
            const [completion] = stream.finish(1);
            expect(deltas.map(({ text = "" }) => text).join("")).toBe(completion!.text);
            expect(deltas.map(({ reasoning = "" }) => reasoning).join("")).toBe(completion!.reasoning ?? "");
            return completion;
          };
          const whole = read([bytes]);
          expect(read(cut(bytes, places))).toEqual(whole);
          if (tags === "keep") expect(whole!.text).toBe(wellFormed.join(""));
        },
      ),
    );
  });

  test("several samples mixed, reasoning under either name, tool calls in pieces, log-probabilities", () => {
    const choice = (index: number, delta: object, more: object = {}) =>
      chunk({ choices: [{ index, delta, finish_reason: null, ...more }] });
    const call = (value: object) => ({ tool_calls: [{ index: 0, ...value }] });
    const events = [
      choice(1, { role: "assistant", reasoning_content: "hm" }),
      choice(
        0,
        { content: "a" },
        { logprobs: { content: [{ token: "a", logprob: -0.5, top_logprobs: [{ token: "b", logprob: -1 }] }] } },
      ),
      choice(1, { content: "b" }),
      choice(2, { reasoning: "look it up", content: null }),
      choice(2, call({ id: "call_1", type: "function", function: { name: "search", arguments: "" } })),
      choice(2, call({ function: { arguments: '{"q":' } })),
      choice(2, call({ function: { arguments: '"x"}' } })),
      ...[0, 1].map((index) => choice(index, {}, { finish_reason: "stop" })),
      choice(2, {}, { finish_reason: "tool_calls" }),
      chunk({ choices: [], usage: { prompt_tokens: 4, completion_tokens: 9 } }),
      chunk("[DONE]"),
    ];
    const stream = new ChatStream({ ...settings, topLogprobs: 1 });
    for (const event of events) stream.push(new TextEncoder().encode(event));
    const [first, second, third] = stream.finish(1);
    expect(first).toMatchObject({ text: "a", logprobs: [{ token: "a", logprob: -0.5, top: [{ token: "b", logprob: -1 }] }] });
    expect(first!.usage).toMatchObject({ calls: 1, inputTokens: 4, outputTokens: 9 });
    expect(second).toMatchObject({ text: "b", reasoning: "hm", finishReason: "stop", usage: { calls: 0, outputTokens: 0 } });
    expect(third).toMatchObject({ text: "", reasoning: "look it up", finishReason: "tool-calls" });
    expect(third!.parts).toEqual({
      tool_calls: [{ id: "call_1", type: "function", function: { name: "search", arguments: '{"q":"x"}' } }],
    });
  });
});

describe("reasoning in tags", () => {
  test("is told apart the same way however the text is split", () => {
    const part = fc.constantFrom(
      "<think>",
      "</think>",
      "<thi",
      "nk>",
      "</thi",
      " ",
      "\n",
      "a",
      "<",
      "◁think▷",
      "◁/think▷",
      "<answer>",
    );
    const tags = fc.constantFrom<ReasoningTags>("keep", "split", "split-from-start");
    fc.assert(
      fc.property(
        fc.array(part).map((parts) => parts.join("")),
        fc.array(fc.nat()),
        tags,
        (text, places, mode) => {
          const splitter = new ReasoningSplitter(mode);
          const pieces = [...cut(text, places).map((piece) => splitter.push(piece)), splitter.end()];
          const joined = {
            text: pieces.map((piece) => piece.text).join(""),
            reasoning: pieces.map((piece) => piece.reasoning).join(""),
          };
          expect(joined).toEqual(splitReasoning(text, mode));
        },
      ),
    );
  });

  test.each<[ReasoningTags, string, string, string]>([
    ["keep", "<think>a</think><answer>b</answer>", "<think>a</think><answer>b</answer>", ""],
    ["split", "<think>a</think>\n\nb", "b", "a"],
    ["split", " \n<thinking>a</thinking>b", "b", "a"],
    ["split", "◁think▷a◁/think▷b", "b", "a"],
    ["split", "b <think>a</think>", "b <think>a</think>", ""],
    ["split", "<think>never closed", "", "never closed"],
    ["split", "<think></think>b", "b", ""],
    ["split", "a</think>b", "a</think>b", ""],
    ["split-from-start", "a</think>b", "b", "a"],
    ["split-from-start", "<think>a</think>b", "b", "a"],
    ["split", "", "", ""],
    ["split", "<thi", "<thi", ""],
  ])("%s: %s", (mode, whole, text, reasoning) => {
    expect(splitReasoning(whole, mode)).toEqual({ text, reasoning });
  });
});

describe("replies", () => {
  test("usage in all its forms; what is not told is unknown", () => {
    const usage = (given: unknown) => readReply(JSON.stringify({ ...chatReply(["4"]), usage: given }), settings)[0].usage;
    expect(
      usage({
        prompt_tokens: 10,
        completion_tokens: 7,
        prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 5 },
        cost: 0.25,
      }),
    ).toEqual({
      calls: 1,
      inputTokens: 10,
      outputTokens: 7,
      cachedInputTokens: 4,
      reasoningTokens: 5,
      // No total, and less reasoning than completion: it may stand beside it all the same.
      reasoningCount: { inside: 0, beside: 0, untold: 1, untoldTokens: 5, addedTokens: 0 },
      dollars: 0.25,
      milliseconds: 5,
    });
    expect(usage({ prompt_tokens: 10, completion_tokens: 7, prompt_cache_hit_tokens: 3 })).toMatchObject({
      cachedInputTokens: 3,
    });
    for (const absent of [
      undefined,
      null,
      "none",
      {},
      { prompt_tokens: -1, completion_tokens: "7" },
      { prompt_tokens: 0, completion_tokens: 0 },
    ]) {
      expect(usage(absent)).toMatchObject({ calls: 1, inputTokens: undefined, outputTokens: undefined });
      expect(usage(absent)).not.toHaveProperty("cachedInputTokens");
    }
    expect(usage({ prompt_tokens: 10, completion_tokens: 7, prompt_tokens_details: null })).toMatchObject({ inputTokens: 10 });
  });

  const read = (message: object, finish: string | null = "stop") =>
    readReply(JSON.stringify({ choices: [{ index: 0, message, finish_reason: finish }] }), settings)[0];

  test("null content, a refusal, content in parts, a filter, tools, an odd finish", () => {
    expect(read({ role: "assistant", content: null })).toMatchObject({ text: "", finishReason: "stop" });
    expect(read({ content: null, refusal: "I cannot." })).toMatchObject({ text: "I cannot." });
    expect(
      read({
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      }),
    ).toMatchObject({ text: "ab" });
    expect(read({ content: null }, "content_filter")).toMatchObject({ text: "", finishReason: "content-filter" });
    expect(read({ content: "a" }, "length")).toMatchObject({ finishReason: "length" });
    expect(read({ content: "a" }, "abort")).toMatchObject({ finishReason: "error" });
    expect(read({ content: "a" }, null)).toMatchObject({ finishReason: "stop" });
    const tool_calls = [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }];
    expect(read({ content: null, tool_calls }, "tool_calls")).toMatchObject({
      finishReason: "tool-calls",
      parts: { tool_calls },
    });
    expect(read({ content: null, tool_calls }, "stop")).toMatchObject({ finishReason: "tool-calls" });
  });

  test("reasoning under its three names", () => {
    expect(read({ content: "4", reasoning: "r" })).toMatchObject({ text: "4", reasoning: "r" });
    expect(read({ content: "4", reasoning_content: "r" })).toMatchObject({ text: "4", reasoning: "r" });
    expect(read({ content: "4", reasoning: "r", reasoning_content: "r" })).toMatchObject({ reasoning: "r" });
    expect(read({ content: "<think>r</think>4" })).toMatchObject({ text: "<think>r</think>4" });
    expect(read({ content: "<think>r</think>4" })).not.toHaveProperty("reasoning");
  });

  test("reasoning that the server told apart goes back into its tags where that is asked for", () => {
    const join = (message: object, finish: string) =>
      readReply(JSON.stringify({ choices: [{ message, finish_reason: finish }] }), { ...settings, reasoningTags: "join" })[0];
    expect(join({ content: "4", reasoning: "r" }, "stop")).toMatchObject({ text: "<think>r</think>4" });
    expect(join({ content: "4", reasoning: "r" }, "stop")).not.toHaveProperty("reasoning");
    expect(join({ content: null, reasoning: "r" }, "length")).toMatchObject({ text: "<think>r" });
    expect(join({ content: "<think>r</think>4" }, "stop")).toMatchObject({ text: "<think>r</think>4" });
  });

  test("samples that arrive out of order", () => {
    const choices = [1, 0].map((index) => ({ index, message: { content: `${index}` }, finish_reason: "stop" }));
    expect(readReply(JSON.stringify({ choices }), settings).map(({ text }) => text)).toEqual(["0", "1"]);
  });
});

describe("requests", () => {
  const base = { temperature: 0.5, maxTokens: 9 };
  const request = (messages: Message[], options: object = {}, kind: ServerKind = "vllm", samples = 1) =>
    buildRequest(
      messages,
      { ...base, ...options },
      { model: "m", quirks: carefulQuirks(serverQuirks[kind]), samples, seed: 3, stream: false },
    );
  const hello: Message[] = [{ role: "user", content: "hello" }];

  test("are JSON that comes back unchanged, whatever the text, and hold no field that a server refuses", () => {
    const message = fc.record({ role: fc.constantFrom("system", "user" as const), content: fc.string({ unit: "binary" }) });
    const kinds = fc.constantFrom(...(Object.keys(serverQuirks) as ServerKind[]));
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1 }),
        kinds,
        fc.option(fc.nat(30), { nil: undefined }),
        (messages, kind, topLogprobs) => {
          const body = request(messages as Message[], { topLogprobs }, kind);
          expect(JSON.parse(JSON.stringify(body))).toEqual(body);
          expect(JSON.stringify(body)).not.toMatch(/\\ud[89a-f]/i);
          expect("max_tokens" in body).toBe(!("max_completion_tokens" in body));
          if (kind === "transformers")
            expect(Object.keys(body).sort()).toEqual(["max_tokens", "messages", "model", "seed", "temperature"]);
        },
      ),
    );
  });

  test("seeds fit 31 bits", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(), (seed, sample) => {
        const value = requestSeed(seed, sample);
        expect(Number.isInteger(value) && value >= 0 && value < 2 ** 31).toBe(true);
      }),
    );
  });

  test("OpenAI's own field for the most tokens, a temperature left out, fields of the user", () => {
    const quirks = { ...carefulQuirks(serverQuirks.openai), temperature: "left-out" as const };
    const extraBody = { reasoning_effort: "low", seed: null };
    const body = buildRequest(hello, base, { model: "o", quirks, samples: 2, seed: 1, stream: true, extraBody });
    expect(body).toMatchObject({ max_completion_tokens: 9, n: 2, stream: true, reasoning_effort: "low", seed: null });
    expect(body).not.toHaveProperty("temperature");
  });

  test("a form that the user's fields ask for is asked of answers, and of no feedback, vote or plan; nor do these call a tool", () => {
    const quirks = carefulQuirks(serverQuirks.other);
    const form = { response_format: { type: "json_object" }, guided_json: {}, grammar: "root ::= x" };
    const extraBody = { ...form, tools: [{ type: "function" }], top_k: 3 };
    const bodyFor = (kind: CallPurpose["kind"]) =>
      buildRequest(hello, { ...base, purpose: { kind } }, { model: "o", quirks, samples: 1, seed: 1, stream: false, extraBody });
    expect(bodyFor("answer")).toMatchObject(extraBody);
    for (const kind of ["feedback", "check", "step"] as const) {
      const body = bodyFor(kind);
      for (const field of Object.keys(form)) expect(body).not.toHaveProperty(field);
      expect(body).toMatchObject({ tools: extraBody.tools, tool_choice: "none", top_k: 3 });
    }
  });

  test("parts in OpenAI's form are sent, others are refused", () => {
    const image = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };
    const content = (message: Message) => (request([message]).messages as { content: unknown }[])[0].content;
    expect(content({ role: "user", content: "look", parts: [image] })).toEqual([{ type: "text", text: "look" }, image]);
    expect(content({ role: "user", content: "look", parts: [{ type: "text", text: "look" }, image] })).toHaveLength(2);
    const tool_calls = [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }];
    expect(
      request([
        { role: "assistant", content: "", parts: { tool_calls } },
        { role: "tool", content: "5", parts: { tool_call_id: "1" } },
      ]).messages,
    ).toEqual([
      { role: "assistant", content: null, tool_calls },
      { role: "tool", content: "5", tool_call_id: "1" },
    ]);
    for (const parts of [[{ type: "banana" }], [3], { something: 1 }, "text", 7]) {
      expect(() => request([{ role: "user", content: "x", parts }])).toThrow(/parts of a message/);
    }
    expect(() => request([{ role: "tool", content: "5" }])).toThrow(/tool_call_id/);
  });

  test("what no server would understand is refused here", () => {
    expect(() => request([])).toThrow(/at least one message/);
    for (const bad of [{ maxTokens: 0 }, { maxTokens: Number.NaN }, { temperature: Number.NaN }, { temperature: -1 }]) {
      expect(() => request(hello, bad)).toThrow();
    }
  });
});
