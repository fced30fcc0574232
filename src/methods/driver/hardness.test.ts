import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answerEntropy, confidence, hardness, type Judged, qualities } from "./hardness.ts";

const equal = (first: string, second: string) => first === second;
const whole = (...scores: (number | undefined)[]): Judged[] => scores.map((outcome) => ({ outcome, steps: undefined }));
const limits = { leastConfidence: 0.5 };

test("quality is the mean of the whole and of the product of the steps", () => {
  const judged = [
    { outcome: 0.8, steps: [0.5, 0.5] },
    { outcome: 0.9, steps: undefined },
    { outcome: undefined, steps: [1] },
  ];
  expect(qualities(judged)).toEqual([expect.closeTo(0.525, 12), 0.45, undefined]);
  expect(qualities(whole(0.8, undefined))).toEqual([0.8, undefined]);
});

test.each([
  ["a a a", [], 0],
  ["a b", [0.5, 0.5], Math.LN2],
  ["a b c", [], Math.log(3)],
  ["a a a b c", [], 0.9503],
  ["a b b", [0.6, 0.1, 0.3], 0.673],
  ["a b", [0, undefined], Math.LN2],
  ["a b", [1, 0], 0],
  ["- - -", [1, 1, 1], Math.log(3)],
  ["", [], 0],
])("entropy of %s with weights %j is %d", (text, weights, expected) => {
  const answers = text.split(" ").filter(Boolean);
  const read = answers.map((answer) => (answer === "-" ? undefined : answer));
  expect(answerEntropy(read, equal, weights)).toBeCloseTo(expected, 4);
});

test("confidence is 1 for one answer and 0.5 for three that are equally likely", () => {
  expect(confidence(0)).toBe(1);
  expect(confidence(Math.log(3))).toBeCloseTo(0.5, 12);
  expect(confidence(Math.log(40))).toBeCloseTo(2 / 41, 12);
  expect(confidence(1e9)).toBe(0);
});

describe("a question", () => {
  const four = ["a", "b", "c", "d"];

  test("is easy when the judge thinks no worse of the majority than of all", () => {
    expect(hardness(four, equal, whole(0.9, 0.8, 0.7, 0.6), limits)).toMatchObject({ hard: false });
    expect(hardness(["a", "a", "b"], equal, whole(0.1, 0.1, 0.1), limits).hard).toBe(false);
  });

  test("is easy when the answers agree, whatever the judge thinks of them", () => {
    const answers = ["a", "a", "a", "b", "c"];
    expect(hardness(answers, equal, whole(0.1, 0.1, 0.1, 0.2, 0.2), limits)).toEqual({
      hard: false,
      why: "the answers agree well enough (confidence 0.51)",
    });
    expect(hardness(answers, equal, whole(0.1, 0.1, 0.1, 0.2, 0.2), { leastConfidence: 0.6 }).hard).toBe(true);
    expect(hardness(["a", "a"], equal, whole(undefined, undefined), limits).hard).toBe(false);
  });

  test("is hard when neither holds, by either of the two weightings", () => {
    expect(hardness(four, equal, whole(0.4, 0.6, 0.6, 0.6), limits)).toMatchObject({ hard: true });
    // By the whole all weight is on b; by the steps it is spread.
    const judged = [0, 1, 0, 0].map((outcome, index) => ({ outcome, steps: [index === 0 ? 0.4 : 0.5] }));
    expect(hardness(four, equal, judged, limits).hard).toBe(true);
    expect(hardness(four, equal, whole(0, 1, 0, 0), limits).hard).toBe(false);
  });

  test("is measured against a usual quality where there is one", () => {
    expect(hardness(four, equal, whole(0.4, 0.6, 0.6, 0.6), { ...limits, usualQuality: 0.3 }).hard).toBe(false);
    expect(hardness(four, equal, whole(0.6, 0.5, 0.5, 0.5), { ...limits, usualQuality: 0.7 }).hard).toBe(true);
  });

  test("is hard when no answer can be read, or the majority has no score and the others differ", () => {
    expect(hardness([undefined], equal, whole(1), limits)).toEqual({ hard: true, why: "no answer could be read" });
    expect(hardness(four, equal, whole(undefined, undefined, undefined, undefined), limits).hard).toBe(true);
    expect(hardness([], equal, [], limits).hard).toBe(true);
  });
});

test("confidence lies in (0, 1], and answers that are all the same are easy", () => {
  const score = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined });
  const one = fc.record({
    outcome: score,
    steps: fc.option(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom("a", "b", "c", undefined), one), { minLength: 1 }), (drawn) => {
      const answers = drawn.map(([answer]) => answer);
      const judged = drawn.map(([, each]) => each);
      const entropy = answerEntropy(
        answers,
        equal,
        judged.map(({ outcome }) => outcome),
      );
      expect(entropy).toBeGreaterThanOrEqual(0);
      expect(entropy).toBeLessThanOrEqual(Math.log(answers.length) + 1e-9);
      expect(hardness(answers, equal, judged, { leastConfidence: 0 }).hard).toBe(answers.every((answer) => answer === undefined));
      expect(
        hardness(
          drawn.map(() => "a"),
          equal,
          judged,
          limits,
        ).hard,
      ).toBe(false);
      for (const quality of qualities(judged)) {
        expect(quality === undefined || (quality >= 0 && quality <= 1)).toBe(true);
      }
    }),
  );
});
