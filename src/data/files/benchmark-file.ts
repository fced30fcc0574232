/**
 * Published benchmark files as rows: JSON lines, a JSON array, CSV or TSV with or without names in the first row, Parquet, or a folder of
 * such files. A row that cannot be read is kept as a problem with its place, so that nobody takes a part for the whole.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { CsvError, parse } from "csv-parse/sync";
import { userError } from "#kernel/errors.ts";
import { parquetRows } from "./parquet.ts";

/** `values` or `problem`; `where` names file and line (entry, row). */
export interface BenchmarkRow {
  where: string;
  values?: Record<string, unknown>;
  problem?: string;
}

export interface BenchmarkFile {
  path: string;
  sha256: string;
  rows: BenchmarkRow[];
}

export interface BenchmarkFileOptions {
  /** Names of the columns of CSV files whose first row does not name them. */
  csvColumns?: readonly string[] | undefined;
  /** In a folder: how the names of the files wanted end, before the extension. */
  ending?: string | undefined;
  /** What a file's name tells of its rows, such as their subject; fields of the row come first. */
  fieldsOf?: ((name: string) => Record<string, unknown>) | undefined;
}

const extensions = [".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet"];

/** One file, or all of a folder that end as wanted, in order of their names. */
export async function readBenchmarkFiles(at: string, options: BenchmarkFileOptions = {}): Promise<BenchmarkFile[]> {
  const isFolder = await guarded(at, async () => (await stat(at)).isDirectory());
  if (!isFolder) return [await readBenchmarkFile(at, options)];
  const names = (await guarded(at, () => readdir(at))).filter((name) => wanted(name, options.ending)).sort();
  if (names.length === 0) {
    const like = `*${options.ending ?? ""}${extensions[3]}`;
    throw userError(
      "data-missing",
      `The folder ${at} holds no file like ${like}.`,
      `Give a file, or a folder of ${extensions.join(", ")} files.`,
    );
  }
  const files: BenchmarkFile[] = [];
  for (const name of names) files.push(await readBenchmarkFile(path.join(at, name), options));
  return files;
}

function wanted(name: string, ending = ""): boolean {
  const extension = path.extname(name).toLowerCase();
  return extensions.includes(extension) && path.basename(name, path.extname(name)).endsWith(ending);
}

export async function readBenchmarkFile(file: string, options: BenchmarkFileOptions = {}): Promise<BenchmarkFile> {
  const bytes = await guarded(file, () => readFile(file));
  const rows = await readBytes(file, bytes, options);
  if (options.fieldsOf) {
    const known = options.fieldsOf(path.basename(file, path.extname(file)));
    for (const row of rows) if (row.values) row.values = { ...known, ...row.values };
  }
  return { path: file, sha256: createHash("sha256").update(bytes).digest("hex"), rows };
}

async function guarded<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") throw userError("data-missing", `There is no file ${file}.`, "Check the path.", cause);
    throw userError("data-unreadable", `${file} cannot be read: ${message}.`, "Check that it is a readable file.", cause);
  }
}

async function readBytes(file: string, bytes: Buffer, options: BenchmarkFileOptions): Promise<BenchmarkRow[]> {
  const extension = path.extname(file).toLowerCase();
  if (extension === ".parquet") {
    const rows = await parquetRows(bytes, file);
    return rows.map((values, index) => ({ where: `${file}, row ${index + 1}`, values }));
  }
  if (!extensions.includes(extension)) {
    throw userError(
      "data-format",
      `${path.basename(file)}: the ending "${extension}" is not a known format.`,
      `Give a ${extensions.join(", ")} file.`,
    );
  }
  const text = decode(file, bytes);
  if (extension === ".csv" || extension === ".tsv") return delimited(file, text, extension === ".csv" ? "," : "\t", options);
  return extension === ".json" ? jsonArray(file, text) : jsonLines(file, text);
}

function decode(file: string, bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const advice = "Save it as UTF-8 (compressed files must be unpacked first).";
    throw userError("data-encoding", `${file} is not UTF-8 text.`, advice, cause);
  }
}

function jsonLines(file: string, text: string): BenchmarkRow[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const where = `${file}, line ${index + 1}`;
    try {
      return [objectRow(where, JSON.parse(line))];
    } catch (cause) {
      return [{ where, problem: (cause as Error).message }];
    }
  });
}

function jsonArray(file: string, text: string): BenchmarkRow[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // A file of JSON lines under the name of the other is taken as what it is.
    const lines = jsonLines(file, text);
    if (lines.length > 1 && lines.every((row) => row.values)) return lines;
    const advice = "The file must be one JSON array of objects, or one object a line.";
    throw userError("data-json", `${file}: ${(cause as Error).message}.`, advice, cause);
  }
  if (!Array.isArray(value)) {
    throw userError("data-json", `${file} is no JSON array.`, "Give an array of objects, or use .jsonl.");
  }
  return value.map((entry, index) => objectRow(`${file}, entry ${index + 1}`, entry));
}

function objectRow(where: string, value: unknown): BenchmarkRow {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? { where, values: value as Record<string, unknown> } : { where, problem: "not a JSON object" };
}

function delimited(file: string, text: string, delimiter: string, { csvColumns }: BenchmarkFileOptions): BenchmarkRow[] {
  let records: { record: string[]; info: { lines: number } }[];
  try {
    const settings = { delimiter, bom: true, info: true, skip_empty_lines: true, relax_column_count: true } as const;
    records = parse(text, settings) as unknown as typeof records;
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const line = (cause as unknown as { lines?: number }).lines;
    throw userError(
      "data-csv",
      `${file}${line === undefined ? "" : `, line ${line}`}: ${cause.message}.`,
      'Fields with commas, quotes or line breaks must stand in double quotes, and a quote inside is written "".',
      cause,
    );
  }
  const first = records[0]?.record.map((name) => name.trim());
  if (first === undefined) return [];
  const names = csvColumns !== undefined && !isHeader(first, csvColumns) ? [...csvColumns] : first;
  return (names === first ? records.slice(1) : records).map(({ record, info }) => {
    const where = `${file}, line ${info.lines}`;
    if (record.length !== names.length) return { where, problem: `${record.length} columns instead of ${names.length}` };
    return { where, values: Object.fromEntries(names.map((name, column) => [name, record[column]])) };
  });
}

/** A row that holds a name of the columns, beyond the one-letter names that could be a key. */
function isHeader(row: readonly string[], columns: readonly string[]): boolean {
  const names = columns.filter((name) => name.length > 1);
  return row.some((cell) => names.includes(cell.toLowerCase()));
}
