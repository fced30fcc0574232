/**
 * Builds a tensor graph node by node, with symbolic dimensions and a tape for reverse-mode differentiation.
 *
 * A dimension is a number or a product of symbols such as "B*T"; the symbols get their numbers when the graph runs, so one graph
 * serves every batch size and length. Equal nodes are made once.
 */
import { bugError } from "#kernel/errors.ts";
import type { Attribute, ElementType, OnnxConstant, OnnxGraph, OnnxNode, OnnxTensorInfo } from "./onnx.ts";

export type Dimension = number | string;
export type Shape = readonly Dimension[];

/** A tensor that exists while the graph runs. */
export interface Value {
  readonly name: string;
  readonly shape: Shape;
  readonly type: ElementType;
  /** Whether a gradient may be asked through it. */
  readonly differentiable: boolean;
}

/** Gradient of the output → gradients of the inputs, undefined where none flows. */
export type Backward = (gradient: Value) => (Value | undefined)[];

interface TapeEntry {
  output: Value;
  inputs: readonly Value[];
  backward: Backward;
}

export interface NodeOptions {
  attributes?: Record<string, Attribute>;
  domain?: string;
  type?: ElementType;
}

/** An input the runtime computes from the bound symbols: the numbers of a target shape. */
export interface ShapeInput {
  name: string;
  shape: Shape;
}

export class Graph {
  readonly inputs: OnnxTensorInfo[] = [];
  readonly shapeInputs: ShapeInput[] = [];
  readonly #constants: OnnxConstant[] = [];
  readonly #nodes: OnnxNode[] = [];
  readonly #outputs: OnnxTensorInfo[] = [];
  readonly #made = new Map<string, Value[]>();
  readonly #tape: TapeEntry[] = [];
  #count = 0;

  input(name: string, shape: Shape, options: { type?: ElementType; differentiable?: boolean } = {}): Value {
    const type = options.type ?? "float32";
    this.inputs.push({ name, shape, type });
    return { name, shape, type, differentiable: options.differentiable ?? false };
  }

  constant(data: Float32Array | Int32Array | BigInt64Array, shape: readonly number[]): Value {
    const type = data instanceof Float32Array ? "float32" : data instanceof Int32Array ? "int32" : "int64";
    const key = data.length <= 64 ? `constant ${type} ${shape.join()} ${data.join()}` : undefined;
    const known = key === undefined ? undefined : this.#made.get(key);
    if (known !== undefined) return known[0];
    const value: Value = { name: `c${this.#count++}`, shape, type, differentiable: false };
    this.#constants.push({ name: value.name, type, shape, data });
    if (key !== undefined) this.#made.set(key, [value]);
    return value;
  }

  scalar(number: number): Value {
    return this.constant(new Float32Array([number]), []);
  }

  integers(numbers: readonly number[]): Value {
    return this.constant(BigInt64Array.from(numbers, BigInt), [numbers.length]);
  }

  /** One node with one output. */
  node(operator: string, inputs: readonly Value[], shape: Shape, options: NodeOptions = {}): Value {
    return this.nodes(operator, inputs, [shape], options)[0];
  }

  /** One node with several outputs. */
  nodes(operator: string, inputs: readonly Value[], shapes: readonly Shape[], options: NodeOptions = {}): Value[] {
    const { attributes = {}, domain = "", type = "float32" } = options;
    const names = inputs.map((input) => input.name);
    const key = `${operator} ${domain} ${names.join()} ${JSON.stringify(attributes)} ${shapes.length} ${type}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const outputs = shapes.map((shape): Value => ({ name: `v${this.#count++}`, shape, type, differentiable: false }));
    this.#nodes.push({ operator, domain, inputs: names, outputs: outputs.map((output) => output.name), attributes });
    this.#made.set(key, outputs);
    return outputs;
  }

  reshape(value: Value, shape: Shape): Value {
    if (sameShape(value.shape, shape)) return value;
    const open = shape.filter((dimension, index) => typeof dimension === "string" && dimension !== value.shape[index]);
    if (open.length > 1) return this.node("Reshape", [value, this.dimensions(shape)], shape, { type: value.type });
    const target = shape.map((dimension, index) =>
      typeof dimension === "number" ? dimension : dimension === value.shape[index] ? 0 : -1,
    );
    return this.node("Reshape", [value, this.integers(target)], shape, { type: value.type });
  }

  transpose(value: Value, permutation: readonly number[]): Value {
    const shape = permutation.map((axis) => value.shape[axis]);
    return this.node("Transpose", [value], shape, { attributes: { perm: permutation }, type: value.type });
  }

  /**
   * Marks `output` as differentiable through `backward`. The forward nodes inside an operator are not on the tape: each operator
   * brings its own derivative, which may be shorter than that of its parts.
   */
  record(output: Value, inputs: readonly Value[], backward: Backward): Value {
    if (!inputs.some((input) => input.differentiable)) return output;
    const value: Value = { ...output, differentiable: true };
    this.#tape.push({ output: value, inputs, backward });
    return value;
  }

  /** Reverse sweep from given output gradients; the gradient of each wanted value, undefined where nothing flows to it. */
  gradients(seeds: ReadonlyMap<Value, Value>, wanted: readonly Value[]): (Value | undefined)[] {
    const found = new Map<string, Value>();
    const add = (value: Value, gradient: Value) => {
      const present = found.get(value.name);
      found.set(value.name, present === undefined ? gradient : this.node("Add", [present, gradient], value.shape));
    };
    for (const [value, gradient] of seeds) add(value, gradient);
    for (const entry of [...this.#tape].reverse()) {
      const gradient = found.get(entry.output.name);
      if (gradient === undefined) continue;
      const parts = entry.backward(gradient);
      entry.inputs.forEach((input, index) => {
        const part = parts[index];
        if (input.differentiable && part !== undefined) add(input, part);
      });
    }
    return wanted.map((value) => found.get(value.name));
  }

  /** Gives a value the name under which the caller finds it after a run. */
  output(name: string, value: Value): void {
    const taken = this.#renames.has(value.name) || !this.#nodes.some((node) => node.outputs.includes(value.name));
    // An input, a constant or a value that is already an output needs a node of its own to carry this name.
    const carrier = taken ? `v${this.#count++}` : value.name;
    if (taken) this.#nodes.push({ operator: "Identity", domain: "", inputs: [value.name], outputs: [carrier], attributes: {} });
    this.#outputs.push({ name, type: value.type, shape: value.shape });
    this.#renames.set(carrier, name);
  }

  readonly #renames = new Map<string, string>();

  /**
   * The graph without the nodes that no output needs, last node first. ONNX Runtime starts from the last end of the list and computes
   * what it needs; in this order each gradient leaves as soon as it can be computed, and what it was computed from is freed.
   */
  toOnnx(): OnnxGraph {
    const needed = new Set(this.#renames.keys());
    const rename = (name: string) => this.#renames.get(name) ?? name;
    const nodes: OnnxNode[] = [];
    for (const node of [...this.#nodes].reverse()) {
      if (!node.outputs.some((output) => needed.has(output))) continue;
      for (const input of node.inputs) needed.add(input);
      nodes.push({ ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) });
    }
    return {
      inputs: this.inputs.filter((input) => needed.has(input.name)),
      outputs: this.#outputs,
      constants: this.#constants.filter((constant) => needed.has(constant.name)),
      nodes,
    };
  }

  /** The numbers of these dimensions as an integer tensor; symbols get theirs when the graph runs. */
  dimensions(shape: Shape): Value {
    if (shape.every((dimension) => typeof dimension === "number")) return this.integers(shape as number[]);
    const name = `shape ${shape.join(" ")}`;
    const known = this.inputs.find((input) => input.name === name);
    if (known !== undefined) return { name, shape: [shape.length], type: "int64", differentiable: false };
    this.shapeInputs.push({ name, shape });
    return this.input(name, [shape.length], { type: "int64" });
  }
}

/** Product of dimensions in one canonical spelling: the number first, the symbols sorted. */
export function product(...dimensions: Dimension[]): Dimension {
  let factor = 1;
  const symbols: string[] = [];
  for (const dimension of dimensions) {
    for (const part of typeof dimension === "number" ? [dimension] : dimension.split("*")) {
      if (typeof part === "number" || /^\d+$/.test(part)) factor *= Number(part);
      else symbols.push(part);
    }
  }
  if (symbols.length === 0) return factor;
  return [...(factor === 1 ? [] : [String(factor)]), ...symbols.sort()].join("*");
}

/** The number of a dimension once its symbols are bound. */
export function evaluateDimension(dimension: Dimension, bindings: Readonly<Record<string, number>>): number {
  if (typeof dimension === "number") return dimension;
  let result = 1;
  for (const part of dimension.split("*")) {
    const number = /^\d+$/.test(part) ? Number(part) : bindings[part];
    if (number === undefined) throw bugError("graph-unbound", `Dimension ${part} has no number.`);
    result *= number;
  }
  return result;
}

export function sameShape(first: Shape, second: Shape): boolean {
  return first.length === second.length && first.every((dimension, index) => dimension === second[index]);
}
