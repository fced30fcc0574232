import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { gradeSteps } from "#verifiers/answers/steps.ts";
import { readRefinements } from "./text.ts";

const answer = (think: string, value: string) => `<think>${think}</think><answer>${value}</answer>`;
const refined = (first: string, inner: string, rest = "", value = "1") =>
  readRefinements(answer(`${first};<refine>${inner}</refine>${rest}`, value)).refinements[0];

describe("one refinement has one type", () => {
  test.each([
    ["347*6=2182", "7*6=42,4*6+4=28,3*6+2=20,347*6=2082", "errorCorrection"],
    ["347*6=2182", "347*6=2082", "errorCorrection"],
    ["347*6=2182", "347*6=2182", "failedCorrection"],
    ["347*6=2182", "347*6=2183", "failedCorrection"],
    ["347*6=2182", "looks fine", "failedCorrection"],
    ["347*6=2182", "", "failedCorrection"],
    ["347*6=2082", "347*6=2083", "spoiled"],
    ["347*6=2082", "346*6=2076", "spoiled"],
    ["347*6=2082", "7*6=42,4*6+4=28,3*6+2=20,347*6=2082", "workedConfirmation"],
    ["347*6=2082", "347*6=2081,347*6=2082", "workedConfirmation"],
    ["347*6=2082", "347*6=2082", "bareRepetition"],
    ["347*6=2082", "347 × 6 = 2082.0", "bareRepetition"],
    ["347*6=2082", "347*6=2082,347*6=2082", "bareRepetition"],
    ["347*6=2082", "looks fine", "otherConfirmation"],
    ["347*6=2082", "", "otherConfirmation"],
    ["347*6=2082", "6*347=2082", "otherConfirmation"],
    ["347*6=2082", "so it is =2082", "otherConfirmation"],
    ["no equation", "347*6=2082", "unattached"],
  ])("%s, refined by %s: %s", (first, inner, type) => {
    expect(refined(first, inner).type).toBe(type);
  });

  test("a step that goes on from a wrong number is right in itself, so that repeating it spoils and corrects nothing", () => {
    const { refinements } = readRefinements(answer("3*4=13;13+1=14;<refine>13+1=14</refine>", "14"));
    expect(refinements.map(({ type }) => type)).toEqual(["bareRepetition"]);
  });

  test("two refinements of one step: the second starts from what the first left", () => {
    const { refinements, steps } = readRefinements(
      answer("3*4=13;<refine>3*4=11</refine> <refine>3*4=12</refine>12+1=13;", "13"),
    );
    expect(refinements.map(({ type, attached }) => [type, attached!.before, attached!.after, attached!.aligned])).toEqual([
      ["failedCorrection", "13", "11", false],
      ["errorCorrection", "11", "12", true],
    ]);
    expect(steps[0]).toMatchObject({ attempt: "13", final: "12" });
  });

  test("without a complete think span there are no steps to belong to", () => {
    expect(readRefinements("<think>3*4=12;<refine>3*4=12</refine>12+1").refinements.map(({ type }) => type)).toEqual([
      "unattached",
    ]);
    expect(readRefinements("<think>3*4=12;<refine>3*4=12").refinements).toEqual([]);
    expect(readRefinements("")).toEqual({ steps: [], refinements: [], cut: false });
  });

  test("hard or easy goes by the step, and the range is the text between the tags", () => {
    const text = answer("3*4=12;<refine>3*4=12</refine>12+1=13;<refine>12+1=13</refine>", "13");
    const { refinements } = readRefinements(text);
    expect(refinements.map(({ attached }) => [attached!.hard, attached!.step])).toEqual([
      [true, 0],
      [false, 1],
    ]);
    expect(refinements.map(({ start, end }) => text.slice(start, end))).toEqual(["3*4=12", "12+1=13"]);
  });
});

describe("coherence and alignment by rule", () => {
  test.each([
    ["347*6=2182", "7*6=42,4*6+4=28,3*6+2=20,347*6=2082", true],
    // One of the partial results is false, though the end is right.
    ["347*6=2182", "7*6=43,347*6=2082", false],
    // True, and about something else.
    ["347*6=2182", "346*6=2076", false],
    ["347*6=2182", "347*6=2182", false],
    // The partial sums of the step lead to its value.
    ["530+94=623", "530+90=620,620+4=624", true],
    ["530+94=624", "6 * 104 = 624", true],
    ["530+94=624", "yes", false],
    ["530+94=624", "", false],
  ])("%s, refined by %s: coherent %s", (first, inner, coherent) => {
    expect(refined(first, inner).attached!.coherent).toBe(coherent);
  });

  test.each([
    ["347*6=2082", "2082+58=2140;", "2140", true],
    ["347*6=2082", "2182+58=2240;", "2240", false],
    // Part of a number is not the number.
    ["347*6=2082", "12082+58=12140;", "12140", false],
    ["347*6=2082", "58+2082=2140;", "2140", true],
    ["347*6=2082", "", "2082", true],
    ["347*6=2082", "", "2,082 dollars", true],
    ["347*6=2082", "", "2140", false],
    ["347*6=2082", "", "", false],
    ["3-5=-2", "-2+7=5;", "5", true],
    ["3-5=-2", "", "-2", true],
    ["3-5=-2", "", "2", false],
  ])("%s, then %s and the answer %s: aligned %s", (equation, rest, value, aligned) => {
    expect(refined(equation, equation, rest, value).attached!.aligned).toBe(aligned);
  });

  test("changed means another number, not another way to write it", () => {
    expect(refined("3*4=12", "3*4=12.0").attached!.changed).toBe(false);
    expect(refined("3*4=12", "3*4=11").attached!.changed).toBe(true);
  });
});

test("any text can be read: every complete refinement is there once, and the steps are those of the grading", () => {
  const pieces = fc.constantFrom(
    "<think>",
    "</think>",
    "<refine>",
    "</refine>",
    "<answer>",
    "</answer>",
    "1+1=2;",
    "3*4=11;",
    "3*4=12",
    "2+5=",
    "=7",
    "x 🙂",
    "= -3",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      const text = parts.join("");
      const { steps, refinements } = readRefinements(text);
      expect(refinements.map(({ start, end }) => ({ start, end }))).toEqual(parseRefine(text).refines);
      expect(steps).toEqual(gradeSteps(text).steps);
      for (const [index, step] of steps.entries()) {
        const last = refinements.findLast(({ attached }) => attached?.step === index)?.attached;
        expect(last?.after ?? step.attempt).toBe(step.final);
        expect(last?.rightAfter ?? step.right).toBe(step.right);
      }
      for (const { type, attached } of refinements) expect(attached === undefined).toBe(type === "unattached");
    }),
    { numRuns: 300 },
  );
});

test("a text without end is read at its beginning, and runs of signs take no time", () => {
  // Each of these would keep a search for equations busy for hours.
  for (const piece of ["-", "1+", " ", "7", "(", "<think>", "<refine>", "=", "= ", "1+1=2;", `${"+".repeat(90)}<think>`]) {
    const filler = piece.repeat(Math.ceil(300_000 / piece.length));
    const { cut } = readRefinements(`<think>3*4=12;<refine>${filler}</refine>${filler}</think><answer>12</answer>`);
    expect(cut).toBe(true);
    const within = readRefinements(answer(`3*4=12;<refine>${filler.slice(0, 40_000)}</refine>${filler.slice(0, 40_000)}`, "12"));
    expect(within.cut).toBe(false);
  }
  const long = `${"1+".repeat(300)}1=301`;
  expect(readRefinements(answer(`${long};`, "301")).steps).toEqual(gradeSteps(answer(`${long};`, "301")).steps);
});
