import { describe, expect, test } from "vitest";
import type { Message } from "#kernel/model.ts";
import type { TraceEvent } from "#kernel/trace.ts";
import { FakeModel } from "#models/fake.ts";
import { chainOfThought } from "./chain-of-thought.ts";

type Options = Parameters<typeof chainOfThought>[0];

async function think(options: Options, replies: string[], messages: Message[] = [{ role: "user", content: "Q" }]) {
  const model = new FakeModel(replies);
  const events: TraceEvent[] = [];
  const run = chainOfThought(options).run({ model, messages, temperature: 0, maxTokens: 9, seed: 3 });
  for (;;) {
    const next = await run.next();
    if (next.done) {
      const said = model.calls.map((call) => call.messages.map(({ role, content }) => `${role}: ${content}`));
      return { said, events, outcome: next.value };
    }
    events.push(next.value);
  }
}

describe("where the request to reason stands", () => {
  test("at the end of the last question", async () => {
    const messages: Message[] = [
      { role: "user", content: "P" },
      { role: "assistant", content: "p" },
      { role: "user", content: "Q" },
    ];
    expect((await think({}, ["42"], messages)).said).toEqual([
      ["user: P", "assistant: p", "user: Q\n\nLet's think step by step."],
    ]);
  });

  test("in the system message, or at the beginning of the answer", async () => {
    expect((await think({ style: "instruction", trigger: "Think." }, ["42"])).said).toEqual([["system: Think.", "user: Q"]]);
    expect((await think({ style: "prefill" }, [" 42"])).said).toEqual([["user: Q", "assistant: Let's think step by step."]]);
  });
});

describe("the second call", () => {
  test("asks for the answer alone, after the reasoning", async () => {
    const { said, outcome, events } = await think({ extract: true, extractPrompt: "So?", trigger: "Think." }, [
      "6 × 7 is 42",
      "42",
    ]);
    expect(said[1]).toEqual(["user: Q\n\nThink.", "assistant: 6 × 7 is 42", "user: So?"]);
    expect(outcome.text).toBe("42");
    expect(events.at(-1)).toEqual({ type: "choice-end", attempt: 1, reason: "the answer alone" });
  });

  test("goes on with the answer that the first one began, in one message", async () => {
    const { said } = await think({ style: "prefill", extract: true, extractPrompt: "So?", trigger: "Well," }, [" 42", "42"]);
    expect(said[1]).toEqual(["user: Q", "assistant: Well, 42", "user: So?"]);
  });

  test("that says nothing leaves the first answer", async () => {
    const { outcome } = await think({ extract: true }, ["<answer>42</answer>", "  "]);
    expect(outcome.answer).toBe("42");
  });
});

test("only one call, all of it the answer, may be shown while it arrives", () => {
  const live = (options: Options) => chainOfThought(options).liveAnswer;
  expect([live({}), live({ style: "instruction" }), live({ extract: true }), live({ style: "prefill" })]).toEqual([
    "whole",
    "whole",
    undefined,
    undefined,
  ]);
});
