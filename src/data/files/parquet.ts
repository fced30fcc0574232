/** Parquet files as rows of plain values: whole numbers as numbers, lists as arrays, records as objects. */
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { userError } from "#kernel/errors.ts";

/** `name` is how errors call the file. All of it is held in memory. */
export async function parquetRows(bytes: Uint8Array, name: string): Promise<Record<string, unknown>[]> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  try {
    const rows = await parquetReadObjects({ file, compressors });
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
