import { expect, test } from "vitest";
import { answerFormOf, normaliseAnswer } from "./answer-form.ts";

test.each([
  ["1,234.50", "1234.5"],
  ["1,23", "1,23"],
  ["+007", "7"],
  ["-0.0", "0"],
  [".5", "0.5"],
  ["-3.", "-3"],
  ["12345678901234567890", "12345678901234567890"],
  ["  New   York. ", "new york"],
  ["", ""],
  ["-", "-"],
])("normal form of %j is %j", (answer, form) => expect(normaliseAnswer(answer)).toBe(form));

test("without tools the answer span is read, or the whole text", () => {
  const form = answerFormOf({});
  expect(form.read("<think>1</think><answer> 4 </answer>")).toBe("4");
  expect(form.read("four")).toBe("four");
  expect(form.read("  ")).toBeUndefined();
  expect(form.same("4", "4.0")).toBe(true);
});

test("the task's own form comes first", () => {
  const form = answerFormOf({ tools: { readAnswer: (text) => text.at(-1), sameAnswer: (first, second) => first === second } });
  expect(form.read("so it is B")).toBe("B");
  expect(form.same("4", "4.0")).toBe(false);
});

test("a model that repeats itself costs no time", () => {
  const zeros = "0".repeat(1_000_000);
  for (const text of [`${zeros}x`, `1.${zeros}x`, `1.${zeros}1`, zeros]) normaliseAnswer(text);
  expect(normaliseAnswer(`${zeros}7.5${zeros}`)).toBe("7.5");
});
