import { afterAll, describe, expect, test } from "vitest";
import { MathComparer } from "./comparer.ts";
import { integerGrader, mathGrader, readInteger } from "./graders.ts";

const comparer = new MathComparer();
afterAll(() => comparer.close());
const grade = mathGrader({ comparer });
const item = (answer: string, alternatives?: string[]) => ({
  id: "1",
  question: "?",
  answer,
  ...(alternatives ? { alternatives } : {}),
});

describe("mathGrader", () => {
  test("in the box, engine and all", async () => {
    const completion = String.raw`It follows that it is \boxed{\sqrt8}.`;
    expect(await grade(item(String.raw`2\sqrt2`), completion, completion)).toEqual({
      accuracy: 1,
      extracted: String.raw`\sqrt8`,
      strictAccuracy: 1,
    });
  });

  test("stated without the box: right, but not strictly", async () => {
    const completion = "The answer is 1/2.";
    expect(await grade(item("0.5"), completion, completion)).toEqual({ accuracy: 1, extracted: "1/2", strictAccuracy: 0 });
  });

  test("an answer that was cut out already is strict when the completion boxes it", async () => {
    const completion = String.raw`So \boxed{0.50}`;
    expect(await grade(item("0.5"), "0.5", completion)).toMatchObject({ accuracy: 1, extracted: "0.5", strictAccuracy: 1 });
    expect(await grade(item("0.5"), "0.6", completion)).toMatchObject({ accuracy: 0, extracted: "0.6", strictAccuracy: 0 });
  });

  test("thoughts are no answer", async () => {
    const completion = String.raw`<think>it is \boxed{7}`;
    expect(await grade(item("7"), completion, completion)).toEqual({
      accuracy: 0,
      extracted: undefined,
      strictAccuracy: 0,
      status: "no-answer",
    });
  });

  test("an alternative is as good; a hostile answer is wrong with its reason", async () => {
    expect(await grade(item("7", ["8"]), "8", "8")).toMatchObject({ accuracy: 1 });
    const hostile = String.raw`\boxed{${"((".repeat(500)}}`;
    expect(await grade(item("7"), hostile, hostile)).toMatchObject({ accuracy: 0, status: "limits" });
  });

  test("cancelled", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(grade(item("7"), "8", "8", signal)).rejects.toThrow("enough");
  });
});

describe("integerGrader", () => {
  test.each([
    ["4", String.raw`\boxed{004}`, 1, 1],
    ["033", "The answer is 33.", 1, 0],
    ["33", String.raw`\boxed{m+n=25+8=33}`, 1, 1],
    ["33", String.raw`\boxed{x = 33}`, 1, 1],
    ["204", String.raw`\boxed{204^\circ}`, 1, 1],
    ["33", String.raw`\boxed{33.0}`, 1, 1],
    ["33", String.raw`\boxed{33.5}`, 0, 0],
    ["33", String.raw`\boxed{34}`, 0, 0],
    ["33", "no idea", 0, 0],
  ])("%s against %s", (answer, completion, accuracy, strictAccuracy) => {
    expect(integerGrader(item(answer), completion, completion)).toMatchObject({ accuracy, strictAccuracy });
  });

  test("integers of any length, exactly", () => {
    expect(readInteger("123456789012345678901234567890")).toBe(123456789012345678901234567890n);
    expect(readInteger("-0")).toBe(0n);
    expect(readInteger("7%")).toBeUndefined();
    expect(readInteger("")).toBeUndefined();
  });
});
