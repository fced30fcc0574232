/** Causal attention over whole sequences, forward and backward, without most of the half that causality hides. */
import { type Dimension, type Graph, product, type Shape, type Value } from "./graph.ts";
import { multiply } from "./operators.ts";

export interface AttentionSizes {
  batch: string;
  /** Columns of one block; the time dimension is `blocks` times this. */
  blockTime: string;
  /** How many blocks the columns are cut into. A block attends to itself and to those before it; the rest is never computed. */
  blocks: number;
  heads: number;
  keyValueHeads: number;
  headSize: number;
}

/** Scores to the right of the diagonal are lowered to this, relative to a score that the row sees. */
const hiddenScore = -50;
/** A limit that is none. */
const anyScore = 3e38;

/**
 * Causal attention of q [B, T, heads·D] over k, v [B, T, keyValueHeads·D] → [B, T, heads·D]. Heads that share a key are stacked along the
 * rows of one matrix, so keys are never copied.
 *
 * A softmax does not change when a number is added to a whole row, so each row is taken relative to its score of token 0, which every row
 * sees: q·(k_j − k_0). Then `limits` [t, T] of the last block, a very large number where a row sees and −50 to the right of its diagonal,
 * hides the future by taking the smaller of the two: hidden scores lie 50 or more under the row's largest, which is nothing in float32,
 * and yet their exponentials are ordinary numbers. (Masking with −∞ makes denormal ones, which cost a processor ten times as much.)
 */
export function causalAttention(graph: Graph, q: Value, k: Value, v: Value, limits: Value, sizes: AttentionSizes): Value {
  const layout = new BlockLayout(graph, sizes);
  const { batch, blockTime, heads, headSize } = sizes;
  const scale = 1 / Math.sqrt(headSize);
  const queries = layout.toPieces(q);
  const plainKeys = layout.toKeys(k);
  const firstKey = layout.cut(plainKeys, 2, [0], [1], [...layout.keysShape.slice(0, 2), 1, headSize]);
  const keys = graph.node("Sub", [plainKeys, firstKey], layout.keysShape);
  const values = layout.toKeys(v);

  const probabilities = queries.map((piece, block) => {
    const columns = layout.columns(block);
    const scores = multiply(graph, piece, layout.seen(keys, block), layout.squareShape(block), { transposeSecond: true, scale });
    const perHead = [product(batch, heads), blockTime, columns];
    const limited = graph.node("Min", [graph.reshape(scores, perHead), layout.limitsOf(limits, block)], perHead);
    return graph.reshape(graph.node("Softmax", [limited], perHead, { attributes: { axis: -1 } }), layout.squareShape(block));
  });
  const contexts = probabilities.map((weights, block) => multiply(graph, weights, layout.seen(values, block), layout.pieceShape));

  return graph.record(layout.fromPieces(contexts, q.shape), [q, k, v], (gradient) => {
    const parts = layout.toPieces(gradient).map((gradientContext, block) => {
      const weights = probabilities[block];
      const gradientWeights = multiply(graph, gradientContext, layout.seen(values, block), weights.shape, {
        transposeSecond: true,
      });
      // The softmax needs Σ_j dP·P per row, which equals Σ_d dO·O: a reduction over D instead of T.
      const products = graph.node("Mul", [gradientContext, contexts[block]], layout.pieceShape);
      const rowShape = [...layout.pieceShape.slice(0, 3), 1];
      const overlap = graph.node("ReduceSum", [products, graph.integers([-1])], rowShape, { attributes: { keepdims: 1 } });
      const centred = graph.node("Sub", [gradientWeights, overlap], weights.shape);
      const gradientScores = graph.node("Mul", [centred, weights], weights.shape);
      const seenShape = layout.seenShape(block);
      return {
        queries: multiply(graph, gradientScores, layout.seen(keys, block), layout.pieceShape, { scale }),
        // The rows of dS sum to zero, so the key that was subtracted has no gradient of its own.
        keys: multiply(graph, gradientScores, queries[block], seenShape, { transposeFirst: true, scale }),
        values: multiply(graph, weights, gradientContext, seenShape, { transposeFirst: true }),
      };
    });
    return [
      layout.fromPieces(
        parts.map((part) => part.queries),
        q.shape,
      ),
      layout.fromKeys(
        parts.map((part) => part.keys),
        k.shape,
      ),
      layout.fromKeys(
        parts.map((part) => part.values),
        v.shape,
      ),
    ];
  });
}

/** Where the numbers of queries, keys and values lie, and how they move between token order and blocks. */
class BlockLayout {
  readonly #graph: Graph;
  readonly #sizes: AttentionSizes;
  readonly #rows: Dimension;
  /** One block of queries: the heads that share a key, stacked. */
  readonly pieceShape: Shape;
  /** All keys or values. */
  readonly keysShape: Shape;

  constructor(graph: Graph, sizes: AttentionSizes) {
    const { batch, blockTime, blocks, heads, keyValueHeads, headSize } = sizes;
    this.#graph = graph;
    this.#sizes = sizes;
    this.#rows = product(heads / keyValueHeads, blockTime);
    this.pieceShape = [batch, keyValueHeads, this.#rows, headSize];
    this.keysShape = [batch, keyValueHeads, product(blocks, blockTime), headSize];
  }

  /** How many columns a block sees. */
  columns(block: number): Dimension {
    return product(block + 1, this.#sizes.blockTime);
  }

  seenShape(block: number): Shape {
    return [this.#sizes.batch, this.#sizes.keyValueHeads, this.columns(block), this.#sizes.headSize];
  }

  squareShape(block: number): Shape {
    return [this.#sizes.batch, this.#sizes.keyValueHeads, this.#rows, this.columns(block)];
  }

  /** [B, T, heads·D] → one [B, keyValueHeads, group·t, D] per block. */
  toPieces(x: Value): Value[] {
    const { batch, blockTime, blocks, heads, keyValueHeads, headSize } = this.#sizes;
    const split = this.#graph.reshape(x, [batch, blocks, blockTime, keyValueHeads, heads / keyValueHeads, headSize]);
    const ordered = this.#graph.transpose(split, [0, 3, 1, 4, 2, 5]);
    if (blocks === 1) return [this.#graph.reshape(ordered, this.pieceShape)];
    const stacked = this.#graph.reshape(ordered, [batch, keyValueHeads, blocks, this.#rows, headSize]);
    const shapes = new Array<Shape>(blocks).fill([batch, keyValueHeads, 1, this.#rows, headSize]);
    const pieces = this.#graph.nodes("Split", [stacked], shapes, { attributes: { axis: 2, num_outputs: blocks } });
    return pieces.map((piece) => this.#graph.reshape(piece, this.pieceShape));
  }

  fromPieces(pieces: Value[], shape: Shape): Value {
    const { batch, blockTime, blocks, heads, keyValueHeads, headSize } = this.#sizes;
    const joinedShape = [batch, keyValueHeads, product(blocks, this.#rows), headSize];
    const joined = blocks === 1 ? pieces[0] : this.#graph.node("Concat", pieces, joinedShape, { attributes: { axis: 2 } });
    const ordered = this.#graph.reshape(joined, [batch, keyValueHeads, blocks, heads / keyValueHeads, blockTime, headSize]);
    return this.#graph.reshape(this.#graph.transpose(ordered, [0, 2, 4, 1, 3, 5]), shape);
  }

  /** [B, T, keyValueHeads·D] → [B, keyValueHeads, T, D]. */
  toKeys(x: Value): Value {
    const { batch, blockTime, blocks, keyValueHeads, headSize } = this.#sizes;
    const split = this.#graph.reshape(x, [batch, product(blocks, blockTime), keyValueHeads, headSize]);
    return this.#graph.transpose(split, [0, 2, 1, 3]);
  }

  /** Sums what the blocks contribute; each covers the columns it sees. */
  fromKeys(parts: Value[], shape: Shape): Value {
    const { blocks, blockTime } = this.#sizes;
    const whole = parts.map((part, block) => {
      if (block === blocks - 1) return part;
      const padding = this.#graph.dimensions([0, 0, 0, 0, 0, 0, product(blocks - 1 - block, blockTime), 0]);
      return this.#graph.node("Pad", [part, padding], this.keysShape);
    });
    const sum = blocks === 1 ? whole[0] : this.#graph.node("Sum", whole, this.keysShape);
    return this.#graph.reshape(this.#graph.transpose(sum, [0, 2, 1, 3]), shape);
  }

  /** The keys or values that a block sees. */
  seen(x: Value, block: number): Value {
    return block === this.#sizes.blocks - 1 ? x : this.cut(x, 2, [0], [this.columns(block)], this.seenShape(block));
  }

  /** Every block has the same triangle at its right end, so its limits are the right end of the last block's. */
  limitsOf(limits: Value, block: number): Value {
    const { blocks, blockTime } = this.#sizes;
    if (block === blocks - 1) return limits;
    const start = product(blocks - 1 - block, blockTime);
    return this.cut(limits, 1, [start], [product(blocks, blockTime)], [blockTime, this.columns(block)]);
  }

  cut(x: Value, axis: number, start: Shape, end: Shape, shape: Shape): Value {
    const graph = this.#graph;
    return graph.node("Slice", [x, graph.dimensions(start), graph.dimensions(end), graph.integers([axis])], shape);
  }
}

/** The input `limits` of `causalAttention` for blocks of this many columns. */
export function causalLimits(blockTime: number, blocks: number): Float32Array {
  const time = blockTime * blocks;
  const limits = new Float32Array(blockTime * time).fill(anyScore);
  for (let row = 0; row < blockTime; row++) limits.fill(hiddenScore, row * time + time - blockTime + row + 1, (row + 1) * time);
  return limits;
}

/** How many blocks pay for themselves at this length: each costs some copying, and saves nothing where attention is cheap. */
export function blocksFor(time: number): number {
  if (time < 48) return 1;
  return time < 192 ? 2 : 4;
}
