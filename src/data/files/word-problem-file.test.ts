import { existsSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "#kernel/seed.ts";
import { readRows } from "./rows.ts";
import {
  corruptEquation,
  evaluatePrefix,
  isWordProblemLayout,
  plainEquationConversation,
  readWordProblems,
  refinedEquationConversation,
  resampleNumbers,
  type WordProblem,
  wordProblemItem,
  wordProblemsFromRows,
} from "./word-problem-file.ts";

const problem: WordProblem = {
  id: "f:2",
  template: "Ann has number0 pens and gives away number1 . How many are left ?",
  numbers: ["18.0", "10.0"],
  equation: ["-", "number0", "number1"],
  answer: "8.0",
};
const row = (values: Record<string, unknown>) => [
  { line: 7, values: { Question: "number0 ?", Numbers: "4", Equation: "number0", Answer: "4", ...values } },
];

describe("word problems with placeholders", () => {
  it("evaluates prefix equations", () => {
    expect(evaluatePrefix(["-", "number1", "*", "2", "number0"], [3, 10])).toBe(4);
    for (const bad of [
      ["+", "number0"],
      ["number5"],
      ["/", "1", "0"],
      ["1", "2"],
      [],
      ["+", "x", "1"],
      ["0x1"],
      ["1e3"],
      ["number00"],
    ])
      expect(evaluatePrefix(bad, [1])).toBeUndefined();
  });

  it("shows placeholders or numbers, and the equation in the same terms", () => {
    expect(wordProblemItem(problem, { placeholders: true })).toMatchObject({
      question: problem.template,
      answer: "8.0",
      numbers: ["18.0", "10.0"],
    });
    expect(wordProblemItem(problem, { placeholders: false }).question).toBe(
      "Ann has 18 pens and gives away 10 . How many are left ?",
    );
    const last = plainEquationConversation(problem, false).messages.at(-1)!;
    expect(last).toEqual({ role: "assistant", content: "<think>- 18 10</think><answer>- 18 10</answer>", trainable: true });
  });

  it("masks exactly the wrong attempt of a refined solution", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { messages } = refinedEquationConversation(
          problem,
          { placeholders: true, refineShare: 0.7, wrongShare: 0.6 },
          new Random(seed),
        );
        const { content, masked } = messages.at(-1)!;
        const attempt = /^<think>([^<]*)/.exec(content)![1];
        const right = attempt === "- number0 number1";
        expect(masked?.map(([start, end]) => content.slice(start, end))).toEqual(right ? undefined : [attempt]);
        expect(content.endsWith("<answer>- number0 number1</answer>")).toBe(true);
        if (!right) expect(content).toContain("<refine>- number0 number1</refine>");
      }),
    );
  });

  it("re-samples numbers so that the equation still gives the answer, with the same order of size and sign", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const fresh = resampleNumbers(problem, new Random(seed))!;
        const values = fresh.numbers.map(Number);
        expect(evaluatePrefix(fresh.equation, values)).toBe(Number(fresh.answer));
        expect(values[0]).toBeGreaterThan(values[1]);
        expect(values.every((value) => Number.isInteger(value) && value >= 2 && value <= 99)).toBe(true);
      }),
    );
  });

  it("corrupts an equation so that its value changes", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const wrong = corruptEquation(problem, new Random(seed));
        expect(wrong && evaluatePrefix(wrong, [18, 10])).not.toBe(8);
      }),
    );
  });

  it.each([
    [{ Equation: "+ number0 number1" }, "1 numbers"],
    [{ Numbers: "four" }, "no list of numbers"],
    [{ Question: "" }, '"Question"'],
  ])("names the line of a row it cannot use", (values, part) => {
    expect(() => wordProblemsFromRows("f.csv", row(values))).toThrow(
      expect.objectContaining({ message: expect.stringMatching(`line 7: .*${part}`) }),
    );
  });

  const folder = "../shared/data/word-problems";
  if (!existsSync(folder)) console.log(`skipped: ${folder} is not here`);
  it.skipIf(!existsSync(folder)).each([
    ["mawps+asdiv-train.csv", 3138, 9],
    ["svamp-test.csv", 1000, 0],
    ["mawps-fold0-test.csv", 384, 2],
    ["asdiv-fold0-test.csv", 238, 0],
  ])(
    "reads all of %s; equations give the answers but for rows that are wrong or rounded as published",
    async (name, count, inconsistent) => {
      expect(isWordProblemLayout(await readRows(`${folder}/${name}`))).toBe(true);
      const problems = await readWordProblems(`${folder}/${name}`);
      expect(problems).toHaveLength(count);
      const off = problems.filter(
        (one) => Math.abs(evaluatePrefix(one.equation, one.numbers.map(Number))! - Number(one.answer)) > 0.01,
      );
      expect(off).toHaveLength(inconsistent);
    },
  );
});
