/**
 * The graph that scores tokens and, when asked, differentiates Σ weight · log p.
 *
 * Symbols: B sequences, T columns (`blocks` of t each), R scored tokens anywhere in the batch. `rows` [R] says which of the B·T positions predict them,
 * `places` [B·T] is the inverse (R where a position predicts nothing), `targets` [R] the tokens. The head runs on those rows only.
 */

import { embeddingTable, type ModelConfig } from "../checkpoint/config.ts";
import { causalAttention } from "./attention.ts";
import { type Dimension, Graph, product, type Value } from "./graph.ts";
import { gatherRows, tokenLogprobs } from "./operators.ts";
import { type AdapterDescription, finalNorm, headName, ParameterInputs, transformer } from "./transformer.ts";

/** `score` is forward only; `weights` takes weights; `policy` computes PPO-with-KL weights from the log-probs it finds. */
export type TrainingMode = "score" | "weights" | "policy";

export const gradientName = (parameter: string): string => `gradient ${parameter}`;

export interface TrainingGraphOptions {
  config: ModelConfig;
  shapes: ReadonlyMap<string, readonly number[]>;
  mode: TrainingMode;
  /** Into how many blocks attention cuts the columns. */
  blocks: number;
  trainable?: (name: string) => boolean;
  adapters?: AdapterDescription;
  /** Rate of the adapters' dropout, in the differentiating modes alone. */
  dropout?: number;
}

/**
 * Outputs: `logprobs` [R]; in the differentiating modes `gradient NAME` for each trainable parameter, and for the embedding table and a
 * trainable head the rows that the trainer scatters: `embedded` [B·T, d] at `ids`, `targetRows` [R, d] at `targets`.
 */
export function trainingGraph(options: TrainingGraphOptions): Graph {
  const { config, shapes, mode } = options;
  const graph = new Graph();
  const differentiate = mode !== "score";
  const parameters = new ParameterInputs(graph, shapes, {
    adapters: options.adapters,
    trainable: differentiate ? (options.trainable ?? (() => true)) : () => false,
    dropout: differentiate ? options.dropout : 0,
  });
  const integers = (name: string, dimension: Dimension) => graph.input(name, [dimension], { type: "int32" });
  const half = config.headSize / 2;
  const time = product(options.blocks, "t");
  const limits = graph.input("limits", ["t", time]);
  const rotation = {
    cosines: graph.input("cosines", [time, half]),
    sines: graph.input("sines", [time, half]),
    positions: graph.integers([0]),
  };
  const { heads, keyValueHeads, headSize } = config;
  const sizes = { batch: "B", blockTime: "t", blocks: options.blocks, heads, keyValueHeads, headSize };
  const { hidden, embedded } = transformer(graph, config, parameters, {
    ids: integers("ids", product("B", time)),
    batch: "B",
    time,
    rotation,
    headShape: (count) => ["B", time, count * headSize],
    attend: (_layer, q, k, v) => causalAttention(graph, q, k, v, limits, sizes),
  });
  const rows = gatherRows(graph, hidden, integers("rows", "R"), integers("places", product("B", time)));
  const normed = finalNorm(graph, config, parameters, rows);
  const head = parameters.get(headName(config));
  const targets = integers("targets", "R");
  const scored = tokenLogprobs(graph, normed, head, targets);
  graph.output("logprobs", scored.logprobs);
  if (!differentiate) return graph;

  const weights = mode === "policy" ? policyWeights(graph, scored.logprobs) : graph.input("weights", ["R"]);
  const gradient = scored.backward(weights);
  const wanted = parameters.wanted().filter(([name]) => name !== embeddingTable && name !== headName(config));
  const found = graph.gradients(new Map([[normed, gradient.rows]]), [embedded, ...wanted.map(([, value]) => value)]);
  if (parameters.trainable(embeddingTable) && found[0]) graph.output("embedded", found[0]);
  if (parameters.trainable(headName(config))) {
    graph.output(gradientName(headName(config)), gradient.head);
    graph.output("targetRows", gradient.targetRows);
  }
  wanted.forEach(([name], index) => {
    const value = found[index + 1];
    if (value) graph.output(gradientName(name), value);
  });
  return graph;
}

/**
 * −∂L/∂log p per token of L = Σ scale · [−min(ρ A, clip(ρ) A) + β (e^{r−ℓ} − (r−ℓ) − 1)] with ρ = e^{ℓ − old}:
 * scale · [ρ A where the unclipped branch is the minimum, + β (e^{r−ℓ} − 1)]. Tokens with scale 0 weigh exactly 0.
 */
function policyWeights(graph: Graph, logprobs: Value): Value {
  const shape = logprobs.shape;
  const perToken = (name: string) => graph.input(name, ["R"]);
  const setting = (name: string) => graph.input(name, [1]);
  const old = perToken("oldLogprobs");
  const reference = perToken("referenceLogprobs");
  const advantages = perToken("advantages");
  const scales = perToken("scales");
  const difference = (first: Value, second: Value) => graph.node("Sub", [first, second], shape);
  const times = (first: Value, second: Value) => graph.node("Mul", [first, second], shape);
  const ratio = graph.node("Exp", [difference(logprobs, old)], shape);
  const clipped = graph.node("Max", [graph.node("Min", [ratio, setting("highestRatio")], shape), setting("lowestRatio")], shape);
  const gain = times(ratio, advantages);
  const active = graph.node("LessOrEqual", [gain, times(clipped, advantages)], shape, { type: "bool" });
  const zero = graph.constant(new Float32Array(1), [1]);
  const surrogate = graph.node("Where", [active, gain, zero], shape);
  const excess = graph.node("Sub", [graph.node("Exp", [difference(reference, logprobs)], shape), graph.scalar(1)], shape);
  const weight = times(scales, graph.node("Add", [surrogate, times(excess, setting("klCoefficient"))], shape));
  return graph.node("Where", [graph.node("Equal", [scales, zero], shape, { type: "bool" }), zero, weight], shape);
}
