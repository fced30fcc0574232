import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtobufWriter, readProtobuf } from "./protobuf.ts";

function written(write: (writer: ProtobufWriter) => void): Uint8Array {
  const writer = new ProtobufWriter();
  write(writer);
  return writer.bytes();
}
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** The examples of Google's description of the encoding, and what its own classes write. */
describe("the bytes are those of protobuf's own writers", () => {
  test.each<[string, string, (writer: ProtobufWriter) => void]>([
    ["a number of two bytes", "089601", (writer) => writer.integer(1, 150)],
    ["a text", "120774657374696e67", (writer) => writer.text(2, "testing")],
    ["a message in a message", "1a03089601", (writer) => writer.message(3, (inner) => inner.integer(1, 150))],
    ["packed numbers", "3206038e029ea705", (writer) => writer.packedIntegers(6, [3, 270, 86942])],
    ["a negative number", "08feffffffffffffffff01", (writer) => writer.integer(1, -2)],
    ["a number beyond 32 bits", "08808080808020", (writer) => writer.integer(1, 2 ** 40)],
    ["a field of a large number", "a00601", (writer) => writer.boolean(100, true)],
    ["a float", "0d0000003e", (writer) => writer.float(1, 0.125)],
    ["a double", "110000000000000840", (writer) => writer.double(2, 3)],
    ["packed floats", "0a080000803f00000040", (writer) => writer.packedFloats(1, [1, 2])],
    ["no numbers to pack", "", (writer) => writer.packedIntegers(1, [])],
    ["no floats to pack", "", (writer) => writer.packedFloats(2, [])],
  ])("%s", (_, bytes, write) => {
    expect(hex(written(write))).toBe(bytes);
  });
});

test.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1.5, -0.5, 2 ** 53, 2 ** 70])(
  "%d is not written as a whole number",
  (value) => {
    expect(() => written((writer) => writer.integer(1, value))).toThrow(RangeError);
    expect(() => written((writer) => writer.packedIntegers(1, [1, value]))).toThrow(RangeError);
  },
);

describe("what was written is read", () => {
  test("a text that begins with a mark of byte order keeps it", () => {
    const [field] = readProtobuf(written((writer) => writer.text(1, "\ufeffname")));
    expect(field.text()).toBe("\ufeffname");
  });

  test("every kind of field, whatever the values", () => {
    const integer = fc.maxSafeInteger();
    fc.assert(
      fc.property(
        fc.array(integer),
        fc.double(),
        fc.float(),
        fc.string({ unit: "binary" }),
        fc.uint8Array({ maxLength: 3000 }),
        fc.array(fc.float()),
        (integers, double, float, text, block, floats) => {
          const fields = readProtobuf(
            written((writer) => {
              writer.double(1, double);
              writer.float(2, float);
              writer.text(3, text);
              writer.block(4, block);
              writer.message(5, (inner) => inner.packedIntegers(1, integers));
              for (const value of integers) writer.integer(6, value);
              writer.packedFloats(7, floats);
            }),
          );
          expect(fields[0].real()).toBe(double);
          expect(fields[1].real()).toBe(float);
          expect(fields[2].text()).toBe(text);
          expect(fields[3].block()).toEqual(block);
          expect(fields[4].message().flatMap((field) => field.integers())).toEqual(integers);
          expect(fields.filter(({ number }) => number === 6).flatMap((field) => field.integers())).toEqual(integers);
          const packed = fields.filter(({ number }) => number === 7);
          expect(packed.flatMap((field) => [...field.floats()])).toEqual(floats);
        },
      ),
    );
  });

  test("a message cut short, or none at all, is an error", () => {
    const whole = written((writer) => {
      writer.integer(1, 300);
      writer.text(2, "text");
      writer.double(3, 1);
    });
    const borders = [0, 3, 9, whole.length];
    for (let cut = 0; cut <= whole.length; cut++) {
      if (borders.includes(cut)) expect(readProtobuf(whole.subarray(0, cut))).toHaveLength(borders.indexOf(cut));
      else expect(() => readProtobuf(whole.subarray(0, cut)), `${cut}`).toThrow(RangeError);
    }
    for (const bytes of [[0x0b], [0x00, 0], [0x08, ...new Array(10).fill(255), 1], [0x0a, 0x7f]]) {
      expect(() => readProtobuf(Uint8Array.from(bytes))).toThrow(RangeError);
    }
    expect(readProtobuf(Uint8Array.from([8, 1]))[0].boolean()).toBe(true);
    expect(() => readProtobuf(Uint8Array.from([0x0a, 1, 0]))[0].floats()).toThrow(RangeError);
  });
});
