import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MethodTools } from "#kernel/trace.ts";
import type { FakeCall } from "#models/fake.ts";
import { dialogue, keepsItsPromises, outline, play } from "../../../test/methods/promises.ts";
import { mctsSelfRefine, suppressFullScore } from "./mcts-self-refine.ts";

const asksForScore = (call: FakeCall) => call.messages.at(-1)!.content.includes("Score: <number>");

/** Scores are asked for twice; the second reply holds one, which prefers earlier answers, so that an answer is always selected. */
function worst(call: FakeCall, index: number): string {
  return asksForScore(call) ? (index % 2 === 0 ? "Score: 40" : "Looks fine to me.") : `<answer>${index}</answer>`;
}

const values = { rollouts: 3, exploration: 1.4, maxChildren: 3, scorer: "self", resample: true, scoreTries: 1, fullScore: 95 };
const others = { fullScoreAs: 50, emptyRoot: false, temperature: undefined };

describe.each([
  { ...values, ...others },
  { ...values, ...others, rollouts: 0 },
  { ...values, ...others, resample: false, rollouts: 2 },
  { ...values, ...others, scoreTries: 0 },
])("%j", (options) => {
  // Never a readable score: every try is needed.
  const unread = (call: FakeCall, index: number) => (asksForScore(call) ? "Looks fine to me." : worst(call, index));
  const method = mctsSelfRefine.card.create(options, "mcts");
  keepsItsPromises({ method, calls: mctsSelfRefine.card.maxCalls(options), worst: unread });
});

describe("with a verifier", () => {
  const options = { ...values, ...others, emptyRoot: true, scorer: "verifier" };
  const tools: MethodTools = {
    scoreCompletion: async (_messages, text) => ({
      score: text.length / 100,
      usage: { calls: 0, inputTokens: 0, outputTokens: 0, cachedInputTokens: 0, reasoningTokens: 0, dollars: 0, milliseconds: 0 },
    }),
  };
  const method = mctsSelfRefine.card.create(options, "mcts");
  keepsItsPromises({ method, calls: mctsSelfRefine.card.maxCalls(options), worst, tools });

  test("what its scores cost is added, and a score that is no number is none", async () => {
    const usage = { calls: 1, inputTokens: 10, outputTokens: 1, milliseconds: 0 };
    const paid: MethodTools = { scoreCompletion: async () => ({ score: Number.NaN, usage }) };
    const { events, outcome } = await play(mctsSelfRefine({ rollouts: 1, scorer: "verifier" }), ["a", "b", "c"], { tools: paid });
    expect(outcome.usage.calls).toBe(3 + 2);
    expect(outline(events).at(-2)).toBe("check 1 by verifier:");
    expect(events.at(-1)).toMatchObject({ attempt: 0, reason: "no score could be read" });
  });

  test("without one it says so before any call", async () => {
    const run = play(mctsSelfRefine({ rollouts: 1, scorer: "verifier" }), []);
    await expect(run).rejects.toMatchObject({ family: "user", code: "no-scorer" });
  });
});

test("one rollout: score again, criticise, rewrite, score; then the best, not the last", async () => {
  const replies = ["y0", "Score: 60", "Score: 80", "Step 2 is a guess.", "y1", "Score: -20"];
  const { model, events, outcome } = await play(mctsSelfRefine({ rollouts: 1 }), replies);
  expect(outline(events)).toEqual([
    "attempt 0",
    "check 0 by the model itself: 0.8",
    "chose 0",
    "check 0 by the model itself: 0.9",
    "feedback 0",
    "attempt 1",
    "check 1 by the model itself: 0.4",
    "chose 0",
  ]);
  // (0.8 + 0.85) / 2
  expect(events.at(-1)).toMatchObject({ reason: "highest quality (0.825 of 1)" });
  expect(outcome).toMatchObject({ text: "y0", reason: "done" });
  expect(dialogue(model.calls[4]).slice(0, 2)).toEqual(["user: What is 6 times 7?", "assistant: y0"]);
  expect(dialogue(model.calls[4])[3]).toBe("assistant: Step 2 is a guess.");
  // The judge sees question and answer alone.
  expect(model.calls[5].messages).toHaveLength(1);
  expect(dialogue(model.calls[5])[0]).toMatch(/What is 6 times 7\?(.|\n)*y1/);
  expect(dialogue(model.calls[5])[0]).not.toContain("guess");
});

test("a poor first answer leads to a wholly new start", async () => {
  const replies = ["y0", "Score: -100", "Score: -100", "c0", "y1", "Score: -100", "Begin with a table.", "y2", "Score: 50"];
  const { model, events, outcome } = await play(mctsSelfRefine({ rollouts: 2 }), replies);
  expect(outline(events)).toContain("critique of an empty answer");
  expect(dialogue(model.calls[6])[1]).toBe("assistant: I do not know the answer.");
  expect(outcome.text).toBe("y2");
});

test("too good a score is not believed, and one that cannot be read is asked for again, a bounded number of times", async () => {
  const replies = ["y0", "Perfect!", "Score: 99", "c0", "y1", "Score: 60"];
  const { events, outcome } = await play(mctsSelfRefine({ rollouts: 1, resample: false, emptyRoot: false }), replies);
  expect(outline(events).filter((line) => line.startsWith("check"))).toEqual([
    "check 0 by the model itself:",
    "check 0 by the model itself: 0.75",
    "check 1 by the model itself: 0.8",
  ]);
  expect(outcome.text).toBe("y1");
});

test("an answer without a readable score stays in the search, behind every scored one", async () => {
  const replies = ["y0", "?", "?", "c0", "y1", "Score: -100"];
  const options = { rollouts: 1, resample: false, emptyRoot: false };
  expect((await play(mctsSelfRefine(options), replies)).outcome.text).toBe("y1");
  const never = await play(mctsSelfRefine(options), ["y0", "?", "?", "c0", "y1", "?", "?"]);
  expect(never.outcome.text).toBe("y0");
  expect(never.events.at(-1)).toMatchObject({ reason: "no score could be read" });
});

test("equal answers are nodes of their own, and make no cycle", async () => {
  const script = (call: FakeCall) => (asksForScore(call) ? "Score: 10" : "the same");
  const { events, outcome } = await play(mctsSelfRefine({ rollouts: 12 }), script);
  expect(events.filter((event) => event.type === "attempt-end")).toHaveLength(13);
  expect(outcome.text).toBe("the same");
});

test("greedy requests search warm, the first answer as asked", async () => {
  const { model } = await play(mctsSelfRefine({ rollouts: 1 }), worst, { temperature: 0 });
  expect(model.calls[0].options.temperature).toBe(0);
  expect(new Set(model.calls.slice(1).map((call) => call.options.temperature))).toEqual(new Set([0.7]));
});

test("full scores are suppressed at the bound and above, nothing else is", () => {
  expect(suppressFullScore(0.975, 95, 50)).toBe(0.75);
  expect(suppressFullScore(undefined, 95, 50)).toBeUndefined();
  fc.assert(
    fc.property(fc.integer({ min: -100, max: 100 }), (score) => {
      const given = (score + 100) / 200;
      expect(suppressFullScore(given, 95, 50)).toBe(score >= 95 ? 0.75 : given);
      expect(suppressFullScore(given, 101, 50)).toBe(given);
    }),
  );
});
