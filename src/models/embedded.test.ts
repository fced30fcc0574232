/** The embedded model over a fake engine: batching, seeds, metering, cancelling, failures. */
import { describe, expect, test } from "vitest";
import type { Sample, SampleOptions, Scorer } from "#kernel/engine.ts";
import type { GenerateOptions, Message } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { type ConversationTokenizer, EmbeddedModel } from "./embedded.ts";

interface EngineCall {
  prompts: readonly (readonly number[])[];
  options: SampleOptions;
  signal: AbortSignal | undefined;
}

/** Answers with the prompt's length, then the sample's seed modulo 97, then the stop id; waits for `gate` before answering. */
class FakeEngine implements Scorer {
  readonly info = { architecture: "fake", parameters: 0, vocabularySize: 128, maxContextTokens: 40 };
  readonly calls: EngineCall[] = [];
  gate: Promise<void> = Promise.resolve();
  failure: Error | undefined;

  async sample(prompts: EngineCall["prompts"], options: SampleOptions, signal?: AbortSignal): Promise<Sample[][]> {
    this.calls.push({ prompts, options, signal });
    await this.gate;
    if (this.failure) throw this.failure;
    signal?.throwIfAborted();
    return prompts.map((prompt, index) =>
      Array.from({ length: options.n }, (_, sample) => {
        const ids = [prompt.length, deriveSeed(options.promptSeeds![index], sample) % 97, ...options.stopIds];
        return { ids, logprobs: new Float32Array(ids.length), stopReason: "stop" as const };
      }),
    );
  }

  async logprobs(): Promise<Float32Array[]> {
    return [];
  }

  async close(): Promise<void> {}
}

/** One token per character; the generation prompt is one more. */
const tokenizer: ConversationTokenizer = {
  stopIds: [0],
  encodeConversation: (messages, options) => [
    ...messages.flatMap(({ content }) => [...content].map((character) => character.charCodeAt(0))),
    ...(options?.addGenerationPrompt ? [1] : []),
  ],
  completionMessage: (ids) => ({ text: ids.slice(0, -1).join(" "), ended: ids.at(-1) === 0 }),
};

function ask(content: string): Message[] {
  return [{ role: "user", content }];
}

const options: GenerateOptions = { n: 1, temperature: 0.9, maxTokens: 8, seed: 1 };

test("a thought that the chat template opened is the beginning of the answer, but not where an answer is continued", async () => {
  const opening = { ...tokenizer, openedThought: () => "<think>\n" };
  const model = new EmbeddedModel(new FakeEngine(), opening);
  const [{ text }] = await model.generate(ask("ab"), options);
  expect(text).toMatch(/^<think>\n3 \d+$/);
  const [continued] = await model.generate([...ask("ab"), { role: "assistant", content: "c" }], options);
  expect(continued.text).not.toContain("<think>");
});

describe("batching", () => {
  test("calls of one turn with equal options become one engine call, each with its own seed", async () => {
    const engine = new FakeEngine();
    const model = new EmbeddedModel(engine, tokenizer);
    const answers = await Promise.all([5, 6, 7].map((seed) => model.generate(ask("hi"), { ...options, seed })));
    expect(engine.calls).toHaveLength(1);
    expect(engine.calls[0].options.promptSeeds).toEqual([5, 6, 7]);
    expect(answers.map(([first]) => first!.text)).toEqual([5, 6, 7].map((seed) => `3 ${deriveSeed(seed, 0) % 97}`));
  });

  test("calls that wait while the engine works gather for its next call", async () => {
    const engine = new FakeEngine();
    const model = new EmbeddedModel(engine, tokenizer);
    const { promise, resolve } = Promise.withResolvers<void>();
    engine.gate = promise;
    const first = model.generate(ask("a"), options);
    await turn();
    const later = [];
    for (const content of ["b", "c"]) {
      later.push(model.generate(ask(content), options));
      await turn();
    }
    expect(engine.calls).toHaveLength(1);
    resolve();
    await Promise.all([first, ...later]);
    expect(engine.calls.map((call) => call.prompts.length)).toEqual([1, 2]);
  });

  test.each([{ n: 2 }, { temperature: 0 }, { maxTokens: 9 }, { topP: 0.5 }, { topK: 3 }])(
    "calls that differ in %o do not share an engine call",
    async (difference) => {
      const engine = new FakeEngine();
      const model = new EmbeddedModel(engine, tokenizer);
      await Promise.all([model.generate(ask("a"), options), model.generate(ask("b"), { ...options, ...difference })]);
      expect(engine.calls.map((call) => call.prompts.length)).toEqual([1, 1]);
      expect(engine.calls[1].options).toMatchObject(difference);
    },
  );

  test("a batch holds at most maxBatch samples, and one call at least", async () => {
    const engine = new FakeEngine();
    const model = new EmbeddedModel(engine, tokenizer, { maxBatch: 5 });
    await Promise.all(["a", "b", "c"].map((content) => model.generate(ask(content), { ...options, n: 2 })));
    expect(engine.calls.map((call) => call.prompts.length)).toEqual([2, 1]);
    await model.generate(ask("d"), { ...options, n: 9 });
    expect(engine.calls.at(-1)!.options.n).toBe(9);
  });
});

test("usage counts the prompt and the call once and every sampled id", async () => {
  const model = new EmbeddedModel(new FakeEngine(), tokenizer);
  const completions = await model.generate(ask("four"), { ...options, n: 3 });
  expect(completions.map(({ usage }) => [usage.calls, usage.inputTokens, usage.outputTokens])).toEqual([
    [1, 5, 3],
    [0, 0, 3],
    [0, 0, 3],
  ]);
});

test("a conversation that ends with the assistant is continued, not answered", async () => {
  const engine = new FakeEngine();
  const model = new EmbeddedModel(engine, tokenizer);
  await model.generate([...ask("ab"), { role: "assistant", content: "c" }], options);
  expect(engine.calls[0].prompts[0]).toEqual([97, 98, 99]);
});

describe("failures", () => {
  test("a conversation longer than the context fails alone", async () => {
    const engine = new FakeEngine();
    const model = new EmbeddedModel(engine, tokenizer);
    const results = await Promise.allSettled([model.generate(ask("x".repeat(39)), options), model.generate(ask("ok"), options)]);
    expect(results[0]).toMatchObject({ status: "rejected", reason: { code: "context-exceeded", family: "user" } });
    expect(results[1].status).toBe("fulfilled");
    // One token shorter leaves room for one new token.
    await expect(model.generate(ask("x".repeat(38)), options)).resolves.toHaveLength(1);
  });

  test("an engine's error rejects the calls of its batch and no others", async () => {
    const engine = new FakeEngine();
    const model = new EmbeddedModel(engine, tokenizer);
    engine.failure = new Error("out of memory");
    const results = await Promise.allSettled([model.generate(ask("a"), options), model.generate(ask("b"), options)]);
    expect(results.map((result) => result.status)).toEqual(["rejected", "rejected"]);
    engine.failure = undefined;
    await expect(model.generate(ask("c"), options)).resolves.toHaveLength(1);
  });
});

describe("cancelling", () => {
  test("one cancelled call ends at once; its batch goes on for the others", async () => {
    const engine = new FakeEngine();
    const model = new EmbeddedModel(engine, tokenizer);
    const { promise, resolve } = Promise.withResolvers<void>();
    engine.gate = promise;
    const controller = new AbortController();
    const cancelled = model.generate(ask("a"), { ...options, signal: controller.signal });
    const kept = model.generate(ask("b"), options);
    await turn();
    controller.abort(new Error("not wanted"));
    await expect(cancelled).rejects.toThrow("not wanted");
    expect(engine.calls[0].signal!.aborted).toBe(false);
    resolve();
    await expect(kept).resolves.toHaveLength(1);
  });

  test("the engine is stopped when nobody wants its batch", async () => {
    const engine = new FakeEngine();
    const model = new EmbeddedModel(engine, tokenizer);
    const { promise, resolve } = Promise.withResolvers<void>();
    engine.gate = promise;
    const controller = new AbortController();
    const calls = ["a", "b"].map((content) => model.generate(ask(content), { ...options, signal: controller.signal }));
    await turn();
    controller.abort();
    expect((await Promise.allSettled(calls)).every((result) => result.status === "rejected")).toBe(true);
    expect(engine.calls[0].signal!.aborted).toBe(true);
    resolve();
    await expect(model.generate(ask("c"), options)).resolves.toHaveLength(1);
  });

  test("a call cancelled while it waits never reaches the engine", async () => {
    const engine = new FakeEngine();
    const model = new EmbeddedModel(engine, tokenizer);
    const controller = new AbortController();
    const cancelled = model.generate(ask("a"), { ...options, signal: controller.signal });
    controller.abort();
    await expect(cancelled).rejects.toThrow();
    await expect(model.generate(ask("b"), { ...options, signal: controller.signal })).rejects.toThrow();
    await turn();
    expect(engine.calls).toHaveLength(0);
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("what the engine does not know", () => {
  test("stop texts cut the answer and what was sampled behind them is still counted", async () => {
    const model = new EmbeddedModel(new FakeEngine(), tokenizer);
    const [whole] = await model.generate(ask("hi"), options);
    const [cut] = await model.generate(ask("hi"), { ...options, stop: ["", "nowhere", " "] });
    expect(cut).toMatchObject({ text: whole!.text.split(" ")[0], finishReason: "stop" });
    expect(cut!.usage.outputTokens).toBe(whole!.usage.outputTokens);
    const [uncut] = await model.generate(ask("hi"), { ...options, stop: ["nowhere"] });
    expect(uncut!.text).toBe(whole!.text);
  });

  test("tools and images are refused before anything runs", async () => {
    const engine = new FakeEngine();
    const model = new EmbeddedModel(engine, tokenizer);
    const image = { role: "user" as const, content: "look", parts: [{ type: "image_url", image_url: { url: "data:," } }] };
    await expect(model.generate([image], options)).rejects.toMatchObject({ family: "user", code: "text-only" });
    await expect(model.generate([{ role: "tool", content: "4" }], options)).rejects.toMatchObject({ code: "text-only" });
    expect(engine.calls).toHaveLength(0);
  });
});
