/**
 * What every engine must do, as one suite over a factory. The factory gives a fresh engine on a small model of at least 16 tokens; two
 * engines from the same factory have equal weights. Numbers are compared with tolerances that float32 on any hardware meets.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AdamWOptions, Engine, PolicySequence, Sample, SampleOptions, WeightedSequence } from "#kernel/engine.ts";
import { Random } from "#kernel/seed.ts";

export interface ConformanceOptions {
  open(): Promise<Engine>;
  /** Whether the same seed must give the same bits, not only close numbers. */
  bitwise: boolean;
}

const adamw: AdamWOptions = {
  learningRate: 1e-2,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.01,
  maxGradientNorm: 1,
};
const sampling: SampleOptions = { n: 1, maxTokens: 12, temperature: 1, stopIds: [], seed: 3 };
const prompts = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10, 11], [12, 13]];
const close = 1e-4;

export function engineConformance(name: string, { open, bitwise }: ConformanceOptions): void {
  describe(`${name} keeps the engine's contract`, () => {
    let engine: Engine;
    let folder: string;

    beforeAll(async () => {
      engine = await open();
      folder = await mkdtemp(join(tmpdir(), "midcourse-conformance-"));
    });
    afterAll(async () => {
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    });

    const withFresh = async (use: (fresh: Engine) => Promise<void>) => {
      const fresh = await open();
      try {
        await use(fresh);
      } finally {
        await fresh.close();
      }
    };
    const expectEqual = (first: ArrayLike<number>, second: ArrayLike<number>) => {
      if (bitwise) expect(Array.from(first)).toEqual(Array.from(second));
      else expectClose(first, second);
    };

    describe("sample", () => {
      it("gives n samples per prompt, within the limits, with one log-prob per token", async () => {
        const samples = await engine.sample(prompts, { ...sampling, n: 3 });
        expect(samples.map((list) => list.length)).toEqual([3, 3, 3, 3]);
        for (const sample of samples.flat()) {
          expect(sample.ids).toHaveLength(12);
          expect(sample.stopReason).toBe("length");
          expect(sample.logprobs).toHaveLength(12);
          for (const id of sample.ids) {
            expect(id).toBeGreaterThanOrEqual(0);
            expect(id).toBeLessThan(engine.info.vocabularySize);
          }
        }
      });

      it.each([
        ["at temperature 1", {}],
        ["at another temperature", { temperature: 0.6 }],
        ["greedily", { temperature: 0 }],
        ["with truncation", { topP: 0.7, topK: 5, temperature: 1.3 }],
      ])("reports %s the model's own log-probs, as logprobs does", async (_name, options) => {
        const samples = await engine.sample(prompts, { ...sampling, ...options, n: 2 });
        const sequences = samples.flatMap((list, index) =>
          list.map((sample) => ({ ids: [...prompts[index], ...sample.ids], start: prompts[index].length })),
        );
        const scored = await engine.logprobs(sequences);
        samples.flat().forEach((sample, index) => {
          expectClose(sample.logprobs, scored[index]);
        });
      });

      it("greedily takes the most likely token at every position", async () => {
        const [[sample]] = await engine.sample([prompts[0]], { ...sampling, temperature: 0, maxTokens: 6 });
        const candidates = Array.from({ length: engine.info.vocabularySize }, (_, id) => id);
        for (let position = 0; position < sample.ids.length; position++) {
          const context = [...prompts[0], ...sample.ids.slice(0, position)];
          const scores = await engine.logprobs(candidates.map((id) => ({ ids: [...context, id], start: context.length })));
          const best = Math.max(...scores.map((score) => score[0]));
          expect(scores[sample.ids[position]][0]).toBeGreaterThan(best - close);
        }
      });

      it("draws the same from the same seed and other samples from another", async () => {
        const [first, again, other] = [
          await engine.sample(prompts, { ...sampling, n: 2 }),
          await engine.sample(prompts, { ...sampling, n: 2 }),
          await engine.sample(prompts, { ...sampling, n: 2, seed: 4 }),
        ];
        expect(again).toEqual(first);
        expect(ids(other)).not.toEqual(ids(first));
        expect(first[0][0].ids).not.toEqual(first[0][1].ids);
      });

      it("draws what a prompt's seed says, whatever else is in the batch", async () => {
        const together = await engine.sample(prompts, { ...sampling, n: 2, promptSeeds: [10, 11, 12, 13] });
        for (const [index, prompt] of prompts.entries()) {
          const [alone] = await engine.sample([prompt], { ...sampling, n: 2, promptSeeds: [10 + index] });
          expect(alone.map((sample) => sample.ids)).toEqual(together[index].map((sample) => sample.ids));
        }
      });

      it("draws tokens in their proportions", async () => {
        const vocabulary = engine.info.vocabularySize;
        const count = 4000;
        const [samples] = await engine.sample([[7]], { ...sampling, n: count, maxTokens: 1 });
        const scores = await engine.logprobs(Array.from({ length: vocabulary }, (_, id) => ({ ids: [7, id], start: 1 })));
        for (let id = 0; id < vocabulary; id++) {
          const share = samples.filter((sample) => sample.ids[0] === id).length / count;
          const expected = Math.exp(scores[id][0]);
          expect(Math.abs(share - expected)).toBeLessThan(5 * Math.sqrt((expected * (1 - expected)) / count) + 1e-3);
        }
      });

      it("keeps to the k most likely tokens", async () => {
        const scores = await engine.logprobs(
          Array.from({ length: engine.info.vocabularySize }, (_, id) => ({ ids: [7, id], start: 1 })),
        );
        const best = new Set([...scores.keys()].sort((a, b) => scores[b][0] - scores[a][0]).slice(0, 3));
        const [samples] = await engine.sample([[7]], { ...sampling, n: 200, maxTokens: 1, topK: 3 });
        expect(new Set(samples.map((sample) => sample.ids[0]))).toEqual(best);
        const [nucleus] = await engine.sample([[7]], { ...sampling, n: 50, maxTokens: 1, topP: 1e-6 });
        const [greedy] = await engine.sample([[7]], { ...sampling, maxTokens: 1, temperature: 0 });
        expect(new Set(nucleus.map((sample) => sample.ids[0]))).toEqual(new Set(greedy[0].ids));
      });

      it("ends a sample with its stop id, and only there", async () => {
        const stopIds = [0, 3, 5];
        const samples = (await engine.sample(prompts, { ...sampling, n: 8, maxTokens: 40, stopIds })).flat();
        expect(samples.some((sample) => sample.stopReason === "stop")).toBe(true);
        for (const sample of samples) {
          const found = sample.ids.findIndex((id) => stopIds.includes(id));
          expect(found).toBe(sample.stopReason === "stop" ? sample.ids.length - 1 : -1);
          if (sample.stopReason === "length") expect(sample.ids).toHaveLength(40);
        }
      });

      it("ends at the context's end", async () => {
        const { maxContextTokens } = engine.info;
        const prompt = new Array(maxContextTokens - 2).fill(1);
        const full = new Array(maxContextTokens).fill(1);
        const [[short], [none]] = await engine.sample([prompt, full], { ...sampling, maxTokens: 50 });
        expect([short.ids.length, short.stopReason]).toEqual([2, "length"]);
        expect([none.ids.length, none.stopReason]).toEqual([0, "length"]);
      });

      it("has nothing to do without prompts or new tokens", async () => {
        expect(await engine.sample([], sampling)).toEqual([]);
        const [[sample]] = await engine.sample([[1]], { ...sampling, maxTokens: 0 });
        expect([sample.ids, sample.stopReason]).toEqual([[], "length"]);
      });

      it.each([
        ["an empty prompt", [[]], {}],
        ["an id past the vocabulary", [[1, 1_000_000]], {}],
        ["a negative id", [[-1]], {}],
        ["a fractional id", [[0.5]], {}],
        ["no samples", [[1]], { n: 0 }],
        ["a negative temperature", [[1]], { temperature: -1 }],
        ["a top-p of 0", [[1]], { topP: 0 }],
        ["too few prompt seeds", [[1], [2]], { promptSeeds: [1] }],
      ])("refuses %s", async (_name, badPrompts: number[][], options) => {
        await expect(engine.sample(badPrompts, { ...sampling, ...options })).rejects.toMatchObject({ family: "user" });
      });

      it("stops when aborted, with the caller's reason, and goes on working", async () => {
        const controller = new AbortController();
        const reason = new Error("enough");
        const pending = engine.sample(prompts, { ...sampling, n: 64, maxTokens: 45 }, controller.signal);
        setTimeout(() => controller.abort(reason), 20);
        await expect(pending).rejects.toBe(reason);
        await expect(engine.sample(prompts, sampling, AbortSignal.abort(reason))).rejects.toBe(reason);
        expect(await engine.sample([[1]], sampling)).toHaveLength(1);
      });
    });

    describe("logprobs", () => {
      it("are those of a distribution", async () => {
        const candidates = Array.from({ length: engine.info.vocabularySize }, (_, id) => ({ ids: [1, 2, id], start: 2 }));
        const scores = await engine.logprobs(candidates);
        expect(scores.reduce((sum, score) => sum + Math.exp(score[0]), 0)).toBeCloseTo(1, 4);
      });

      it("do not depend on the batch, on padding, or on where scoring starts", async () => {
        const random = new Random(1);
        const sequences = Array.from({ length: 24 }, () => {
          const length = random.integer(2, 40);
          return { ids: randomIds(random, length), start: random.integer(1, length - 1) };
        });
        const together = await engine.logprobs(sequences);
        for (const [index, sequence] of sequences.entries()) {
          const [alone] = await engine.logprobs([sequence]);
          const [whole] = await engine.logprobs([{ ids: sequence.ids, start: 1 }]);
          expectClose(together[index], alone);
          expectClose(together[index], whole.subarray(sequence.start - 1));
        }
      });

      it("depend on the past alone", async () => {
        const [first] = await engine.logprobs([{ ids: [1, 2, 3, 4, 5], start: 1 }]);
        const [second] = await engine.logprobs([{ ids: [1, 2, 3, 9, 9], start: 1 }]);
        expectClose(first.subarray(0, 2), second.subarray(0, 2));
        expect(Math.abs(first[2] - second[2])).toBeGreaterThan(0);
      });

      it("are empty where nothing is scored", async () => {
        const sequences = [
          { ids: [1, 2], start: 2 },
          { ids: [1], start: 1 },
          { ids: [], start: 1 },
          { ids: [1, 2], start: 7 },
        ];
        expect((await engine.logprobs(sequences)).map((scores) => scores.length)).toEqual([0, 0, 0, 0]);
        expect(await engine.logprobs([])).toEqual([]);
      });

      it("refuse what cannot be scored", async () => {
        const tooLong = new Array(engine.info.maxContextTokens + 1).fill(1);
        for (const sequence of [
          { ids: [1, 2], start: 0 },
          { ids: [1, 2], start: 1.5 },
          { ids: [1, 1_000_000], start: 1 },
          { ids: tooLong, start: 1 },
        ]) {
          await expect(engine.logprobs([sequence])).rejects.toMatchObject({ family: "user" });
        }
      });
    });

    describe("accumulate and step", () => {
      it("raise the log-probs of positive weights and lower those of negative ones", async () => {
        await withFresh(async (fresh) => {
          const data = [weighted([1, 2, 3, 4], 1, 1), weighted([5, 6, 7, 8], 1, -1)];
          const before = await fresh.accumulate(data);
          expectEqual((await fresh.logprobs(data))[0], before[0]);
          const result = await fresh.step({ ...adamw, learningRate: 1e-3 });
          expect(result.applied).toBe(true);
          expect(result.gradientNorm).toBeGreaterThan(0);
          const after = await fresh.logprobs(data);
          expect(total(after[0])).toBeGreaterThan(total(before[0]));
          expect(total(after[1])).toBeLessThan(total(before[1]));
        });
      });

      it("give the gradient of the weighted sum: a small step along it raises the sum as the norm says", async () => {
        await withFresh(async (fresh) => {
          const data = randomWeighted(new Random(2), 6);
          const before = objective(data, await fresh.accumulate(data));
          // A first AdamW step with a huge epsilon is plain gradient ascent of size learningRate / epsilon.
          const rate = 1e-5;
          const plain = {
            ...adamw,
            learningRate: rate * 1e6,
            epsilon: 1e6,
            weightDecay: 0,
            maxGradientNorm: Number.POSITIVE_INFINITY,
          };
          const { gradientNorm } = await fresh.step(plain);
          const after = objective(data, await fresh.logprobs(data));
          expect((after - before) / (rate * gradientNorm ** 2)).toBeCloseTo(1, 1);
        });
      });

      it("do the same over several calls as over one, in any order", async () => {
        await withFresh(async (fresh) => {
          const data = randomWeighted(new Random(3), 20);
          await fresh.accumulate(data);
          const once = await fresh.step({ ...adamw, learningRate: 0, weightDecay: 0 });
          await fresh.accumulate(data.slice(10));
          await fresh.accumulate([]);
          await fresh.accumulate(data.slice(0, 10).reverse());
          const often = await fresh.step({ ...adamw, learningRate: 0, weightDecay: 0 });
          expect(often.gradientNorm / once.gradientNorm).toBeCloseTo(1, 4);
        });
      });

      it("scale with the weights, and vanish when they cancel", async () => {
        await withFresh(async (fresh) => {
          const still = { ...adamw, learningRate: 0, weightDecay: 0 };
          await fresh.accumulate([weighted([1, 2, 3], 1, 1)]);
          const { gradientNorm: unit } = await fresh.step(still);
          await fresh.accumulate([weighted([1, 2, 3], 1, -2.5)]);
          expect((await fresh.step(still)).gradientNorm / unit).toBeCloseTo(2.5, 4);
          await fresh.accumulate([weighted([1, 2, 3], 1, 1), weighted([1, 2, 3], 1, -1)]);
          expect((await fresh.step(still)).gradientNorm / unit).toBeLessThan(1e-4);
          await fresh.accumulate([weighted([1, 2, 3], 1, 0), weighted([4], 1, 1)]);
          expect((await fresh.step(still)).gradientNorm).toBe(0);
        });
      });

      it("clip the global norm", async () => {
        await withFresh(async (fresh) => {
          const data = [weighted([1, 2, 3, 4], 1, 100)];
          const before = objective(data, await fresh.accumulate(data));
          // Plain gradient ascent again; clipped to norm 1e-3, the sum rises by rate · norm · 1e-3.
          const rate = 1e-2;
          const plain = { ...adamw, learningRate: rate * 1e6, epsilon: 1e6, weightDecay: 0, maxGradientNorm: 1e-3 };
          const { gradientNorm } = await fresh.step(plain);
          expect(gradientNorm).toBeGreaterThan(1);
          const after = objective(data, await fresh.logprobs(data));
          expect((after - before) / (rate * 1e-3 * gradientNorm)).toBeCloseTo(1, 0);
        });
      });

      it("forget a gradient that is cleared", async () => {
        await withFresh(async (fresh) => {
          await fresh.accumulate([weighted([1, 2, 3], 1, 1)]);
          await fresh.clearGradient();
          expect((await fresh.step({ ...adamw, weightDecay: 0 })).gradientNorm).toBe(0);
        });
      });

      it("start each step's gradient anew", async () => {
        await withFresh(async (fresh) => {
          const still = { ...adamw, learningRate: 0, weightDecay: 0 };
          const data = [weighted([1, 2, 3], 1, 1)];
          await fresh.accumulate(data);
          const first = await fresh.step(still);
          await fresh.accumulate(data);
          expect((await fresh.step(still)).gradientNorm).toBeCloseTo(first.gradientNorm, 5);
        });
      });

      it("do not apply a gradient that is not finite", async () => {
        await withFresh(async (fresh) => {
          const probe = [{ ids: [1, 2, 3, 4], start: 1 }];
          const before = await fresh.logprobs(probe);
          await fresh.accumulate([weighted([1, 2, 3, 4], 1, 3e38), weighted([1, 2, 3, 5], 1, 3e38)]);
          const result = await fresh.step(adamw);
          expect(result.applied).toBe(false);
          expectEqual((await fresh.logprobs(probe))[0], before[0]);
          await fresh.accumulate([weighted([1, 2, 3, 4], 1, 1)]);
          expect((await fresh.step(adamw)).applied).toBe(true);
          expect(total((await fresh.logprobs(probe))[0])).toBeGreaterThan(total(before[0]));
        });
      });

      it("refuse weights that are not finite or not one per token", async () => {
        const bad = [
          { ids: [1, 2, 3], start: 1, weights: Float32Array.of(1) },
          { ids: [1, 2, 3], start: 1, weights: Float32Array.of(1, Number.NaN) },
          { ids: [1, 2, 3], start: 1, weights: Float32Array.of(1, Number.POSITIVE_INFINITY) },
        ];
        for (const sequence of bad) await expect(engine.accumulate([sequence])).rejects.toMatchObject({ family: "user" });
        await engine.clearGradient();
      });

      it("learn a sequence by heart, and then sample it", async () => {
        await withFresh(async (fresh) => {
          const data = [weighted([1, 9, 4, 2, 7, 3], 1, 0.2)];
          for (let step = 0; step < 40; step++) {
            await fresh.accumulate(data);
            await fresh.step(adamw);
          }
          const [[sample]] = await fresh.sample([[1]], { ...sampling, temperature: 0, maxTokens: 5 });
          expect(sample.ids).toEqual([9, 4, 2, 7, 3]);
        });
      });

      it("stop when aborted", async () => {
        await withFresh(async (fresh) => {
          const reason = new Error("enough");
          const many = randomWeighted(new Random(8), 3000);
          const controller = new AbortController();
          const pending = fresh.accumulate(many, controller.signal);
          setTimeout(() => controller.abort(reason), 10);
          await expect(pending).rejects.toBe(reason);
          await fresh.clearGradient();
          expect((await fresh.step({ ...adamw, weightDecay: 0 })).gradientNorm).toBe(0);
        });
      });
    });

    describe("accumulatePolicy", () => {
      const losses = { clipLow: 0.2, clipHigh: 0.3, klCoefficient: 0.04 };

      it("is the two-pass way in one pass", async () => {
        await withFresh(async (fresh) => {
          const random = new Random(6);
          const plain = Array.from({ length: 12 }, () => {
            const length = random.integer(2, 30);
            return { ids: randomIds(random, length), start: random.integer(1, length - 1) };
          });
          const current = await fresh.logprobs(plain);
          const data = plain.map((sequence, index): PolicySequence => {
            const near = () => current[index].map((logprob) => logprob + 0.4 * random.normal());
            const scales = current[index].map(() => (random.chance(0.2) ? 0 : random.uniform()));
            return {
              ...sequence,
              oldLogprobs: near(),
              referenceLogprobs: near(),
              advantages: current[index].map(() => random.normal()),
              scales,
            };
          });
          const seen = await fresh.accumulatePolicy(data, losses);
          seen.forEach((logprobs, index) => {
            expectClose(logprobs, current[index]);
          });
          // From here the two ways end in the same weights, if their gradients are the same.
          await withFresh(async (other) => {
            await other.accumulate(
              data.map((sequence, index) => ({ ...sequence, weights: policyWeights(sequence, current[index], losses) })),
            );
            const [fused, apart] = [await fresh.step(adamw), await other.step(adamw)];
            expect(fused.gradientNorm).toBeGreaterThan(0);
            expect(fused.gradientNorm / apart.gradientNorm).toBeCloseTo(1, 4);
            const [first, second] = [await fresh.logprobs(plain), await other.logprobs(plain)];
            first.forEach((logprobs, index) => {
              expectClose(logprobs, second[index], 2e-3);
            });
          });
        });
      });

      it("needs no reference when the KL coefficient is 0, and asks for it otherwise", async () => {
        await withFresh(async (fresh) => {
          const ones = new Float32Array(2).fill(1);
          const sequence = { ids: [1, 2, 3], start: 1, oldLogprobs: ones, advantages: ones, scales: ones };
          await expect(fresh.accumulatePolicy([sequence], losses)).rejects.toMatchObject({ family: "user" });
          await fresh.accumulatePolicy([sequence], { ...losses, klCoefficient: 0 });
          expect((await fresh.step(adamw)).gradientNorm).toBeGreaterThan(0);
        });
      });

      it("lets masked tokens weigh nothing, however far they are from the reference", async () => {
        await withFresh(async (fresh) => {
          const far = Float32Array.of(-400, 400);
          const zero = new Float32Array(2);
          const sequence = { ids: [1, 2, 3], start: 1, oldLogprobs: far, referenceLogprobs: far, advantages: far, scales: zero };
          await fresh.accumulatePolicy([sequence], losses);
          expect(await fresh.step({ ...adamw, weightDecay: 0 })).toEqual({ gradientNorm: 0, applied: true });
        });
      });
    });

    describe("freeze, save and restore", () => {
      it("a frozen copy does not move and still samples and scores", async () => {
        await withFresh(async (fresh) => {
          const probe = [{ ids: [1, 2, 3, 4], start: 1 }];
          const frozen = await fresh.freeze();
          const [before, sampled] = [await frozen.logprobs(probe), await frozen.sample([[1]], sampling)];
          expectEqual(before[0], (await fresh.logprobs(probe))[0]);
          await train(fresh, 3);
          expectEqual((await frozen.logprobs(probe))[0], before[0]);
          expect(await frozen.sample([[1]], sampling)).toEqual(sampled);
          expect(Array.from((await fresh.logprobs(probe))[0])).not.toEqual(Array.from(before[0]));
          expect(frozen.info).toEqual(fresh.info);
          await frozen.close();
          await frozen.close();
          await expect(frozen.logprobs(probe)).rejects.toThrow();
        });
      });

      it("a restored engine goes on as if it had never stopped", async () => {
        const place = join(folder, "with-optimizer");
        const probe = [{ ids: [1, 2, 3, 4, 5, 6], start: 1 }];
        let expected: Float32Array[] = [];
        await withFresh(async (fresh) => {
          await train(fresh, 3);
          await fresh.save(place, { optimizer: true });
          await train(fresh, 3);
          expected = await fresh.logprobs(probe);
        });
        await withFresh(async (fresh) => {
          await train(fresh, 1);
          await fresh.accumulate([weighted([1, 2], 1, 5)]);
          await fresh.restore(place);
          await train(fresh, 3);
          expectEqual((await fresh.logprobs(probe))[0], expected[0]);
        });
      });

      it("without the optimiser's state, only the weights come back", async () => {
        const place = join(folder, "weights-only");
        const probe = [{ ids: [1, 2, 3, 4], start: 1 }];
        await withFresh(async (fresh) => {
          await train(fresh, 3);
          await fresh.save(place);
          const saved = await fresh.logprobs(probe);
          await train(fresh, 3);
          const continued = await fresh.logprobs(probe);
          await fresh.restore(place);
          expectEqual((await fresh.logprobs(probe))[0], saved[0]);
          await train(fresh, 3);
          expect(Array.from((await fresh.logprobs(probe))[0])).not.toEqual(Array.from(continued[0]));
        });
      });

      it("refuses a folder that holds no checkpoint, and stays as it was", async () => {
        const probe = [{ ids: [1, 2, 3, 4], start: 1 }];
        const before = await engine.logprobs(probe);
        await expect(engine.restore(join(folder, "nothing-here"))).rejects.toMatchObject({ family: "user" });
        expectEqual((await engine.logprobs(probe))[0], before[0]);
      });
    });

    it("answers calls made at the same time, each with its own result", async () => {
      const sequences = prompts.map((prompt) => ({ ids: [...prompt, 1, 2], start: prompt.length }));
      const together = await Promise.all(sequences.map((sequence) => engine.logprobs([sequence])));
      for (const [index, sequence] of sequences.entries()) {
        expectClose(together[index][0], (await engine.logprobs([sequence]))[0]);
      }
    });

    it("refuses calls after it was closed, and may be closed twice", async () => {
      const fresh = await open();
      await fresh.close();
      await fresh.close();
      await expect(fresh.logprobs([{ ids: [1, 2], start: 1 }])).rejects.toThrow();
    });
  });
}

/** −∂L/∂log p of the PPO-clip surrogate with k3 KL, as the engine's interface defines it. */
function policyWeights(
  { oldLogprobs, referenceLogprobs, advantages, scales }: PolicySequence,
  logprobs: Float32Array,
  { clipLow, clipHigh, klCoefficient }: { clipLow: number; clipHigh: number; klCoefficient: number },
): Float32Array {
  return logprobs.map((logprob, index) => {
    const ratio = Math.exp(logprob - oldLogprobs[index]);
    const advantage = advantages[index];
    const blocked = advantage >= 0 ? ratio > 1 + clipHigh : ratio < 1 - clipLow;
    const divergence = klCoefficient * (Math.exp(referenceLogprobs![index] - logprob) - 1);
    return scales[index] * ((blocked ? 0 : ratio * advantage) + divergence);
  });
}

async function train(engine: Engine, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) {
    await engine.accumulate([weighted([1, 2, 3, 4, 5, 6], 1, 1), weighted([6, 5, 4], 1, -0.5)]);
    await engine.step(adamw);
  }
}

function weighted(sequence: number[], start: number, weight: number): WeightedSequence {
  return { ids: sequence, start, weights: new Float32Array(Math.max(0, sequence.length - start)).fill(weight) };
}

function randomIds(random: Random, length: number): number[] {
  return Array.from({ length }, () => random.integer(0, 15));
}

function randomWeighted(random: Random, count: number): WeightedSequence[] {
  return Array.from({ length: count }, () => {
    const length = random.integer(2, 40);
    const start = random.integer(1, length - 1);
    return {
      ids: randomIds(random, length),
      start,
      weights: Float32Array.from({ length: length - start }, () => random.normal()),
    };
  });
}

function objective(data: readonly WeightedSequence[], logprobs: readonly Float32Array[]): number {
  let sum = 0;
  data.forEach(({ weights }, index) => {
    weights.forEach((weight, position) => {
      sum += weight * logprobs[index][position];
    });
  });
  return sum;
}

function total(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function ids(samples: Sample[][]): number[][][] {
  return samples.map((list) => list.map((sample) => sample.ids));
}

function expectClose(first: ArrayLike<number>, second: ArrayLike<number>, tolerance = close): void {
  expect(first.length).toBe(second.length);
  for (let index = 0; index < first.length; index++) expect(Math.abs(first[index] - second[index])).toBeLessThan(tolerance);
}
