import { expect, test } from "vitest";
import { remoteError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
import type { Method, MethodTools } from "#kernel/trace.ts";
import { vanilla } from "#methods/plain/vanilla.ts";
import { FakeModel } from "#models/fake.ts";
import { type EvaluationPlan, type EvaluationTask, evaluate } from "./evaluate.ts";
import { type EvaluationRecord, recordKey } from "./evaluation-record.ts";

const items = (count: number): Item[] =>
  Array.from({ length: count }, (_, index) => ({ id: `i${index}`, question: `q${index}`, answer: String(index), group: "g" }));

function task(part: Partial<EvaluationTask> = {}): EvaluationTask {
  return {
    task: "digits",
    items: items(4),
    methods: [
      { method: vanilla(), samples: 1 },
      { method: vanilla({ id: "again" }), samples: 2 },
    ],
    verify: (item, answer) => ({ accuracy: answer === item.answer ? 1 : 0, extracted: answer }),
    maxTokens: 9,
    ...part,
  };
}

const echo = () => new FakeModel(({ messages }) => /\d+/.exec(messages.at(-1)!.content)![0]);

async function run(part: Partial<EvaluationPlan> = {}) {
  const records: EvaluationRecord[] = [];
  const plan: EvaluationPlan = {
    model: echo(),
    tasks: [task()],
    temperature: 0,
    seed: 1,
    concurrency: 3,
    keepTrace: true,
    keepTime: true,
    onRecord: (record) => records.push(record),
    ...part,
  };
  return { end: await evaluate(plan), records };
}

const keys = (records: readonly EvaluationRecord[]) => records.map(recordKey).sort();

test("every method answers every item as often as it should, in every task", async () => {
  const { end, records } = await run({ tasks: [task(), task({ task: "more", items: items(2) })] });
  expect(end).toBe("complete");
  expect(records).toHaveLength(4 * 3 + 2 * 3);
  expect(new Set(keys(records)).size).toBe(18);
  expect(records.every((record) => record.accuracy === 1 && record.events?.length === 1 && record.group === "g")).toBe(true);
});

test("answers that are known are not asked for again, and progress counts them from the start", async () => {
  const all = await run();
  const known = new Set(keys(all.records.slice(0, 7)));
  const model = echo();
  const seen: number[] = [];
  const { end, records } = await run({ model, isKnown: (key) => known.has(key), onProgress: ({ done }) => seen.push(done) });
  expect(end).toBe("complete");
  expect(model.calls).toHaveLength(5);
  expect(keys([...all.records.slice(0, 7), ...records])).toEqual(keys(all.records));
  expect(seen).toEqual([8, 9, 10, 11, 12]);
});

test("an abort ends it without a record of what was under way", async () => {
  const controller = new AbortController();
  const { end, records } = await run({
    signal: controller.signal,
    concurrency: 1,
    onProgress: ({ done }) => done === 5 && controller.abort(),
  });
  expect(end).toBe("interrupted");
  expect(records).toHaveLength(5);
});

test("no new answer is begun once the run's allowance is spent", async () => {
  const { end, records } = await run({ allowance: { calls: 5 }, concurrency: 1 });
  expect(end).toBe("allowance");
  expect(records).toHaveLength(5);
  const resumed = await run({
    allowance: { calls: 5 },
    spentBefore: { calls: 5, inputTokens: 0, outputTokens: 0, milliseconds: 0 },
  });
  expect(resumed).toEqual({ end: "allowance", records: [] });
  expect((await run({ allowance: { calls: 12 } })).end).toBe("complete");
});

test("errors are records, and a server that fails every call ends the run with its words", async () => {
  const flaky = new FakeModel((_call, _sample, index) => (index === 2 ? new Error("broken pipe") : "1"));
  const { end, records } = await run({ model: flaky });
  expect(end).toBe("complete");
  expect(records.filter((record) => record.error === "broken pipe")).toHaveLength(1);
  const dead = new FakeModel(() => remoteError("http", "503 for ever", { status: 503 }));
  await expect(run({ model: dead, tasks: [task({ items: items(40) })] })).rejects.toThrow("503 for ever");
});

test("a run in which every answer failed has no table, however short it is", async () => {
  const dead = new FakeModel(() => remoteError("http", "401 for ever", { status: 401 }));
  const records: EvaluationRecord[] = [];
  await expect(run({ model: dead, onRecord: (record) => records.push(record) })).rejects.toThrow(
    /^12 answers in a row failed; .*401 for ever/,
  );
  expect(records).toHaveLength(12);
});

test("a record that cannot be written ends the run and what is under way", async () => {
  let asked = 0;
  const signals = new Set<AbortSignal | undefined>();
  const slow: Method = {
    id: "slow",
    async *run({ signal }) {
      asked++;
      signals.add(signal);
      if (asked > 1) await new Promise((resolve) => signal!.addEventListener("abort", resolve));
      yield { type: "choice-end", attempt: 0, reason: "the only one" };
      return { text: "0", answer: "0", reason: "done", usage: { calls: 1, inputTokens: 1, outputTokens: 1, milliseconds: 0 } };
    },
  };
  const onRecord = () => {
    throw new Error("the disk is full");
  };
  const tasks = [task({ items: items(50), methods: [{ method: slow, samples: 1 }] })];
  await expect(run({ tasks, onRecord })).rejects.toThrow("the disk is full");
  expect(asked).toBe(3);
  expect([...signals].every((signal) => signal?.aborted)).toBe(true);
});

test("one answer's budget ends its method early and is written down", async () => {
  const greedy: Method = {
    id: "greedy",
    async *run({ model, messages, mayCall, ...options }) {
      let calls = 0;
      const spent = () => ({ calls, inputTokens: 0, outputTokens: 0, milliseconds: 0 });
      while (mayCall!(spent())) {
        await model.generate(messages, { n: 1, ...options });
        calls++;
        yield { type: "choice-end", attempt: 0, reason: "the last" };
      }
      return { text: "0", answer: "0", reason: "budget-exhausted", usage: spent() };
    },
  };
  const { records } = await run({ tasks: [task({ methods: [{ method: greedy, samples: 1 }] })], budget: { calls: 3 } });
  expect(records.map((record) => [record.reason, record.usage.calls])).toEqual(Array(4).fill(["budget-exhausted", 3]));
});

test("the reference answer's keeper reaches only methods that say they use it", async () => {
  const given: Record<string, MethodTools | undefined> = {};
  const spy = (id: string, usesOracle: boolean): Method => ({
    id,
    usesOracle,
    async *run({ tools }) {
      given[id] = tools;
      yield { type: "choice-end", attempt: 0, reason: "the only one" };
      return { text: "1", answer: "1", reason: "done", usage: { calls: 0, inputTokens: 0, outputTokens: 0, milliseconds: 0 } };
    },
  });
  const methods = [spy("honest", false), spy("oracle", true)].map((method) => ({ method, samples: 1 }));
  const tools = () => ({ readAnswer: (text: string) => text, oracle: { isRight: async () => true } });
  const { records } = await run({ tasks: [task({ items: items(1), methods, tools })] });
  expect(Object.keys(given.honest!)).toEqual(["readAnswer"]);
  expect(Object.keys(given.oracle!)).toEqual(["readAnswer", "oracle"]);
  expect(records.map((record) => record.usesOracle)).toEqual([undefined, true]);
});

test("a slip in one's own method costs its answers and not the run, and says what it is", async () => {
  const spent = { calls: 1, inputTokens: 1, outputTokens: 1, milliseconds: 0 };
  const right = { text: "0", answer: "0", reason: "done", usage: spent };
  const step = { type: "step-end", role: "r", messages: [], text: "t", usage: spent };
  const circular: Record<string, unknown> = { ...step };
  circular.self = circular;
  const sloppy = (id: string, events: readonly unknown[], outcome: unknown = right) => ({
    samples: 1,
    method: {
      id,
      async *run() {
        yield* events;
        return outcome;
      },
    } as unknown as Method,
  });
  const thrower = (id: string, thrown: unknown) => ({
    samples: 1,
    method: { id, run: () => ({ next: () => Promise.reject(thrown) }) } as unknown as Method,
  });
  const slips: Record<string, string> = {
    null: "handed over what is no event: null",
    number: "handed over what is no event: 42",
    kind: 'handed over what is no event: its type is "attempt"',
    fields: "handed over what is no event: in attempt-end, attempt is undefined",
    bigint: "handed over what is no event: in step-end, usage.outputTokens is 1n",
    circular: "handed over what is no event: it cannot be written as JSON",
    inner: "handed over what is no event: in inner, event is an object",
    nothing: "ended without an outcome: null is none",
    text: "ended without an outcome: text is 5",
    unmetered: "ended without an outcome: answer is undefined",
    reason: 'ended without an outcome: reason is "what"',
    spent: "ended without an outcome: usage.calls is NaN",
    undefined: "threw undefined, which is no error",
    typed: "no such thing",
    wordless: "TypeError",
  };
  const methods = [
    sloppy("null", [null]),
    sloppy("number", [42]),
    sloppy("kind", [{ ...step, type: "attempt" }]),
    sloppy("fields", [{ type: "attempt-end" }]),
    sloppy("bigint", [{ ...step, usage: { ...spent, outputTokens: 1n } }]),
    sloppy("circular", [circular]),
    sloppy("inner", [{ type: "inner", method: "m", branch: 0, event: { type: "choice-end" } }]),
    sloppy("nothing", [], null),
    sloppy("text", [], { ...right, text: 5 }),
    sloppy("unmetered", [], { text: "0" }),
    sloppy("reason", [], { ...right, reason: "what" }),
    sloppy("spent", [], { ...right, usage: { calls: Number.NaN } }),
    thrower("undefined", undefined),
    thrower("typed", new TypeError("no such thing")),
    thrower("wordless", new TypeError("")),
    sloppy("good", [step]),
    thrower("served", remoteError("http-500", "the server answered 500", {})),
  ];
  const seen = new Map<string, string | undefined>();
  const { end, records } = await run({
    tasks: [task({ items: items(1), methods })],
    concurrency: methods.length,
    onProgress: ({ method, slip }) => seen.set(method, slip?.message),
  });
  expect(end).toBe("complete");
  expect(records).toHaveLength(methods.length);
  const errors = Object.fromEntries(records.map(({ method, error }) => [method, error]));
  for (const [id, message] of Object.entries(slips)) {
    expect(errors[id]).toContain(message);
    expect(seen.get(id)).toBe(errors[id]);
  }
  expect(errors.null).toBe("null handed over what is no event: null");
  expect([errors.good, seen.get("good")]).toEqual([undefined, undefined]);
  expect([errors.served, seen.get("served")]).toEqual(["the server answered 500", undefined]);
});
