import fc from "fast-check";
import { expect, test } from "vitest";
import { readStepScores, stepsOf, withStepScores } from "./step-scores.ts";

test("steps are the lines, in groups where there are many", () => {
  expect(stepsOf("6 · 7\n\n= 42\n ")).toEqual(["6 · 7", "= 42"]);
  expect(stepsOf(" \n")).toEqual([]);
  const many = stepsOf(Array.from({ length: 41 }, (_, index) => `line ${index}`).join("\n"));
  expect(many).toHaveLength(14);
  expect(many[0]).toBe("line 0\nline 1\nline 2");
});

test("scores stand at their steps, or below when they belong to others", () => {
  expect(withStepScores("6 · 7\n= 41", [0.9, 0.24])).toBe("[step 1, 9/10] 6 · 7\n[step 2, 2/10] = 41");
  expect(withStepScores("6 · 7")).toBe("[step 1] 6 · 7");
  expect(withStepScores("6 · 7", [0.9, 0.2])).toBe("[step 1] 6 · 7\n[scores of its steps, in order: 9/10, 2/10]");
});

test.each([
  ["Steps: 9 8 4\nScore: 5", 3, [0.9, 0.8, 0.4]],
  ["Steps: 1 1\n**Steps:** 10, 7.5", 2, [1, 0.75]],
  ["- steps = 9/10 0/10.", 2, [0.9, 0]],
  ["Steps: 9 8", 3, undefined],
  ["Steps: 9 11", 2, undefined],
  ["Steps: nine 8", 2, undefined],
  ["Steps: 9 -8", 2, undefined],
  ["The steps: 9 8", 2, undefined],
  ["Score: 5", 2, undefined],
  ["Steps:", 0, undefined],
])("the scores in %j for %i steps", (reply, count, expected) => {
  expect(readStepScores(reply, count)).toEqual(expected);
});

test("at most 20 steps hold all that is written, and no reply makes reading fail", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.string(), (lines, reply) => {
      const steps = stepsOf(lines.join("\n"));
      expect(steps.length).toBeLessThanOrEqual(20);
      expect(steps.join("\n").split("\n").length).toBeLessThanOrEqual(Math.max(1, lines.join("\n").split("\n").length));
      const scores = readStepScores(`Steps:${reply}`, 2);
      expect(scores === undefined || scores.length === 2).toBe(true);
    }),
  );
});
