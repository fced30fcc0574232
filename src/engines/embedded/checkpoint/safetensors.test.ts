import { mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MidcourseError } from "#kernel/errors.ts";
import { SafetensorsFile, type Tensor, writeSafetensors } from "./safetensors.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcourse-safetensors-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function readAll(path: string): Promise<Map<string, Tensor>> {
  return SafetensorsFile.use(path, async (file) => {
    const result = new Map<string, Tensor>();
    for (const name of file.tensors.keys()) result.set(name, await file.read(name));
    return result;
  });
}

async function errorOf(path: string): Promise<MidcourseError> {
  const error = await readAll(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (MidcourseError.isInstance(error)) return error;
  throw error ?? new Error("no error was thrown");
}

/** A file with any header text and data, to break the rules one by one. */
async function rawFile(header: unknown, data: Uint8Array, name = "raw.safetensors"): Promise<string> {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

const tensor = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }).chain((shape) =>
  fc
    .float32Array({
      minLength: shape.reduce((a, b) => a * b, 1),
      maxLength: shape.reduce((a, b) => a * b, 1),
    })
    .map((data): Tensor => ({ shape, data })),
);
const tensors = fc
  .uniqueArray(fc.tuple(fc.string({ unit: "binary" }), tensor), { selector: ([name]) => name, maxLength: 6 })
  .map((list) => new Map(list.filter(([name]) => name !== "__metadata__" && name.isWellFormed())));

describe("safetensors", () => {
  it("gives back any tensors, names and metadata bit for bit", async () => {
    const path = join(folder, "round-trip.safetensors");
    await fc.assert(
      fc.asyncProperty(tensors, async (written) => {
        await writeSafetensors(path, written, { format: "pt", note: "ünï" });
        const read = await readAll(path);
        expect([...read.keys()].sort()).toEqual([...written.keys()].sort());
        for (const [name, { shape, data }] of written) {
          expect(read.get(name)!.shape).toEqual(shape);
          expect(bits(read.get(name)!.data)).toEqual(bits(data));
        }
        await SafetensorsFile.use(path, (file) =>
          expect(Object.fromEntries(file.metadata)).toEqual({ format: "pt", note: "ünï" }),
        );
        expect(
          JSON.parse(new TextDecoder().decode((await readFile(path)).subarray(8, 8 + (await headerLength(path))))),
        ).toBeTruthy();
        expect((8 + (await headerLength(path))) % 8).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("calls every truncation an error that names the file", async () => {
    const path = join(folder, "whole.safetensors");
    const cut = join(folder, "cut.safetensors");
    await writeSafetensors(
      path,
      new Map([
        ["a", vector(3)],
        ["b", vector(5)],
      ]),
    );
    const bytes = await readFile(path);
    for (let length = 0; length < bytes.length; length++) {
      await writeFile(cut, bytes.subarray(0, length));
      const error = await errorOf(cut);
      expect(error.family).toBe("user");
      expect(error.message).toContain(cut);
    }
    await writeFile(cut, Buffer.concat([bytes, Buffer.from([0])]));
    expect((await errorOf(cut)).message).toMatch(/belong to no tensor/);
  });

  it("never crashes on damaged headers: a clear error, or a file that still reads fully", async () => {
    const whole = join(folder, "undamaged.safetensors");
    const damaged = join(folder, "damaged.safetensors");
    await writeSafetensors(
      whole,
      new Map([
        ["weight", vector(4)],
        ["bias", vector(2)],
      ]),
    );
    const bytes = await readFile(whole);
    const headerEnd = 8 + (await headerLength(whole));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: headerEnd - 1 }), fc.integer({ min: 0, max: 255 }), async (position, value) => {
        const copy = Buffer.from(bytes);
        copy[position] = value;
        await writeFile(damaged, copy);
        const outcome = await readAll(damaged).catch((error: unknown) => error);
        if (outcome instanceof Map) expect([...outcome.values()].reduce((sum, { data }) => sum + data.length, 0)).toBe(6);
        else expect(MidcourseError.isInstance(outcome) && outcome.message.includes(damaged)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({ dtype: "F32", shape, data_offsets: [begin, end] });
  it.each<[string, unknown, number, RegExp]>([
    ["an overlap", { a: f32(0, 8), b: f32(4, 12) }, 12, /tensor b overlaps tensor a/],
    ["a gap", { a: f32(0, 4), b: f32(8, 12) }, 12, /gap between tensor a and tensor b/],
    ["a range behind the end", { a: f32(0, 16) }, 12, /tensor a needs bytes/],
    ["a range that runs backwards", { a: { dtype: "F32", shape: [0], data_offsets: [8, 4] } }, 8, /tensor a ends before/],
    ["a shape of another size", { a: f32(0, 8, [3]) }, 8, /tensor a of shape \[3\].*12 bytes but has 8/],
    ["a shape that overflows", { a: f32(0, 8, [2 ** 40, 2 ** 40]) }, 8, /tensor a of shape/],
    ["a negative size", { a: f32(0, 8, [-2]) }, 8, /tensor a has no valid shape/],
    ["an unknown dtype", { a: { ...f32(0, 8), dtype: "F33" } }, 8, /tensor a has the unknown dtype "F33"/],
    ["a dtype from the prototype chain", { a: { ...f32(0, 8), dtype: "toString" } }, 8, /tensor a has the unknown dtype/],
    ["missing offsets", { a: { dtype: "F32", shape: [2] } }, 8, /tensor a has no valid data_offsets/],
    ["three offsets", { a: { dtype: "F32", shape: [2], data_offsets: [0, 4, 8] } }, 8, /tensor a has no valid data_offsets/],
    ["an entry that is null", { a: null }, 0, /tensor a has the unknown dtype/],
    ["metadata that is not text", { __metadata__: { n: 3 } }, 0, /__metadata__ entry n/],
    ["metadata that is a list", { __metadata__: [] }, 0, /__metadata__/],
    ["a list", [], 0, /not a JSON object/],
    ["text that is not JSON", "{", 0, /not JSON/],
    ["bytes after the last tensor", { a: f32(0, 4) }, 8, /4 bytes follow tensor a/],
    [
      "the same name twice",
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0061" : {"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      4,
      /tensor a appears twice/,
    ],
    [
      "an integer tensor that is asked for",
      { a: { dtype: "I64", shape: [1], data_offsets: [0, 8] } },
      8,
      /tensor a has dtype I64/,
    ],
  ])("refuses %s", async (_, header, dataBytes, message) => {
    const path = await rawFile(header, new Uint8Array(dataBytes));
    const error = await errorOf(path);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(path);
  });

  it("refuses a header longer than the file, or than any real one", async () => {
    const path = join(folder, "long.safetensors");
    for (const length of [100n, 2n ** 40n, 2n ** 64n - 1n]) {
      const bytes = Buffer.alloc(32);
      bytes.writeBigUInt64LE(length);
      await writeFile(path, bytes);
      expect((await errorOf(path)).message).toMatch(/header claims/);
    }
  });

  it("reads what lies behind the first four gigabytes of a file", async () => {
    const path = join(folder, "far.safetensors");
    const far = 5 * 2 ** 30;
    const header = JSON.stringify({ near: f32(0, far), last: f32(far, far + 12) });
    const handle = await open(path, "w");
    await handle.write(Buffer.from(Uint32Array.of(header.length, 0).buffer), 0, 8, 0);
    await handle.write(header, 8);
    // A hole in the file takes no room on the disk.
    await handle.write(Buffer.from(Float32Array.of(1, 2, 3).buffer), 0, 12, 8 + header.length + far);
    await handle.close();
    await SafetensorsFile.use(path, async (file) => expect(await file.read("last")).toEqual(vector(3)));
  });

  it("takes a brace inside a tensor's name for what it is", async () => {
    const path = join(folder, "braces.safetensors");
    const written = new Map([
      ["}{", vector(1)],
      ['"a":', vector(2)],
      ["__proto__", vector(3)],
    ]);
    await writeSafetensors(path, written);
    expect([...(await readAll(path)).keys()]).toEqual([...written.keys()]);
  });

  it("widens bfloat16 and float16 exactly", async () => {
    const halves = new Uint16Array(65_536).map((_, index) => index);
    const bytes = new Uint8Array(halves.buffer);
    const path = await rawFile(
      {
        b: { dtype: "BF16", shape: [65_536], data_offsets: [0, bytes.length] },
        h: { dtype: "F16", shape: [256, 256], data_offsets: [bytes.length, 2 * bytes.length] },
      },
      Buffer.concat([bytes, bytes]),
    );
    const read = await readAll(path);
    const brain = bits(read.get("b")!.data);
    expect(brain.every((value, index) => value === index * 65_536)).toBe(true);
    const view = new DataView(new ArrayBuffer(2));
    const half = read.get("h")!.data;
    for (const index of halves) {
      view.setUint16(0, index);
      // DataView.getFloat16 is newer than the oldest Node supported, so the rule is written out.
      const [exponent, fraction] = [(index >> 10) & 31, (index & 1023) / 1024];
      const size =
        exponent === 0
          ? fraction * 2 ** -14
          : exponent === 31
            ? fraction
              ? Number.NaN
              : Infinity
            : (1 + fraction) * 2 ** (exponent - 15);
      expect(half[index]).toBe(index >> 15 ? -size : size);
    }
  });

  it("leaves the old file and nothing else when writing fails", async () => {
    const path = join(folder, "kept", "model.safetensors");
    await expect(writeSafetensors(path, new Map([["a", vector(1)]]))).rejects.toThrow(/it does not exist/);
    const kept = join(folder, "kept.safetensors");
    await writeSafetensors(kept, new Map([["a", vector(1)]]));
    const before = await readFile(kept);
    const wrong = new Map([["a", { shape: [2], data: new Float32Array(3) }]]);
    await expect(writeSafetensors(kept, wrong)).rejects.toThrow(/shape/);
    expect(await readFile(kept)).toEqual(before);
    expect((await readdir(folder)).filter((name) => name.endsWith(".partial"))).toEqual([]);
  });

  it("says when there is no file, or a folder in its place", async () => {
    expect((await errorOf(join(folder, "none.safetensors"))).message).toMatch(/does not exist/);
    expect((await errorOf(folder)).message).toContain(folder);
  });
});

function vector(length: number): Tensor {
  return { shape: [length], data: Float32Array.from({ length }, (_, index) => index + 1) };
}

function bits(data: Float32Array): Uint32Array {
  return new Uint32Array(data.buffer, data.byteOffset, data.length);
}

async function headerLength(path: string): Promise<number> {
  return Number((await readFile(path)).readBigUInt64LE(0));
}
