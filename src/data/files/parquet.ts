/** Parquet files as rows of plain values, read and written: whole numbers as numbers, lists as arrays, records as objects. */
import { type AsyncBuffer, parquetReadObjects, type SchemaElement } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { parquetWriteBuffer } from "hyparquet-writer";
import { userError } from "#kernel/errors.ts";

/**
 * `name` is how errors call the file. Rows up to `most` are read, and of the file the groups and pages that hold them: six thousand bytes can
 * hold two million rows.
 */
export async function parquetRows(
  source: Uint8Array | AsyncBuffer,
  name: string,
  most?: number | undefined,
): Promise<Record<string, unknown>[]> {
  const file =
    source instanceof Uint8Array
      ? (source.buffer.slice(source.byteOffset, source.byteOffset + source.byteLength) as ArrayBuffer)
      : source;
  try {
    const rows = await parquetReadObjects({ file, compressors, ...(most === undefined ? {} : { rowEnd: most }) });
    return rows.map((row) => plain(row) as Record<string, unknown>);
  } catch (cause) {
    throw userError(
      "data-parquet",
      `${name} cannot be read as Parquet: ${(cause as Error).message}.`,
      "The file may be cut off or of another kind; delete it and fetch it again.",
      cause,
    );
  }
}

/** Missing lists and records are null like any other value; 64-bit integers beyond what a number holds exactly become text. */
function plain(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return new TextDecoder().decode(value as Uint8Array);
  return Object.fromEntries(Object.entries(value).map(([key, inside]) => [key, plain(inside)]));
}

/** What a column, a field or the entries of a list hold. */
type Shape =
  | { kind: "nothing" | "text" | "flag" | "whole" | "number" }
  | { kind: "list"; entry: Shape }
  | { kind: "record"; fields: Map<string, Shape> };

/**
 * Rows of plain values as a Parquet file: text, numbers, flags, lists and records to any depth. The schema is what the rows hold, so there
 * has to be one row; a field that a row lacks is null in it, and so is a record without fields, which Parquet cannot say. Text is stored as
 * UTF-8: half a surrogate pair becomes U+FFFD.
 *
 * @param name how errors call the file
 */
export function parquetBytes(rows: readonly Readonly<Record<string, unknown>>[], name: string): Uint8Array {
  let shape: Shape = { kind: "nothing" };
  for (const [index, row] of rows.entries()) shape = joined(shape, shapeOf(row), [], `${name}, row ${index + 1}`);
  if (shape.kind !== "record") {
    throw userError(
      "parquet-empty",
      `${name} would hold no row, and a Parquet file's columns are told by its rows`,
      "Write JSON lines instead, or keep at least one row.",
    );
  }
  const columns = [...shape.fields];
  const columnData = columns.map(([column, inside]) => ({
    name: column,
    data: rows.map((row) => stored(Object.hasOwn(row, column) ? row[column] : null, inside)),
  }));
  const root: SchemaElement = { name: "root", num_children: columns.length };
  const schema = [root, ...columns.flatMap(([column, inside]) => schemaOf(column, inside))];
  return new Uint8Array(parquetWriteBuffer({ columnData, schema }));
}

function shapeOf(value: unknown): Shape {
  if (value === null || value === undefined) return { kind: "nothing" };
  if (typeof value === "string") return { kind: "text" };
  if (typeof value === "boolean") return { kind: "flag" };
  if (typeof value === "number") return { kind: Number.isSafeInteger(value) ? "whole" : "number" };
  if (Array.isArray(value)) {
    return { kind: "list", entry: value.reduce<Shape>((all, each) => joined(all, shapeOf(each), []), { kind: "nothing" }) };
  }
  if (typeof value !== "object") throw unwritable([], `a ${typeof value}`);
  const fields = Object.entries(value).map(([field, inside]) => [field, shapeOf(inside)] as const);
  return { kind: "record", fields: new Map(fields) };
}

/** The shape that holds values of both. */
function joined(first: Shape, second: Shape, place: readonly string[], where = ""): Shape {
  if (first.kind === "nothing") return second;
  if (second.kind === "nothing") return first;
  if (first.kind === "list" && second.kind === "list") {
    return { kind: "list", entry: joined(first.entry, second.entry, [...place, "[]"], where) };
  }
  if (first.kind === "record" && second.kind === "record") {
    const fields = new Map(first.fields);
    for (const [field, shape] of second.fields) {
      const known = fields.get(field);
      fields.set(field, known === undefined ? shape : joined(known, shape, [...place, field], where));
    }
    return { kind: "record", fields };
  }
  if (first.kind === second.kind) return first;
  const kinds = [first.kind, second.kind];
  if (kinds.includes("whole") && kinds.includes("number")) return { kind: "number" };
  throw unwritable(place, `${kinds.join(" and ")} in one place`, where);
}

function unwritable(place: readonly string[], what: string, where = "") {
  return userError(
    "parquet-mixed",
    `${where === "" ? "a row" : where} cannot be written as Parquet: ${place.join(".") || "it"} holds ${what}`,
    "Write JSON lines instead.",
  );
}

/** The value as the writer takes it. */
function stored(value: unknown, shape: Shape): unknown {
  if (value === null || value === undefined) return null;
  if (shape.kind === "list") return (value as unknown[]).map((entry) => stored(entry, shape.entry));
  if (shape.kind === "record") {
    if (shape.fields.size === 0) return null;
    const record = value as Record<string, unknown>;
    return Object.fromEntries([...shape.fields].map(([field, inside]) => [field, stored(record[field], inside)]));
  }
  return shape.kind === "whole" ? BigInt(value as number) : value;
}

/** The element and those below it, in the order of the file. */
function schemaOf(name: string, shape: Shape): SchemaElement[] {
  const own = { name, repetition_type: "OPTIONAL" } as const;
  switch (shape.kind) {
    case "list":
      return [
        { ...own, converted_type: "LIST", num_children: 1 },
        { name: "list", repetition_type: "REPEATED", num_children: 1 },
        ...schemaOf("element", shape.entry),
      ];
    case "record":
      if (shape.fields.size === 0) return schemaOf(name, { kind: "nothing" });
      return [
        { ...own, num_children: shape.fields.size },
        ...[...shape.fields].flatMap(([field, inside]) => schemaOf(field, inside)),
      ];
    case "whole":
      return [{ ...own, type: "INT64" }];
    case "number":
      return [{ ...own, type: "DOUBLE" }];
    case "flag":
      return [{ ...own, type: "BOOLEAN" }];
    default:
      // Nothing but nulls is a column of text without any.
      return [{ ...own, type: "BYTE_ARRAY", converted_type: "UTF8" }];
  }
}
