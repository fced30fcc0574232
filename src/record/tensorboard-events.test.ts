import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32c, fileVersionRecord, restartRecord, scalarRecord } from "./tensorboard-events.ts";

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
