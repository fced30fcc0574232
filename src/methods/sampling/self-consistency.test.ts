import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TraceEvent } from "#kernel/trace.ts";
import { FakeModel } from "#models/fake.ts";
import { selfConsistency } from "./self-consistency.ts";

async function vote(answers: string[], options: Parameters<typeof selfConsistency>[0] = {}) {
  const model = new FakeModel(answers.map((answer) => `<think>…</think><answer>${answer}</answer>`));
  const events: TraceEvent[] = [];
  const method = selfConsistency({ samples: answers.length, ...options });
  const run = method.run({ model, messages: [{ role: "user", content: "Q" }], temperature: 0, maxTokens: 9, seed: 3 });
  for (;;) {
    const next = await run.next();
    if (next.done) return { model, events, outcome: next.value };
    events.push(next.value);
  }
}

describe("the majority", () => {
  test("wins over the first", async () => {
    const { outcome, events } = await vote(["41", "42", "42.0", "1,041"]);
    expect(outcome.answer).toBe("42");
    expect(events.at(-1)).toEqual({ type: "choice-end", attempt: 1, reason: "2 of 4 votes" });
  });

  test("of a tie is the answer that comes first by its characters, whichever was seen first", async () => {
    expect((await vote(["b", "a", "a", "b"])).outcome.answer).toBe("a");
    expect((await vote(["a", "b", "b", "a"])).outcome.answer).toBe("a");
  });

  test("counts no vote for an empty answer", async () => {
    expect((await vote(["", "", "7"])).outcome.answer).toBe("7");
    expect((await vote(["", ""])).outcome.answer).toBe("");
  });

  test("is over all samples of one call, at the method's own temperature", async () => {
    const { model } = await vote(["1", "2"], { temperature: 0.7 });
    expect(model.calls.map((call) => call.options)).toMatchObject([{ n: 2, temperature: 0.7 }]);
  });

  test("of any answers has at least as many votes as every other, and the smallest among equals", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom("1", "2", "3"), { minLength: 1, maxLength: 9 }), async (answers) => {
        const { outcome } = await vote(answers);
        const count = (answer: string) => answers.filter((other) => other === answer).length;
        const most = Math.max(...answers.map(count));
        expect(outcome.answer).toBe(answers.toSorted().find((answer) => count(answer) === most));
      }),
    );
  });
});
