import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { numberVerifier } from "./number.ts";
import { gradeSteps, stepwiseVerifier, withFirstWrongStep } from "./steps.ts";

const reference = ["347*6=2082", "2082+58=2140"];
const item = { id: "1", question: "?", answer: "2140", steps: reference };

describe("steps", () => {
  it("sees a wrong attempt put right, and a needless refinement", () => {
    const text =
      "<think>347*6=2182;<refine>7*6=42,4*6+4=28,3*6+2=20,347*6=2082</refine>2082+58=2140;<refine>2082+58=2140</refine></think><answer>2140</answer>";
    const graded = gradeSteps(text, reference);
    expect(graded).toMatchObject({
      accuracy: 1,
      firstWrongStep: undefined,
      needless: 1,
      useful: 1,
      missed: 0,
      wrongToRight: 1,
      rightToWrong: 0,
    });
    expect(graded.steps.map((step) => step.expression)).toEqual(["347*6", "2082+58"]);
    expect(graded.steps[0]).toMatchObject({
      attempt: "2182",
      final: "2082",
      hard: true,
      refined: true,
      needed: true,
      right: true,
    });
    expect(graded.steps[1]).toMatchObject({ hard: false, refined: true, needed: false });
    expect(text.slice(graded.steps[0].start, graded.steps[0].end)).toBe("347*6=2182");
  });

  it("sees a right attempt spoiled, and the step that follows from it counted wrong by the reference but right in itself", () => {
    const text = "<think>347*6=2082;<refine>347*6=2083</refine>2083+58=2141;</think><answer>2141</answer>";
    const graded = gradeSteps(text, reference);
    expect(graded).toMatchObject({ accuracy: 0, firstWrongStep: 0, rightToWrong: 1, missed: 0 });
    expect(graded.steps[1].right).toBe(true);
  });

  it("does not read 'a comma b' as thousands: partial results stay apart", () => {
    const graded = gradeSteps("<think>530+94=623;<refine>530+90=620,620+4=624</refine></think><answer>624</answer>", [
      "530+94=624",
    ]);
    expect(graded).toMatchObject({ accuracy: 1, wrongToRight: 1 });
  });

  it("names the first missing step, and gives nothing to text without steps", () => {
    expect(gradeSteps("<think>347*6=2082;</think><answer>2082</answer>", reference)).toMatchObject({
      accuracy: 0.5,
      firstWrongStep: 1,
    });
    expect(gradeSteps("no tags 347*6=2082", reference)).toMatchObject({ accuracy: 0, firstWrongStep: 0, steps: [] });
    expect(gradeSteps("", [])).toMatchObject({ accuracy: 0, firstWrongStep: undefined });
  });

  it("keeps the meaning of steps written with spaces, words and larger expressions", () => {
    const graded = gradeSteps("<think>First, 3 + 4 = 7. Then ( 7 + 1 ) * 2 = 16</think><answer>16</answer>", ["3+4=7", "8*2=16"]);
    expect(graded.steps.map((step) => [step.expression, step.right])).toEqual([
      ["3+4", true],
      ["(7+1)*2", true],
    ]);
    expect(graded.accuracy).toBe(1);
  });

  it("grades by steps and final answer, or adds the first wrong step to a 0/1 score", () => {
    const text = "<think>347*6=2082;2082+58=2130;</think><answer>2130</answer>";
    expect(stepwiseVerifier(numberVerifier())(item, "2130", text)).toMatchObject({ accuracy: 1 / 3, firstWrongStep: 1 });
    expect(withFirstWrongStep(numberVerifier())(item, "2130", text)).toMatchObject({ accuracy: 0, firstWrongStep: 1 });
  });

  it("never throws and counts every refined step exactly once, whatever the text", () => {
    const pieces = fc.constantFrom(
      "<think>",
      "</think>",
      "<refine>",
      "</refine>",
      "<answer>",
      "</answer>",
      "1+1=2;",
      "3*4=11;",
      "x",
      "=",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        const graded = gradeSteps(parts.join(""), ["1+1=2"]);
        expect(graded.needless + graded.useful).toBe(graded.steps.filter((step) => step.refined).length);
        expect(graded.steps.every((step) => step.start < step.end)).toBe(true);
      }),
    );
  });
});

describe("runs of signs and digits that are no equation", () => {
  it("are passed over, whatever their length, and what stands after them is read", () => {
    for (const run of ["-".repeat(60_000), "1+".repeat(30_000), ". ".repeat(30_000)]) {
      const { steps } = gradeSteps(`<think>${run}\n2+2=4;</think><answer>4</answer>`);
      expect(steps.map(({ expression, right }) => [expression, right])).toContainEqual(["2+2", true]);
    }
  });
});
