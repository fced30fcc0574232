/** The graph builder: symbolic dimensions, one node per computation, and nothing that no output needs. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { onnxRuntimeBackend } from "../run/runtime.ts";
import { evaluateDimension, Graph, product } from "./graph.ts";
import { add } from "./operators.ts";

describe("dimensions", () => {
  it("multiply in one spelling whatever the order", () => {
    const parts = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom("B", "T", "2*T")), { minLength: 1 });
    fc.assert(
      fc.property(parts, (dimensions) => {
        const bindings = { B: 3, T: 5 };
        const expected = dimensions.reduce<number>((total, dimension) => total * evaluateDimension(dimension, bindings), 1);
        expect(product(...dimensions)).toBe(product(...[...dimensions].reverse()));
        expect(evaluateDimension(product(...dimensions), bindings)).toBe(expected);
      }),
    );
  });

  it("name the symbol that was not bound", () => {
    expect(() => evaluateDimension("2*Q", { B: 1 })).toThrow(/Q/);
  });
});

describe("nodes", () => {
  it("are made once, and only those that an output needs are written", () => {
    const graph = new Graph();
    const [a, b] = [graph.input("a", [2]), graph.input("unused", [2])];
    const sum = graph.node("Add", [a, a], [2]);
    expect(graph.node("Add", [a, a], [2])).toBe(sum);
    graph.node("Mul", [sum, b], [2]);
    graph.output("sum", sum);
    const written = graph.toOnnx();
    expect(written.nodes.map((node) => node.operator)).toEqual(["Add"]);
    expect(written.inputs.map((input) => input.name)).toEqual(["a"]);
  });

  it("may be an output under two names and still feed other nodes", async () => {
    const graph = new Graph();
    const a = graph.input("a", ["N"]);
    const doubled = graph.node("Add", [a, a], ["N"]);
    graph.output("first", doubled);
    graph.output("second", doubled);
    graph.output("input itself", a);
    graph.output("negated", graph.node("Neg", [doubled], ["N"]));
    const executable = await onnxRuntimeBackend(1).compile(graph);
    const outputs = await executable.run({ a: Float32Array.of(1, 2) }, { N: 2 });
    expect(outputs.first).toEqual(Float32Array.of(2, 4));
    expect(outputs.second).toEqual(Float32Array.of(2, 4));
    expect(outputs["input itself"]).toEqual(Float32Array.of(1, 2));
    expect(outputs.negated).toEqual(Float32Array.of(-2, -4));
    await executable.close();
  });

  it("take whatever numbers the symbols get from run to run", async () => {
    const graph = new Graph();
    const a = graph.input("a", ["B*T", 2]);
    graph.output("turned", graph.transpose(graph.reshape(a, ["B", "T", 2]), [1, 0, 2]));
    const executable = await onnxRuntimeBackend(1).compile(graph);
    const first = await executable.run({ a: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) }, { B: 2, T: 2 });
    expect(first.turned).toEqual(Float32Array.of(1, 2, 5, 6, 3, 4, 7, 8));
    const second = await executable.run({ a: Float32Array.of(1, 2, 3, 4) }, { B: 2, T: 1 });
    expect(second.turned).toEqual(Float32Array.of(1, 2, 3, 4));
    await executable.close();
  });

  it("fail with the name of an input that was not fed", async () => {
    const graph = new Graph();
    const a = graph.input("a", [1]);
    graph.output("b", graph.node("Neg", [a], [1]));
    const executable = await onnxRuntimeBackend(1).compile(graph);
    await expect(executable.run({}, {})).rejects.toThrow(/input a /);
    await executable.close();
  });
});

describe("gradients", () => {
  it("add up over every use of a value, and are absent where nothing flows", async () => {
    const graph = new Graph();
    const [a, b, c] = ["a", "b", "c"].map((name) => graph.input(name, [1], { differentiable: true }));
    const once = add(graph, a, b);
    const output = add(graph, add(graph, once, a), once);
    const [gradientA, gradientB, gradientC] = graph.gradients(new Map([[output, graph.constant(Float32Array.of(1), [1])]]), [
      a,
      b,
      c,
    ]);
    expect(gradientC).toBeUndefined();
    graph.output("a gradient", gradientA!);
    graph.output("b gradient", gradientB!);
    const executable = await onnxRuntimeBackend(1).compile(graph);
    const outputs = await executable.run({}, {});
    expect(outputs["a gradient"]).toEqual(Float32Array.of(3));
    expect(outputs["b gradient"]).toEqual(Float32Array.of(2));
    await executable.close();
  });
});
