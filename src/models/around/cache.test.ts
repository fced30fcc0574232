/** The cache over a scripted model: what is asked, what is not, and that a run resumes to the same. */
import { describe, expect, test } from "vitest";
import { remoteError } from "#kernel/errors.ts";
import type { Completion, CompletionDelta, GenerateOptions, Message } from "#kernel/model.ts";
import { FakeModel, type FakeScript } from "../fake.ts";
import { CachedModel, type CompletionStore, requestKey } from "./cache.ts";

class MemoryStore implements CompletionStore {
  readonly kept = new Map<string, string>();

  get(key: string, sample: number): Completion | undefined {
    const text = this.kept.get(`${key} ${sample}`);
    return text === undefined ? undefined : (JSON.parse(text) as Completion);
  }

  add(key: string, entries: readonly { sample: number; value: Completion }[]): void {
    for (const { sample, value } of entries) this.kept.set(`${key} ${sample}`, JSON.stringify(value));
  }
}

const ask: Message[] = [{ role: "user", content: "two words" }];
const options: GenerateOptions = { n: 2, temperature: 1, maxTokens: 8, seed: 3 };
const bySeed: FakeScript = ({ options: { seed } }, sample) => `${seed}/${sample}`;

function cached(script: FakeScript = bySeed, store: CompletionStore = new MemoryStore(), identity: unknown = "m") {
  const fake = new FakeModel(script);
  return { fake, store, model: new CachedModel(fake, { store, identity }) };
}

test("sampled answers are asked for once; from the cache they carry what they cost", async () => {
  const { fake, store, model } = cached();
  const first = await model.generate(ask, options);
  const again = await model.generate(ask, { ...options, signal: new AbortController().signal });
  expect(again).toEqual(first);
  expect(fake.calls).toHaveLength(1);
  expect([model.hits, model.misses]).toEqual([2, 2]);
  const resumed = cached(bySeed, store);
  expect(await resumed.model.generate(ask, options)).toEqual(first);
  expect(resumed.fake.calls).toHaveLength(0);
});

test("more samples of the same ask for the missing ones alone, with draws of their own; fewer ask for nothing", async () => {
  const { fake, model } = cached();
  const two = await model.generate(ask, options);
  const three = await model.generate(ask, { ...options, n: 3 });
  expect(three.slice(0, 2)).toEqual(two);
  expect(fake.calls[1].options.n).toBe(1);
  expect(fake.calls[1].options.seed).not.toBe(options.seed);
  expect(await model.generate(ask, { ...options, n: 1 })).toEqual(two.slice(0, 1));
  expect(await model.generate(ask, { ...options, n: 0 })).toEqual([]);
  expect(fake.calls).toHaveLength(2);
});

test("anything that may change the answer changes the key, and nothing else does", () => {
  const key = requestKey("m", ask, options);
  const same = [
    requestKey("m", [{ content: "two words", role: "user" }], {
      ...options,
      n: 9,
      signal: new AbortController().signal,
      onDelta: () => {},
    }),
    requestKey("m", ask, { seed: 3, maxTokens: 8, temperature: 1, n: 1 }),
  ];
  expect(same).toEqual([key, key]);
  const others = [
    requestKey("other", ask, options),
    requestKey("m", [{ role: "user", content: "two words " }], options),
    requestKey("m", [{ role: "system", content: "two words" }], options),
    requestKey("m", [{ role: "user", content: "two words", parts: [] }], options),
    ...[{ seed: 4 }, { temperature: 0 }, { maxTokens: 9 }, { topP: 0.5 }, { topK: 5 }, { stop: ["x"] }, { topLogprobs: 0 }].map(
      (change) => requestKey("m", ask, { ...options, ...change }),
    ),
  ];
  expect(new Set([key, ...others]).size).toBe(others.length + 1);
  expect(requestKey({ a: 1, b: { c: 2, d: 3 } }, ask, options)).toBe(requestKey({ b: { d: 3, c: 2 }, a: 1 }, ask, options));
});

test("equal calls at the same time are asked once", async () => {
  const { fake, model } = cached();
  const [first, second] = await Promise.all([model.generate(ask, options), model.generate(ask, options)]);
  expect(second).toEqual(first);
  expect(fake.calls).toHaveLength(1);
});

describe("failures", () => {
  test("are not kept; who waited for the failed call asks for itself", async () => {
    let failed = false;
    const { fake, model } = cached(() => {
      if (failed) return "fine";
      failed = true;
      return remoteError("server-failed", "500", { status: 500 });
    });
    const results = await Promise.allSettled([model.generate(ask, options), model.generate(ask, options)]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    expect(fake.calls).toHaveLength(2);
  });

  test("a completion that ended in an error is asked for again beside the one that is there", async () => {
    const { fake, model } = cached(["good", { text: "", finishReason: "error" }, "late"]);
    expect((await model.generate(ask, options)).map(({ finishReason }) => finishReason)).toEqual(["stop", "error"]);
    expect((await model.generate(ask, options)).map(({ text }) => text)).toEqual(["good", "late"]);
    expect(fake.calls[1].options.n).toBe(1);
  });

  test("a gap is filled with a draw of its own, not with that of its neighbour", async () => {
    let failing = true;
    const { model } = cached(({ options: { seed } }, sample) => {
      if (failing && sample !== 1) return { text: "", finishReason: "error" };
      return `${seed}/${sample}`;
    });
    await model.generate(ask, { ...options, n: 3 });
    failing = false;
    const texts = (await model.generate(ask, { ...options, n: 3 })).map(({ text }) => text);
    expect(texts[1]).toBe("3/1");
    expect(new Set(texts).size).toBe(3);
  });

  test("cancelling before", async () => {
    const { fake, model } = cached();
    await expect(model.generate(ask, { ...options, signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow("stop");
    expect(fake.calls).toHaveLength(0);
  });
});

test("who listens hears kept answers whole, and new pieces under their own number", async () => {
  const { fake, model } = cached(["first", "second", "third"]);
  await model.generate(ask, { ...options, n: 1 });
  const deltas: CompletionDelta[] = [];
  await model.generate(ask, { ...options, n: 2, onDelta: (delta) => deltas.push(delta) });
  expect(deltas).toEqual([{ sample: 0, text: "first" }]);
  fake.calls.at(-1)!.options.onDelta!({ sample: 0, text: "sec" });
  expect(deltas.at(-1)).toEqual({ sample: 1, text: "sec" });
});
