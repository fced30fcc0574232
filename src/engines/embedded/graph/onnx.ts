/** Writes an ONNX model file: the small part of the protocol-buffer schema that a float graph needs, and nothing else. */

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

/** A growing byte buffer with the protocol-buffer primitives. */
class Writer {
  #bytes = new Uint8Array(1024);
  #length = 0;

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  varint(value: number): void {
    this.#reserve(10);
    while (value >= 128) {
      this.#bytes[this.#length++] = (value % 128) + 128;
      value = Math.floor(value / 128);
    }
    this.#bytes[this.#length++] = value;
  }

  /** Negative numbers take the ten bytes of their two's complement. */
  integer(field: number, value: number): void {
    this.varint(field * 8);
    if (value >= 0) {
      this.varint(value);
      return;
    }
    this.#reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    for (let index = 0; index < 9; index++) {
      this.#bytes[this.#length++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  float(field: number, value: number): void {
    this.varint(field * 8 + 5);
    this.raw(new Uint8Array(new Float32Array([value]).buffer));
  }

  text(field: number, value: string): void {
    this.block(field, new TextEncoder().encode(value));
  }

  block(field: number, content: Uint8Array): void {
    this.varint(field * 8 + 2);
    this.varint(content.length);
    this.raw(content);
  }

  message(field: number, write: (inner: Writer) => void): void {
    const inner = new Writer();
    write(inner);
    this.block(field, inner.bytes());
  }

  raw(content: Uint8Array): void {
    this.#reserve(content.length);
    this.#bytes.set(content, this.#length);
    this.#length += content.length;
  }

  #reserve(extra: number): void {
    if (this.#length + extra <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + extra));
    larger.set(this.bytes());
    this.#bytes = larger;
  }
}

function writeAttribute(writer: Writer, name: string, value: Attribute): void {
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

function writeTensorInfo(writer: Writer, info: OnnxTensorInfo): void {
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
  const model = new Writer();
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
