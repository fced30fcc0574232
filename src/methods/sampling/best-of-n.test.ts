import { describe, expect, test } from "vitest";
import { noUsage } from "#kernel/model.ts";
import type { Method, MethodRequest, TraceEvent } from "#kernel/trace.ts";
import { FakeModel, type FakeReply } from "#models/fake.ts";
import { selfRefine } from "../refinement/self-refine.ts";
import { bestOfN } from "./best-of-n.ts";
import { selfConsistency } from "./self-consistency.ts";

async function play(method: Method, replies: FakeReply[], more: Partial<MethodRequest> = {}) {
  const model = new FakeModel(replies);
  const events: TraceEvent[] = [];
  const messages = [{ role: "user" as const, content: "What is 6 times 7?" }];
  const run = method.run({ model, messages, temperature: 0, maxTokens: 9, seed: 3, ...more });
  for (;;) {
    const next = await run.next();
    if (next.done) return { model, events, outcome: next.value };
    events.push(next.value);
  }
}

const reason = (events: readonly TraceEvent[]) => events.findLast((event) => event.type === "choice-end")?.reason;

describe("the model's own scores", () => {
  test("the highest wins; judges see question and answer, quoted, at temperature 0", async () => {
    const { model, events, outcome } = await play(bestOfN({ n: 2 }), [
      "41",
      "42",
      "Score: 2",
      "Fine. Score is high.\nScore: 9/10",
    ]);
    expect(outcome.answer).toBe("42");
    expect(reason(events)).toBe("highest score (0.9 of 1)");
    expect(model.calls.map((call) => [call.options.n, call.options.temperature])).toEqual([
      [2, 0.7],
      [1, 0],
      [1, 0],
    ]);
    const asked = model.calls[1].messages;
    expect(asked).toHaveLength(1);
    expect(asked[0].content).toContain("[question]\nWhat is 6 times 7?\n[end of question]\n\n[answer]\n41\n[end of answer]");
    expect(events.map((event) => event.type)).toEqual(["attempt-end", "attempt-end", "check-end", "check-end", "choice-end"]);
  });

  test("equals go to the answer most candidates agree on", async () => {
    const replies = ["41", "42.0", "It says: <answer>42</answer>", "Score: 8", "Score: 8", "Score: 3"];
    const { outcome, events } = await play(bestOfN({ n: 3 }), replies);
    expect(outcome.text).toBe("42.0");
    expect(reason(events)).toContain("shared by 2");
  });

  test("a score that cannot be read is worse than any, and without any the vote decides", async () => {
    expect((await play(bestOfN({ n: 2 }), ["41", "42", "great", "Score: 0"])).outcome.answer).toBe("42");
    const { outcome, events } = await play(bestOfN({ n: 3 }), ["41", "42", "42 ", "great", "10", "Score: 11"]);
    expect(outcome.answer).toBe("42");
    expect(reason(events)).toBe("no score could be read; 2 of 3 agree");
  });

  test("half of the scores say little: cut short, the vote decides", async () => {
    const mayCall = (spent: { calls: number }) => spent.calls < 2;
    const { outcome, events } = await play(bestOfN({ n: 3 }), ["41", "42", "42", "Score: 9"], { mayCall });
    expect(outcome).toMatchObject({ answer: "42", reason: "budget-exhausted" });
    expect(reason(events)).toBe("2 of 3 agree; the budget is spent");
  });

  test("the same text is judged once, and a score may be the mean of several judgements", async () => {
    const replies = ["41", "41", "42", "Score: 5", "Score: 7", "Score: 9", "no score"];
    const { model, events, outcome } = await play(bestOfN({ n: 3, judgements: 2 }), replies);
    expect(model.calls.map((call) => call.options.n)).toEqual([3, 2, 2]);
    expect(events.flatMap((event) => (event.type === "check-end" ? [event.score] : []))).toEqual([0.6, 0.9]);
    expect(outcome.answer).toBe("42");
  });
});

describe("comparisons", () => {
  test("in pairs: the later goes on only when both orders say so", async () => {
    const replies = ["a", "b", "c", "Better: B", "Better: A", "Better: B", "Better: B"];
    const { outcome, model } = await play(bestOfN({ n: 3, select: "pairwise" }), replies);
    expect(outcome.answer).toBe("b");
    expect(model.calls[2].messages[0].content).toMatch(/\[answer A\]\nb\n.*\[answer B\]\na\n/s);
  });

  test("of all: the number named, the vote when none is", async () => {
    expect((await play(bestOfN({ n: 3, select: "listwise" }), ["a", "b", "c", "Best: 3"])).outcome.answer).toBe("c");
    const { outcome, events } = await play(bestOfN({ n: 3, select: "listwise" }), ["a", "b", "b", "Best: 4"]);
    expect(outcome.answer).toBe("b");
    expect(reason(events)).toBe("the comparison names none; 2 of 3 agree");
  });
});

describe("a verifier", () => {
  test("scores each candidate, and what it costs is counted", async () => {
    const tools = {
      scoreCompletion: async (_: unknown, text: string) => ({
        score: text === "42" ? 0.9 : Number.NaN,
        usage: { ...noUsage, calls: 1, inputTokens: 5 },
      }),
    };
    const { outcome } = await play(bestOfN({ n: 2, select: "verifier" }), ["41", "42"], { tools });
    expect(outcome).toMatchObject({ answer: "42", usage: { calls: 3 } });
  });

  test("that fails ends with the vote; without one the method refuses", async () => {
    const tools = { scoreCompletion: () => Promise.reject(new Error("scorer down")) };
    const { outcome, events } = await play(bestOfN({ n: 3, select: "verifier" }), ["1", "2", "2"], { tools });
    expect(outcome).toMatchObject({ answer: "2", reason: "error" });
    expect(events).toContainEqual({ type: "error", message: "verifier: scorer down" });
    await expect(play(bestOfN({ n: 2, select: "verifier" }), [])).rejects.toMatchObject({ code: "no-scorer", family: "user" });
  });
});

describe("over another method", () => {
  test("runs it n times from different seeds and judges what comes out", async () => {
    const over = { method: selfRefine({ rounds: 1, id: "refine" }), maxCalls: 3 };
    const replies = ["a0", "fa", "a1", "b0", "fb", "b1", "Score: 3", "Score: 4"];
    const { model, events, outcome } = await play(bestOfN({ n: 2, over }), replies);
    expect(outcome).toMatchObject({ answer: "b1", usage: { calls: 8 } });
    expect(
      events.flatMap((event) => (event.type === "inner" ? [`${event.method} ${event.branch} ${event.event.type}`] : [])),
    ).toEqual([
      "refine 0 attempt-end",
      "refine 0 feedback-end",
      "refine 0 attempt-end",
      "refine 0 choice-end",
      "refine 1 attempt-end",
      "refine 1 feedback-end",
      "refine 1 attempt-end",
      "refine 1 choice-end",
    ]);
    expect(events.find((event) => event.type === "attempt-end")).toMatchObject({ text: "a1", usage: { calls: 3 } });
    expect(new Set(model.calls.map((call) => call.options.seed)).size).toBe(8);
  });

  test("an inner run cut short still counts as a candidate", async () => {
    const over = { method: selfRefine({ rounds: 1, id: "refine" }), maxCalls: 3 };
    const mayCall = (spent: { calls: number }) => spent.calls < 1;
    const { outcome } = await play(bestOfN({ n: 2, over }), ["a0"], { mayCall });
    expect(outcome).toMatchObject({ answer: "a0", reason: "budget-exhausted", usage: { calls: 1 } });
  });
});

test("plain samples are those of self-consistency, so that judge and vote choose from the same", async () => {
  const judged = await play(bestOfN({ n: 2, select: "vote" }), ["1", "2"]);
  const voted = await play(selfConsistency({ samples: 2 }), ["1", "2"]);
  expect(judged.model.calls).toEqual(voted.model.calls);
});
