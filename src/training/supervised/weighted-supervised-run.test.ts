import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openRun } from "#record/run-directory.ts";
import { example, makeEngine } from "../../../test/support/refine-world.ts";
import { likelihoodOnly } from "./supervised.ts";
import { planSteps, trainWeighted, type WeightedRunOptions, type WeightedTraining } from "./weighted-supervised-run.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "weighted-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const options: WeightedRunOptions = {
  ...likelihoodOnly,
  epochs: 3,
  maxSteps: Number.POSITIVE_INFINITY,
  tokensPerStep: 100,
  maxTokens: 20,
  tokensPerCall: 1000,
  learningRate: 0.1,
  schedule: "cosine",
  warmup: 0.1,
  learningRateFloor: 0,
  saveEvery: 4,
  evaluateEvery: 5,
  patience: Number.POSITIVE_INFINITY,
  adamW: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 },
};
const examples = Array.from({ length: 60 }, (_, index) => example(index));
const validation = Array.from({ length: 20 }, (_, index) => example(1_000_000 + index));

async function play(name: string, changed: Partial<WeightedRunOptions> = {}, more: Partial<WeightedTraining> = {}) {
  const engine = makeEngine();
  using run = openRun(path.join(root, name), { command: "train ptr", options: {} });
  const result = await trainWeighted({
    engine,
    examples,
    validation,
    options: { ...options, ...changed },
    seed: 3,
    run,
    ...more,
  });
  const lines = (kind: string) => run.readLines<Record<string, number>>(kind);
  return { engine, result, metrics: lines("metrics"), evaluations: lines("evaluations"), events: lines("events") };
}

describe("which examples a step takes", () => {
  test("every example once an epoch, in steps that hold their tokens, in another order each epoch", () => {
    const plan = planSteps(examples, options, 3);
    expect(plan.steps).toBe(3 * plan.stepsPerEpoch);
    const epoch = (number: number) =>
      Array.from({ length: plan.stepsPerEpoch }, (_, step) => plan.batchAt(number * plan.stepsPerEpoch + step));
    for (const batches of [epoch(0), epoch(2)]) {
      expect(new Set(batches.flat())).toEqual(new Set(examples));
      expect(batches.flat()).toHaveLength(60);
      for (const batch of batches) expect(batch.reduce((sum, { ids }) => sum + ids.length, 0)).toBeLessThanOrEqual(100);
    }
    expect(epoch(1)).not.toEqual(epoch(0));
    expect(planSteps(examples, options, 3).batchAt(7)).toEqual(plan.batchAt(7));
  });

  test("steps of so many examples hold so many, whatever their length, and the last of an epoch what is left", () => {
    const long = examples.map((each, index) => ({ ...each, id: `e${index}` }));
    const plan = planSteps(long, { ...options, examplesPerStep: 16, tokensPerStep: 1 }, 3);
    expect(plan).toMatchObject({ stepsPerEpoch: 4, steps: 12, leftOut: 0 });
    const epoch = [0, 1, 2, 3].map((step) => plan.batchAt(step));
    expect(epoch.map((batch) => batch.length)).toEqual([16, 16, 16, 12]);
    expect(new Set(epoch.flat()).size).toBe(60);
    expect(plan.batchAt(4)).not.toEqual(epoch[0]);
    expect(planSteps(long, { ...options, examplesPerStep: 16 }, 3).batchAt(5)).toEqual(plan.batchAt(5));
  });

  test("steps or epochs, whichever is first; examples that cannot be learned are counted", () => {
    expect(planSteps(examples, { ...options, maxSteps: 2 }, 3).steps).toBe(2);
    expect(planSteps(examples, { ...options, epochs: Number.POSITIVE_INFINITY, maxSteps: 40 }, 3).steps).toBe(40);
    const odd = [...examples, { ids: Array(21).fill(1), mask: Array(21).fill(1) }, { ids: [1, 2], mask: [1, 0] }];
    expect(planSteps(odd, options, 3).leftOut).toBe(2);
    const weighed = planSteps(
      [
        { ...examples[0], weight: 0 },
        { ...examples[1], weight: 0.5 },
      ],
      { ...options, epochs: 1 },
      3,
    );
    expect([weighed.leftOut, weighed.batchAt(0).map(({ weight }) => weight)]).toEqual([1, [0.5]]);
    expect(() => planSteps(examples, { ...options, epochs: Number.POSITIVE_INFINITY }, 3)).toThrow("no end");
    expect(() => planSteps(examples, { ...options, epochs: 0 }, 3)).toThrow("no step");
    expect(() => planSteps(examples, { ...options, maxTokens: 3 }, 3)).toThrow("none of 60");
  });
});

describe("training over weighted examples", () => {
  test("warms up, decays, and keeps the weights of the lowest validation loss", async () => {
    const { result, metrics, evaluations, engine } = await play("a");
    expect(result).toMatchObject({ finished: true, stepsDone: metrics.length, stoppedEarly: false });
    const rates = metrics.map(({ learningRate }) => learningRate!);
    const warmup = Math.round(0.1 * rates.length);
    expect(rates[0]).toBeCloseTo(0.1 / warmup, 12);
    expect(Math.max(...rates)).toBeCloseTo(0.1, 12);
    expect(rates.at(-1)).toBeCloseTo(0, 12);
    expect(metrics.at(-1)!.epoch).toBeCloseTo(3, 12);
    expect(evaluations.at(-1)!.validationLoss).toBeLessThan(0.75 * evaluations[0].validationLoss!);
    const lowest = evaluations.reduce((first, each) => (each.validationLoss! < first.validationLoss! ? each : first));
    expect(result.best).toMatchObject({ step: lowest.step, validationLoss: lowest.validationLoss });
    const kept = makeEngine();
    await kept.restore(result.model);
    if (lowest.step === metrics.length) expect(kept.weights).toEqual(engine.weights);
  });

  test("overfitting ends it early with the best weights, and the same command does not go on", async () => {
    const lone = { examples: examples.slice(0, 3) };
    const changed = { epochs: 400, evaluateEvery: 2, patience: 4, learningRate: 0.5, schedule: "constant" as const };
    const first = await play("a", changed, lone);
    expect(first.result.stoppedEarly).toBe(true);
    expect(first.result.stepsDone).toBe(first.result.best!.step + 8);
    const kept = makeEngine();
    await kept.restore(first.result.model);
    expect(kept.weights).not.toEqual(first.engine.weights);
    const again = await play("a", changed, lone);
    expect(again.result).toEqual(first.result);
    expect(again.metrics).toHaveLength(first.metrics.length);
    expect(again.engine.weights).toEqual(first.engine.weights);
    expect(first.events.map(({ type }) => type)).toContain("finished");
  });

  test("stopped and gone on with, it ends with the same weights and keeps the same best", async () => {
    const straight = await play("a");
    for (const stopAt of [6, 13]) {
      const abort = new AbortController();
      const stopped = await play(
        `b${stopAt}`,
        {},
        {
          signal: abort.signal,
          onProgress: ({ stepsDone }) => {
            if (stepsDone === stopAt) abort.abort();
          },
        },
      );
      expect(stopped.result).toMatchObject({ finished: false, stepsDone: stopAt });
      const resumed = await play(`b${stopAt}`);
      expect(resumed.engine.weights).toEqual(straight.engine.weights);
      expect(resumed.evaluations).toEqual(straight.evaluations);
      expect(resumed.result.best).toEqual(straight.result.best);
      const model = (name: string) => readFileSync(path.join(root, name, "model", "weights.bin"));
      expect(model(`b${stopAt}`).equals(model("a"))).toBe(true);
    }
  });

  test("without validation the last weights are kept, and nothing is evaluated", async () => {
    const { result, engine, evaluations } = await play("a", { maxSteps: 3, patience: 1 }, { validation: [] });
    expect(result).toMatchObject({ best: undefined, stoppedEarly: false });
    expect(evaluations).toEqual([]);
    const kept = makeEngine();
    await kept.restore(result.model);
    expect(kept.weights).toEqual(engine.weights);
    expect(existsSync(`${result.model}.partial`)).toBe(false);
  });
});
