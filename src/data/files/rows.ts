/** Rows of named columns from JSONL, JSON arrays, CSV, TSV and Parquet files, packed by gzip or not, each with its line; errors name both. */
import { constants } from "node:buffer";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createGunzip, gunzip } from "node:zlib";
import { CsvError, type Options, parse } from "csv-parse/sync";
import { MidcourseError, messageOf, userError } from "#kernel/errors.ts";
import { isRecord } from "#kernel/values.ts";
import { parquetRows } from "./parquet.ts";

export interface Row {
  /** One-based line in the file where the row begins; for a JSON array the one-based index. */
  line: number;
  values: Record<string, unknown>;
}

/**
 * Reads the whole file. `.jsonl`/`.ndjson`, `.json` (an array of objects), `.csv` and `.tsv` (first row names the columns), `.parquet`; each
 * may be packed by gzip, with `.gz` behind.
 */
export async function readRows(path: string): Promise<Row[]> {
  const extension = dataExtension(path);
  const bytes = await dataBytes(path);
  if (extension === ".parquet") return (await parquetRows(bytes, path)).map((values, index) => ({ line: index + 1, values }));
  const text = utf8Text(path, bytes);
  if (extension === ".csv" || extension === ".tsv") {
    const settings = { columns: checkedHeader(path), relax_column_count_less: true };
    const records = delimitedRecords<Record<string, string>>(path, text, settings);
    return records.map(({ record, line }) => ({ line, values: record }));
  }
  if (![".jsonl", ".ndjson", ".json"].includes(extension)) {
    throw userError(
      "data-format",
      `${basename(path)}: the ending "${extension}" is not a known format.`,
      "Give a .jsonl, .json, .csv, .tsv or .parquet file; each may be packed as .gz.",
    );
  }
  return jsonRows(path, text).map(({ line, where, values, problem, cause }) => {
    if (values !== undefined) return { line, values };
    throw userError("data-json", `${where}: ${problem}.`, 'Each entry must look like {"question": "…", "answer": "…"}.', cause);
  });
}

/** The ending that says what a file holds: `.csv` of `a.csv.gz`. */
export function dataExtension(path: string): string {
  return extname(path.replace(/\.gz$/i, "")).toLowerCase();
}

/** What a file of data holds, unpacked where it is packed. */
export async function dataBytes(path: string): Promise<Buffer> {
  const bytes = await readable(path, () => readFile(path));
  if (!isPacked(bytes)) return bytes;
  try {
    return await unpack(bytes);
  } catch (cause) {
    const why = `${path} cannot be unpacked: ${messageOf(cause)}.`;
    throw userError("data-packed", why, "It may be cut off or too large; unpack it with gunzip, or fetch it again.", cause);
  }
}

const unpack = promisify<Buffer, Buffer>(gunzip);

/** The first two bytes of every gzip file. */
function isPacked(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Runs the reading of a file or folder that the user named. */
export async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (MidcourseError.isInstance(cause)) throw cause;
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") {
      throw userError("data-missing", `There is no file ${path}.`, "Check the path.", cause);
    }
    if ((cause as NodeJS.ErrnoException).code === "EISDIR") {
      const names = (await readdir(path).catch(() => [])).sort();
      const some = names.slice(0, 6).join(", ") + (names.length > 6 ? `, and ${names.length - 6} more` : "");
      throw userError(
        "data-folder",
        `${path} is a folder (${some || "empty"}), and one file is read here.`,
        "Name the file.",
        cause,
      );
    }
    const advice = "Check that it is a readable file.";
    throw userError("data-unreadable", `${path} cannot be read: ${messageOf(cause)}.`, advice, cause);
  }
}

/** Without a byte order mark. */
export function utf8Text(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    if (bytes.length > constants.MAX_STRING_LENGTH) {
      const [size, most] = [bytes.length, constants.MAX_STRING_LENGTH].map((count) => `${Math.floor(count / 1e6)} MB`);
      throw userError(
        "data-too-large",
        `${path} is too large to be read: ${size}, of at most ${most}.`,
        "Split it into smaller files.",
        cause,
      );
    }
    const advice = "Save it as UTF-8 (of compressed files gzip is read, others must be unpacked first).";
    throw userError("data-encoding", `${path} is not UTF-8 text.`, advice, cause);
  }
}

/**
 * The beginning of a text file with at least so many whole rows, or all of it: read piece by piece, whatever the size of the file.
 *
 * @param isQuoted line breaks between double quotes end no row
 */
export async function textHead(path: string, rows: number, isQuoted: boolean): Promise<string> {
  return readable(path, async () => {
    const pieces: Buffer[] = [];
    let found = 0;
    let isInside = false;
    let isBlank = true;
    const stream = createReadStream(path);
    const unpacked = /\.gz$/i.test(path) ? stream.compose<NodeJS.ReadWriteStream>(createGunzip()) : stream;
    for await (const piece of unpacked as unknown as AsyncIterable<Buffer>) {
      for (let at = 0; at < piece.length; at++) {
        const byte = piece[at];
        if (byte === 0x22 && isQuoted) isInside = !isInside;
        if (byte !== 0x0a) isBlank &&= byte === 0x20 || byte === 0x0d || byte === 0x09;
        else if (!isInside) {
          if (!isBlank) found++;
          isBlank = true;
          if (found === rows) return utf8Text(path, Buffer.concat([...pieces, piece.subarray(0, at + 1)]));
        }
      }
      pieces.push(piece);
    }
    return utf8Text(path, Buffer.concat(pieces));
  });
}

/** A row of a JSON file: `values`, or the `problem` why there are none. `where` names file and line (entry). */
export interface JsonRow {
  line: number;
  where: string;
  values?: Record<string, unknown>;
  problem?: string;
  cause?: unknown;
}

/** An array of objects, or an object a line: what the file's name says it is, unless what is in it says the other. */
export function jsonRows(path: string, text: string): JsonRow[] {
  const isNamedLines = dataExtension(path) !== ".json";
  // Some publish an array under the name of lines; no line of objects begins so.
  if (isNamedLines && !/^\s*\[\s*\{/.test(text)) return jsonLines(path, text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const lines = isNamedLines ? [] : jsonLines(path, text);
    if (lines.length > 1 && lines.every((row) => row.values)) return lines;
    const advice = "The file must be one JSON array of objects, or one object a line.";
    throw userError("data-json", `${path}: ${messageOf(cause)}.`, advice, cause);
  }
  if (!Array.isArray(value)) {
    throw userError("data-json", `${path} is no JSON array.`, "Give an array of objects, or use .jsonl.");
  }
  return value.map((entry, index) => objectRow(index + 1, `${path}, entry ${index + 1}`, entry));
}

function jsonLines(path: string, text: string): JsonRow[] {
  return text.split("\n").flatMap((content, index) => {
    if (content.trim() === "") return [];
    const where = `${path}, line ${index + 1}`;
    try {
      return objectRow(index + 1, where, JSON.parse(content));
    } catch (cause) {
      return { line: index + 1, where, problem: messageOf(cause), cause };
    }
  });
}

function objectRow(line: number, where: string, value: unknown): JsonRow {
  return isRecord(value) ? { line, where, values: value } : { line, where, problem: "not a JSON object" };
}

const delimiters = [",", ";", "\t", "|"] as const;

/** Rows that are looked at for the delimiter, and at most so much text of them. */
const rowsLookedAt = 20;
const charactersLookedAt = 200_000;

/** What stands as often in every one of the first rows, outside quotes: a comma where that does, else what does. */
function delimiterOf(text: string): string {
  const rows: Record<string, number>[] = [];
  let row: Record<string, number> = {};
  let [isQuoted, isBlank] = [false, true];
  const end = Math.min(text.length, charactersLookedAt);
  for (let at = 0; at < end && rows.length < rowsLookedAt; at++) {
    const sign = text[at];
    if (sign === '"') isQuoted = !isQuoted;
    if (sign === "\n" && !isQuoted) {
      if (!isBlank) rows.push(row);
      [row, isBlank] = [{}, true];
    } else if (sign !== "\r") isBlank = false;
    if (!isQuoted) row[sign] = (row[sign] ?? 0) + 1;
  }
  if (!isBlank && end === text.length) rows.push(row);
  const isRegular = (sign: string) => rows.every((each) => each[sign] !== undefined && each[sign] === rows[0][sign]);
  return (rows.length > 0 ? delimiters.find(isRegular) : undefined) ?? ",";
}

/** The records of CSV, or TSV where the file is named so, each with the line it begins on. */
export function delimitedRecords<Fields>(path: string, text: string, settings: Options): { record: Fields; line: number }[] {
  const delimiter = dataExtension(path) === ".tsv" ? "\t" : delimiterOf(text);
  try {
    const records = parse(text, { delimiter, info: true, skip_empty_lines: true, ...settings });
    return (records as unknown as { record: Fields; info: { lines: number } }[]).map(({ record, info }) => ({
      record,
      line: info.lines,
    }));
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const line = (cause as unknown as { lines?: number }).lines;
    throw userError(
      "data-csv",
      `${path}${line === undefined ? "" : `, line ${line}`}: ${cause.message}.`,
      'Fields with commas, quotes or line breaks must stand in double quotes, and a quote inside is written "".',
      cause,
    );
  }
}

function checkedHeader(path: string) {
  return (header: string[]): string[] => {
    const names = header.map((name) => name.trim());
    const doubled = names.find((name, index) => name !== "" && names.indexOf(name) !== index);
    if (doubled !== undefined)
      throw userError("data-csv", `${path}, line 1: two columns are called "${doubled}".`, "Rename one of them.");
    return names;
  };
}

/** A file as a run's record keeps it: its name for people, its content for telling another one apart. */
export async function namedFile(file: string): Promise<{ name: string; content: string }> {
  return { name: file, content: await fileDigest(file) };
}

/** SHA-256 of a file, so that a run is not gone on with after its data changed. */
export async function fileDigest(file: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(file), hash);
  } catch (cause) {
    throw userError("data-missing", `${file} cannot be read: ${(cause as Error).message}`, "Check the path.", cause);
  }
  return hash.digest("hex");
}
