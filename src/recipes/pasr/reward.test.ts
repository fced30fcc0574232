import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Item } from "#kernel/item.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { strictAnswer } from "../shared/graded-samples.ts";
import { type PasrRewardOptions, pasrReward, refinementReward } from "../shared/refinement-reward.ts";
import { pasrGrader } from "./reward.ts";

const versusGroup: PasrRewardOptions = { tolerance: 0, refineReward: "versus-group" };
const accuracies = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 });
const accuracy = fc.double({ min: 0, max: 1, noNaN: true });
const tolerance = fc.double({ min: 0, max: 0.6, noNaN: true });

describe("refinement reward", () => {
  test.each([
    // accuracy, plain accuracies, tolerance, expected
    [1, [0, 0, 1, 1], 0, 1],
    [1, [0, 0, 1, 1], 0.5, -0.5],
    [1, [0, 0, 0, 1], 0.5, 1],
    [0, [0, 0, 1, 1], 0, -1],
    [0, [0, 0, 1, 1], 0.5, -0.5],
    [1, [1, 1, 1], 0, -0.5],
    [0, [0, 0], 0, -0.5],
    [0.5, [0, 0, 1, 1], 0, -0.5],
    [0.75, [0, 0, 1, 1], 0.25, -0.5],
    // A mean of eight times the same grade is that grade, whatever rounding makes of it.
    ...Array.from({ length: 21 }, (_, twentieth): [number, number[], number, number] => [
      twentieth / 20,
      Array(8).fill(twentieth / 20),
      0,
      -0.5,
    ]),
  ])("accuracy %d against %j with tolerance %d is %d", (own, plain, zeta, expected) => {
    expect(refinementReward(true, own, plain, { tolerance: zeta, refineReward: "versus-group" })).toBe(expected);
  });

  test("without a refinement there is neither reward nor penalty, in every variant", () => {
    fc.assert(
      fc.property(
        accuracy,
        accuracies,
        fc.constantFrom("versus-group", "versus-single", "any-refinement", "none"),
        (own, plain, kind) => {
          expect(refinementReward(false, own, plain, { tolerance: 0, refineReward: kind as "versus-group" })).toBe(0);
        },
      ),
    );
  });

  test("grows with the accuracy, and a larger tolerance only moves it towards −0.5", () => {
    fc.assert(
      fc.property(accuracy, accuracy, accuracies, tolerance, (first, second, plain, zeta) => {
        const options = { ...versusGroup, tolerance: zeta };
        const [low, high] = [Math.min(first, second), Math.max(first, second)];
        const order = [-1, -0.5, 1];
        const of = (own: number, given = options) => order.indexOf(refinementReward(true, own, plain, given));
        expect(of(high)).toBeGreaterThanOrEqual(of(low));
        const wider = of(first, { ...options, tolerance: zeta + 0.2 });
        expect(Math.abs(wider - 1)).toBeLessThanOrEqual(Math.abs(of(first) - 1));
      }),
    );
  });

  test("the ablations: one plain answer only, and any refinement", () => {
    expect(refinementReward(true, 1, [1, 0, 0, 0], { ...versusGroup, refineReward: "versus-single" })).toBe(-0.5);
    expect(refinementReward(true, 1, [0, 1, 1, 1], { ...versusGroup, refineReward: "versus-single" })).toBe(1);
    expect(refinementReward(true, 0, [1, 1], { ...versusGroup, refineReward: "any-refinement" })).toBe(1);
  });

  test("the control without a refinement reward pays format and accuracy alone, whatever plain answers did", () => {
    for (const plain of [[], [0, 0], [1, 1]]) {
      expect(refinementReward(true, 1, plain, { ...versusGroup, refineReward: "none" })).toBe(0);
    }
  });
});

describe("whole reward", () => {
  const best = "<think>a<refine>b</refine></think><answer>1</answer>";

  test("is the sum of its three terms and lies between −2 and 3", () => {
    fc.assert(
      fc.property(fc.boolean(), fc.boolean(), accuracy, accuracies, tolerance, (ok, refined, own, plain, zeta) => {
        const parsed = { ok, refines: refined ? [{ start: 0, end: 1 }] : [] };
        const { reward, terms } = pasrReward(parsed, own, plain, { ...versusGroup, tolerance: zeta });
        expect(terms.format).toBe(ok ? 1 : -1);
        expect(terms.accuracy).toBe(own);
        expect(reward).toBe(terms.format + terms.accuracy + terms.refine);
        expect(reward).toBeGreaterThanOrEqual(-2);
        expect(reward).toBeLessThanOrEqual(3);
      }),
    );
  });

  test("the best answer there is earns 3", () => {
    expect(pasrReward(parseRefine(best), 1, [0, 1], versusGroup)).toEqual({
      reward: 3,
      terms: { format: 1, accuracy: 1, refine: 1 },
    });
  });
});

describe("grading completions", () => {
  const item: Item = { id: "i", question: "1+1", answer: "2" };
  const judged: string[] = [];
  const judge = (_: Item, answer: string) => {
    judged.push(answer);
    return { accuracy: answer.trim() === "2" ? 1 : 0, extracted: answer };
  };
  const decode = (ids: readonly number[]) => String.fromCodePoint(...ids);
  const grader = pasrGrader(decode, judge, versusGroup);
  const sampleOf = (text: string) => ({
    ids: [...text].map((each) => each.codePointAt(0) ?? 0),
    logprobs: new Float32Array(0),
    stopReason: "stop" as const,
  });

  test.each([
    ["<think>x</think><answer>2</answer>", 1, 1, 0],
    ["<think>x<refine>y</refine></think><answer>2</answer>", 1, 1, 1],
    ["<think>x<refine>y</refine><refine>z</refine></think><answer>3</answer>", 1, 0, -1],
    // The format is broken, but there is one answer span.
    ["<think>x</think>so <answer>2</answer>", -1, 1, 0],
    ["<answer>2</answer>", -1, 1, 0],
    // No answer span, or several: no answer.
    ["<think>x</think>2", -1, 0, 0],
    ["<think>x</think><answer>2", -1, 0, 0],
    ["<think>x</think><answer>1</answer><answer>2</answer>", -1, 0, 0],
    ["2", -1, 0, 0],
    ["", -1, 0, 0],
    // A refinement that never closes is none.
    ["<think>x<refine>y</think><answer>2</answer>", -1, 1, 0],
  ])("%j: format %d, accuracy %d, refinement %d", async (text, format, right, refine) => {
    const grade = await grader.refined(item, sampleOf(text), [0, 0, 1, 1]);
    expect(grade.terms).toEqual({ format, accuracy: right, refine });
    expect(grade.wellFormed).toBe(format === 1);
    expect(grade.text).toBe(text);
  });

  test("plain answers need no format", async () => {
    for (const text of ["2", "<think>x</think><answer>2</answer>", "<think>x</think>2", "<answer>2"]) {
      expect(await grader.plain(item, sampleOf(text))).toEqual({ accuracy: 1, text });
    }
  });

  test("without an answer the judge is not asked", async () => {
    judged.length = 0;
    await grader.refined(item, sampleOf("2"), [0]);
    expect(judged).toEqual([]);
  });

  test("the strict answer is the inside of the only answer span", () => {
    expect(strictAnswer(parseRefine("<think>a</think> <answer> 7 </answer>"))).toBe(" 7 ");
    expect(strictAnswer(parseRefine("<answer>7</answer><answer>8</answer>"))).toBeUndefined();
  });
});
