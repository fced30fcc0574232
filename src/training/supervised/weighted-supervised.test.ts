import { describe, expect, test } from "vitest";
import { example, makeEngine } from "../../../test/support/refine-world.ts";
import { delegate } from "../../../test/support/tabular-engine.ts";
import {
  likelihoodOnly,
  supervisedStep,
  type WeightedExample,
  type WeightedStepOptions,
  weightedLoss,
  weightedStep,
} from "./supervised.ts";

const adamW = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 };
const options: WeightedStepOptions = { ...likelihoodOnly, tokensPerCall: 1000, adamW };
const batch = Array.from({ length: 12 }, (_, index) => example(index));
const at = { learningRate: 0.1 };

describe("a weighted step", () => {
  test("without weights of its own is the supervised step", async () => {
    const [first, second] = [makeEngine(), makeEngine()];
    const tokens = batch.reduce((sum, { ids }) => sum + ids.length, 0);
    const plain = await supervisedStep(
      first,
      example,
      { tokensPerStep: tokens, maxTokens: 20, tokensPerCall: 1000, adamW },
      { cursor: 0, ...at },
    );
    const weighted = await weightedStep(second, batch, options, at);
    expect(plain.metrics.examples).toBe(12);
    expect(second.weights).toEqual(first.weights);
    expect(weighted.loss).toBeCloseTo(plain.metrics.loss, 10);
    expect(weighted.likelihoodLoss).toBeCloseTo(plain.metrics.loss, 6);
    expect(weighted.trainedTokens).toBe(plain.metrics.trainedTokens);
  });

  test("an example of weight 2 pulls like itself twice", async () => {
    const sum = { ...options, normaliser: "token-sum" as const };
    const [doubled, repeated] = [makeEngine(), makeEngine()];
    await weightedStep(doubled, [batch[0], { ...batch[1], weight: 2 }], sum, at);
    await weightedStep(repeated, [batch[0], batch[1], batch[1]], sum, at);
    expect(doubled.weights).toEqual(repeated.weights);
  });

  test("the gradient of the confidence term is that of its loss, and only then a forward pass is made first", async () => {
    const confident = { ...options, likelihood: 0.8, confidence: 0.2, confidenceScale: 0.5 };
    const engine = makeEngine();
    await weightedStep(engine, batch, options, at);
    const probe: WeightedExample = { ids: batch[0].ids, mask: batch[0].mask };
    const [logprobs] = await engine.logprobs([{ ids: probe.ids, start: 2 }]);
    const loss = await weightedLoss(engine, [probe], { ...confident, tokensPerCall: 100 });
    let forward = 0;
    let handed: Float32Array | undefined;
    const watched = delegate(engine, {
      logprobs: (...given) => {
        forward++;
        return engine.logprobs(...given);
      },
      accumulate: async ([sequence]) => {
        handed = sequence!.weights;
        return engine.logprobs([sequence!]);
      },
    });
    await weightedStep(watched, [probe], confident, at);
    expect(forward).toBe(1);
    const n = logprobs!.length;
    const wanted = Array.from(logprobs!, (value, t) => (0.8 + 0.2 * 0.5 * ((t + 1) / n) * Math.exp(value)) / n);
    expect(Array.from(handed!)).toEqual(wanted.map((value) => expect.closeTo(value, 6)));
    const likelihood = logprobs!.reduce((sum, value) => sum - value, 0) / n;
    const doubt = logprobs!.reduce((sum, value, t) => sum + (0.5 * ((t + 1) / n) * (1 - Math.exp(value))) / n, 0);
    expect(loss.loss).toBeCloseTo(0.8 * likelihood + 0.2 * doubt, 6);
    forward = 0;
    await weightedStep(watched, [probe], options, at);
    expect(forward).toBe(0);
  });

  test("the confidence term rises over the learned tokens alone, or is the same for all of them", async () => {
    const engine = makeEngine();
    const probe: WeightedExample = {
      ids: batch[0].ids,
      mask: batch[0].ids.map((_, t) => (t < 2 || t === 3 || t === 4 ? 0 : 1)),
    };
    const [logprobs] = await engine.logprobs([{ ids: probe.ids, start: 2 }]);
    const doubts = Array.from(logprobs!, (value) => 1 - Math.exp(value)).filter((_, t) => t !== 1 && t !== 2);
    const n = doubts.length;
    const lossOf = async (confidenceRamp: "rising" | "flat") =>
      (
        await weightedLoss(engine, [probe], {
          ...options,
          likelihood: 0,
          confidence: 0.4,
          confidenceScale: 0.5,
          confidenceRamp,
          tokensPerCall: 99,
        })
      ).loss;
    expect(await lossOf("rising")).toBeCloseTo(
      doubts.reduce((sum, doubt, t) => sum + (0.4 * 0.5 * ((t + 1) / n) * doubt) / n, 0),
      6,
    );
    expect(await lossOf("flat")).toBeCloseTo(
      doubts.reduce((sum, doubt) => sum + (0.4 * 0.5 * doubt) / n, 0),
      6,
    );
  });

  test("is the same however it is cut into calls, weights and confidence included", async () => {
    const weighted = batch.map((each, index) => ({ ...each, weight: 1 + (index % 3) }));
    const confident = { ...options, confidence: 0.3, normaliser: "sequence-mean" as const };
    const [whole, cut] = [makeEngine(), makeEngine()];
    const first = await weightedStep(whole, weighted, confident, at);
    const second = await weightedStep(cut, weighted, { ...confident, tokensPerCall: 30 }, at);
    expect(second.gradientNorm).toBeCloseTo(first.gradientNorm, 10);
    expect(second.loss).toBeCloseTo(first.loss, 10);
  });

  test("tokens of mask 0 in the middle are not moved towards", async () => {
    const engine = makeEngine();
    const ids = batch[0].ids;
    const mask = ids.map((_, t) => (t < 2 || t === 3 ? 0 : 1));
    const before = await engine.logprobs([{ ids, start: 2 }]);
    await weightedStep(engine, [{ ids, mask }], options, at);
    const after = await engine.logprobs([{ ids, start: 2 }]);
    expect(after[0][1]).toBe(before[0][1]);
    expect(after[0][0]).toBeGreaterThan(before[0][0]);
  });
});
