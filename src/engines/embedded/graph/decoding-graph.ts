/**
 * The two graphs of sampling: one that fills a key–value cache from prompts, and one that takes a single token per row.
 *
 * Symbols: B rows, T prompt columns (`blocks` of t each), C cache columns (E = C + 1), P rows of the rotation tables. A step returns only the new
 * keys and values; the caller writes them into its cache, which the next step reads in place.
 */

import type { ModelConfig } from "../checkpoint/config.ts";
import { causalAttention } from "./attention.ts";
import { Graph, product, type Value } from "./graph.ts";
import { multiply, softmaxHead } from "./operators.ts";
import { type AdapterDescription, finalNorm, headName, ParameterInputs, transformer } from "./transformer.ts";

export interface DecodingGraphOptions {
  config: ModelConfig;
  shapes: ReadonlyMap<string, readonly number[]>;
  adapters?: AdapterDescription;
}

export const keysName = (layer: number): string => `keys ${layer}`;
export const valuesName = (layer: number): string => `values ${layer}`;

/** Inputs `ids` [B·T] and the limits of attention; outputs `keys L` and `values L` [B, keyValueHeads, T, D] of every layer, keys rotated. */
export function prefillGraph({ config, shapes, adapters }: DecodingGraphOptions, blocks: number): Graph {
  const graph = new Graph();
  const parameters = new ParameterInputs(graph, shapes, { adapters });
  const { heads, keyValueHeads, headSize } = config;
  const time = product(blocks, "t");
  const limits = graph.input("limits", ["t", time]);
  const toHeads = (x: Value) => graph.transpose(graph.reshape(x, ["B", time, keyValueHeads, headSize]), [0, 2, 1, 3]);
  transformer(graph, config, parameters, {
    ids: graph.input("ids", [product("B", time)], { type: "int32" }),
    batch: "B",
    time,
    rotation: {
      cosines: graph.input("cosines", [time, headSize / 2]),
      sines: graph.input("sines", [time, headSize / 2]),
      positions: graph.integers([0]),
    },
    headShape: (count) => ["B", time, count * headSize],
    attend: (layer, q, k, v) => {
      graph.output(keysName(layer), toHeads(k));
      graph.output(valuesName(layer), toHeads(v));
      return causalAttention(graph, q, k, v, limits, { batch: "B", blockTime: "t", blocks, heads, keyValueHeads, headSize });
    },
  });
  return graph;
}

/**
 * Inputs `ids` [B], `positions` [B, 1], `inverseTemperature` [1], the caches `keys L` [B, keyValueHeads, C, D] and `values L`
 * [B, keyValueHeads, E = C + 1, D], whose last column is zero, and `mask` [B, 1, 1, 1, C], which is added to the scores. Outputs
 * `probabilities` [B, V] at that temperature, the logarithms of the normalisers of the plain and the tempered logits [B, 1], and
 * `newKeys`, `newValues` [B, keyValueHeads, layers, D].
 *
 * @param weights built in when given; else the parameters are inputs
 */
export function decodingGraph(options: DecodingGraphOptions, weights?: ReadonlyMap<string, Float32Array>): Graph {
  const { config, shapes, adapters } = options;
  const { heads, keyValueHeads, headSize, layers } = config;
  const graph = new Graph();
  const parameters = new ParameterInputs(graph, shapes, { adapters, weights });
  const mask = graph.input("mask", ["B", 1, 1, 1, "C"]);
  const newKeys: Value[] = [];
  const newValues: Value[] = [];
  const { hidden } = transformer(graph, config, parameters, {
    ids: graph.input("ids", ["B"], { type: "int32" }),
    batch: "B",
    time: 1,
    rotation: {
      cosines: graph.input("cosines", ["P", headSize / 2]),
      sines: graph.input("sines", ["P", headSize / 2]),
      positions: graph.input("positions", ["B", 1], { type: "int64" }),
    },
    headShape: (count) => ["B", count, 1, headSize],
    attend: (layer, q, k, v) => {
      newKeys.push(k);
      newValues.push(v);
      const keys = graph.input(keysName(layer), ["B", keyValueHeads, "C", headSize]);
      const values = graph.input(valuesName(layer), ["B", keyValueHeads, "E", headSize]);
      return attendToCache(graph, { q, k, v, keys, values, mask }, heads / keyValueHeads);
    },
  });
  const normed = finalNorm(graph, config, parameters, hidden);
  // A matrix that is also looked up row by row would not be laid out anew, so a built-in head is a constant of its own.
  const name = headName(config);
  const head = weights ? graph.constant(weights.get(name)!, [config.vocabularySize, config.hiddenSize]) : parameters.get(name);
  const plain = softmaxHead(graph, normed, head);
  const tempered = graph.node("Mul", [plain.logits, graph.input("inverseTemperature", [1])], plain.logits.shape);
  const sampling = softmaxHead(graph, tempered);
  graph.output("probabilities", sampling.probabilities);
  graph.output("temperedLogNormaliser", sampling.logNormaliser);
  graph.output("logNormaliser", plain.logNormaliser);
  const stacked = ["B", keyValueHeads, layers, headSize];
  graph.output("newKeys", graph.node("Concat", newKeys, stacked, { attributes: { axis: 2 } }));
  graph.output("newValues", graph.node("Concat", newValues, stacked, { attributes: { axis: 2 } }));
  return graph;
}

interface CacheAttention {
  q: Value;
  k: Value;
  v: Value;
  keys: Value;
  values: Value;
  mask: Value;
}

/**
 * The new token is not in the cache yet, so its own score is computed apart and joins the others before the softmax. One row per head is
 * multiplied by a matrix at a time, which needs no rearranging of the cache.
 */
function attendToCache(graph: Graph, { q, k, v, keys, values, mask }: CacheAttention, group: number): Value {
  const [batch, keyValueHeads, columns, headSize] = keys.shape as [string, number, string, number];
  const perHead = (last: number | string) => [batch, keyValueHeads, group, 1, last];
  const shared = (value: Value, rows: number | string) => graph.reshape(value, [batch, keyValueHeads, 1, rows, headSize]);
  const scaled = graph.node("Mul", [q, graph.scalar(1 / Math.sqrt(headSize))], q.shape);
  const queries = graph.reshape(scaled, perHead(headSize));
  const products = graph.node("Mul", [queries, shared(k, 1)], perHead(headSize));
  const own = graph.node("ReduceSum", [products, graph.integers([-1])], perHead(1), { attributes: { keepdims: 1 } });
  const cached = multiply(graph, queries, shared(keys, columns), perHead(columns), { transposeSecond: true });
  const masked = graph.node("Add", [cached, mask], perHead(columns));
  const scores = graph.node("Concat", [masked, own], perHead("E"), { attributes: { axis: -1 } });
  const probabilities = graph.node("Softmax", [scores], perHead("E"), { attributes: { axis: -1 } });
  // The cache's last column of values is zero: it stands where the new token's own value, added apart, would be.
  const fromCache = graph.node("MatMul", [probabilities, shared(values, "E")], perHead(headSize));
  const ends = [-1, Number.MAX_SAFE_INTEGER, -1].map((number) => graph.integers([number]));
  const ownShare = graph.node("Slice", [probabilities, ...ends], perHead(1));
  const fromOwn = graph.node("Mul", [ownShare, shared(v, 1)], perHead(headSize));
  return graph.node("Add", [fromCache, fromOwn], perHead(headSize));
}
