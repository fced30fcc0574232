import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { crc32c, fileVersionRecord, restartRecord, scalarRecord, TensorBoardFile } from "./tensorboard.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "tensorboard-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The messages of a file's records. */
function messagesOf(file: string): Buffer[] {
  const bytes = readFileSync(file);
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    messages.push(bytes.subarray(at + 12, at + 12 + length));
    at += length + 16;
  }
  return messages;
}

test("a file begins with its version and the step it goes on from, then one record a step", () => {
  const file = new TensorBoardFile(path.join(folder, "deep", "er"), 41);
  file.write(42, [
    ["reward", 1],
    ["timing/seconds", 2],
  ]);
  file.write(43, []);
  file.close();
  const messages = messagesOf(file.file);
  expect(messages).toHaveLength(4);
  expect(messages[0].toString("latin1")).toContain("brain.Event:2");
  expect([...messages[1].subarray(9)]).toEqual([0x10, 42, 0x3a, 2, 8, 1]);
  expect(messages[2].toString("latin1")).toContain("timing/seconds");
});

test("a later process always has a later name, however quickly it follows", () => {
  const files = [0, 1, 2].map(() => new TensorBoardFile(folder, 0));
  for (const file of files) file.close();
  const names = files.map((file) => path.basename(file.file));
  expect(readdirSync(folder).sort()).toEqual(names);
  writeFileSync(path.join(folder, "events.out.tfevents.9000000000.other.1.0"), "");
  const last = new TensorBoardFile(folder, 0);
  last.close();
  expect(path.basename(last.file)).toMatch(/^events\.out\.tfevents\.9000000001\./);
});

test("a folder that cannot be is said at once", () => {
  writeFileSync(path.join(folder, "file"), "");
  expect(() => new TensorBoardFile(path.join(folder, "file", "in"), 0)).toThrow(/a part of the path is a file/);
  if (process.getuid?.() === 0) return;
  chmodSync(folder, 0o500);
  expect(() => new TensorBoardFile(path.join(folder, "new"), 0)).toThrow(/permission/);
});

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** Written by tensorboard 2.21's own protobuf classes and RecordWriter. */
describe("the bytes are those TensorBoard writes itself", () => {
  test("file version", () => {
    expect(hex(fileVersionRecord(1700000000.25))).toBe(
      "1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9",
    );
  });

  test("scalars of one step, one of them not a number", () => {
    const scalars = [
      ["turns/turn1/kl", 0.125],
      ["loss", Number.NaN],
    ] as const;
    expect(hex(scalarRecord({ wallTime: 1700000001.5, step: 300, scalars }))).toBe(
      "3200000000000000241956ec0900006040fc54d94110ac022a240a150a0e7475726e732f7475726e312f6b6c150000003e0a0b0a046c6f7373150000c07fadfd6c70",
    );
  });

  test("step 0, a value of 0 and a name outside ASCII", () => {
    expect(hex(scalarRecord({ wallTime: 1, step: 0, scalars: [["α", 0]] }))).toBe(
      "16000000000000004f61be2809000000000000f03f2a0b0a090a02ceb11500000000ec6bf80e",
    );
  });

  test("the start of a process", () => {
    expect(hex(restartRecord(1700000002, 41))).toBe("0f000000000000006d532b090900008040fc54d94110293a020801805628fe");
  });

  test("steps beyond 32 bits", () => {
    expect(hex(restartRecord(1, 2 ** 40 + 5).subarray(12))).toMatch(/^09000000000000f03f10858080808020/);
  });
});

test("CRC-32C of the standard check string", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc32c([])).toBe(0);
});

test("every record frames itself: length, checksums and nothing over", () => {
  const scalar = fc.tuple(fc.string({ maxLength: 40 }), fc.double());
  fc.assert(
    fc.property(fc.array(scalar, { maxLength: 20 }), fc.nat(), (scalars, step) => {
      const record = Buffer.from(scalarRecord({ wallTime: 0, step, scalars }));
      const length = Number(record.readBigUInt64LE(0));
      expect(record.length).toBe(length + 16);
      const masked = (bytes: Buffer) => {
        const crc = crc32c(bytes);
        return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
      };
      expect(record.readUInt32LE(8)).toBe(masked(record.subarray(0, 8)));
      expect(record.readUInt32LE(length + 12)).toBe(masked(record.subarray(12, 12 + length)));
    }),
    { numRuns: 40 },
  );
});
