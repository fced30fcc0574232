import { beforeAll, describe, expect, test } from "vitest";
import type { Engine, Sample } from "#kernel/engine.ts";
import { userError } from "#kernel/errors.ts";
import { pasrGrader } from "#recipes/pasr/reward.ts";
import { items, makeBase, makeEngine, prompts, stopId, tokenizer, verifier } from "../../../test/support/refine-world.ts";
import { delegate, type TabularEngine } from "../../../test/support/tabular-engine.ts";
import {
  type PolicyGradientOptions,
  type PolicyGradientResult,
  type PolicyGradientSetup,
  policyGradientStep,
} from "./policy-gradient.ts";
import type { Grader, Question } from "./rollouts.ts";

type Subject = (typeof items)[number];

const options: PolicyGradientOptions = {
  rollouts: { refinedSamples: 8, plainSamples: 8, temperature: 1, topP: 1, topK: 0, maxTokens: 16, stopIds: [stopId] },
  advantages: { epsilon: 1e-4, smallestRange: 1e-4, deviation: "sample" },
  loss: { clipLow: 0.2, clipHigh: 0.2, klCoefficient: 0.04 },
  normaliser: "sequence-mean",
  maskTruncated: false,
  miniBatches: 1,
  adamW: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 },
  path: "fused",
};

const reward = { tolerance: 0, refineReward: "versus-group" } as const;
const grader = pasrGrader(tokenizer.decode, verifier, reward);

const questions: Question<Subject>[] = Array.from({ length: 12 }, (_, index) => {
  const subject = items[index % items.length];
  const prompt = (system: string) =>
    tokenizer.encodeConversation([
      { role: "system", content: system },
      { role: "user", content: subject.question },
    ]);
  return { index, subject, refinedPrompt: prompt(prompts.refine), plainPrompt: prompt(prompts.plain) };
});

let baseFolder: TabularEngine;
beforeAll(async () => {
  baseFolder = await makeBase();
});

/** A fresh engine with the base's weights. */
async function copyOfBase(): Promise<TabularEngine> {
  return (await baseFolder.freeze()) as TabularEngine;
}

async function setupOf(overrides: Partial<PolicyGradientOptions> = {}, own: Partial<PolicyGradientSetup<Subject>> = {}) {
  const engine = own.engine ?? (await copyOfBase());
  const reference = await baseFolder.freeze();
  return {
    engine,
    sampler: engine,
    reference,
    grader,
    ...own,
    options: { ...options, ...overrides },
  } as PolicyGradientSetup<Subject>;
}

const draw = (step: number) => ({ seed: 7, step });
const weightsOf = (setup: PolicyGradientSetup<Subject>) => (setup.engine as TabularEngine).weights;
const withoutTiming = <T extends { timing: unknown }>({ timing: _, ...rest }: T) => rest;

function largestDifference(first: Float32Array, second: Float32Array): number {
  return first.reduce((largest, value, index) => Math.max(largest, Math.abs(value - second[index])), 0);
}

describe("one step", () => {
  test("reports what happened", async () => {
    const setup = await setupOf();
    const { metrics, groups } = await policyGradientStep(setup, questions, 0.05, draw(0));
    const refined = groups.flatMap((group) => group.refined);
    const plain = groups.flatMap((group) => group.plain);
    expect(refined).toHaveLength(96);
    expect(metrics.reward).toBeCloseTo(refined.reduce((sum, answer) => sum + answer.reward, 0) / 96, 10);
    const { format, accuracy, refine } = metrics.rewardTerms;
    expect(format + accuracy + refine).toBeCloseTo(metrics.reward ?? Number.NaN, 10);
    expect(metrics.accuracyRefined).toBeCloseTo(accuracy, 10);
    expect(metrics.accuracyPlain).toBeCloseTo(plain.filter((answer) => answer.accuracy === 1).length / 96, 10);
    expect(metrics.formatRate).toBeGreaterThan(0.8);
    expect(metrics.refinements).toBeGreaterThan(0.2);
    expect(metrics.tokensRefined).toBeGreaterThan(metrics.tokensPlain ?? Number.NaN);
    expect(metrics.kl).toBeCloseTo(0, 10);
    expect(metrics.clipFraction).toBe(0);
    expect(metrics.gradientNorm).toBeGreaterThan(0);
    expect(metrics).toMatchObject({ questions: 12, updates: 1, skippedUpdates: 0, learningRate: 0.05 });
    expect(Object.keys(metrics.timing).sort()).toEqual(["reference", "sample", "score", "seconds", "tokensPerSecond", "train"]);
  });

  test("estimates the policy's entropy by the mean −log p of what was sampled, at temperature 1 on whatever temperature it was drawn", async () => {
    const setup = await setupOf({ rollouts: { ...options.rollouts, temperature: 0.7 } });
    const { metrics, groups } = await policyGradientStep(setup, questions, 0.05, draw(0));
    const refined = groups.flatMap((group) => group.refined);
    const logprobs = refined.flatMap((answer) => [...answer.logprobs]);
    expect(metrics.entropyEstimate).toBeCloseTo(-logprobs.reduce((sum, each) => sum + each, 0) / logprobs.length, 10);
    expect(metrics.entropyEstimate).toBeGreaterThan(0);
    // The sampler's log-probs are those of the policy at 1, so that nothing is clipped and no ratio is off on the first step.
    expect(metrics.clipFraction).toBe(0);
  });

  test("is the same again from the same weights and seed, and another with another seed", async () => {
    const [first, second, other] = [await setupOf(), await setupOf(), await setupOf()];
    const a = await policyGradientStep(first, questions, 0.05, draw(3));
    const b = await policyGradientStep(second, questions, 0.05, draw(3));
    await policyGradientStep(other, questions, 0.05, draw(4));
    expect(withoutTiming(a.metrics)).toEqual(withoutTiming(b.metrics));
    expect(weightsOf(first)).toEqual(weightsOf(second));
    expect(weightsOf(other)).not.toEqual(weightsOf(first));
  });

  test("a question's samples do not depend on the questions beside it", async () => {
    const all = await policyGradientStep(await setupOf(), questions, 0.05, draw(0));
    const some = await policyGradientStep(await setupOf(), questions.slice(2, 5), 0.05, draw(0));
    expect(some.groups.map((group) => group.refined.map((answer) => answer.text))).toEqual(
      all.groups.slice(2, 5).map((group) => group.refined.map((answer) => answer.text)),
    );
  });
});

describe("fused and two-pass paths", () => {
  test("move the weights alike, also off-policy with clipping, KL and mini-batches", async () => {
    const stale = await baseFolder.freeze();
    for (const miniBatches of [1, 4]) {
      const fused = await setupOf({ path: "fused", miniBatches }, { sampler: stale });
      const twoPass = await setupOf({ path: "two-pass", miniBatches }, { sampler: stale });
      let clipped = 0;
      for (let step = 0; step < 3; step++) {
        const a = await policyGradientStep(fused, questions, 0.1, draw(step));
        const b = await policyGradientStep(twoPass, questions, 0.1, draw(step));
        clipped += a.metrics.clipFraction ?? 0;
        expect(b.metrics.kl).toBeCloseTo(a.metrics.kl ?? Number.NaN, 5);
        expect(b.metrics.gradientNorm).toBeCloseTo(a.metrics.gradientNorm ?? Number.NaN, 5);
      }
      expect(clipped).toBeGreaterThan(0);
      expect(largestDifference(weightsOf(fused), weightsOf(twoPass))).toBeLessThan(1e-4);
    }
  });
});

describe("old log-probs", () => {
  test("come from the sampler, so a lagging one shows as a ratio and a KL", async () => {
    const stale = await baseFolder.freeze();
    const setup = await setupOf({}, { sampler: stale });
    await policyGradientStep(setup, questions, 0.3, draw(0));
    const { metrics } = await policyGradientStep(setup, questions, 0.3, draw(1));
    expect(metrics.kl).toBeGreaterThan(0);
    expect(metrics.clipFraction).toBeGreaterThan(0);
  });
});

describe("what teaches nothing", () => {
  test("groups of equal rewards are dropped; when all are, there is no step and it is recorded", async () => {
    const same: Grader<Subject> = {
      ...grader,
      refined: async (...given) => ({ ...(await grader.refined(...given)), reward: 1 }),
    };
    const setup = await setupOf({}, { grader: same });
    const before = weightsOf(setup);
    const { metrics, groups } = await policyGradientStep(setup, questions, 0.05, draw(0));
    expect(weightsOf(setup)).toEqual(before);
    expect(metrics).toMatchObject({ updates: 0, droppedShare: 1, dropped: { "equal-rewards": 1 } });
    expect(metrics.gradientNorm).toBeUndefined();
    expect(metrics.reward).toBe(1);
    expect(groups.every((group) => group.dropped?.reason === "equal-rewards")).toBe(true);
  });

  test("questions outside the window of plain accuracy are not sampled again", async () => {
    const setup = await setupOf({ rollouts: { ...options.rollouts, plainAccuracyWindow: [0, 1] } });
    const { metrics, groups } = await policyGradientStep(setup, questions, 0.05, draw(0));
    for (const group of groups) {
      const right = group.plain.filter((answer) => answer.accuracy === 1).length;
      if (right === 0 || right === 8) expect(group).toMatchObject({ dropped: { reason: "plain-accuracy" }, refined: [] });
      else expect(group.refined).toHaveLength(8);
    }
    expect(groups.some((group) => group.refined.length === 8)).toBe(true);
    expect(metrics.dropped["plain-accuracy"]).toBeGreaterThanOrEqual(0.25);
    expect(metrics.accuracyPlainCompared).toBeLessThan(metrics.accuracyPlain ?? Number.NaN);
  });

  test("what a person has to mend ends the step, with its reason, and leaves the weights as they were", async () => {
    const refused: Grader<Subject> = {
      ...grader,
      plain: async () => {
        throw userError("not-authorised", "the judge answered 401");
      },
    };
    const setup = await setupOf({}, { grader: refused });
    const before = weightsOf(setup);
    await expect(policyGradientStep(setup, questions, 0.05, draw(0))).rejects.toThrow("the judge answered 401");
    expect(weightsOf(setup)).toEqual(before);
  });

  test("Ctrl-C while a judge grades drops no group: the step is done again", async () => {
    const stop = new AbortController();
    const slow: Grader<Subject> = {
      ...grader,
      refined: async () => {
        stop.abort();
        stop.signal.throwIfAborted();
        throw new Error("never");
      },
    };
    const setup = await setupOf({}, { grader: slow });
    const before = weightsOf(setup);
    const step = policyGradientStep(setup, questions, 0.05, { ...draw(0), signal: stop.signal });
    await expect(step).rejects.toMatchObject({ name: "AbortError" });
    expect(weightsOf(setup)).toEqual(before);
  });

  test("plain answers are graded while refined ones are sampled, unless they decide which are", async () => {
    const order = async (window?: readonly [number, number]) => {
      const seen: string[] = [];
      const watched: Grader<Subject> = {
        ...grader,
        plain: async (...given) => {
          await new Promise((resolve) => setTimeout(resolve, 50));
          seen.push("graded");
          return grader.plain(...given);
        },
      };
      const setup = await setupOf({ rollouts: { ...options.rollouts, plainAccuracyWindow: window } }, { grader: watched });
      const { sampler } = setup;
      const sample: typeof sampler.sample = (...given) => {
        seen.push("sampled");
        return sampler.sample(...given);
      };
      const observed = { sample, logprobs: sampler.logprobs.bind(sampler), close: () => sampler.close() };
      await policyGradientStep({ ...setup, sampler: observed as typeof sampler }, questions, 0.05, draw(0));
      return seen.filter((word, index) => word !== seen[index - 1]);
    };
    expect(await order()).toEqual(["sampled", "graded"]);
    expect(await order([0, 1])).toEqual(["sampled", "graded", "sampled"]);
  });

  test("a grader that fails, or returns no number, drops its group and nothing else", async () => {
    const fragile: Grader<Subject> = {
      plain: (subject, sample) => {
        if (subject.id === "q2") throw new Error("judge is away");
        return grader.plain(subject, sample);
      },
      refined: async (subject, sample, plain) => {
        const grade = await grader.refined(subject, sample, plain);
        return subject.id === "q3" ? { ...grade, accuracy: Number.NaN } : grade;
      },
    };
    const { metrics, groups } = await policyGradientStep(await setupOf({}, { grader: fragile }), questions, 0.05, draw(0));
    expect(metrics.dropped["failed-grading"]).toBeCloseTo(0.5, 10);
    expect(groups[2].dropped).toEqual({ reason: "failed-grading", message: "judge is away" });
    expect(groups[3].dropped?.message).toContain("NaN");
    expect(metrics.updates).toBe(1);
  });

  test("no questions at all: an empty step", async () => {
    const { metrics } = await policyGradientStep(await setupOf(), [], 0.05, draw(0));
    expect(metrics).toMatchObject({ questions: 0, updates: 0, droppedShare: 0 });
    expect(metrics.reward).toBeUndefined();
  });
});

describe("odd samples", () => {
  /** Changes the refined samples of an engine. */
  function altered(engine: Engine, alter: (sample: Sample, index: number) => Sample): Engine {
    const sample: Engine["sample"] = async (given, sampling) =>
      (await engine.sample(given, sampling)).map((group) =>
        group.map((each, index) => (given[0][0] === 0 ? alter(each, index) : each)),
      );
    return delegate(engine, { sample });
  }

  test("an answer without tokens counts in its group and trains nothing", async () => {
    const engine = await copyOfBase();
    const empty = (sample: Sample, index: number): Sample =>
      index === 0 ? { ids: [], logprobs: new Float32Array(0), stopReason: "length" } : sample;
    const setup = await setupOf({}, { engine, sampler: altered(engine, empty) });
    const { metrics, groups } = await policyGradientStep(setup, questions, 0.05, draw(0));
    expect(groups[0].refined[0]).toMatchObject({ wellFormed: false, accuracy: 0 });
    expect(metrics.updates).toBe(1);
    expect(metrics.truncatedShare).toBeGreaterThanOrEqual(1 / 8);
  });

  test("only empty answers: nothing to train", async () => {
    const engine = await copyOfBase();
    const empty = (): Sample => ({ ids: [], logprobs: new Float32Array(0), stopReason: "length" });
    const setup = await setupOf({}, { engine, sampler: altered(engine, empty) });
    const { metrics } = await policyGradientStep(setup, questions, 0.05, draw(0));
    expect(metrics).toMatchObject({ updates: 0, dropped: { "equal-rewards": 1 } });
  });

  test("answers cut at their length lose the format, and carry no loss when that is asked for", async () => {
    const short = { rollouts: { ...options.rollouts, maxTokens: 7 } };
    const trained = await setupOf(short);
    const masked = await setupOf({ ...short, maskTruncated: true });
    const a = await policyGradientStep(trained, questions, 0.05, draw(0));
    const b = await policyGradientStep(masked, questions, 0.05, draw(0));
    expect(a.metrics.truncatedShare).toBeGreaterThan(0.3);
    for (const answer of a.groups.flatMap((group) => group.refined)) {
      if (answer.stopReason === "length" && !answer.text.endsWith("</answer>")) expect(answer.terms.format).toBe(-1);
    }
    expect(a.metrics.reward).toBe(b.metrics.reward);
    expect(weightsOf(masked)).not.toEqual(weightsOf(trained));
  });
});

test("a gradient that is not finite is skipped and counted", async () => {
  const engine = await copyOfBase();
  const refused = delegate(engine, { step: async () => ({ gradientNorm: Number.NaN, applied: false }) });
  const { metrics } = await policyGradientStep(await setupOf({}, { engine: refused }), questions, 0.05, draw(0));
  expect(metrics.skippedUpdates).toBe(1);
});

test("an abort between two optimiser steps is left for after the step", async () => {
  const engine = await copyOfBase();
  const abort = new AbortController();
  const aborting = delegate(engine, {
    step: (given) => {
      abort.abort();
      return engine.step(given);
    },
  });
  const setup = await setupOf({ miniBatches: 3 }, { engine: aborting });
  const { metrics } = await policyGradientStep(setup, questions, 0.05, { ...draw(0), signal: abort.signal });
  expect(metrics.updates).toBe(3);
  await expect(policyGradientStep(setup, questions, 0.05, { ...draw(1), signal: abort.signal })).rejects.toThrow();
});

test("training raises reward and accuracy, and refining moves to where it is needed", async () => {
  const setup = await setupOf();
  const results: PolicyGradientResult<Subject>[] = [];
  for (let step = 0; step < 80; step++) results.push(await policyGradientStep(setup, questions, 0.05, draw(step)));
  const first = results.slice(0, 10);
  const last = results.slice(-10);
  const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const reward = (some: typeof results) => average(some.map(({ metrics }) => metrics.reward ?? Number.NaN));
  const accuracy = (some: typeof results) => average(some.map(({ metrics }) => metrics.accuracyRefined ?? Number.NaN));
  const refinements = (some: typeof results, kind: string) =>
    average(
      some
        .flatMap(({ groups }) => groups.filter((group) => group.question.subject.group === kind))
        .flatMap((group) => group.refined.map((answer) => answer.refinements)),
    );
  expect(reward(last)).toBeGreaterThan(reward(first) + 0.4);
  expect(accuracy(last)).toBeGreaterThan(accuracy(first) + 0.08);
  expect(refinements(last, "easy")).toBeLessThan(0.3 * refinements(first, "easy"));
  expect(refinements(last, "hard")).toBeGreaterThan(1.3 * refinements(first, "hard"));
}, 120_000);

test("an untrained engine takes a step without any answer in the format", async () => {
  const engine = makeEngine();
  const { metrics } = await policyGradientStep(await setupOf({}, { engine }), questions, 0.05, draw(0));
  expect(metrics.formatRate).toBe(0);
});
