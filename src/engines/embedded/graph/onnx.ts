/** Writes an ONNX model file: the small part of the protocol-buffer schema that a float graph needs, and nothing else. */
import { ProtobufWriter } from "#bytes/protobuf.ts";

export type ElementType = "float32" | "int32" | "int64" | "bool";

export type Attribute = number | string | readonly number[] | { float: number };

export interface OnnxNode {
  operator: string;
  domain: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Readonly<Record<string, Attribute>>;
}

/** A named tensor; a string dimension is symbolic and is bound when the graph runs. */
export interface OnnxTensorInfo {
  name: string;
  type: ElementType;
  shape: readonly (number | string)[];
}

export interface OnnxConstant {
  name: string;
  type: ElementType;
  shape: readonly number[];
  data: Float32Array | Int32Array | BigInt64Array;
}

export interface OnnxGraph {
  inputs: readonly OnnxTensorInfo[];
  outputs: readonly OnnxTensorInfo[];
  constants: readonly OnnxConstant[];
  nodes: readonly OnnxNode[];
}

const elementTypeCode: Record<ElementType, number> = { float32: 1, int32: 6, int64: 7, bool: 9 };

/** Contrib operators of ONNX Runtime live in their own domain, with their own version. */
export const contribDomain = "com.microsoft";

const attributeType = { float: 1, integer: 2, string: 3, integers: 7 };
const intermediateRepresentationVersion = 9;
const standardOpset = 21;

function writeAttribute(writer: ProtobufWriter, name: string, value: Attribute): void {
  writer.text(1, name);
  if (typeof value === "number") {
    writer.integer(3, value);
    writer.integer(20, attributeType.integer);
  } else if (typeof value === "string") {
    writer.text(4, value);
    writer.integer(20, attributeType.string);
  } else if ("float" in value) {
    writer.float(2, value.float);
    writer.integer(20, attributeType.float);
  } else {
    for (const item of value) writer.integer(8, item);
    writer.integer(20, attributeType.integers);
  }
}

function writeTensorInfo(writer: ProtobufWriter, info: OnnxTensorInfo): void {
  writer.text(1, info.name);
  writer.message(2, (type) =>
    type.message(1, (tensor) => {
      tensor.integer(1, elementTypeCode[info.type]);
      tensor.message(2, (shape) => {
        for (const dimension of info.shape) {
          shape.message(1, (entry) => {
            if (typeof dimension === "number") entry.integer(1, dimension);
            else entry.text(2, dimension);
          });
        }
      });
    }),
  );
}

/** A model's bytes, and the large constants that it names but does not hold. */
export interface EncodedOnnx {
  model: Uint8Array;
  /** In place: the data may change once the model was loaded, and the model does not see it. */
  external: { path: string; data: Uint8Array }[];
}

/** Constants from this size on stay where they are. */
const externalBytes = 4096;
const externalLocation = 1;

/** The ONNX file that holds this graph. */
export function encodeOnnx(graph: OnnxGraph): EncodedOnnx {
  const model = new ProtobufWriter();
  const external: EncodedOnnx["external"] = [];
  model.integer(1, intermediateRepresentationVersion);
  model.text(2, "midcourse");
  model.message(7, (body) => {
    for (const node of graph.nodes) {
      body.message(1, (entry) => {
        for (const input of node.inputs) entry.text(1, input);
        for (const output of node.outputs) entry.text(2, output);
        entry.text(4, node.operator);
        for (const [name, value] of Object.entries(node.attributes)) {
          entry.message(5, (attribute) => writeAttribute(attribute, name, value));
        }
        entry.text(7, node.domain);
      });
    }
    body.text(2, "graph");
    for (const constant of graph.constants) {
      body.message(5, (tensor) => {
        for (const dimension of constant.shape) tensor.integer(1, dimension);
        tensor.integer(2, elementTypeCode[constant.type]);
        tensor.text(8, constant.name);
        const bytes = new Uint8Array(constant.data.buffer, constant.data.byteOffset, constant.data.byteLength);
        if (bytes.length < externalBytes) {
          tensor.block(9, bytes);
          return;
        }
        external.push({ path: constant.name, data: bytes });
        for (const [key, value] of Object.entries({ location: constant.name, offset: "0", length: String(bytes.length) })) {
          tensor.message(13, (entry) => {
            entry.text(1, key);
            entry.text(2, value);
          });
        }
        tensor.integer(14, externalLocation);
      });
    }
    for (const input of graph.inputs) body.message(11, (entry) => writeTensorInfo(entry, input));
    for (const output of graph.outputs) body.message(12, (entry) => writeTensorInfo(entry, output));
  });
  for (const [domain, version] of [["", standardOpset] as const, [contribDomain, 1] as const]) {
    model.message(8, (entry) => {
      entry.text(1, domain);
      entry.integer(2, version);
    });
  }
  return { model: model.bytes(), external };
}
