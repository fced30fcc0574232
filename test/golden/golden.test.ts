/**
 * The embedded engine against PyTorch and transformers: log-probs, distributions, greedy continuations, gradients of weighted log-prob
 * sums and three AdamW steps of one tiny random model per family. The numbers were written by generate.py beside this file.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loadCheckpoint } from "#engines/embedded/checkpoint/checkpoint.ts";
import { SafetensorsFile, type Tensor } from "#engines/embedded/checkpoint/safetensors.ts";
import { LanguageModel } from "#engines/embedded/run/language-model.ts";
import { onnxRuntimeBackend } from "#engines/embedded/run/runtime.ts";
import type { AdamWOptions } from "#kernel/engine.ts";

interface Golden {
  sequences: { ids: number[]; start: number; weights: number[] }[];
  /** [tokens, vocabulary] of the first sequence. */
  logits: number[][];
  logprobs: number[][];
  weightedSum: number;
  gradientNorm: number;
  greedy: { prompt: number[]; ids: number[]; logprobs: number[] }[];
  adamw: { options: AdamWOptions; gradientNorms: number[] };
}

/** ‖found − wanted‖ / ‖wanted‖: float32 sums in another order, nothing more; about 2e-6 was measured. */
const tolerance = 2e-5;

describe.each(["qwen3", "qwen2", "llama", "qwen3-yarn-bfloat16", "llama-linear"])("%s", (name) => {
  const folder = join(import.meta.dirname, name);
  const golden = JSON.parse(readFileSync(join(folder, "golden.json"), "utf8")) as Golden;
  const sequences = golden.sequences.map(({ ids, start, weights }) => ({ ids, start, weights: Float32Array.from(weights) }));
  let model: LanguageModel;
  beforeAll(async () => {
    model = await LanguageModel.open({ folder }, onnxRuntimeBackend(1));
  });
  afterAll(() => model?.close());
  beforeEach(() => model.clearGradient());

  it("gives every scored token the same log-prob, in one batch and one by one", async () => {
    const together = await model.logprobs(sequences);
    expect(together.length).toBe(sequences.length);
    for (const [index, wanted] of golden.logprobs.entries()) {
      expect(relativeError(together[index], wanted)).toBeLessThan(tolerance);
      const [alone] = await model.logprobs([sequences[index]]);
      expect(relativeError(alone, wanted)).toBeLessThan(tolerance);
    }
  });

  it("gives the whole vocabulary the same distribution at every position of a sequence", async () => {
    const [{ ids }] = golden.sequences;
    for (const [position, logits] of golden.logits.entries()) {
      const prefix = ids.slice(0, position + 1);
      const wanted = logSoftmax(logits);
      const found = await model.logprobs(logits.map((_, token) => ({ ids: [...prefix, token], start: prefix.length })));
      expect(
        relativeError(
          found.map(([value]) => value),
          wanted,
        ),
      ).toBeLessThan(tolerance);
    }
  });

  it("continues prompts of different lengths greedily with the same tokens and log-probs", async () => {
    const samples = await model.sample(
      golden.greedy.map(({ prompt }) => prompt),
      { n: 1, maxTokens: 12, temperature: 0, stopIds: [], seed: 1 },
    );
    for (const [index, { ids, logprobs }] of golden.greedy.entries()) {
      expect(samples[index][0].ids).toEqual(ids);
      expect(samples[index][0].stopReason).toBe("length");
      expect(relativeError(samples[index][0].logprobs, logprobs)).toBeLessThan(tolerance);
    }
  });

  it("has the same gradient of Σ weight · log p for weights of both signs, in one call or several", async () => {
    const wanted = await readTensors(join(folder, "gradients.safetensors"));
    const seen = await model.accumulate(sequences);
    expect(
      relativeError(
        seen.flatMap((values) => [...values]),
        golden.logprobs.flat(),
      ),
    ).toBeLessThan(tolerance);
    compare(model.gradients(), wanted);
    model.clearGradient();
    for (const sequence of sequences) await model.accumulate([sequence]);
    compare(model.gradients(), wanted);
    model.clearGradient();
  });

  it("is at the same place after three clipped AdamW steps", async () => {
    const { options, gradientNorms } = golden.adamw;
    for (const wanted of gradientNorms) {
      await model.accumulate(sequences);
      const { gradientNorm, applied } = model.step(options);
      expect(applied).toBe(true);
      expect(Math.abs(gradientNorm / wanted - 1)).toBeLessThan(tolerance);
    }
    const root = await mkdtemp(join(tmpdir(), "midcourse-golden-"));
    try {
      const saved = join(root, name);
      await model.save(saved);
      const found = new Map([...(await loadCheckpoint(saved)).parameters].map(([key, { data }]) => [key, data]));
      compare(found, await readTensors(join(folder, "stepped.safetensors")));
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
});

function compare(found: ReadonlyMap<string, Float32Array>, wanted: ReadonlyMap<string, Tensor>): void {
  expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
  const errors = [...wanted].map(([key, { data }]) => ({ key, error: relativeError(found.get(key)!, data) }));
  expect(errors.filter(({ error }) => !(error < tolerance))).toEqual([]);
}

function relativeError(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  expect(found.length).toBe(wanted.length);
  let difference = 0;
  let size = 0;
  for (let index = 0; index < wanted.length; index++) {
    difference += (found[index] - wanted[index]) ** 2;
    size += wanted[index] ** 2;
  }
  return Math.sqrt(difference / size);
}

function logSoftmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const total = Math.log(logits.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  return logits.map((value) => value - largest - total);
}

function readTensors(path: string): Promise<Map<string, Tensor>> {
  return SafetensorsFile.use(path, async (file) => {
    const tensors = new Map<string, Tensor>();
    for (const name of file.tensors.keys()) tensors.set(name, await file.read(name));
    return tensors;
  });
}
