import { describe, expect, test } from "vitest";
import type { MethodTools, TestReport } from "#kernel/trace.ts";
import { FakeModel } from "#models/fake.ts";
import { dialogue, keepsItsPromises, outline, play } from "../../../test/methods/promises.ts";
import { selfRepair } from "./self-repair.ts";

/** A program passes when it holds "good"; the others end as they say. */
function tools(seen: string[] = []): MethodTools {
  return {
    runVisibleTests: async (completion) => {
      seen.push(completion);
      const status = (["timeout", "memory", "refused"] as const).find((word) => completion.includes(word)) ?? "failed";
      const passed = completion.includes("good");
      return { status: passed ? "ok" : status, passed, output: passed ? "" : `f(1) is not 2 in ${completion}` };
    },
  };
}

const options = (more: Pick<NonNullable<Parameters<typeof selfRepair>[0]>, "drafts" | "repairs" | "feedback">) => {
  return { drafts: 2, repairs: 1, feedback: "joint" as const, ...more };
};

describe.each([
  options({}),
  options({ drafts: 1, repairs: 0 }),
  options({ drafts: 3, repairs: 2 }),
  options({ feedback: "separate", repairs: 2 }),
])("%j", (values) => {
  const method = selfRepair.card.create({ ...values, temperature: undefined }, "repair");
  const calls = selfRepair.card.maxCalls({ ...values });
  keepsItsPromises({ method, calls, worst: (_call, index) => `program ${index}`, tools: tools() });
});

test("a first program that passes is the answer", async () => {
  const { events, outcome } = await play(selfRepair(options({})), ["good 0"], { tools: tools() });
  expect(outline(events)).toEqual(["attempt 0", "check 0 by the question's tests: passed", "chose 0"]);
  expect(outcome.text).toBe("good 0");
});

test("all programs are drawn before any is repaired, and each is repaired once before one is twice", async () => {
  const replies = ["bad 0", "bad 1", "bad 2", "bad 3", "good 4"];
  const { model, events, outcome } = await play(selfRepair(options({ repairs: 2 })), replies, { tools: tools() });
  expect(outcome.text).toBe("good 4");
  expect(dialogue(model.calls[1])).toEqual(["user: What is 6 times 7?"]);
  const repaired = [2, 3, 4].map((call) => model.calls[call].messages);
  expect(repaired.map((messages) => messages[1].content)).toEqual(["bad 0", "bad 1", "bad 0"]);
  expect(repaired[1][2].content).toContain("f(1) is not 2 in bad 1");
  expect(events.at(-1)).toMatchObject({ attempt: 4, reason: "passes the question's tests" });
});

test("the words about the fault may come in a call of their own, and from another model within the same budget", async () => {
  const reviewer = new FakeModel(["The loop ends early.", "Off by one."], "reviewer");
  const method = selfRepair({ drafts: 1, repairs: 2, feedback: "separate", feedbackModel: reviewer });
  const spent: number[] = [];
  const mayCall = ({ calls }: { calls: number }) => {
    spent.push(calls);
    return true;
  };
  const { model, events, outcome } = await play(method, ["bad 0", "bad 1", "good 2"], { tools: tools(), mayCall });
  expect(outline(events).filter((line) => !line.startsWith("check"))).toEqual([
    "attempt 0",
    "feedback 0",
    "attempt 1",
    "feedback 0",
    "attempt 2",
    "chose 2",
  ]);
  expect(dialogue(model.calls[1]).at(-2)).toBe("assistant: The loop ends early.");
  expect(dialogue(reviewer.calls[0]).at(-1)).toContain("f(1) is not 2 in bad 0");
  expect(spent).toEqual([0, 1, 2, 3, 4]);
  expect(outcome.usage.calls).toBe(5);
});

test.each([
  [["timeout 0", "memory 1", "bad 2", "bad 3"], 2],
  [["bad 0", "bad 1", "refused 2", "bad 3"], 0],
  [["refused 0", "memory 1", "timeout 2", "memory 3"], 2],
])("when nothing passes, of %j it is number %i", async (replies, chosen) => {
  const { events, outcome } = await play(selfRepair(options({})), replies, { tools: tools() });
  expect(outcome.text).toBe(replies[chosen]);
  expect(events.at(-1)).toMatchObject({ attempt: chosen, reason: expect.stringContaining("none of 4 programs") });
});

test("a program that was not tested yet stands behind those that were", async () => {
  const controller = new AbortController();
  const failing: MethodTools = {
    runVisibleTests: async (completion): Promise<TestReport> => {
      if (completion === "second") throw new Error("the sandbox is gone");
      return { status: "failed", passed: false, output: "" };
    },
  };
  const { events, outcome } = await play(selfRepair(options({})), ["first", "second"], {
    tools: failing,
    signal: controller.signal,
  });
  expect(outcome).toMatchObject({ text: "first", reason: "error" });
  expect(events).toContainEqual({ type: "error", message: "the question's tests: the sandbox is gone" });
});

test("a run of tests that is cancelled ends the method as cancelled", async () => {
  const controller = new AbortController();
  const stopping: MethodTools = {
    runVisibleTests: async () => {
      controller.abort();
      throw new Error("stopped");
    },
  };
  const { outcome } = await play(selfRepair(options({})), ["first"], { tools: stopping, signal: controller.signal });
  expect(outcome).toMatchObject({ text: "first", reason: "cancelled" });
});

test("greedy requests draw their further programs warm, the first one as asked", async () => {
  const { model } = await play(selfRepair(options({})), ["a", "b", "c", "d"], { tools: tools(), temperature: 0 });
  expect(model.calls.map((call) => call.options.temperature)).toEqual([0, 0.7, 0.7, 0.7]);
});

test("without visible tests it says so before any call", async () => {
  const model = new FakeModel([]);
  const run = selfRepair(options({})).run({
    model,
    messages: [],
    temperature: 0,
    maxTokens: 9,
    seed: 1,
    tools: { oracle: { isRight: async () => true } },
  });
  await expect(run.next()).rejects.toMatchObject({ family: "user", code: "no-visible-tests" });
  expect(model.calls).toHaveLength(0);
});
