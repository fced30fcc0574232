/** Methods inside methods: question rewriting before anything, and samples of anything. */
import { describe, expect, test } from "vitest";
import { addUsage, noUsage, type Usage } from "#kernel/model.ts";
import type { MethodTools, TraceEvent } from "#kernel/trace.ts";
import type { FakeCall } from "#models/fake.ts";
import { outline, play } from "../../test/methods/promises.ts";
import { methodCards, parseMethods } from "./catalogue.ts";

const tools: MethodTools = {
  runVisibleTests: async () => ({ status: "failed", passed: false, output: "f(1) is not 2" }),
  oracle: {
    isRight: async () => false,
    runHiddenTests: async () => ({ status: "failed", passed: false, output: "" }),
  },
};

/** Another answer and another question every time; nobody is ever content. */
function restless(call: FakeCall, index: number): string {
  const last = call.messages.at(-1)!.content;
  if (last.startsWith("Rewrite the question"))
    return `<question>What, in ${"very ".repeat(index)}short, is 6 times 7?</question>`;
  return `Verdict: wrong\nBoth: inadequate\nScore: ${index % 7}\nBetter: neither\n<answer>${index}</answer>`;
}

function usageOf(events: readonly TraceEvent[]): Usage {
  return events.reduce<Usage>((sum, event) => ("usage" in event ? addUsage(sum, event.usage) : sum), noUsage);
}

const expressions = [
  ...methodCards.flatMap(({ id }) => [`self-polish(${id},rewrites=1)`, `best-of-n(${id},n=2)`]),
  "best-of-n(self-refine(rounds=2),n=3)",
  "self-polish(best-of-n(self-refine(rounds=1),n=2),rewrites=2)",
  "best-of-n(self-polish(iort(rounds=1),rewrites=1),n=2,select=pairwise)",
  "self-polish(self-polish(vanilla,rewrites=1),rewrites=1)",
];

describe.each(expressions)("%s", (expression) => {
  const { method, maxCalls } = parseMethods(expression)[0];

  test("has an answer, within its cost, on one meter", async () => {
    const { model, events, outcome } = await play(method, restless, { tools });
    expect(outcome).toMatchObject({ reason: "done", text: expect.stringContaining("<answer>") });
    expect(model.calls.length).toBeLessThanOrEqual(maxCalls);
    expect(outcome.usage.calls).toBe(model.calls.length);
    expect(usageOf(events)).toEqual(outcome.usage);
    expect(outline(events).some((line) => line.startsWith("inner "))).toBe(true);
  });

  test("gives its first answer to the smallest budget, wherever that ends it", async () => {
    const whole = (await play(method, restless, { tools })).model.calls.length;
    for (const allowed of [1, 2, 3, Math.floor(whole / 2), whole - 1]) {
      const { model, outcome } = await play(method, restless, { tools, mayCall: ({ calls }) => calls < allowed });
      expect(model.calls).toHaveLength(Math.min(allowed, whole));
      expect(outcome.text).toContain("<answer>");
    }
  });
});
