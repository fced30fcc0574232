/** Reads and writes safetensors files tensor by tensor: float32, bfloat16 and float16 come in as float32, float32 goes out. */
import { type FileHandle, open } from "node:fs/promises";
import { replaceLargeFile } from "#files/durable.ts";
import { fileFailure } from "#files/file-failures.ts";
import { bugError, userError } from "#kernel/errors.ts";
import { malformed, maxHeaderBytes, parseHeader, type TensorEntry } from "./safetensors-header.ts";

export interface Tensor {
  shape: number[];
  /** Row-major. */
  data: Float32Array;
}

/** Bytes moved by one read or write: far below the 2 GiB a single call can take. */
const chunkBytes = 1 << 24;

/**
 * Room for numbers that other code may hold by address: V8 may move very small arrays, so none is smaller than 128 bytes.
 */
export function allocateFloats(length: number): Float32Array<ArrayBuffer> {
  return new Float32Array(new ArrayBuffer(Math.max(128, length * 4)), 0, length);
}

/** One open file. Nothing but the header is in memory until a tensor is read. */
export class SafetensorsFile {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly #handle: FileHandle;

  private constructor(path: string, handle: FileHandle, header: ReturnType<typeof parseHeader>) {
    this.path = path;
    this.#handle = handle;
    this.tensors = header.tensors;
    this.metadata = header.metadata;
  }

  /** Opens the file, hands it to `body`, and closes it again whatever happens. */
  static async use<Result>(path: string, body: (file: SafetensorsFile) => Result | Promise<Result>): Promise<Result> {
    const file = await SafetensorsFile.open(path);
    try {
      return await body(file);
    } finally {
      await file.close();
    }
  }

  /** @throws userError naming file and tensor when the file is missing, truncated or malformed */
  static async open(path: string): Promise<SafetensorsFile> {
    const handle = await open(path, "r").catch((error: unknown) => {
      throw fileFailure(error, `read ${path}`);
    });
    try {
      const { size } = await handle.stat();
      const prefix = new Uint8Array(8);
      if (size < 8) throw malformed(path, `the file is only ${size} bytes long`);
      await readFully(handle, prefix, 0, path, "the header's length");
      const length = Number(new DataView(prefix.buffer).getBigUint64(0, true));
      if (length > maxHeaderBytes) throw malformed(path, `the header claims ${length} bytes, more than any real one`);
      if (8 + length > size) throw malformed(path, `the header claims ${length} bytes, but the file has only ${size}`);
      const bytes = new Uint8Array(length);
      await readFully(handle, bytes, 8, path, "the header");
      return new SafetensorsFile(path, handle, parseHeader(decodeText(bytes, path), 8 + length, size, path));
    } catch (error) {
      await handle.close();
      throw fileFailure(error, `read ${path}`);
    }
  }

  /** @throws userError when there is no such tensor, its dtype is not a 16 or 32 bit float, or the file ends early */
  async read(name: string): Promise<Tensor> {
    const entry = this.tensors.get(name);
    if (entry === undefined) throw malformed(this.path, `there is no tensor ${name}`);
    const { shape, dtype } = entry;
    const data = allocateFloats(elementsOf(shape));
    if (dtype === "F32") {
      await this.#readBytes(new Uint8Array(data.buffer, 0, data.byteLength), entry.begin, name);
    } else if (dtype === "BF16" || dtype === "F16") {
      const convert = dtype === "BF16" ? widenBfloat16 : widenFloat16;
      const piece = new Uint16Array(Math.min(data.length, chunkBytes / 2));
      for (let start = 0; start < data.length; start += piece.length) {
        const part = piece.subarray(0, Math.min(piece.length, data.length - start));
        await this.#readBytes(new Uint8Array(part.buffer, 0, part.byteLength), entry.begin + start * 2, name);
        convert(part, data.subarray(start, start + part.length));
      }
    } else {
      throw userError(
        "safetensors-dtype",
        `${this.path}: tensor ${name} has dtype ${dtype}; only F32, BF16 and F16 can be read.`,
        "Convert the checkpoint to float32, bfloat16 or float16.",
      );
    }
    return { shape: [...shape], data };
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #readBytes(target: Uint8Array, position: number, name: string): Promise<void> {
    for (let start = 0; start < target.length; start += chunkBytes) {
      const part = target.subarray(start, Math.min(start + chunkBytes, target.length));
      await readFully(this.#handle, part, position + start, this.path, `tensor ${name}`);
    }
  }
}

async function readFully(handle: FileHandle, target: Uint8Array, position: number, path: string, what: string): Promise<void> {
  let done = 0;
  while (done < target.length) {
    const { bytesRead } = await handle.read(target, done, target.length - done, position + done).catch((error: unknown) => {
      throw fileFailure(error, `read ${path}`);
    });
    if (bytesRead === 0) throw malformed(path, `the file ends in the middle of ${what}`);
    done += bytesRead;
  }
}

function decodeText(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw malformed(path, "the header is not UTF-8 text", cause);
  }
}

/** A bfloat16 is the upper half of a float32. */
function widenBfloat16(source: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let index = 0; index < source.length; index++) bits[index] = source[index] << 16;
}

let float16Values: Float32Array | undefined;

function widenFloat16(source: Uint16Array, target: Float32Array): void {
  float16Values ??= Float32Array.from({ length: 65_536 }, (_, bits) => float16Value(bits));
  for (let index = 0; index < source.length; index++) target[index] = float16Values[source[index]];
}

function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * Writes float32 tensors atomically: the file at `path` is the old one or the complete new one. Bytes go out straight from the
 * tensors' own memory.
 *
 * @throws userError naming the path when the disk is full or the folder cannot be written
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = { format: "pt" },
): Promise<void> {
  const header = encodeHeader(tensors, metadata);
  await replaceLargeFile(path, async (handle) => {
    await writeFully(handle, header);
    for (const { data } of tensors.values()) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      for (let start = 0; start < bytes.length; start += chunkBytes) {
        await writeFully(handle, bytes.subarray(start, Math.min(start + chunkBytes, bytes.length)));
      }
    }
  });
}

async function writeFully(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
}

function encodeHeader(tensors: ReadonlyMap<string, Tensor>, metadata: Readonly<Record<string, string>>): Uint8Array {
  const entries: [string, unknown][] = [["__metadata__", metadata]];
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    const elements = elementsOf(shape);
    if (elements !== data.length) {
      throw bugError("safetensors-shape", `Tensor ${name} has shape [${shape.join(", ")}] but ${data.length} numbers.`);
    }
    entries.push([name, { dtype: "F32", shape, data_offsets: [offset, offset + data.byteLength] }]);
    offset += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  // Spaces up to a multiple of eight keep the tensors aligned for readers that map the file.
  const length = Math.ceil(text.length / 8) * 8;
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, 8);
  return header;
}

/** How many numbers a tensor of this shape holds. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
