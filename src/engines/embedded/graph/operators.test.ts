/** Every operator's hand-written derivative against central differences. */
import { describe, expect, it } from "vitest";
import { Random } from "#kernel/seed.ts";
import { onnxRuntimeBackend, type TensorData } from "../run/runtime.ts";
import { causalAttention, causalLimits } from "./attention.ts";
import { evaluateDimension, Graph, product, type Value } from "./graph.ts";
import { add, gatherRows, linear, rmsNorm, rotate, swiGlu, tokenLogprobs } from "./operators.ts";

const backend = onnxRuntimeBackend(1);
const bindings = { B: 2, T: 3, R: 4, t: 2 };

interface Case {
  build(graph: Graph, input: (name: string, ...shape: (number | string)[]) => Value): Value;
  fixed?: Record<string, TensorData>;
}

const cases: Record<string, Case> = {
  add: { build: (graph, input) => add(graph, input("a", "B", 5), input("b", "B", 5)) },
  "add of a value to itself": {
    build: (graph, input) => {
      const a = input("a", "B", 5);
      return add(graph, a, a);
    },
  },
  linear: { build: (graph, input) => linear(graph, input("x", "B", 5), input("weight", 7, 5)) },
  "linear with bias": { build: (graph, input) => linear(graph, input("x", "B", 5), input("weight", 7, 5), input("bias", 7)) },
  "linear with low-rank update": {
    build: (graph, input) => {
      const lowRank = { down: input("down", 2, 5), up: input("up", 7, 2), scale: 0.7 };
      return linear(graph, input("x", "B", 5), input("weight", 7, 5), undefined, lowRank);
    },
  },
  "norm of rows": { build: (graph, input) => rmsNorm(graph, input("x", "B", 8), input("weight", 8), 1e-2) },
  "norm of heads": { build: (graph, input) => rmsNorm(graph, input("x", "B", 3, 8), input("weight", 8), 1e-2) },
  rotation: {
    build: (graph, input) => {
      const table = (name: string) => graph.input(name, ["T", 2]);
      const rotation = { cosines: table("cosines"), sines: table("sines"), positions: graph.integers([0]) };
      return rotate(graph, input("x", "B", "T", 12), rotation);
    },
    fixed: {
      cosines: Float32Array.from([0, 1, 2, 0, 0.1, 0.2], Math.cos),
      sines: Float32Array.from([0, 1, 2, 0, 0.1, 0.2], Math.sin),
    },
  },
  "gated unit": { build: (graph, input) => swiGlu(graph, input("gate", "B", 6), input("up", "B", 6)) },
  "causal attention": attentionCase(1),
  "causal attention in blocks": attentionCase(3),
  "gathered rows": {
    build: (graph, input) => {
      const integers = (name: string, dimension: string) => graph.input(name, [dimension], { type: "int32" });
      return gatherRows(graph, input("x", "B*T", 5), integers("rows", "R"), integers("places", "B*T"));
    },
    fixed: { rows: Int32Array.of(4, 0, 5, 2), places: Int32Array.of(1, 4, 3, 4, 0, 2) },
  },
};

function attentionCase(blocks: number): Case {
  const time = product(blocks, "t");
  return {
    build: (graph, input) => {
      const sizes = { batch: "B", blockTime: "t", blocks, heads: 4, keyValueHeads: 2, headSize: 3 };
      const [q, k, v] = [input("q", "B", time, 12), input("k", "B", time, 6), input("v", "B", time, 6)];
      return causalAttention(graph, q, k, v, graph.input("limits", ["t", time]), sizes);
    },
    fixed: { limits: causalLimits(bindings.t, blocks) },
  };
}

function filled(random: Random, shape: readonly (number | string)[]): Float32Array {
  const size = shape.reduce<number>((total, dimension) => total * evaluateDimension(dimension, bindings), 1);
  return Float32Array.from({ length: size }, () => random.normal());
}

describe("derivatives agree with central differences", () => {
  it.each(Object.entries(cases))("%s", async (_name, { build, fixed = {} }) => {
    const random = new Random(11);
    const graph = new Graph();
    const inputs: Value[] = [];
    const output = build(graph, (name, ...shape) => {
      const value = graph.input(name, shape, { differentiable: true });
      inputs.push(value);
      return value;
    });
    const seed = graph.input("seed", output.shape);
    graph.output("output", output);
    graph.gradients(new Map([[output, seed]]), inputs).forEach((gradient, index) => {
      graph.output(`gradient ${inputs[index].name}`, gradient!);
    });
    const executable = await backend.compile(graph);
    const feeds: Record<string, TensorData> = { ...fixed, seed: filled(random, output.shape) };
    for (const input of inputs) feeds[input.name] = filled(random, input.shape);

    const objective = async () => {
      const { output: values } = await executable.run(feeds, bindings);
      return (values as Float32Array).reduce((sum, value, index) => sum + value * Number(feeds.seed[index]), 0);
    };
    const outputs = await executable.run(feeds, bindings);
    for (const input of inputs) {
      const gradient = outputs[`gradient ${input.name}`] as Float32Array;
      const data = feeds[input.name] as Float32Array;
      expect(gradient.length).toBe(data.length);
      const scale = Math.max(...gradient.map(Math.abs));
      expect(scale).toBeGreaterThan(0);
      for (let trial = 0; trial < 12; trial++) {
        const index = random.integer(0, data.length - 1);
        const difference = await centralDifference(data, index, objective);
        expect(Math.abs(difference - gradient[index]) / scale, `${input.name}[${index}]`).toBeLessThan(2e-3);
      }
    }
    await executable.close();
  });

  it("token log-probs", async () => {
    const random = new Random(5);
    const graph = new Graph();
    const [x, head] = [graph.input("x", ["R", 5]), graph.input("head", [7, 5])];
    const scored = tokenLogprobs(graph, x, head, graph.input("targets", ["R"], { type: "int32" }));
    const gradient = scored.backward(graph.input("weights", ["R"]));
    graph.output("logprobs", scored.logprobs);
    graph.output("rows", gradient.rows);
    graph.output("head gradient", gradient.head);
    graph.output("targetRows", gradient.targetRows);
    const executable = await backend.compile(graph);
    const targets = Int32Array.of(2, 2, 0, 6);
    const data = { x: filled(random, x.shape), head: filled(random, head.shape), weights: Float32Array.of(1, -0.5, 0, 2) };
    const objective = async () => {
      const { logprobs } = await executable.run({ ...data, targets }, bindings);
      return (logprobs as Float32Array).reduce((sum, value, index) => sum + value * data.weights[index], 0);
    };
    const outputs = await executable.run({ ...data, targets }, bindings);
    const headGradient = (outputs["head gradient"] as Float32Array).slice();
    targets.forEach((target, row) => {
      for (let column = 0; column < 5; column++)
        headGradient[target * 5 + column] += Number(outputs.targetRows[row * 5 + column]);
    });
    for (const [name, gradientOf] of [["x", outputs.rows as Float32Array] as const, ["head", headGradient] as const]) {
      for (let index = 0; index < data[name].length; index++) {
        const difference = await centralDifference(data[name], index, objective);
        expect(Math.abs(difference - gradientOf[index]), `${name}[${index}]`).toBeLessThan(3e-3);
      }
    }
    await executable.close();
  });

  it("log-probs stay exact where probabilities underflow", async () => {
    const graph = new Graph();
    const scored = tokenLogprobs(
      graph,
      graph.input("x", ["R", 1]),
      graph.input("head", [3, 1]),
      graph.input("targets", ["R"], { type: "int32" }),
    );
    graph.output("logprobs", scored.logprobs);
    const executable = await backend.compile(graph);
    const feeds = { x: Float32Array.of(500), head: Float32Array.of(1, 0, -1), targets: Int32Array.of(2) };
    const { logprobs } = await executable.run(feeds, { R: 1 });
    expect(Number(logprobs[0])).toBeCloseTo(-1000, 3);
    await executable.close();
  });
});

async function centralDifference(data: Float32Array, index: number, objective: () => Promise<number>): Promise<number> {
  const width = 1e-2;
  const original = data[index];
  data[index] = original + width;
  const above = await objective();
  data[index] = original - width;
  const below = await objective();
  data[index] = original;
  return (above - below) / (2 * width);
}
