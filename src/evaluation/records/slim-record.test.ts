import { expect, test } from "vitest";
import type { TraceEvent } from "#kernel/trace.ts";
import type { EvaluationRecord } from "./evaluation-record.ts";
import { slimRecord } from "./slim-record.ts";

const usage = { calls: 3, inputTokens: 60, outputTokens: 45, milliseconds: 9 };
const call = (outputTokens: number | undefined) => ({ calls: 1, inputTokens: 20, outputTokens, milliseconds: 3 });
const attempt = (index: number, outputTokens: number | undefined): TraceEvent => ({
  type: "attempt-end",
  attempt: index,
  messages: [],
  text: "a long text",
  usage: call(outputTokens),
});
const record: EvaluationRecord = {
  task: "sums",
  item: "x",
  method: "refine",
  sample: 0,
  text: "a long text",
  answer: "a long answer",
  extracted: "4",
  accuracy: 1,
  attempts: [
    { answer: "It is 1,000.", extracted: "1,000", accuracy: 0, outputTokens: 15 },
    { answer: "It is 1000.0", extracted: "1000.0", accuracy: 1, outputTokens: 20 },
  ],
  verdict: "ok",
  refinements: 1,
  reason: "done",
  usage,
  seconds: 2,
  events: [
    attempt(0, 15),
    { type: "feedback-end", attempt: 0, messages: [], text: "a long text", usage: call(10) },
    { type: "check-end", attempt: 0, by: "judge", passed: false, score: 0.2, text: "no", usage: call(0) },
    attempt(1, 20),
    { type: "check-end", attempt: 1, by: "judge", passed: true, score: 0.9, text: "yes", usage: call(0) },
  ],
};

test("keeps figures and leaves texts behind", () => {
  const slim = slimRecord(record);
  expect(JSON.stringify(slim)).not.toContain("a long");
  expect(slim).toMatchObject({ task: "sums", extracted: true, failed: false, wellFormed: true, seconds: 2 });
  expect(slim.attempts).toEqual([
    { vote: "1000", accuracy: 0, outputTokens: 15, spentTokens: 15, score: 0.2, scoreTokens: { generated: 0, all: 20 } },
    { vote: "1000", accuracy: 1, outputTokens: 20, spentTokens: 45, score: 0.9, scoreTokens: { generated: 0, all: 20 } },
  ]);
  expect(slim.checks).toEqual([
    { by: "judge", passed: false, score: 0.2, right: false },
    { by: "judge", passed: true, score: 0.9, right: true },
  ]);
  expect("milliseconds" in slim.usage).toBe(false);
});

test("votes are compared as the task compares answers, and long ones by digest", () => {
  const program = "x = 1\n".repeat(100);
  const texts = ["1/2", "0.5", program, `${program} `, "  "];
  const attempts = texts.map((answer) => ({ answer, accuracy: 0 }));
  const same = (first: string, second: string) => [first, second].every((answer) => answer === "1/2" || answer === "0.5");
  const votes = (options = {}) =>
    slimRecord({ ...record, attempts, events: undefined }, options).attempts!.map(({ vote }) => vote);
  const [half, decimal, long, again, none] = votes();
  expect(half).not.toBe(decimal);
  expect(long).toBe(again);
  expect(long!.length).toBeLessThan(30);
  expect(none).toBe("");
  const [first, second] = votes({ sameAnswer: same });
  expect(second).toBe(first);
});

test("answers that agree one with the next have one vote, in every order", () => {
  const same = (first: string, second: string) => Math.abs(Number(first) - Number(second)) <= 1;
  const votes = (answers: string[]) => {
    const attempts = answers.map((answer) => ({ answer, accuracy: 0 }));
    return slimRecord({ ...record, attempts, events: undefined }, { sameAnswer: same }).attempts!.map(({ vote }) => vote);
  };
  expect(votes(["1", "2", "3", "7"])).toEqual(["1", "1", "1", "7"]);
  expect(votes(["3", "1", "7", "2"])).toEqual(["1", "1", "7", "1"]);
});

test("a text in which no answer was found has no vote, where answers are found in others", () => {
  const attempts = [
    { answer: "It is 4.", extracted: "4", accuracy: 1 },
    { answer: "I do not know.", accuracy: 0 },
  ];
  expect(slimRecord({ ...record, attempts, events: undefined }).attempts!.map(({ vote }) => vote)).toEqual(["4", ""]);
});

test("what was spent is unknown where a part is, or where the parts exceed what was metered", () => {
  const spent = (events: TraceEvent[], metered: number | undefined) =>
    slimRecord({ ...record, events, usage: { ...usage, outputTokens: metered } }).attempts!.map(({ spentTokens }) => spentTokens);
  expect(spent([attempt(0, 15), attempt(1, undefined)], 45)).toEqual([undefined, undefined]);
  expect(spent([attempt(0, 15), attempt(1, 20)], undefined)).toEqual([undefined, undefined]);
  expect(spent([attempt(0, 15), attempt(1, 20)], 30)).toEqual([undefined, undefined]);
  const inner: TraceEvent = { type: "inner", method: "vanilla", branch: 0, event: attempt(0, 15) };
  expect(spent([inner, attempt(0, 15), attempt(1, 20)], 50)).toEqual([30, 50]);
  // An inner call that is counted outside again.
  expect(spent([inner, attempt(0, 15), attempt(1, 20)], 35)).toEqual([15, 35]);
});

test("a verdict on an attempt that was never graded says nothing", () => {
  const { attempts: _, ...single } = record;
  expect(slimRecord(single).checks).toBeUndefined();
  const events = record.events!.slice(0, 3);
  expect(slimRecord({ ...single, events }).checks).toEqual([{ by: "judge", passed: false, score: 0.2, right: true }]);
});
