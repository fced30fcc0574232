/** What is written as Parquet reads back the same through our own reader, whatever the nesting. */
import fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import { parquetBytes, parquetRows } from "./parquet.ts";

const back = (rows: Record<string, unknown>[]) => parquetRows(parquetBytes(rows, "x.parquet"), "x.parquet");

/** UTF-8 holds whole characters alone. */
const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }).map((each) => each.toWellFormed()),
  fc.constantFrom("", "\u0000", "𝔘", "\n"),
);
const number = fc.double({ noNaN: true }).filter((value) => !Number.isInteger(value));

/** Rows of one layout with values missing here and there. */
const layout = fc.letrec((tie) => ({
  shape: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom("text", "whole", "number", "flag"),
    fc.record({ list: tie("shape") }),
    fc.record({
      fields: fc.uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 4 }), tie("shape")), {
        minLength: 1,
        maxLength: 3,
        selector: ([name]) => name,
      }),
    }),
  ),
})).shape as fc.Arbitrary<Layout>;

type Layout = "text" | "whole" | "number" | "flag" | { list: Layout } | { fields: [string, Layout][] };

function valuesOf(shape: Layout): fc.Arbitrary<unknown> {
  if (shape === "text") return text;
  if (shape === "whole") return fc.maxSafeInteger();
  if (shape === "number") return number;
  if (shape === "flag") return fc.boolean();
  if ("list" in shape) return fc.array(fc.option(valuesOf(shape.list)), { maxLength: 3 });
  return fc.tuple(...shape.fields.map(([, inside]) => fc.option(valuesOf(inside)))).map((values) => {
    return Object.fromEntries(shape.fields.map(([name], index) => [name, values[index]]));
  });
}

const table = fc
  .array(layout, { minLength: 1, maxLength: 4 })
  .chain((shapes) => fc.array(fc.tuple(...shapes.map((shape) => fc.option(valuesOf(shape)))), { minLength: 1, maxLength: 8 }))
  .map((rows) => rows.map((values) => Object.fromEntries(values.map((value, index) => [`column${index}`, value]))));

describe("parquet", () => {
  test("nested rows with nulls anywhere come back", async () => {
    await fc.assert(
      fc.asyncProperty(table, async (rows) => {
        expect(JSON.parse(JSON.stringify(await back(rows)))).toEqual(JSON.parse(JSON.stringify(rows)));
      }),
      { numRuns: 300 },
    );
  });

  test("whole numbers among fractions, fields that some rows lack, columns of nothing", async () => {
    const rows = [{ a: 1, b: { c: "x" }, e: null }, { a: 0.5, b: { d: [true] } }, {}];
    expect(await back(rows)).toEqual([
      { a: 1, b: { c: "x", d: null }, e: null },
      { a: 0.5, b: { c: null, d: [true] }, e: null },
      { a: null, b: null, e: null },
    ]);
    expect(await back([{ a: {}, b: [], c: [[]] }])).toEqual([{ a: null, b: [], c: [[]] }]);
  });

  test("more rows than one group holds", async () => {
    const rows = Array.from({ length: 2500 }, (_, index) => ({
      id: `row ${index}`,
      list: [index, index + 1],
      half: index / 2 + 0.25,
    }));
    expect(await back(rows)).toEqual(rows);
  });

  test("what has no place in Parquet is named", () => {
    expect(() => parquetBytes([], "x.parquet")).toThrow(/x\.parquet would hold no row/);
    expect(() => parquetBytes([{ a: { b: 1 } }, { a: { b: "1" } }], "x.parquet")).toThrow(/row 2.*a\.b holds whole and text/);
    expect(() => parquetBytes([{ a: [1, "x"] }], "x.parquet")).toThrow(/whole and text in one place/);
    expect(() => parquetBytes([{ a: 1n }], "x.parquet")).toThrow(/a bigint/);
  });
});

test("of a file of many groups and pages those are read that hold the rows wanted", async () => {
  const rows = 40_000;
  const texts = Array.from({ length: rows }, (_, index) => `row ${index} ${Math.sin(index)}`);
  const bytes = new Uint8Array(
    parquetWriteBuffer({ columnData: [{ name: "text", data: texts, type: "STRING" }], rowGroupSize: 1000 }),
  );
  let read = 0;
  const counted = {
    byteLength: bytes.length,
    slice: (start: number, end?: number) => {
      const part = bytes.slice(start, end).buffer;
      read += part.byteLength;
      return part;
    },
  };
  const first = (most: number) => parquetRows(counted, "x.parquet", most);
  expect(await first(5)).toEqual(texts.slice(0, 5).map((text) => ({ text })));
  // The list of groups at the end, which is fetched by a standard size, and one group of the forty.
  expect(read).toBeLessThan((1 << 19) + bytes.length / 20);
  expect(await first(1500)).toHaveLength(1500);
  expect(await first(rows + 1)).toHaveLength(rows);
});

test("two million rows in a few thousand bytes are no two million rows in memory where five are wanted", async () => {
  const bytes = new Uint8Array(
    parquetWriteBuffer({ columnData: [{ name: "text", data: new Array(2_000_000).fill("same"), type: "STRING" }] }),
  );
  expect(bytes.length).toBeLessThan(100_000);
  const before = process.memoryUsage().heapUsed;
  expect(await parquetRows(bytes, "x.parquet", 5)).toEqual(new Array(5).fill({ text: "same" }));
  // All of them take 280 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(64e6);
});
