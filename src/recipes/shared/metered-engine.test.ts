import path from "node:path";
import { expect, test } from "vitest";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { MeteredEngine } from "./metered-engine.ts";

test("counts what is sampled, what is trained, and steps, and changes nothing", async () => {
  const folder = path.join(import.meta.dirname, "../../../models/base");
  const bare = await EmbeddedEngine.open({ folder, threads: 1 });
  const metered = new MeteredEngine(await EmbeddedEngine.open({ folder, threads: 1 }));
  try {
    expect(metered.info).toEqual(bare.info);
    const options = { n: 2, maxTokens: 4, temperature: 1, stopIds: [], seed: 1 };
    const [own, other] = [await metered.sample([[1, 2], [3]], options), await bare.sample([[1, 2], [3]], options)];
    expect(own).toEqual(other);
    expect(metered.sampledTokens).toBe(16);
    const sequence = { ids: [1, 2, 3, 4], start: 2, weights: new Float32Array([1, 1]) };
    expect(await metered.accumulate([sequence])).toEqual(await bare.accumulate([sequence]));
    const adamW = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 };
    expect(await metered.step(adamW)).toEqual(await bare.step(adamW));
    await metered.logprobs([sequence]);
    expect([metered.trainedTokens, metered.steps, metered.sampledTokens]).toEqual([4, 1, 16]);
  } finally {
    await metered.close();
    await bare.close();
  }
});
