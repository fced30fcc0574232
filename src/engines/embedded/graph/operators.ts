/**
 * The differentiable operators of a decoder, each with its forward nodes and its hand-written derivative.
 * Matrices are row-major; B batch, T time, N = B·T rows, D head size.
 */
import { type Graph, product, type Shape, type Value } from "./graph.ts";
import { contribDomain } from "./onnx.ts";

export function add(graph: Graph, first: Value, second: Value): Value {
  const sum = graph.node("Add", [first, second], first.shape);
  return graph.record(sum, [first, second], (gradient) => [gradient, gradient]);
}

export interface MatrixOptions {
  transposeFirst?: boolean;
  transposeSecond?: boolean;
  scale?: number;
}

/** alpha · op(a) op(b) over the last two dimensions, not on the tape. */
export function multiply(graph: Graph, a: Value, b: Value, shape: Shape, options: MatrixOptions = {}): Value {
  const { transposeFirst = false, transposeSecond = false, scale = 1 } = options;
  if (!transposeFirst && !transposeSecond && scale === 1) return graph.node("MatMul", [a, b], shape);
  return graph.node("FusedMatMul", [a, b], shape, {
    domain: contribDomain,
    attributes: { transA: Number(transposeFirst), transB: Number(transposeSecond), alpha: { float: scale } },
  });
}

/** Low-rank update of a linear map: `scale · (x downᵀ) upᵀ`; down [r, in], up [out, r]. */
export interface LowRank {
  down: Value;
  up: Value;
  scale: number;
  /** The update sees only those numbers of x that `kept` [N, in] (bool) names, each divided by the `share` that is kept on average. */
  dropout?: { kept: Value; share: number };
}

/** x [N, in], weight [out, in] → x weightᵀ (+ bias) (+ low-rank update) [N, out]. */
export function linear(graph: Graph, x: Value, weight: Value, bias?: Value, lowRank?: LowRank): Value {
  const shape = [x.shape[0], weight.shape[0]];
  let output = multiply(graph, x, weight, shape, { transposeSecond: true });
  const { dropout } = lowRank ?? {};
  const thinned = (value: Value) =>
    dropout ? graph.node("Where", [dropout.kept, value, graph.constant(new Float32Array(1), [1])], value.shape) : value;
  const scale = (lowRank?.scale ?? 1) / (dropout?.share ?? 1);
  const inner =
    lowRank && multiply(graph, thinned(x), lowRank.down, [x.shape[0], lowRank.down.shape[0]], { transposeSecond: true, scale });
  if (lowRank && inner) {
    output = graph.node("Add", [output, multiply(graph, inner, lowRank.up, shape, { transposeSecond: true })], shape);
  }
  if (bias) output = graph.node("Add", [output, bias], shape);
  const inputs = [x, weight, ...(bias ? [bias] : []), ...(lowRank ? [lowRank.down, lowRank.up] : [])];
  return graph.record(output, inputs, (gradient) => {
    let gradientX = multiply(graph, gradient, weight, x.shape);
    const gradients: (Value | undefined)[] = [multiply(graph, gradient, x, weight.shape, { transposeFirst: true })];
    if (bias)
      gradients.push(graph.node("ReduceSum", [gradient, graph.integers([0])], bias.shape, { attributes: { keepdims: 0 } }));
    if (lowRank && inner) {
      const gradientInner = multiply(graph, gradient, lowRank.up, inner.shape, { scale });
      gradientX = graph.node("Add", [gradientX, thinned(multiply(graph, gradientInner, lowRank.down, x.shape))], x.shape);
      gradients.push(multiply(graph, gradientInner, thinned(x), lowRank.down.shape, { transposeFirst: true }));
      gradients.push(multiply(graph, gradient, inner, lowRank.up.shape, { transposeFirst: true }));
    }
    return [gradientX, ...gradients];
  });
}

/** Root-mean-square norm over the last dimension: x · r · weight with r = 1/√(mean x² + ε). */
export function rmsNorm(graph: Graph, x: Value, weight: Value, epsilon: number): Value {
  const rowShape = [...x.shape.slice(0, -1), 1];
  const [y, r] = graph.nodes("SimplifiedLayerNormalization", [x, weight], [x.shape, rowShape], {
    attributes: { axis: -1, epsilon: { float: epsilon }, stash_type: 1 },
  });
  return graph.record(y, [x, weight], (gradient) => {
    const width = x.shape[x.shape.length - 1] as number;
    const rows = product(...x.shape.slice(0, -1));
    const products = graph.node("Mul", [gradient, x], x.shape);
    // Sums over rows and over columns are matrix–vector products: ∂weight = Σ_rows gradient · x · r, and per row s = Σ gradient · x · weight.
    const flat = graph.reshape(products, [rows, width]);
    const gradientWeight = graph.reshape(multiply(graph, graph.reshape(r, [1, rows]), flat, [1, width]), [width]);
    const column = graph.reshape(graph.node("Mul", [weight, graph.scalar(1 / width)], weight.shape), [width, 1]);
    const mean = graph.node("MatMul", [products, column], rowShape);
    // ∂x = r · gradient · weight − x · r³ · s / width
    const cube = graph.node("Mul", [graph.node("Mul", [r, r], rowShape), r], rowShape);
    const direct = graph.node("Mul", [graph.node("Mul", [gradient, weight], x.shape), r], x.shape);
    const projected = graph.node("Mul", [x, graph.node("Mul", [mean, cube], rowShape)], x.shape);
    return [graph.node("Sub", [direct, projected], x.shape), gradientWeight];
  });
}

/** Cosine and sine tables [positions, D/2] and the row of the table that each token uses ([B, T], or [1] for 0, 1, 2, …). */
export interface Rotation {
  cosines: Value;
  sines: Value;
  positions: Value;
}

/** Rotary position embedding of x [B, T, heads·D]: the first half of each head is rotated against its second half. */
export function rotate(graph: Graph, x: Value, rotation: Rotation): Value {
  const { cosines, sines, positions } = rotation;
  const options = { domain: contribDomain, attributes: { interleaved: 0 } };
  const output = graph.node("RotaryEmbedding", [x, positions, cosines, sines], x.shape, options);
  return graph.record(output, [x], (gradient) => {
    // The transpose of a rotation is the rotation by the opposite angle.
    const opposite = graph.node("Neg", [sines], sines.shape);
    return [graph.node("RotaryEmbedding", [gradient, positions, cosines, opposite], x.shape, options)];
  });
}

/** silu(gate) · up with silu(z) = z · sigmoid(z). */
export function swiGlu(graph: Graph, gate: Value, up: Value): Value {
  const shape = gate.shape;
  const silu = graph.node("QuickGelu", [gate], shape, { domain: contribDomain, attributes: { alpha: { float: 1 } } });
  return graph.record(graph.node("Mul", [silu, up], shape), [gate, up], (gradient) => {
    const sigmoid = graph.node("Sigmoid", [gate], shape);
    // silu' = sigmoid + silu · (1 − sigmoid) = sigmoid + silu − silu · sigmoid
    const slope = graph.node(
      "Add",
      [sigmoid, graph.node("Sub", [silu, graph.node("Mul", [silu, sigmoid], shape)], shape)],
      shape,
    );
    const gradientGate = graph.node("Mul", [graph.node("Mul", [gradient, up], shape), slope], shape);
    return [gradientGate, graph.node("Mul", [gradient, silu], shape)];
  });
}

/**
 * Rows of x [N, d] at `rows` [R]. `places` [N] is the inverse: where each row of x went, or R where it went nowhere, so that the gradient
 * is a gather too.
 */
export function gatherRows(graph: Graph, x: Value, rows: Value, places: Value): Value {
  const shape = [rows.shape[0], x.shape[1]];
  return graph.record(graph.node("Gather", [x, rows], shape, { attributes: { axis: 0 } }), [x], (gradient) => {
    const width = x.shape[1] as number;
    const zeros = graph.constant(new Float32Array(width), [1, width]);
    const padded = graph.node("Concat", [gradient, zeros], ["R+1", width], { attributes: { axis: 0 } });
    return [graph.node("Gather", [padded, places], x.shape, { attributes: { axis: 0 } })];
  });
}

/** What the output head leaves behind for its derivative. */
export interface TokenLogprobs {
  /** log p of each target, [R]. */
  logprobs: Value;
  /**
   * For weights [R], the gradient of Σ weight · log p: of the rows [R, d]; the dense part of the head's [V, d]; and rows [R, d] that
   * must be added to the head's gradient at the targets' rows.
   */
  backward(weights: Value): { rows: Value; head: Value; targetRows: Value };
}

/** Log-probabilities of targets [R] under softmax(x headᵀ), x [R, d], head [V, d]. */
export function tokenLogprobs(graph: Graph, x: Value, head: Value, targets: Value): TokenLogprobs {
  const count = x.shape[0];
  const vocabulary = head.shape[0];
  const { logits, probabilities, logNormaliser } = softmaxHead(graph, x, head);
  const column = graph.reshape(targets, [count, 1]);
  const chosen = graph.node("GatherElements", [logits, column], [count, 1], { attributes: { axis: 1 } });
  const logprobs = graph.reshape(graph.node("Sub", [chosen, logNormaliser], [count, 1]), [count]);
  return {
    logprobs,
    backward: (weights) => {
      // d log p = onehot − p, kept as two terms so that no second matrix of logits' size is made.
      const weightColumn = graph.reshape(weights, [count, 1]);
      const targetHead = graph.node("Gather", [head, targets], x.shape, { attributes: { axis: 0 } });
      const expected = multiply(graph, probabilities, head, x.shape);
      const rows = graph.node("Mul", [graph.node("Sub", [targetHead, expected], x.shape), weightColumn], x.shape);
      const targetRows = graph.node("Mul", [x, weightColumn], x.shape);
      const dense = multiply(graph, probabilities, targetRows, [vocabulary, head.shape[1]], { transposeFirst: true, scale: -1 });
      return { rows, head: dense, targetRows };
    },
  };
}

/** Softmax of logits [R, V] (of `x headᵀ` when a head is given) and the logarithm of its normaliser [R, 1]. */
export function softmaxHead(graph: Graph, x: Value, head?: Value): { logits: Value; probabilities: Value; logNormaliser: Value } {
  const logits = head ? multiply(graph, x, head, [x.shape[0], head.shape[0]], { transposeSecond: true }) : x;
  const probabilities = graph.node("Softmax", [logits], logits.shape, { attributes: { axis: -1 } });
  // The largest probability is exp(largest logit − log normaliser), so the normaliser costs two cheap reductions and stays exact.
  const rowShape = [x.shape[0], 1];
  const largest = (value: Value) =>
    graph.node("ReduceMax", [value, graph.integers([-1])], rowShape, { attributes: { keepdims: 1 } });
  const logNormaliser = graph.node("Sub", [largest(logits), graph.node("Log", [largest(probabilities)], rowShape)], rowShape);
  return { logits, probabilities, logNormaliser };
}
