/**
 * Published benchmark files as rows: JSON lines, a JSON array, CSV or TSV with or without names in the first row, Parquet, or a folder of
 * such files. A row that cannot be read is kept as a problem with its place, so that nobody takes a part for the whole.
 */

import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { userError } from "#kernel/errors.ts";
import { counted } from "#kernel/numbers.ts";
import { parquetRows } from "./parquet.ts";
import { delimitedRecords, jsonRows, readable, utf8Text } from "./rows.ts";

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
  const isFolder = await readable(at, async () => (await stat(at)).isDirectory());
  if (!isFolder) return [await readBenchmarkFile(at, options)];
  const names = (await readable(at, () => readdir(at))).filter((name) => wanted(name, options.ending)).sort();
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
  const bytes = await readable(file, () => readFile(file));
  const rows = await readBytes(file, bytes, options);
  if (options.fieldsOf) {
    const known = options.fieldsOf(path.basename(file, path.extname(file)));
    for (const row of rows) if (row.values) row.values = { ...known, ...row.values };
  }
  return { path: file, sha256: createHash("sha256").update(bytes).digest("hex"), rows };
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
  const text = utf8Text(file, bytes);
  return extension === ".csv" || extension === ".tsv" ? delimited(file, text, options) : jsonRows(file, text);
}

function delimited(file: string, text: string, { csvColumns }: BenchmarkFileOptions): BenchmarkRow[] {
  const records = delimitedRecords<string[]>(file, text, { relax_column_count: true });
  const first = records[0]?.record.map((name) => name.trim());
  if (first === undefined) return [];
  const names = csvColumns !== undefined && !isHeader(first, csvColumns) ? [...csvColumns] : first;
  return (names === first ? records.slice(1) : records).map(({ record, line }) => {
    const where = `${file}, line ${line}`;
    if (record.length !== names.length)
      return { where, problem: `${counted(record.length, "column")} instead of ${names.length}` };
    return { where, values: Object.fromEntries(names.map((name, column) => [name, record[column]])) };
  });
}

/** A row that holds a name of the columns, beyond the one-letter names that could be a key. */
function isHeader(row: readonly string[], columns: readonly string[]): boolean {
  const names = columns.filter((name) => name.length > 1);
  return row.some((cell) => names.includes(cell.toLowerCase()));
}
