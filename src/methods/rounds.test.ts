/** Methods that go round by round in one chat: PTR's rounds, and Self-Refine stopped by the reference. */
import { describe, expect, test } from "vitest";
import type { Method, MethodTools, TraceEvent } from "#kernel/trace.ts";
import { FakeModel } from "#models/fake.ts";
import { ptrRounds } from "./refinement/ptr-rounds.ts";
import { selfRefineOracle } from "./refinement/self-refine-oracle.ts";

async function play(method: Method, replies: string[], tools?: MethodTools) {
  const model = new FakeModel(replies);
  const events: TraceEvent[] = [];
  const messages = [{ role: "user" as const, content: "Q" }];
  const run = method.run({ model, messages, temperature: 0, maxTokens: 9, seed: 3, tools });
  for (;;) {
    const next = await run.next();
    if (next.done) {
      const said = model.calls.map((call) => call.messages.map(({ role, content }) => `${role}: ${content}`));
      return { said, events, outcome: next.value };
    }
    events.push(next.value);
  }
}

describe("rounds of PTR", () => {
  test("keep the whole history and repeat one request; the last is the answer", async () => {
    const { said, outcome, events } = await play(ptrRounds({ rounds: 3, refinePrompt: "AGAIN" }), ["1", "2", "1"]);
    expect(said[2]).toEqual(["user: Q", "assistant: 1", "user: AGAIN", "assistant: 2", "user: AGAIN"]);
    expect(outcome.text).toBe("1");
    expect(events.filter((event) => event.type === "attempt-end").map((event) => event.text)).toEqual(["1", "2", "1"]);
    expect(events.at(-1)).toEqual({ type: "choice-end", attempt: 2, reason: "last answer; all rounds done" });
  });

  test("may vote, and may stop when two in a row agree", async () => {
    const voted = await play(ptrRounds({ rounds: 3, choose: "vote" }), ["7", "8", "7.0"]);
    expect(voted.outcome.text).toBe("7");
    const stopped = await play(ptrRounds({ rounds: 5, stopWhenSame: true }), ["7", "8", "8.0"]);
    expect(stopped.outcome.text).toBe("8.0");
    expect(stopped.events.at(-1)).toMatchObject({ reason: "last answer; the same answer twice in a row" });
  });

  test("an answer that cannot be read agrees with nothing", async () => {
    const { said } = await play(ptrRounds({ rounds: 3, stopWhenSame: true }), ["", "", "8"]);
    expect(said).toHaveLength(3);
  });
});

describe("Self-Refine with an oracle", () => {
  const rightIs = (answer: string): MethodTools => ({ oracle: { isRight: async (completion) => completion === answer } });

  test("stops at the first right answer, before any feedback on it", async () => {
    const { said, outcome, events } = await play(selfRefineOracle({ rounds: 3 }), ["1", "f", "2"], rightIs("2"));
    expect(said).toHaveLength(3);
    expect(outcome.text).toBe("2");
    expect(events.map((event) => event.type)).toEqual([
      "attempt-end",
      "check-end",
      "feedback-end",
      "attempt-end",
      "check-end",
      "choice-end",
    ]);
    expect(said.flat().join("\n")).not.toMatch(/oracle|not right/i);
  });

  test("costs one call where the draft is right, and ends with the last where none is", async () => {
    expect((await play(selfRefineOracle({ rounds: 3 }), ["1"], rightIs("1"))).outcome.usage.calls).toBe(1);
    const never = await play(selfRefineOracle({ rounds: 1 }), ["1", "f", "2"], rightIs("3"));
    expect(never.outcome).toMatchObject({ text: "2", reason: "done" });
  });

  test("an oracle that fails ends it with what there is", async () => {
    const tools = { oracle: { isRight: () => Promise.reject(new Error("sandbox gone")) } };
    const { outcome, events } = await play(selfRefineOracle({ rounds: 1 }), ["1"], tools);
    expect(outcome).toMatchObject({ text: "1", reason: "error" });
    expect(events).toContainEqual({ type: "error", message: "oracle: sandbox gone" });
  });

  test("says in every name that it has one, and refuses to run without", async () => {
    expect(selfRefineOracle({ rounds: 2 })).toMatchObject({ id: "self-refine-oracle-2", usesOracle: true });
    await expect(play(selfRefineOracle({ rounds: 2 }), [])).rejects.toMatchObject({ code: "no-oracle", family: "user" });
  });
});
