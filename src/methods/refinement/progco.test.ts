import { describe, expect, test } from "vitest";
import type { ExecutionReport, MethodTools } from "#kernel/trace.ts";
import type { FakeCall } from "#models/fake.ts";
import { dialogue, keepsItsPromises, outline, play } from "../../../test/methods/promises.ts";
import { progco, readKeyPoints } from "./progco.ts";

const checker = "```python\ndef verify(answer):\n    return int(answer) / 7 == 6\n```";
const points = "A adds, B multiplies.\n**KEY POINTS:**\n- times means multiply";

/** Every run fails, every answer is another one, every contrast has key points. */
function worst(call: FakeCall, index: number): string {
  const last = call.messages.at(-1)!.content;
  if (last.includes("Verdict: <")) return "int(41) / 7 is 5.86\nVerdict: fail";
  if (last.includes("KEY POINTS and nothing else")) return points;
  return last.includes("whole program") || last.includes("def verify") ? checker : `<answer>${index}</answer>`;
}

const runsPython = (report: ExecutionReport, seen: string[] = []): MethodTools => ({
  runPython: async (source) => {
    seen.push(source);
    return report;
  },
});
const breaking = runsPython({ status: "failed", output: "NameError: helper" });

describe.each([
  { rounds: 0 },
  { rounds: 1 },
  { rounds: 3 },
  { rounds: 2, variant: "instructions" },
  { rounds: 2, execute: "real" },
  { rounds: 2, execute: "real", variant: "instructions" },
])("%j", (given) => {
  const options = { variant: "reasoning", execute: "simulated", fallback: "vote", ...given };
  const method = progco.card.create(options, "progco");
  keepsItsPromises({ method, calls: progco.card.maxCalls(options), worst, tools: breaking });
});

test("an answer that passes at once costs a checker and a run, and the checker never sees the answer", async () => {
  const replies = ["<answer>42</answer>", checker, "42 / 7 is 6\nVerdict: pass"];
  const { model, events, outcome } = await play(progco({ rounds: 3 }), replies);
  expect(outline(events)).toEqual(["attempt 0", "checker", "check 0 by checker, simulated: passed", "chose 0"]);
  expect(dialogue(model.calls[1]).join("\n")).not.toContain("42");
  expect(dialogue(model.calls[2]).join("\n")).toMatch(/\[answer\]\n42\n/);
  expect(outcome.answer).toBe("42");
});

test("a failing answer and its checker are both corrected; answers that differ are contrasted and the question solved afresh", async () => {
  const { model, events, outcome } = await play(progco({ rounds: 1 }), [
    "<answer>13</answer>",
    checker,
    "13 / 7 is 1.86\nVerdict: fail",
    "It wants 6 and meets 1.86.",
    "<answer>41</answer>",
    "```python\ndef verify(answer):\n    return answer == 'better'\n```",
    points,
    "<answer>42</answer>",
    "Verdict: pass",
  ]);
  expect(outline(events)).toEqual([
    "attempt 0",
    "checker",
    "check 0 by checker, simulated: failed",
    "feedback 0",
    "attempt 1",
    "checker",
    "differences and key points",
    "attempt 2",
    "check 2 by checker, simulated: passed",
    "chose 2",
  ]);
  expect(dialogue(model.calls[4]).at(-1)).toContain("It wants 6 and meets 1.86.");
  expect(dialogue(model.calls[4])).toContain("assistant: <answer>13</answer>");
  // Afresh: key points, and neither of the answers.
  expect(dialogue(model.calls[7])).toHaveLength(1);
  expect(dialogue(model.calls[7])[0]).toContain("- times means multiply");
  expect(dialogue(model.calls[7])[0]).not.toMatch(/13|41|A adds/);
  expect(dialogue(model.calls[8]).join()).toContain("'better'");
  expect(outcome.answer).toBe("42");
});

test("a refined answer that is the same one is not contrasted", async () => {
  const replies = [
    "<answer>42</answer>",
    checker,
    "Verdict: fail",
    "f",
    "So it is <answer>42.0</answer>",
    checker,
    "Verdict: pass",
  ];
  const { events } = await play(progco({ rounds: 1 }), replies);
  expect(outline(events)).not.toContain("differences and key points");
  expect(events.at(-1)).toMatchObject({ attempt: 1 });
});

test("a contrast without readable key points keeps the refined answer", async () => {
  const replies = [
    "<answer>1</answer>",
    checker,
    "Verdict: fail",
    "f",
    "<answer>2</answer>",
    checker,
    "They differ.",
    "Verdict: pass",
  ];
  const { outcome } = await play(progco({ rounds: 1 }), replies);
  expect(outcome.answer).toBe("2");
});

test("a run without a verdict is no pass", async () => {
  const replies = [
    "<answer>1</answer>",
    checker,
    "All tests pass, I think.",
    "f",
    "<answer>1</answer>",
    checker,
    "Verdict: unclear",
  ];
  const { events, outcome } = await play(progco({ rounds: 1 }), replies);
  expect(outline(events)).toContain("check 0 by checker, simulated:");
  expect(events.at(-1)).toMatchObject({ reason: expect.stringContaining("none is known to pass") });
  expect(outcome.answer).toBe("1");
});

test.each([
  ["vote", ["1", "2", "1"], 0, "2 of 3 agree"],
  ["vote", ["1", "2", "3"], 2, "last"],
  ["last", ["1", "2", "1"], 2, "last"],
  ["first", ["1", "2", "2"], 0, "first"],
] as const)("when none passes, %s of %j is number %i", async (fallback, [a, b, c], chosen, why) => {
  const answers = [a, b, c].map((answer) => `<answer>${answer}</answer>`);
  const replies = [answers[0], checker, "Verdict: fail", "f", answers[1], checker, points, answers[2], "Verdict: fail"];
  const { events } = await play(progco({ rounds: 1, fallback }), replies);
  expect(events.at(-1)).toMatchObject({ attempt: chosen, reason: expect.stringContaining(why) });
});

describe("run by Python", () => {
  test("the program gets the answer, and its own words count only below its mark", async () => {
    const seen: string[] = [];
    const tools: MethodTools = {
      runPython: async (source) => {
        seen.push(source);
        const mark = /print\("(verdict-\d+)"/.exec(source)![1];
        return { status: "ok", output: `I say pass\n${mark} pass` };
      },
    };
    const { events, outcome } = await play(progco({ rounds: 1, execute: "real" }), ["<answer>42</answer>", checker], { tools });
    expect(seen[0]).toContain('verify("42")');
    expect(events[2]).toMatchObject({ type: "check-end", by: "checker, run by Python", passed: true });
    expect(outcome.reason).toBe("done");
  });

  test("a reply is checked whole where the question gives instructions", async () => {
    const seen: string[] = [];
    const tools = runsPython({ status: "ok", output: "" }, seen);
    await play(progco({ rounds: 0, execute: "real", variant: "instructions" }), ["<answer>42</answer>", checker], { tools });
    expect(seen[0]).toContain('verify("<answer>42</answer>")');
  });

  test("a checker without code is not run, and is no pass", async () => {
    const seen: string[] = [];
    const tools = runsPython({ status: "ok", output: "" }, seen);
    const { events } = await play(progco({ rounds: 0, execute: "real" }), ["<answer>42</answer>", "It is right."], { tools });
    expect(seen).toEqual([]);
    expect(events[2]).toMatchObject({ type: "check-end", text: expect.stringContaining("no Python code block") });
    expect(events[2]).not.toHaveProperty("passed");
  });

  test("without a sandbox it says so before any call", async () => {
    await expect(play(progco({ rounds: 1, execute: "real" }), [])).rejects.toMatchObject({ family: "user", code: "no-python" });
  });
});

test.each([
  ["x\nKEY POINTS\n- a\n- b", "- a\n- b"],
  ["### Key points:\na", "a"],
  ["KEY POINTS\nold\nKEY POINTS\nnew", "new"],
  ["KEY POINTS\n \n", undefined],
  ["the key points are: a", undefined],
  ["", undefined],
])("the key points of %j are %j", (reply, expected) => expect(readKeyPoints(reply)).toBe(expected));
