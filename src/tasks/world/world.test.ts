import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { Random } from "#kernel/seed.ts";
import { evaluateExpression } from "#verifiers/answers/expression.ts";
import { extractAnswer, numberVerifier } from "#verifiers/answers/number.ts";
import { toNumber } from "#verifiers/answers/rational.ts";
import { gradeSteps } from "#verifiers/answers/steps.ts";
import { canonicalChain, defaultWorldOptions, isHard, splitOf } from "./chains.ts";
import { type WorldItem, worldItems } from "./items.ts";
import {
  corruptResult,
  defaultSolutionOptions,
  drillConversation,
  refinedConversation,
  selfRefineConversation,
  slip,
  writeCarefully,
  writeFeedback,
  writePlain,
  writeRefined,
} from "./solutions.ts";

const numbersOf = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);
const anyItems = fc.integer({ min: 0, max: 2 ** 31 }).map((seed) => worldItems(5, { split: "train", seed }));
const anItem = anyItems.map((items) => items[0]);

describe("the world's items", () => {
  it("gives the same items for the same seed, others for another, none twice, and a longer list begins with the shorter", () => {
    const items = worldItems(500, { split: "train", seed: 1 });
    expect(worldItems(100, { split: "train", seed: 1 })).toEqual(items.slice(0, 100));
    expect(new Set(items.map((item) => canonicalChain(item.chain))).size).toBe(500);
    expect(new Set(items.map((item) => item.id)).size).toBe(500);
    expect(worldItems(10, { split: "train", seed: 2 })).not.toEqual(items.slice(0, 10));
  });

  it("keeps train, validation and test apart whatever the seeds", () => {
    const problems = (split: "train" | "validation" | "test", seed: number) =>
      new Set(worldItems(1500, { split, seed, minSteps: 1, maxSteps: 2 }).map((item) => canonicalChain(item.chain)));
    const [train, validation, test] = [problems("train", 1), problems("validation", 2), problems("test", 1)];
    expect([...train].filter((problem) => validation.has(problem) || test.has(problem))).toEqual([]);
    expect([...validation].filter((problem) => test.has(problem))).toEqual([]);
  });

  it("states every number of the chain in the question, in order, and the answer is what the steps give", () => {
    fc.assert(
      fc.property(anyItems, (items) => {
        for (const item of items) {
          const last = item.chain.at(-1)!;
          expect(numbersOf(item.question)).toEqual([item.chain[0].left, ...item.chain.map((step) => step.right)]);
          expect(item.answer).toBe(String(last.result));
          item.chain.forEach((step, index) => {
            expect(toNumber(evaluateExpression(`${step.left}${step.operator}${step.right}`)!)).toBe(step.result);
            if (index > 0) expect(step.left).toBe(item.chain[index - 1].result);
          });
          expect(splitOf(item.chain)).toBe("train");
        }
      }),
    );
  });

  it("has as many hard problems as asked, and chains of the lengths asked", () => {
    const items = worldItems(1000, { split: "test", seed: 3, minSteps: 2, maxSteps: 4, hardShare: 0.5 });
    expect(new Set(items.map((item) => item.chain.length))).toEqual(new Set([2, 3, 4]));
    expect(worldItems(200, { split: "test", seed: 3, hardShare: 0 }).some((item) => item.chain.some(isHard))).toBe(false);
    expect(worldItems(200, { split: "test", seed: 3, hardShare: 1 }).every((item) => item.chain.some(isHard))).toBe(true);
    expect(items.every((item) => item.group!.endsWith("-hard") === item.chain.some(isHard))).toBe(true);
  });
});

const gradeText = (item: WorldItem, text: string) => numberVerifier()(item, extractAnswer(text) ?? "", text).accuracy;

describe("the world's solutions", () => {
  it("are well-formed and right, plain and refined; what carries no loss is exactly the wrong attempts", () => {
    fc.assert(
      fc.property(anItem, fc.integer(), (item, seed) => {
        expect(gradeText(item, writePlain(item.chain))).toBe(1);
        const { text, masked } = writeRefined(item.chain, { ...defaultSolutionOptions, refineShare: 0.6 }, new Random(seed));
        expect(parseRefine(text).ok).toBe(true);
        const graded = gradeSteps(text, item.steps);
        expect(graded).toMatchObject({ accuracy: 1, missed: 0, rightToWrong: 0 });
        expect(gradeText(item, text)).toBe(1);
        expect(masked.map(([start, end]) => text.slice(start, end))).toEqual(
          graded.steps.filter((step) => step.needed).map((step) => `${step.attempt};`),
        );
      }),
    );
  });

  it("drill unrelated steps, all refined or none, everything right in the end", () => {
    fc.assert(
      fc.property(fc.boolean(), fc.integer(), (careful, seed) => {
        const { messages } = drillConversation("d", defaultWorldOptions, careful, 0.5, new Random(seed));
        const [, question, answer] = messages;
        const { steps } = gradeSteps(answer!.content);
        expect(steps.map((step) => step.expression).join(";")).toBe(question!.content);
        expect(steps.every((step) => step.right && step.refined === careful)).toBe(true);
        expect(answer!.masked).toHaveLength(steps.filter((step) => step.needed).length);
        expect(extractAnswer(answer!.content)).toBe(steps.at(-1)!.final);
      }),
    );
  });

  it("place refinements without regard to need", () => {
    const items = worldItems(600, { split: "train", seed: 5 });
    const steps = items.flatMap(
      (item, index) => gradeSteps(refinedConversation(item, new Random(index)).messages.at(-1)!.content).steps,
    );
    const rate = (chosen: typeof steps) => chosen.filter((step) => step.refined).length / chosen.length;
    expect(rate(steps.filter((step) => step.hard))).toBeCloseTo(0.4, 1);
    expect(rate(steps.filter((step) => !step.hard))).toBeCloseTo(0.4, 1);
    expect(steps.some((step) => step.refined && step.needed) && steps.some((step) => step.refined && !step.needed)).toBe(true);
  });

  it("work carefully with true equations that end in the step's own result", () => {
    fc.assert(
      fc.property(anItem, (item) => {
        for (const step of item.chain) {
          const work = writeCarefully(step);
          for (const equation of work.split(",")) {
            const [left, result] = equation.split("=");
            expect(toNumber(evaluateExpression(left!)!)).toBe(Number(result));
          }
          expect(work.endsWith(`=${step.result}`)).toBe(true);
        }
      }),
    );
  });

  it("corrupt a result into another positive number, and go on from slips", () => {
    fc.assert(
      fc.property(anItem, fc.integer(), (item, seed) => {
        const random = new Random(seed);
        for (const step of item.chain) {
          const { result } = corruptResult(step, random);
          expect(result > 0 && result !== step.result).toBe(true);
        }
        const slipped = slip(item.chain, random, 0.5, 0.5);
        for (const [index, step] of slipped.slice(1).entries()) expect(step.left).toBe(slipped[index].result);
      }),
    );
  });

  it("give feedback that names exactly the wrong steps of a draft", () => {
    fc.assert(
      fc.property(anItem, fc.integer(), (item, seed) => {
        const random = new Random(seed);
        const draft = slip(item.chain, random, 0.5, 0.3);
        const feedback = writeFeedback(draft, 0.4, random);
        const verdicts = feedback
          .split(";")
          .slice(0, -1)
          .map((line) => line.endsWith(" right"));
        expect(verdicts).toEqual(gradeSteps(writePlain(draft)).steps.map((step) => step.right));
        expect(feedback.endsWith(verdicts.every(Boolean) ? "All right." : "Not right.")).toBe(true);
      }),
    );
  });

  it("write self-refine conversations whose trainable words are all right and whose last revision is", () => {
    fc.assert(
      fc.property(anItem, fc.integer({ min: 1, max: 3 }), fc.integer(), (item, rounds, seed) => {
        const { messages } = selfRefineConversation(item, rounds, new Random(seed));
        expect(messages.map((message) => message.role).join(" ")).toBe(
          `system user assistant${" user assistant user assistant".repeat(rounds)}`,
        );
        expect(messages[2].trainable).toBe(false);
        for (const message of messages.filter((one) => one.trainable && one.content.startsWith("<think>"))) {
          expect(gradeText(item, message.content)).toBe(1);
        }
        expect(messages.at(-1)!.trainable).toBe(true);
        expect(messages.some((message) => message.role !== "assistant" && message.trainable)).toBe(false);
      }),
    );
  });
});
