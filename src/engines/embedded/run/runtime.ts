/** Runs graphs: the seam between the engine and what executes tensors, and its implementation on ONNX Runtime's Node binding. */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { bugError } from "#kernel/errors.ts";
import { evaluateDimension, type Graph, type Shape } from "../graph/graph.ts";
import { encodeOnnx, type OnnxTensorInfo } from "../graph/onnx.ts";

/** A `Uint8Array` holds truth values. */
export type TensorData = Float32Array | Int32Array | BigInt64Array | Uint8Array;
export type Bindings = Readonly<Record<string, number>>;

export interface Executable {
  /**
   * Feeds every input of the graph by name; the data is read in place. `bindings` gives the symbols their numbers.
   * The outputs belong to the caller.
   */
  run(feeds: Readonly<Record<string, TensorData>>, bindings: Bindings): Promise<Record<string, TensorData>>;
  close(): Promise<void>;
}

export interface Backend {
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>;
}

export interface CompileOptions {
  /** Writes ONNX Runtime's profile to files that begin with this path. */
  profile?: string;
}

/** @param threads how many cores one operator may use */
export function onnxRuntimeBackend(threads: number): Backend {
  return {
    async compile(graph, options = {}) {
      const { model, external } = encodeOnnx(graph.toOnnx());
      const session = await InferenceSession.create(model, {
        externalData: external,
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: "sequential",
        graphOptimizationLevel: "all",
        // Shapes change from run to run; a plan of all memory per shape would hold more than the arena needs.
        enableMemPattern: false,
        logSeverityLevel: 3,
        // Threads that wait by spinning take the cores from whoever has work, and equal shares wait for the slowest core; on a busy
        // machine the two cost more than half the speed.
        extra: { session: { intra_op: { allow_spinning: "0" }, dynamic_block_base: "4" } },
        ...(options.profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: options.profile }),
      });
      return new OnnxRuntimeExecutable(session, graph);
    },
  };
}

class OnnxRuntimeExecutable implements Executable {
  readonly #session: InferenceSession;
  readonly #inputs: readonly OnnxTensorInfo[];
  readonly #targetShapes: ReadonlyMap<string, Shape>;
  /** Parameters are fed again and again; their tensor objects are made once. */
  readonly #fixed = new Map<string, { data: TensorData; tensor: Tensor }>();

  constructor(session: InferenceSession, graph: Graph) {
    this.#session = session;
    const used = new Set(session.inputNames);
    this.#inputs = graph.inputs.filter((input) => used.has(input.name));
    this.#targetShapes = new Map(graph.shapeInputs.map((input) => [input.name, input.shape]));
  }

  async run(feeds: Readonly<Record<string, TensorData>>, bindings: Bindings): Promise<Record<string, TensorData>> {
    const tensors: Record<string, Tensor> = {};
    for (const input of this.#inputs) tensors[input.name] = this.#tensor(input, feeds, bindings);
    const outputs = await this.#session.run(tensors);
    const result: Record<string, TensorData> = {};
    for (const name of Object.keys(outputs)) result[name] = outputs[name].data as TensorData;
    return result;
  }

  #tensor(input: OnnxTensorInfo, feeds: Readonly<Record<string, TensorData>>, bindings: Bindings): Tensor {
    const target = this.#targetShapes.get(input.name);
    if (target !== undefined) {
      const numbers = target.map((dimension) => BigInt(evaluateDimension(dimension, bindings)));
      return new Tensor("int64", BigInt64Array.from(numbers), [numbers.length]);
    }
    const data = feeds[input.name];
    if (data === undefined) throw bugError("graph-input", `The graph's input ${input.name} was not given.`);
    const symbolic = input.shape.some((dimension) => typeof dimension === "string");
    const known = symbolic ? undefined : this.#fixed.get(input.name);
    if (known?.data === data) return known.tensor;
    const dimensions = input.shape.map((dimension) => evaluateDimension(dimension, bindings));
    const tensor = new Tensor(input.type as "float32", data as Float32Array, dimensions);
    if (!symbolic) this.#fixed.set(input.name, { data, tensor });
    return tensor;
  }

  async close(): Promise<void> {
    this.#fixed.clear();
    await this.#session.release();
  }
}
