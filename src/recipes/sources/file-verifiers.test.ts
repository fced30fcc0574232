import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerVerifier, equationVerifier } from "./file-verifiers.ts";

const problem = { id: "a", question: "", answer: "5.0", numbers: ["15.0", "10"] };
const grade = (answer: string, item: object = problem) => equationVerifier(item as typeof problem, answer, "").accuracy;

describe("grading equations", () => {
  it.each([
    "- number0 number1",
    "number0 - number1",
    "(number0 - number1) * 1",
    "- 15 10",
    "5",
    "* 0.5 number1",
    " - number0  number1 ",
  ])("takes %s for right", (answer) => expect(grade(answer)).toBe(1));

  it.each([
    "- number1 number0",
    "+ number0 number1",
    "",
    "-",
    "number0number1",
    "- number0 number2",
    "- number0 number01",
    "- number0 number1 number1",
    "/ number0 0",
    "five",
    "- number0 number1; 5",
    `${"+ ".repeat(100_000)}1`,
  ])("takes %.40s for wrong", (answer) => expect(grade(answer)).toBe(0));

  it("puts negative and decimal numbers in, and allows for rounding to two decimals", () => {
    const item = { id: "a", question: "", answer: "0.33", numbers: ["-2", "6", "1.0"] };
    expect(grade("/ number2 3", item)).toBe(1);
    expect(grade("+ / 1 3 + number0 2", item)).toBe(1);
    expect(grade("/ number2 2.9", item)).toBe(0);
  });

  it("never throws, whatever is written", () => {
    const word = fc.constantFrom("+", "-", "*", "/", "number0", "number1", "number9", "(", ")", "1e9", "Infinity", "0x1", "é");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word).map((words) => words.join(" ")),
        ),
        (answer) => {
          expect([0, 1]).toContain(grade(answer));
        },
      ),
    );
  });
});

describe("grading other answers", () => {
  it.each([
    ["18", "18.0", 1],
    ["18", "18 dollars", 1],
    ["1,000", "1000", 1],
    ["18", "eighteen", 0],
    ["18", "17 or 18", 0],
    ["Paris", " paris. ", 1],
    ["Paris", "“Paris”", 1],
    ["New York", "new\n york", 1],
    ["Paris", "Paris, France", 0],
    ["Paris", "", 0],
    ["...", "", 0],
    ["x+1", "x + 1", 0],
  ])("reference %j, answer %j: %i", (reference, answer, accuracy) => {
    expect(answerVerifier({ id: "a", question: "", answer: reference }, answer, "").accuracy).toBe(accuracy);
  });
});
