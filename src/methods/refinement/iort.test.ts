import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ExecutionReport, MethodTools } from "#kernel/trace.ts";
import type { FakeCall } from "#models/fake.ts";
import { dialogue, keepsItsPromises, outline, play } from "../../../test/methods/promises.ts";
import { iort, nearestExamples, sharedWords } from "./iort.ts";

const answer = (value: string) => `<answer>${value}</answer>`;

/** Every answer is another one, so that each round selects. */
const worst = (_call: FakeCall, index: number) => `Better: neither\n${answer(String(index))}`;

const prints = (output: (source: string) => string, status: ExecutionReport["status"] = "ok"): MethodTools => ({
  runPython: async (source) => ({ status, output: output(source) }),
});

describe.each([{ rounds: 1 }, { rounds: 4 }, { rounds: 2, hint: false }])("%j", (given) => {
  const options = { hint: true, answers: "text", temperature: undefined, ...given };
  keepsItsPromises({ method: iort.card.create(options, "iort"), calls: iort.card.maxCalls(options), worst });
});

describe("with programs for answers", () => {
  const options = { rounds: 2, hint: true, answers: "program", temperature: undefined };
  const method = iort.card.create(options, "iort");
  const program = (_call: FakeCall, index: number) => `\`\`\`python\nprint(${index})\n\`\`\``;
  const tools = prints((source) => source);
  keepsItsPromises({ method, calls: iort.card.maxCalls(options), worst: program, tools, asksPlainly: false });

  test("the answer is what the program prints last", async () => {
    const tools = prints((source) => `checking\n${/\d+/.exec(source)![0]}\n`);
    const { model, events, outcome } = await play(iort({ rounds: 1, answers: "program" }), program, { tools });
    expect(outline(events).slice(0, 3)).toEqual(["program", "attempt 0", "check 0 by Python: passed"]);
    expect(outcome).toMatchObject({ answer: "0", text: expect.stringContaining("print(0)") });
    expect(dialogue(model.calls[0])[0]).toMatch(/^user: What is 6 times 7\?\n\nAnswer with one Python program/);
  });

  test("programs that fail have no answer, and agree with nothing", async () => {
    for (const broken of [
      prints(() => "NameError", "failed"),
      prints(() => " \n"),
      { runPython: () => Promise.reject(new Error("gone")) },
    ]) {
      const { events, outcome } = await play(iort({ rounds: 1, answers: "program" }), program, { tools: broken });
      expect(outline(events)).toContain("instructor: select");
      expect(outcome).toMatchObject({ reason: "done", text: expect.stringContaining("no answer") });
    }
    const none = await play(iort({ rounds: 1, answers: "program" }), () => "No program today.", { tools });
    expect(outline(none.events)).toContain("check 0 by Python: failed");
  });

  test("without a sandbox it says so before any call", async () => {
    await expect(play(method, [])).rejects.toMatchObject({ family: "user", code: "no-python" });
  });
});

test("answers that differ: the instructor selects, knowing the hint, and the winner is reflected on", async () => {
  const script = (call: FakeCall, index: number) => {
    const last = call.messages.at(-1)!.content;
    if (!last.includes("Better: A")) return [answer("41"), "Think of groups.", answer("42"), "", answer("43"), ""][index];
    return last.indexOf(answer("42")) < last.indexOf("[answer B]") ? "Better: A" : "**Better: B**";
  };
  const { model, events, outcome } = await play(iort({ rounds: 2 }), script);
  expect(outline(events)).toEqual([
    "attempt 0",
    "hint",
    "attempt 1",
    "instructor: select",
    "chose 1",
    "attempt 2",
    "instructor: select",
    "chose 1",
    "chose 1",
  ]);
  expect(dialogue(model.calls[3])[0]).toContain("[hint]\nThink of groups.");
  expect(dialogue(model.calls[4])[1]).toBe(`assistant: ${answer("42")}`);
  expect(outcome.answer).toBe("42");
});

test.each(["Both are fine.", "Better: neither", "Better: C", ""])("the selection %j leaves the basic answer", async (reply) => {
  const { events, outcome } = await play(iort({ rounds: 1, hint: false }), [answer("1"), answer("2"), reply]);
  expect(outcome.answer).toBe("1");
  expect(events.at(-2)).toMatchObject({ type: "choice-end", attempt: 0, reason: expect.stringContaining("stays") });
});

test("answers that agree and are sound: stop", async () => {
  const replies = [answer("42"), "hint", answer("42.0"), "They hold.\nBoth: sound"];
  const { events, outcome } = await play(iort({ rounds: 4 }), replies);
  expect(outline(events).at(-2)).toBe("check 1 by instructor: stop or refresh: passed");
  expect(outcome.answer).toBe("42");
});

test.each(["Both: inadequate", "They look fine."])("answers that agree, and %j: the next one is fresh", async (reply) => {
  const replies = [answer("41"), "hint", answer("41"), reply, answer("42"), "Better: neither", answer("43"), "Better: neither"];
  const { model, outcome } = await play(iort({ rounds: 3 }), replies);
  expect(dialogue(model.calls[4])).toEqual(["user: What is 6 times 7?"]);
  // The basic answer stays, and the round after reflects on it again.
  expect(dialogue(model.calls[6])[1]).toBe(`assistant: ${answer("41")}`);
  expect(outcome.answer).toBe("41");
});

test("agreement in the last round needs no verdict", async () => {
  const { model, events } = await play(iort({ rounds: 1 }), [answer("42"), "hint", answer("42")]);
  expect(model.calls).toHaveLength(3);
  expect(events.at(-1)).toMatchObject({ reason: "the last two answers agree" });
});

test("both orders of the two answers occur", async () => {
  const orders = new Set<boolean>();
  for (let seed = 0; seed < 16; seed++) {
    const { model } = await play(iort({ rounds: 1, hint: false }), [answer("1"), answer("2"), ""], { seed });
    const shown = dialogue(model.calls[2])[0];
    orders.add(shown.indexOf(answer("1")) < shown.indexOf(answer("2")));
  }
  expect(orders.size).toBe(2);
});

test("greedy requests reflect warm, the first answer and the instructor stay as asked", async () => {
  const { model } = await play(iort({ rounds: 1 }), worst, { temperature: 0 });
  expect(model.calls.map((call) => call.options.temperature)).toEqual([0, 0, 0.7, 0]);
});

describe("examples of hints", () => {
  const examples = [
    { question: "How many apples has Tom?", hint: "Count." },
    { question: "What is 3 times 9?", hint: "Add equal groups." },
    { question: "Is Rome older than Paris?", hint: "Compare dates." },
  ];

  test("the most similar are shown when the hint is written", async () => {
    const { model } = await play(iort({ rounds: 1, examples, nearest: 1 }), worst);
    expect(dialogue(model.calls[1])[0]).toContain("Its hint: Add equal groups.");
    expect(dialogue(model.calls[1])[0]).not.toContain("Count.");
  });

  test("the similarity may be one's own; equals keep their order", () => {
    expect(nearestExamples("x", examples, 2, () => 1)).toEqual(examples.slice(0, 2));
    expect(nearestExamples("x", examples, 1, (_, other) => (other.includes("Rome") ? 1 : 0))).toEqual([examples[2]]);
    expect(nearestExamples("x", [], 3, sharedWords)).toEqual([]);
  });

  test("shared words: symmetric, 1 for the same words, 0 for none, between them otherwise", () => {
    expect(sharedWords("two TIMES three", "Three times two!")).toBeCloseTo(1, 12);
    expect(sharedWords("a b", "c d")).toBe(0);
    expect(sharedWords("", "")).toBe(0);
    expect(sharedWords("a b", "a c")).toBeCloseTo(0.5, 12);
    fc.assert(
      fc.property(fc.string(), fc.string(), (first, second) => {
        const found = sharedWords(first, second);
        expect(found).toBeCloseTo(sharedWords(second, first), 12);
        expect(found).toBeGreaterThanOrEqual(0);
        expect(found).toBeLessThanOrEqual(1);
      }),
    );
  });
});
