/** The model in its own thread's terms: whole gradients against finite differences, and adapters that train beside weights that stay. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PolicySequence, WeightedSequence } from "#kernel/engine.ts";
import { Random } from "#kernel/seed.ts";
import { saveCheckpoint } from "../checkpoint/checkpoint.ts";
import { parseConfig } from "../checkpoint/config.ts";
import { initialiseParameters, newConfig } from "../checkpoint/create.ts";
import { LanguageModel, type ModelSource } from "./language-model.ts";
import { loadAdapter, mergeAdapter } from "./lora.ts";
import { onnxRuntimeBackend } from "./runtime.ts";

const backend = onnxRuntimeBackend(1);
const sizes = { vocabularySize: 13, hiddenSize: 16, intermediateSize: 20, layers: 2, heads: 4, keyValueHeads: 2, headSize: 4 };
const fresh = (options: object = {}): ModelSource => ({
  rawConfig: newConfig({ ...sizes, maxContextTokens: 32, ...options }),
  seed: 1,
  initialisation: { deviation: 0.3 },
});
const lora = { rank: 3, alpha: 6, targetModules: ["q_proj", "v_proj", "down_proj"] as const, seed: 5 };
const adamw = { learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 };
const sequences = [weighted([1, 2, 3, 4, 5], 2, 1), weighted([6, 7, 8], 1, -0.7), weighted([1, 9, 9, 9, 2, 12, 0], 1, 0.4)];
const probe = [{ ids: [3, 1, 4, 1, 5, 9, 2, 6], start: 1 }];

function weighted(ids: number[], start: number, weight: number): WeightedSequence {
  return { ids, start, weights: new Float32Array(ids.length - start).fill(weight) };
}

function objective(logprobs: Float32Array[]): number {
  return sequences.reduce(
    (sum, { weights }, index) => sum + weights.reduce((inner, weight, place) => inner + weight * logprobs[index][place], 0),
    0,
  );
}

describe.each([
  ["Qwen3, tied", fresh()],
  ["Qwen2, untied", fresh({ architecture: "qwen2", tieEmbeddings: false })],
  ["Llama, with adapters", { ...fresh({ architecture: "llama" }), lora }],
  ["Qwen3, with adapters and dropout", { ...fresh(), lora: { ...lora, dropout: 0.4 } }],
])("gradient of %s", (_name, source) => {
  it("agrees with finite differences along random directions of every tensor", async () => {
    const model = await LanguageModel.open(source, backend);
    // Adapters start at B = 0, where A has no gradient; one step leaves that point.
    await model.accumulate(sequences);
    model.step(adamw);
    await model.accumulate(sequences);
    const random = new Random(9);
    const width = 3e-3;
    const gradients = new Map(model.gradients());
    for (const [name, gradient] of gradients) {
      const data = model.trainable().get(name)!.data;
      const original = data.slice();
      // Along the gradient itself the difference is largest, which float32 needs; a random part makes it a direction of its own.
      const norm = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
      const direction = gradient.map((value) => value / norm + (0.5 * random.normal()) / Math.sqrt(gradient.length));
      const shifted = async (amount: number) => {
        data.set(original.map((value, index) => value + amount * direction[index]));
        // The same pass of the same step leaves out the same inputs.
        model.clearGradient();
        return objective(await model.accumulate(sequences));
      };
      const difference = ((await shifted(width)) - (await shifted(-width))) / (2 * width);
      data.set(original);
      const expected = gradient.reduce((sum, value, index) => sum + value * direction[index], 0);
      expect(Math.abs(difference - expected) / norm, name).toBeLessThan(1e-2);
    }
    await model.close();
  });
});

describe("adapters", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "midcourse-adapters-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("start as the base, move it by training, and equal the merged weights", async () => {
    const rawConfig = newConfig({ ...sizes, maxContextTokens: 32 });
    const config = parseConfig(rawConfig, "config.json");
    const parameters = initialiseParameters(config, 1, { deviation: 0.3 });
    const base = join(folder, "base");
    await saveCheckpoint(base, { rawConfig, parameters });
    const [plain, adapted] = [
      await LanguageModel.open({ folder: base }, backend),
      await LanguageModel.open({ folder: base, lora }, backend),
    ];
    expect(await adapted.logprobs(probe)).toEqual(await plain.logprobs(probe));
    const frozen = adapted.freeze();
    for (let step = 0; step < 5; step++) {
      await adapted.accumulate(sequences);
      expect(adapted.step(adamw).applied).toBe(true);
    }
    const [moved] = await adapted.logprobs(probe);
    expect(await frozen.logprobs(probe)).toEqual(await plain.logprobs(probe));

    const saved = join(folder, "adapter");
    await adapted.save(saved, { optimizer: true });
    const merged = join(folder, "merged");
    await saveCheckpoint(merged, { rawConfig, parameters: mergeAdapter(config, parameters, await loadAdapter(saved, config)) });
    const flat = await LanguageModel.open({ folder: merged }, backend);
    const [expected] = await flat.logprobs(probe);
    const [start] = await plain.logprobs(probe);
    moved.forEach((value, index) => {
      expect(Math.abs(value - expected[index])).toBeLessThan(1e-4);
    });
    expect(Math.max(...moved.map((value, index) => Math.abs(value - start[index])))).toBeGreaterThan(0.01);
    // Sampling goes through the adapters too.
    const greedy = { n: 1, maxTokens: 8, temperature: 0, stopIds: [], seed: 1 };
    expect((await adapted.sample([[1, 2]], greedy))[0][0].ids).toEqual((await flat.sample([[1, 2]], greedy))[0][0].ids);

    const again = await LanguageModel.open({ folder: base, lora: { folder: saved } }, backend);
    expect(await again.logprobs(probe)).toEqual([moved]);
    await again.restore(saved);
    for (const model of [adapted, again]) {
      await model.accumulate(sequences);
      model.step(adamw);
    }
    expect(await again.logprobs(probe)).toEqual(await adapted.logprobs(probe));
    for (const model of [plain, adapted, flat, again]) await model.close();
  });

  it("leave the same inputs out after a resume, others in every pass, and none when they score or sample", async () => {
    const dropping = { ...lora, dropout: 0.3 };
    const [model, plain] = [
      await LanguageModel.open({ ...fresh(), lora: dropping }, backend),
      await LanguageModel.open({ ...fresh(), lora }, backend),
    ];
    const both = [model, plain];
    // Both B are zero at first, so that nothing an adapter sees matters yet.
    expect(await model.accumulate(sequences)).toEqual(await plain.accumulate(sequences));
    for (const each of both) each.step(adamw);
    const saved = join(folder, "dropout");
    await model.save(saved, { optimizer: true });
    await plain.restore(saved);
    expect(await model.logprobs(probe)).toEqual(await plain.logprobs(probe));
    const sampling = { n: 2, maxTokens: 6, temperature: 1, stopIds: [], seed: 3 };
    expect(await model.sample([[1, 2]], sampling)).toEqual(await plain.sample([[1, 2]], sampling));

    const first = await model.accumulate(sequences);
    const second = await model.accumulate(sequences);
    expect(first).not.toEqual(await plain.accumulate(sequences));
    expect(second).not.toEqual(first);
    const resumed = await LanguageModel.open({ ...fresh(), lora: dropping }, backend);
    await resumed.restore(saved);
    expect(await resumed.accumulate(sequences)).toEqual(first);
    expect(await resumed.accumulate(sequences)).toEqual(second);
    expect(resumed.gradients()).toEqual(model.gradients());
    for (const each of [model, resumed]) each.step(adamw);
    expect(await resumed.accumulate(sequences)).toEqual(await model.accumulate(sequences));
    resumed.clearGradient();
    const after = await resumed.accumulate(sequences);
    resumed.clearGradient();
    expect(await resumed.accumulate(sequences)).toEqual(after);
    for (const each of [...both, resumed]) await each.close();
  });

  it("with dropout see on average what they see without", async () => {
    const model = await LanguageModel.open({ ...fresh(), lora: { ...lora, dropout: 0.5 } }, backend);
    const random = new Random(4);
    // Small updates, in which log p is linear enough for means to agree.
    for (const [name, { data }] of model.trainable()) {
      if (name.includes("lora_B")) for (let index = 0; index < data.length; index++) data[index] = 0.01 * random.normal();
    }
    const sequence = weighted([1, 2, 3, 4, 5, 6, 7, 8], 1, 1);
    const [whole] = await model.logprobs([sequence]);
    const passes = 400;
    const sums = { first: new Float64Array(7), second: new Float64Array(7) };
    for (let pass = 0; pass < passes; pass++) {
      const [seen] = await model.accumulate([sequence]);
      seen.forEach((value, place) => {
        sums.first[place] += value;
        sums.second[place] += value * value;
      });
    }
    whole.forEach((value, place) => {
      const mean = sums.first[place] / passes;
      const deviation = Math.sqrt(sums.second[place] / passes - mean * mean);
      expect(deviation).toBeGreaterThan(1e-4);
      expect(Math.abs(mean - value)).toBeLessThan((4 * deviation) / Math.sqrt(passes) + 2e-4);
    });
    await model.close();
  });

  it("of another rank are refused", async () => {
    const saved = join(folder, "rank");
    const first = await LanguageModel.open({ ...fresh(), lora }, backend);
    await first.save(saved);
    const second = await LanguageModel.open({ ...fresh(), lora: { ...lora, rank: 2 } }, backend);
    await expect(second.restore(saved)).rejects.toMatchObject({ code: "checkpoint-other-model" });
    for (const model of [first, second]) await model.close();
  });
});

it("a checkpoint of another model is refused and changes nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "midcourse-other-"));
  const [model, other] = [await LanguageModel.open(fresh(), backend), await LanguageModel.open(fresh({ layers: 1 }), backend)];
  await other.save(join(folder, "other"));
  const before = await model.logprobs(probe);
  await expect(model.restore(join(folder, "other"))).rejects.toMatchObject({ code: "checkpoint-other-model" });
  expect(await model.logprobs(probe)).toEqual(before);
  for (const opened of [model, other]) await opened.close();
  await rm(folder, { recursive: true, force: true });
});

it("the policy pass has the gradient of its own weights, token by token", async () => {
  const model = await LanguageModel.open(fresh(), backend);
  const plain = { ids: [1, 2, 3, 4, 5, 6], start: 1 };
  const [current] = await model.logprobs([plain]);
  // One token per case: inside the clip range, blocked above, blocked below, negative advantage past each side.
  const shifts = [0.1, 0.6, -0.6, 0.6, -0.6];
  const advantages = Float32Array.of(1, 1, -1, -1, 1);
  const expectedActive = [1, 0, 0, 1, 1];
  const sequence: PolicySequence = {
    ...plain,
    oldLogprobs: current.map((value, index) => value - shifts[index]),
    referenceLogprobs: current.map((value) => value + 0.3),
    advantages,
    scales: new Float32Array(5).fill(0.5),
  };
  const loss = { clipLow: 0.2, clipHigh: 0.2, klCoefficient: 0.1 };
  const weights = Float32Array.from(shifts, (shift, index) => {
    const gain = expectedActive[index] * Math.exp(shift) * advantages[index];
    return 0.5 * (gain + 0.1 * (Math.exp(0.3) - 1));
  });
  await model.accumulatePolicy([sequence], loss);
  const fused = new Map([...model.gradients()].map(([name, data]) => [name, data.slice()]));
  model.clearGradient();
  await model.accumulate([{ ...plain, weights }]);
  for (const [name, data] of model.gradients()) {
    const scale = Math.max(...data.map(Math.abs));
    data.forEach((value, index) => {
      expect(Math.abs(value - fused.get(name)![index]) / scale, name).toBeLessThan(1e-4);
    });
  }
  await model.close();
});

it("weights that are not finite end sampling with an error", async () => {
  const model = await LanguageModel.open(fresh(), backend);
  model.trainable().get("model.norm.weight")!.data[0] = Number.NaN;
  const options = { n: 1, maxTokens: 3, stopIds: [], seed: 1 };
  await expect(model.sample([[1, 2]], { ...options, temperature: 1 })).rejects.toMatchObject({ code: "engine-not-finite" });
  await expect(model.sample([[1, 2]], { ...options, temperature: 0 })).rejects.toMatchObject({ code: "engine-not-finite" });
  await model.close();
});

it("many more samples than slots, of all lengths, come back in their places", async () => {
  const model = await LanguageModel.open(fresh(), backend);
  const random = new Random(2);
  const prompts = Array.from({ length: 90 }, () => Array.from({ length: random.integer(1, 12) }, () => random.integer(0, 12)));
  const options = { n: 3, maxTokens: 18, temperature: 1, stopIds: [0, 1], seed: 4 };
  const together = await model.sample(prompts, options);
  for (const index of [0, 17, 44, 45, 89]) {
    const promptSeeds = prompts.map((_, place) => place);
    const first = await model.sample(prompts, { ...options, promptSeeds });
    const [alone] = await model.sample([prompts[index]], { ...options, promptSeeds: [index] });
    expect(alone.map((sample) => sample.ids)).toEqual(first[index].map((sample) => sample.ids));
  }
  const flat = together.flatMap((list, index) => list.map((sample) => ({ prompt: prompts[index], sample })));
  expect(flat).toHaveLength(270);
  const scored = await model.logprobs(
    flat.map(({ prompt, sample }) => ({ ids: [...prompt, ...sample.ids], start: prompt.length })),
  );
  flat.forEach(({ sample }, index) => {
    sample.logprobs.forEach((value, place) => {
      expect(Math.abs(value - scored[index][place])).toBeLessThan(1e-4);
    });
  });
  await model.close();
});

describe("weight decay", () => {
  it.each([
    ["all", true],
    ["matrices", false],
  ] as const)("of %s shrinks norm gains and biases: %s", async (decayed, shrinks) => {
    const model = await LanguageModel.open(fresh({ architecture: "qwen2", tieEmbeddings: false }), backend);
    const before = new Map([...model.trainable()].map(([name, { data }]) => [name, data.slice()]));
    // A learning rate of next to nothing for the gradient's part: epsilon swallows it, decay does not.
    await model.accumulate(sequences);
    model.step({ ...adamw, epsilon: 1e12, weightDecay: 10, decayed });
    let [gains, matrices] = [0, 0];
    for (const [name, { data, shape }] of model.trainable()) {
      const share = data[0] / before.get(name)![0];
      if (before.get(name)![0] === 0) continue;
      if (shape.length === 1) {
        gains += 1;
        expect(share, name).toBeCloseTo(shrinks ? 0.9 : 1, 5);
      } else {
        matrices += 1;
        expect(share, name).toBeCloseTo(0.9, 5);
      }
    }
    expect(gains).toBeGreaterThan(2);
    expect(matrices).toBeGreaterThan(5);
    await model.close();
  });
});
