/** The decoder shared by Qwen3, Qwen2 and Llama as a graph: embedding, then layers of attention and SwiGLU on a residual stream. */
import { bugError } from "#kernel/errors.ts";
import { embeddingTable, type ModelConfig, tiedHead } from "../checkpoint/config.ts";
import { type Dimension, type Graph, product, type Shape, type Value } from "./graph.ts";
import { add, type LowRank, linear, type Rotation, rmsNorm, rotate, swiGlu } from "./operators.ts";

/** Low-rank adapters beside frozen weights: each module's update is scale · up · down. */
export interface AdapterDescription {
  rank: number;
  /** α / rank. */
  scale: number;
  /** Full module names, such as `model.layers.0.self_attn.q_proj`. */
  modules: ReadonlySet<string>;
  /** Names of the two tensors of a module. */
  downName(module: string): string;
  upName(module: string): string;
}

/** Input [N, in] of truth values: which numbers of a module's input its adapter sees. */
export const keptName = (module: string): string => `kept ${module}`;

export interface ParameterOptions {
  trainable?: (name: string) => boolean;
  adapters?: AdapterDescription | undefined;
  /** Takes an input `keptName` beside each adapter, which says what its dropout keeps, at this rate. */
  dropout?: number | undefined;
  /** Builds these numbers into the graph, which can then lay them out for speed, in place of inputs. */
  weights?: ReadonlyMap<string, Float32Array> | undefined;
}

/** A graph's values for all tensors of a model, made when first asked for. */
export class ParameterInputs {
  readonly #graph: Graph;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  readonly #trainable: (name: string) => boolean;
  readonly #values = new Map<string, Value>();
  readonly #weights: ReadonlyMap<string, Float32Array> | undefined;
  readonly adapters: AdapterDescription | undefined;
  readonly #dropout: number;

  constructor(graph: Graph, shapes: ReadonlyMap<string, readonly number[]>, options: ParameterOptions = {}) {
    this.#graph = graph;
    this.#shapes = shapes;
    this.#trainable = options.trainable ?? (() => false);
    this.#weights = options.weights;
    this.adapters = options.adapters;
    this.#dropout = options.dropout ?? 0;
  }

  get(name: string): Value {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const shape = this.#shapes.get(name);
    if (shape === undefined) throw bugError("parameter-unknown", `There is no parameter named ${name}.`);
    const weights = this.#weights?.get(name);
    const value = weights
      ? this.#graph.constant(weights, shape)
      : this.#graph.input(name, shape, { differentiable: this.#trainable(name) });
    this.#values.set(name, value);
    return value;
  }

  trainable(name: string): boolean {
    return this.#trainable(name);
  }

  optional(name: string): Value | undefined {
    return this.#shapes.has(name) ? this.get(name) : undefined;
  }

  /** The adapter of a module whose input is x. */
  lowRank(module: string, x: Value): LowRank | undefined {
    const { adapters } = this;
    if (adapters === undefined || !adapters.modules.has(module)) return undefined;
    const lowRank = { down: this.get(adapters.downName(module)), up: this.get(adapters.upName(module)), scale: adapters.scale };
    if (this.#dropout === 0) return lowRank;
    const kept = this.#graph.input(keptName(module), x.shape, { type: "bool" });
    return { ...lowRank, dropout: { kept, share: 1 - this.#dropout } };
  }

  /** The trainable parameters that were asked for, in that order. */
  wanted(): [string, Value][] {
    return [...this.#values].filter(([, value]) => value.differentiable);
  }
}

/** Attention of one layer over rotated q, k and v in the shape that `headShape` gives; its result has q's numbers in token order. */
export type Attend = (layer: number, q: Value, k: Value, v: Value) => Value;

export interface TransformerInputs {
  /** [B·T] int32. */
  ids: Value;
  batch: Dimension;
  time: Dimension;
  rotation: Rotation;
  /** The shape in which this many heads are rotated and attend: [B, T, heads·D], or [B, heads, 1, D] where T is 1. */
  headShape(heads: number): Shape;
  attend: Attend;
}

/** The residual stream [B·T, d] before the final norm, and the embedded tokens where their gradient is to be taken. */
export function transformer(
  graph: Graph,
  config: ModelConfig,
  parameters: ParameterInputs,
  inputs: TransformerInputs,
): { hidden: Value; embedded: Value } {
  const rows = product(inputs.batch, inputs.time);
  const table = parameters.get(embeddingTable);
  const gathered = graph.node("Gather", [table, inputs.ids], [rows, config.hiddenSize], { attributes: { axis: 0 } });
  // The table's own gradient is a scatter of these rows, which the trainer does outside the graph.
  const embedded: Value = { ...gathered, differentiable: table.differentiable };
  let hidden = embedded;
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `model.layers.${layer}`;
    const normed = rmsNorm(graph, hidden, parameters.get(`${prefix}.input_layernorm.weight`), config.normEpsilon);
    hidden = add(graph, hidden, attention(graph, config, parameters, inputs, layer, normed));
    const second = rmsNorm(graph, hidden, parameters.get(`${prefix}.post_attention_layernorm.weight`), config.normEpsilon);
    const gate = project(graph, parameters, `${prefix}.mlp.gate_proj`, second);
    const up = project(graph, parameters, `${prefix}.mlp.up_proj`, second);
    hidden = add(graph, hidden, project(graph, parameters, `${prefix}.mlp.down_proj`, swiGlu(graph, gate, up)));
  }
  return { hidden, embedded };
}

function attention(
  graph: Graph,
  config: ModelConfig,
  parameters: ParameterInputs,
  inputs: TransformerInputs,
  layer: number,
  x: Value,
): Value {
  const prefix = `model.layers.${layer}.self_attn`;
  const rows = x.shape[0];
  const reshape = (value: Value, shape: Shape) =>
    graph.record(graph.reshape(value, shape), [value], (gradient) => [graph.reshape(gradient, value.shape)]);
  const heads = (name: string, count: number): Value => {
    const shape = inputs.headShape(count);
    let value = project(graph, parameters, `${prefix}.${name}_proj`, x);
    const norm = config.queryKeyNorm && name !== "v" ? parameters.get(`${prefix}.${name}_norm.weight`) : undefined;
    if (norm) {
      const apart = shape[shape.length - 1] === config.headSize ? shape : [rows, count, config.headSize];
      value = rmsNorm(graph, reshape(value, apart), norm, config.normEpsilon);
    }
    value = reshape(value, shape);
    return name === "v" ? value : rotate(graph, value, inputs.rotation);
  };
  const q = heads("q", config.heads);
  const k = heads("k", config.keyValueHeads);
  const v = heads("v", config.keyValueHeads);
  const context = reshape(inputs.attend(layer, q, k, v), [rows, config.heads * config.headSize]);
  return project(graph, parameters, `${prefix}.o_proj`, context);
}

function project(graph: Graph, parameters: ParameterInputs, module: string, x: Value): Value {
  return linear(
    graph,
    x,
    parameters.get(`${module}.weight`),
    parameters.optional(`${module}.bias`),
    parameters.lowRank(module, x),
  );
}

/** The final norm, applied to as few rows as the caller needs. */
export function finalNorm(graph: Graph, config: ModelConfig, parameters: ParameterInputs, rows: Value): Value {
  return rmsNorm(graph, rows, parameters.get("model.norm.weight"), config.normEpsilon);
}

/** The head's matrix [V, d]. */
export function headName(config: ModelConfig): string {
  return config.tieEmbeddings ? embeddingTable : tiedHead;
}
