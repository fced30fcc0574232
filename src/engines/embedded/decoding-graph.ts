/**
 * The two graphs of sampling: one that fills a key–value cache from prompts, and one that takes a single token per row.
 *
 * Symbols: B rows, T prompt columns (`blocks` of t each), C cache columns, P rows of the rotation tables. A step returns only the new keys and values; the
 * caller writes them into its cache, which the next step reads in place.
 */

import { causalAttention } from "./attention.ts";
import type { ModelConfig } from "./config.ts";
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

/** Inputs `ids` [B·T] and the limits of attention in `blocks` blocks; outputs `keys L` and `values L` [B, keyValueHeads, T, D] of every layer, keys rotated. */
export function prefillGraph({ config, shapes, adapters }: DecodingGraphOptions, blocks: number): Graph {
  const graph = new Graph();
  const parameters = new ParameterInputs(graph, shapes, adapters === undefined ? {} : { adapters });
  const half = config.headSize / 2;
  const time = product(blocks, "t");
  const limits = graph.input("limits", ["t", time]);
  const { heads, keyValueHeads, headSize } = config;
  const sizes = { batch: "B", blockTime: "t", blocks, heads, keyValueHeads, headSize };
  const toHeads = (x: Value) => graph.transpose(graph.reshape(x, ["B", time, keyValueHeads, headSize]), [0, 2, 1, 3]);
  transformer(graph, config, parameters, {
    ids: graph.input("ids", [product("B", time)], { type: "int32" }),
    batch: "B",
    time,
    rotation: {
      cosines: graph.input("cosines", [time, half]),
      sines: graph.input("sines", [time, half]),
      positions: graph.integers([0]),
    },
    attend: (layer, q, k, v) => {
      graph.output(keysName(layer), toHeads(k));
      graph.output(valuesName(layer), toHeads(v));
      return causalAttention(graph, q, k, v, limits, sizes);
    },
  });
  return graph;
}

/**
 * Inputs `ids` [B], `positions` [B, 1], `mask` [B, 1, 1, C] (0 for cached tokens, very negative elsewhere), `inverseTemperature` [1] and
 * the caches [B, keyValueHeads, C, D]. Outputs `probabilities` [B, V] at that temperature, the logarithms of the normalisers of the
 * plain and the tempered logits [B, 1], and `newKeys`, `newValues` [layers, B, keyValueHeads, D].
 */
export function decodingGraph({ config, shapes, adapters }: DecodingGraphOptions): Graph {
  const { heads, keyValueHeads, headSize, layers } = config;
  const graph = new Graph();
  const parameters = new ParameterInputs(graph, shapes, adapters === undefined ? {} : { adapters });
  const half = headSize / 2;
  const mask = graph.input("mask", ["B", 1, 1, "C"]);
  const cacheShape = ["B", keyValueHeads, "C", headSize];
  const newKeys: Value[] = [];
  const newValues: Value[] = [];
  const { hidden } = transformer(graph, config, parameters, {
    ids: graph.input("ids", ["B"], { type: "int32" }),
    batch: "B",
    time: 1,
    rotation: {
      cosines: graph.input("cosines", ["P", half]),
      sines: graph.input("sines", ["P", half]),
      positions: graph.input("positions", ["B", 1], { type: "int64" }),
    },
    attend: (layer, q, k, v) => {
      newKeys.push(graph.reshape(k, [1, "B", keyValueHeads, headSize]));
      newValues.push(graph.reshape(v, [1, "B", keyValueHeads, headSize]));
      const keys = graph.input(keysName(layer), cacheShape);
      const values = graph.input(valuesName(layer), cacheShape);
      return attendToCache(graph, { q, k, v, keys, values, mask }, heads / keyValueHeads);
    },
  });
  const normed = finalNorm(graph, config, parameters, hidden);
  const head = parameters.get(headName(config));
  const plain = softmaxHead(graph, normed, head);
  const tempered = graph.node("Mul", [plain.logits, graph.input("inverseTemperature", [1])], plain.logits.shape);
  const sampling = softmaxHead(graph, tempered);
  graph.output("probabilities", sampling.probabilities);
  graph.output("temperedLogNormaliser", sampling.logNormaliser);
  graph.output("logNormaliser", plain.logNormaliser);
  const stacked = [layers, "B", keyValueHeads, headSize];
  graph.output("newKeys", graph.node("Concat", newKeys, stacked, { attributes: { axis: 0 } }));
  graph.output("newValues", graph.node("Concat", newValues, stacked, { attributes: { axis: 0 } }));
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

/** The new token is not in the cache yet, so its own score is computed apart and joins the others before the softmax. */
function attendToCache(graph: Graph, { q, k, v, keys, values, mask }: CacheAttention, group: number): Value {
  const [batch, keyValueHeads, columns, headSize] = keys.shape as [string, number, string, number];
  const scale = 1 / Math.sqrt(headSize);
  const rows = (last: number | string) => [batch, keyValueHeads, group, last];
  const queries = graph.reshape(q, rows(headSize));
  const ownKey = graph.reshape(k, [batch, keyValueHeads, 1, headSize]);
  const ownValue = graph.reshape(v, [batch, keyValueHeads, 1, headSize]);
  const cached = multiply(graph, queries, keys, rows(columns), { transposeSecond: true, scale });
  const masked = graph.node("Add", [cached, mask], rows(columns));
  const own = multiply(graph, queries, ownKey, rows(1), { transposeSecond: true, scale });
  const scores = graph.node("Concat", [own, masked], rows("C+1"), { attributes: { axis: -1 } });
  const probabilities = graph.node("Softmax", [scores], rows("C+1"), { attributes: { axis: -1 } });
  const slice = (start: number, end: number, last: number | string) =>
    graph.node("Slice", [probabilities, graph.integers([start]), graph.integers([end]), graph.integers([-1])], rows(last));
  const fromOwn = graph.node("Mul", [slice(0, 1, 1), ownValue], rows(headSize));
  const fromCache = graph.node("MatMul", [slice(1, Number.MAX_SAFE_INTEGER, columns), values], rows(headSize));
  return graph.reshape(graph.node("Add", [fromCache, fromOwn], rows(headSize)), q.shape);
}
