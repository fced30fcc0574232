import { describe, expect, test } from "vitest";
import type { AdamWOptions } from "#kernel/engine.ts";
import { example, makeEngine, stopId } from "../../../test/support/refine-world.ts";
import { delegate, type TabularEngine } from "../../../test/support/tabular-engine.ts";
import { likelihoodOnly, type SupervisedOptions, supervisedStep, weightedLoss } from "./supervised.ts";

const adamW: Omit<AdamWOptions, "learningRate"> = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 };
const options: SupervisedOptions = { tokensPerStep: 200, maxTokens: 20, tokensPerCall: 1000, adamW };

async function train(engine: TabularEngine, steps: number, changed: Partial<SupervisedOptions> = {}) {
  const metrics = [];
  let cursor = 0;
  for (let step = 0; step < steps; step++) {
    const done = await supervisedStep(engine, example, { ...options, ...changed }, { cursor, learningRate: 0.1 });
    cursor = done.cursor;
    metrics.push(done.metrics);
  }
  return { metrics, cursor };
}

describe("a supervised step", () => {
  test("starts at the entropy of knowing nothing and learns, also on examples never seen", async () => {
    const engine = makeEngine();
    const held = Array.from({ length: 50 }, (_, index) => example(1_000_000 + index));
    const before = await weightedLoss(engine, held, { ...likelihoodOnly, tokensPerCall: 100 });
    const { metrics } = await train(engine, 60);
    const after = await weightedLoss(engine, held, { ...likelihoodOnly, tokensPerCall: 100 });
    expect(metrics[0].loss).toBeCloseTo(Math.log(engine.info.vocabularySize), 4);
    expect(before.loss).toBeCloseTo(Math.log(engine.info.vocabularySize), 4);
    expect(metrics.at(-1)?.loss).toBeLessThan(0.5);
    expect(after.loss).toBeLessThan(0.5);
    expect(after.trainedTokens).toBe(before.trainedTokens);
  });

  test("counts what it did and says where to go on", async () => {
    const { metrics, cursor } = await train(makeEngine(), 2);
    const [first, second] = metrics;
    const taken = Array.from({ length: cursor }, (_, index) => example(index));
    expect(first.examples + second.examples).toBe(cursor);
    expect(first.tokens + second.tokens).toBe(taken.reduce((sum, each) => sum + each.ids.length, 0));
    expect(first.trainedTokens + second.trainedTokens).toBe(taken.reduce((sum, each) => sum + each.ids.length - 2, 0));
    expect(first.tokens).toBeGreaterThanOrEqual(200);
    expect(first.tokens).toBeLessThan(220);
  });

  test("is the same however it is cut into calls", async () => {
    const whole = makeEngine();
    const cut = makeEngine();
    let calls = 0;
    const counted = delegate(cut, {
      accumulate: (...given) => {
        calls += 1;
        return cut.accumulate(...given);
      },
    });
    const a = await supervisedStep(whole, example, options, { cursor: 0, learningRate: 0.1 });
    const b = await supervisedStep(counted, example, { ...options, tokensPerCall: 30 }, { cursor: 0, learningRate: 0.1 });
    expect(calls).toBeGreaterThan(5);
    expect(b.metrics.loss).toBeCloseTo(a.metrics.loss, 10);
    expect(b.metrics.gradientNorm).toBeCloseTo(a.metrics.gradientNorm, 10);
    expect(whole.weights.every((value, index) => Math.abs(value - cut.weights[index]) < 1e-6)).toBe(true);
  });

  test("learns nothing where the mask is 0", async () => {
    const engine = makeEngine();
    const unlearned = { ids: [0, 2, 6, 12, stopId], mask: [0, 0, 1, 0, 1] };
    await supervisedStep(engine, () => unlearned, { ...options, tokensPerStep: 1 }, { cursor: 0, learningRate: 0.1 });
    const [logprobs] = await engine.logprobs([{ ids: unlearned.ids, start: 2 }]);
    const chance = -Math.log(engine.info.vocabularySize);
    expect(logprobs[0]).toBeGreaterThan(chance);
    expect(logprobs[1]).toBeCloseTo(chance, 6);
    expect(logprobs[2]).toBeGreaterThan(chance);
  });

  test("leaves out what is too long or has nothing to learn, and counts it", async () => {
    const odd = (index: number) =>
      index % 3 === 0
        ? { ids: Array(30).fill(6), mask: Array(30).fill(1) }
        : index % 3 === 1
          ? { ids: [0, 2], mask: [1, 0] }
          : example(index);
    const { metrics } = await supervisedStep(makeEngine(), odd, options, { cursor: 0, learningRate: 0.1 });
    expect(metrics.skippedExamples).toBe(2 * metrics.examples);
  });

  test("data without one usable example is an error that says so", async () => {
    const tooLong = () => ({ ids: Array(30).fill(6), mask: Array(30).fill(1) });
    await expect(supervisedStep(makeEngine(), tooLong, options, { cursor: 0, learningRate: 0.1 })).rejects.toMatchObject({
      code: "no-usable-examples",
      family: "user",
    });
  });
});
