/** Causal attention in blocks against its definition in float64, including scores that would break a plain additive mask. */
import { describe, expect, it } from "vitest";
import { Random } from "#kernel/seed.ts";
import { onnxRuntimeBackend } from "../run/runtime.ts";
import { blocksFor, causalAttention, causalLimits } from "./attention.ts";
import { Graph, product } from "./graph.ts";

const sizes = { heads: 4, keyValueHeads: 2, headSize: 3 };
const [batch, time] = [2, 12];

/** [B, T, heads·D] in float64, straight from the formula. */
function byDefinition(q: Float32Array, k: Float32Array, v: Float32Array): Float64Array {
  const { heads, keyValueHeads, headSize } = sizes;
  const result = new Float64Array(q.length);
  for (let b = 0; b < batch; b++) {
    for (let head = 0; head < heads; head++) {
      const shared = Math.floor((head * keyValueHeads) / heads);
      const query = (t: number) => ((b * time + t) * heads + head) * headSize;
      const key = (t: number) => ((b * time + t) * keyValueHeads + shared) * headSize;
      for (let t = 0; t < time; t++) {
        const scores = Array.from({ length: t + 1 }, (_, s) => {
          let sum = 0;
          for (let d = 0; d < headSize; d++) sum += q[query(t) + d] * k[key(s) + d];
          return sum / Math.sqrt(headSize);
        });
        const largest = Math.max(...scores);
        const total = scores.reduce((sum, score) => sum + Math.exp(score - largest), 0);
        for (let d = 0; d < headSize; d++) {
          scores.forEach((score, s) => {
            result[query(t) + d] += (Math.exp(score - largest) / total) * v[key(s) + d];
          });
        }
      }
    }
  }
  return result;
}

describe.each([1, 2, 3, 4])("attention in %i blocks", (blocks) => {
  it.each([
    ["ordinary scores", 1, 0],
    ["scores of hundreds", 12, 0],
    ["keys with a large common part", 1, 30],
  ])("equals its definition for %s", async (_name, spread, common) => {
    const random = new Random(blocks);
    const numbers = (width: number, scale: number, offset: number) =>
      Float32Array.from({ length: batch * time * width * sizes.headSize }, () => offset + scale * random.normal());
    const q = numbers(sizes.heads, spread, 0);
    const k = numbers(sizes.keyValueHeads, spread, common);
    const v = numbers(sizes.keyValueHeads, 1, 0);
    const graph = new Graph();
    const columns = product(blocks, "t");
    const input = (name: string, heads: number) => graph.input(name, ["B", columns, heads * sizes.headSize]);
    const [queries, keys, values] = [input("q", sizes.heads), input("k", sizes.keyValueHeads), input("v", sizes.keyValueHeads)];
    const limits = graph.input("limits", ["t", columns]);
    graph.output("out", causalAttention(graph, queries, keys, values, limits, { batch: "B", blockTime: "t", blocks, ...sizes }));
    const executable = await onnxRuntimeBackend(1).compile(graph);
    const blockTime = time / blocks;
    const { out } = await executable.run({ q, k, v, limits: causalLimits(blockTime, blocks) }, { B: batch, t: blockTime });
    const expected = byDefinition(q, k, v);
    const tolerance = common === 0 ? 2e-4 : 2e-3;
    expected.forEach((value, index) => {
      expect(Math.abs(Number(out[index]) - value)).toBeLessThan(tolerance);
    });
    await executable.close();
  });
});

it("longer sequences are cut into more blocks", () => {
  const counts = [1, 47, 48, 191, 192, 5000].map(blocksFor);
  expect(counts).toEqual([1, 1, 2, 2, 4, 4]);
});
