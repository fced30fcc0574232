import { describe, expect, test } from "vitest";
import type { Method, TraceEvent } from "#kernel/trace.ts";
import { FakeModel } from "#models/fake.ts";
import { readOutOfTen, saysAllRight } from "../driver/turns.ts";
import { selfRefine } from "./self-refine.ts";

const prompts = { feedbackPrompt: "FEEDBACK?", refinePrompt: "REWRITE!", reviewPrompt: "REVIEW!" };

async function play(method: Method, replies: string[]) {
  const model = new FakeModel(replies);
  const events: TraceEvent[] = [];
  const run = method.run({ model, messages: [{ role: "user", content: "Q" }], temperature: 0, maxTokens: 9, seed: 3 });
  for (;;) {
    const next = await run.next();
    if (next.done) return { model, events, outcome: next.value };
    events.push(next.value);
  }
}

function dialogue(model: FakeModel, call: number): string[] {
  return model.calls[call].messages.map((message) => `${message.role}: ${message.content}`);
}

describe("two calls a round", () => {
  test("feedback sees the present answer alone, refinement sees the whole history", async () => {
    const { model, outcome } = await play(selfRefine({ rounds: 2, ...prompts }), ["y0", "f0", "y1", "f1", "y2"]);
    expect(dialogue(model, 1)).toEqual(["user: Q", "assistant: y0", "user: FEEDBACK?"]);
    expect(dialogue(model, 3)).toEqual(["user: Q", "assistant: y1", "user: FEEDBACK?"]);
    const firstRound = ["user: Q", "assistant: y0", "user: FEEDBACK?", "assistant: f0", "user: REWRITE!"];
    expect(dialogue(model, 2)).toEqual(firstRound);
    expect(dialogue(model, 4)).toEqual([...firstRound, "assistant: y1", "user: FEEDBACK?", "assistant: f1", "user: REWRITE!"]);
    expect(outcome.text).toBe("y2");
  });

  test("stops when the feedback finds nothing wrong, and only then", async () => {
    const stopped = await play(selfRefine({ rounds: 3, ...prompts }), ["y0", "Step 2 is off.", "y1", "Everything is right."]);
    expect(stopped.model.calls).toHaveLength(4);
    expect(stopped.outcome.text).toBe("y1");
    expect(stopped.events.at(-1)).toMatchObject({ type: "choice-end", attempt: 1 });
    const kept = await play(selfRefine({ rounds: 1, isAllRight: false, ...prompts }), ["y0", "Everything is right.", "y1"]);
    expect(kept.outcome.text).toBe("y1");
  });

  test("chooses by score when asked, the later of equals", async () => {
    const replies = ["y0", "Hm, 4/10", "y1", "9/10", "y2", "9/10", "y3", "no idea"];
    const best = await play(selfRefine({ rounds: 3, choose: "best-scored", ...prompts }), replies);
    expect(best.outcome.text).toBe("y2");
    expect(best.events.at(-1)).toMatchObject({ attempt: 2, reason: expect.stringContaining("9") });
    const last = await play(selfRefine({ rounds: 3, ...prompts }), replies.slice(0, 7));
    expect(last.outcome.text).toBe("y3");
  });

  test("an answer found right is taken, whatever scores the others have", async () => {
    const replies = ["y0", "4/10", "y1", "Everything is right."];
    const stopped = await play(selfRefine({ rounds: 3, choose: "best-scored", ...prompts }), replies);
    expect(stopped.outcome.text).toBe("y1");
    const atTheEnd = await play(selfRefine({ rounds: 1, choose: "best-scored", ...prompts }), replies);
    expect(atTheEnd.outcome.text).toBe("y1");
  });

  test("chooses by vote when asked, of spellings the first by its characters, in the form of the task", async () => {
    const replies = ["7.0", "f0", "8", "f1", "7"];
    const voted = await play(selfRefine({ rounds: 2, choose: "vote", ...prompts }), replies);
    expect(voted.outcome.text).toBe("7");
    expect(voted.events.at(-1)).toEqual({ type: "choice-end", attempt: 2, reason: "2 of 3 attempts agree; all rounds done" });
  });

  test("feedback may have its own temperature", async () => {
    const { model } = await play(selfRefine({ rounds: 1, feedbackTemperature: 0.7, ...prompts }), ["y0", "f0", "y1"]);
    expect(model.calls.map((call) => call.options.temperature)).toEqual([0, 0.7, 0]);
  });
});

describe("one call a round", () => {
  test("each review sees all answers before it", async () => {
    const { model, outcome } = await play(selfRefine({ rounds: 2, variant: "one-call", ...prompts }), ["y0", "y1", "y2"]);
    expect(dialogue(model, 2)).toEqual(["user: Q", "assistant: y0", "user: REVIEW!", "assistant: y1", "user: REVIEW!"]);
    expect(outcome.text).toBe("y2");
  });

  test("a review that finds nothing wrong leaves the answer as it is", async () => {
    const { events, outcome } = await play(selfRefine({ rounds: 3, variant: "one-call", ...prompts }), [
      "y0",
      "EVERYTHING IS RIGHT",
    ]);
    expect(outcome.text).toBe("y0");
    expect(events.map((event) => event.type)).toEqual(["attempt-end", "feedback-end", "choice-end"]);
  });
});

test.each([
  ["EVERYTHING IS RIGHT", true],
  ["I looked at each step.\n**Everything is right.**", true],
  ["Not everything is right", false],
  ["Everything is right except step 2", false],
  ["", false],
])("verdict of %j: all right %s", (feedback, expected) => expect(saysAllRight(feedback)).toBe(expected));

test.each([
  ["clarity 3/10, total 7.5/10", 7.5],
  ["7 / 10", 7],
  ["1/100", undefined],
  ["11/10", undefined],
  ["good", undefined],
])("score of %j is %s", (feedback, expected) => expect(readOutOfTen(feedback)).toBe(expected));
