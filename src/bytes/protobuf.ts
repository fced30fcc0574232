/**
 * Protocol buffers without a schema: the fields of a message written and read one by one. Which number is which field, and of what type,
 * the caller knows. ONNX files, TensorBoard's events and services that speak protobuf are made of these.
 */

/** How a field's content is laid out; the groups of old, 3 and 4, are not read. */
export const wireType = { varint: 0, eightBytes: 1, length: 2, fourBytes: 5 } as const;

/** A message that grows field by field. Nothing is left out by itself, not even a 0. */
export class ProtobufWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  /** The message so far; a view, until more is written. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /**
   * A whole number below 2^53; negative ones take the ten bytes of their two's complement (int32 and int64, not sint).
   *
   * @throws RangeError for any other number
   */
  integer(field: number, value: number): void {
    this.#key(field, wireType.varint);
    this.#integer(value);
  }

  boolean(field: number, value: boolean): void {
    this.integer(field, value ? 1 : 0);
  }

  /** 32 bits. */
  float(field: number, value: number): void {
    this.#key(field, wireType.fourBytes);
    this.#raw(littleEndian(4, (view) => view.setFloat32(0, value, true)));
  }

  /** 64 bits. */
  double(field: number, value: number): void {
    this.#key(field, wireType.eightBytes);
    this.#raw(littleEndian(8, (view) => view.setFloat64(0, value, true)));
  }

  text(field: number, value: string): void {
    this.block(field, new TextEncoder().encode(value));
  }

  block(field: number, content: Uint8Array): void {
    this.#key(field, wireType.length);
    this.#integer(content.length);
    this.#raw(content);
  }

  message(field: number, write: (inner: ProtobufWriter) => void): void {
    const inner = new ProtobufWriter();
    write(inner);
    this.block(field, inner.bytes());
  }

  /** A repeated field of whole numbers in one block, as proto3 has them; nothing where there are none. */
  packedIntegers(field: number, values: Iterable<number>): void {
    const inner = new ProtobufWriter();
    for (const value of values) inner.#integer(value);
    if (inner.#length > 0) this.block(field, inner.bytes());
  }

  /** The same of 32-bit floats. */
  packedFloats(field: number, values: ArrayLike<number>): void {
    if (values.length === 0) return;
    const fill = (view: DataView) => {
      for (let index = 0; index < values.length; index++) view.setFloat32(4 * index, values[index], true);
    };
    this.block(field, littleEndian(4 * values.length, fill));
  }

  #key(field: number, type: number): void {
    this.#integer(field * 8 + type);
  }

  #integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no whole number below 2^53`);
    this.#reserve(10);
    if (value < 0) {
      let rest = BigInt.asUintN(64, BigInt(value));
      for (let index = 0; index < 9; index++) {
        this.#bytes[this.#length++] = Number(rest & 127n) | 128;
        rest >>= 7n;
      }
      this.#bytes[this.#length++] = Number(rest);
      return;
    }
    // Without bit operations, which end at 32 bits.
    for (; value >= 128; value = Math.floor(value / 128)) this.#bytes[this.#length++] = (value % 128) + 128;
    this.#bytes[this.#length++] = value;
  }

  #raw(content: Uint8Array): void {
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

function littleEndian(size: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size);
  fill(new DataView(bytes.buffer));
  return bytes;
}

/** One field as it was met. Its content is read as what the caller knows it to be. */
export class ProtobufField {
  readonly number: number;
  readonly wireType: number;
  readonly #varint: bigint;
  readonly #bytes: Uint8Array;

  constructor(number: number, type: number, varint: bigint, bytes: Uint8Array) {
    this.number = number;
    this.wireType = type;
    this.#varint = varint;
    this.#bytes = bytes;
  }

  /** A signed whole number (int32, int64, enum); beyond 2^53 the nearest double. */
  integer(): number {
    return signed(this.#varint);
  }

  boolean(): boolean {
    return this.#varint !== 0n;
  }

  /** A float or a double, as the wire type says. */
  real(): number {
    const view = viewOf(this.#bytes);
    return this.wireType === wireType.fourBytes ? view.getFloat32(0, true) : view.getFloat64(0, true);
  }

  /** A view, not a copy. */
  block(): Uint8Array {
    return this.#bytes;
  }

  text(): string {
    // A mark of byte order is a character of the text here.
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.#bytes);
  }

  message(): ProtobufField[] {
    return readProtobuf(this.#bytes);
  }

  /** One of a repeated field, or all of them in one block: readers take both. */
  integers(): number[] {
    if (this.wireType !== wireType.length) return [this.integer()];
    const cursor = new Cursor(this.#bytes);
    const values: number[] = [];
    while (!cursor.isAtEnd) values.push(signed(cursor.varint()));
    return values;
  }

  /** The same of 32-bit floats. */
  floats(): Float32Array {
    if (this.#bytes.length % 4 !== 0) throw new RangeError("a block of floats ends inside of one");
    const view = viewOf(this.#bytes);
    return Float32Array.from({ length: this.#bytes.length / 4 }, (_, index) => view.getFloat32(4 * index, true));
  }
}

/**
 * The fields of a message in order, repeated ones each.
 *
 * @throws RangeError where the bytes end early or are no message
 */
export function readProtobuf(bytes: Uint8Array): ProtobufField[] {
  const cursor = new Cursor(bytes);
  const fields: ProtobufField[] = [];
  while (!cursor.isAtEnd) {
    const key = Number(cursor.varint());
    const type = key % 8;
    const number = Math.floor(key / 8);
    if (number === 0) throw new RangeError("a field of number 0");
    if (type === wireType.varint) fields.push(new ProtobufField(number, type, cursor.varint(), noBytes));
    else if (type === wireType.length) fields.push(new ProtobufField(number, type, 0n, cursor.take(Number(cursor.varint()))));
    else if (type === wireType.fourBytes) fields.push(new ProtobufField(number, type, 0n, cursor.take(4)));
    else if (type === wireType.eightBytes) fields.push(new ProtobufField(number, type, 0n, cursor.take(8)));
    else throw new RangeError(`a field of wire type ${type}`);
  }
  return fields;
}

const noBytes = new Uint8Array(0);

class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.isAtEnd) throw new RangeError("the message ends inside of a number");
      const byte = this.#bytes[this.#at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new RangeError("a number of more than ten bytes");
  }

  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new RangeError("the message ends inside of a field");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

function signed(value: bigint): number {
  return Number(BigInt.asIntN(64, value));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
