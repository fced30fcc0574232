/** How fast the runtime multiplies the matrices of a training step, with nothing between them. */
import { Graph } from "#engines/embedded/graph/graph.ts";
import { multiply } from "#engines/embedded/graph/operators.ts";
import { onnxRuntimeBackend } from "#engines/embedded/run/runtime.ts";
import { type EngineSizes, linearMaps } from "./engine-sizes.ts";

/** Operations of the linear maps' forward and backward products in one training step. */
export function matrixProductOperations(sizes: EngineSizes): number {
  const rows = sizes.batch * sizes.time;
  return linearMaps(sizes).reduce((sum, { inputs, outputs, count }) => sum + 6 * rows * inputs * outputs * count, 0);
}

/** Seconds of all these products, each shape timed by itself; one number per repetition. */
export async function matrixProductSeconds(sizes: EngineSizes, threads: number, repetitions: number): Promise<number[]> {
  const backend = onnxRuntimeBackend(threads);
  const rows = sizes.batch * sizes.time;
  const totals = new Array<number>(repetitions).fill(0);
  for (const { inputs, outputs, count } of linearMaps(sizes)) {
    const x: [number, number] = [rows, inputs];
    const weight: [number, number] = [outputs, inputs];
    const gradient: [number, number] = [rows, outputs];
    const products = [
      { first: x, second: weight, result: gradient, transposeSecond: true },
      { first: gradient, second: weight, result: x },
      { first: gradient, second: x, result: weight, transposeFirst: true },
    ];
    for (const { first, second, result, ...transposition } of products) {
      const graph = new Graph();
      const [a, b] = [graph.input("a", first), graph.input("b", second)];
      // One number leaves the graph, so that no copy of the result is timed.
      const ends = [graph.integers([0, 0]), graph.integers([1, 1])];
      graph.output("corner", graph.node("Slice", [multiply(graph, a, b, result, transposition), ...ends], [1, 1]));
      const executable = await backend.compile(graph);
      const feeds = { a: new Float32Array(first[0] * first[1]).fill(0.5), b: new Float32Array(second[0] * second[1]).fill(0.5) };
      await executable.run(feeds, {});
      for (let repetition = 0; repetition < repetitions; repetition++) {
        const start = performance.now();
        for (let time = 0; time < count; time++) await executable.run(feeds, {});
        totals[repetition] += (performance.now() - start) / 1000;
      }
      await executable.close();
    }
  }
  return totals;
}
