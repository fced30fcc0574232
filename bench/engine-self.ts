/**
 * This engine's side of the engine benchmark, in a process of its own so that its memory can be told apart. Answers the same requests as
 * engine-peer.py, and `gemm`: the seconds of the training step's matrix products alone, one by one through the same runtime.
 */
import { createInterface } from "node:readline";
import { newConfig } from "#engines/embedded/checkpoint/create.ts";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { Random } from "#kernel/seed.ts";
import { matrixProductSeconds } from "./engine-gemm.ts";
import type { EngineSizes } from "./engine-sizes.ts";

const sizes = JSON.parse(process.argv[2]) as EngineSizes;
const threads = Number(process.argv[3]);
const engine = await EmbeddedEngine.open({
  rawConfig: newConfig({
    vocabularySize: sizes.vocabulary,
    hiddenSize: sizes.hidden,
    intermediateSize: sizes.intermediate,
    layers: sizes.layers,
    heads: sizes.heads,
    keyValueHeads: sizes.keyValueHeads,
    maxContextTokens: 2 * sizes.time,
  }),
  seed: 1,
  threads,
});
const random = new Random(1);
const ids = (length: number) => Array.from({ length }, () => random.integer(0, sizes.vocabulary - 1));
const weights = new Float32Array(sizes.time).fill(1 / (sizes.batch * sizes.time));
const sequences = Array.from({ length: sizes.batch }, () => ({ ids: ids(sizes.time + 1), start: 1, weights }));
const prompts = Array.from({ length: sizes.decodeRows }, () => ids(sizes.prompt));
const adamw = { learningRate: 1e-4, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.01, maxGradientNorm: 1 };

const tasks: Record<string, () => Promise<unknown>> = {
  train: async () => {
    await engine.accumulate(sequences);
    await engine.step(adamw);
  },
  score: () => engine.logprobs(sequences),
  decode: () => engine.sample(prompts, { n: 1, maxTokens: sizes.newTokens, temperature: 1, stopIds: [], seed: 1 }),
};

console.log(JSON.stringify({ parameters: engine.info.parameters }));
for await (const line of createInterface({ input: process.stdin })) {
  const { task, count } = JSON.parse(line) as { task: string; count: number };
  if (task === "peak") console.log(JSON.stringify({ bytes: process.resourceUsage().maxRSS * 1024 }));
  else if (task === "gemm") console.log(JSON.stringify({ seconds: await matrixProductSeconds(sizes, threads, count) }));
  else {
    const seconds: number[] = [];
    for (let index = 0; index < count; index++) {
      const start = performance.now();
      await tasks[task]();
      seconds.push((performance.now() - start) / 1000);
    }
    console.log(JSON.stringify({ seconds }));
  }
}
await engine.close();
