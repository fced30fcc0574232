/**
 * Published benchmark files as rows: JSON lines, a JSON array, CSV or TSV with or without names in the first row, Parquet, or a folder of
 * such files. A row that cannot be read is kept as a problem with its place, so that nobody takes a part for the whole.
 */

import { createHash } from "node:crypto";
import { open, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { userError } from "#kernel/errors.ts";
import { counted } from "#kernel/numbers.ts";
import { parquetRows } from "./parquet.ts";
import { dataBytes, dataExtension, delimitedRecords, fileDigest, jsonRows, readable, textHead, utf8Text } from "./rows.ts";

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
  /** Rows of each file, the first ones; what lies behind them is not read where the kind of file allows it. */
  most?: number | undefined;
  /** In a folder without such an ending: the split whose files are wanted. */
  split?: string | undefined;
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
  for (const name of options.ending === undefined ? ofSplit(at, names, options.split) : names)
    files.push(await readBenchmarkFile(path.join(at, name), options));
  return files;
}

/**
 * One file, or the parts of one table: the only file, or those that are named after the split, as test.jsonl or test-00000-of-00002.parquet.
 * Training and test questions are never mixed in silence.
 */
function ofSplit(folder: string, names: readonly string[], split: string | undefined): readonly string[] {
  if (names.length === 1) return names;
  const ways = split === "validation" ? ["validation", "valid", "val", "dev"] : split === undefined ? [] : [split];
  const isSplit = new RegExp(`(?:^|[-_.])(?:${ways.map((way) => way.replace(/[^a-z0-9]/gi, "\\$&")).join("|")})(?:[-_.]|$)`, "i");
  const named = ways.length === 0 ? [] : names.filter((name) => isSplit.test(name));
  const chosen = named.length === 0 ? names : named;
  // Parts of one table are told apart by their numbers alone.
  const tables = new Set(chosen.map((name) => name.replace(/\d+/g, "0").toLowerCase()));
  if (tables.size === 1 && (named.length > 0 || /\d/.test(chosen[0]))) return chosen;
  const some = `${names.slice(0, 6).join(", ")}${names.length > 6 ? `, and ${names.length - 6} more` : ""}`;
  throw userError(
    "data-several",
    `The folder ${folder} holds several files (${some}), and ${split === undefined ? "it is not said which is meant" : named.length === 0 ? `none is named after the split ${split}` : `more than one table is named after the split ${split}`}.`,
    `Name the file: ${path.join(folder, chosen[0])}.`,
  );
}

function wanted(name: string, ending = ""): boolean {
  return extensions.includes(dataExtension(name)) && bareName(name).endsWith(ending);
}

/** Without its endings. */
function bareName(file: string): string {
  const name = path.basename(file).replace(/\.gz$/i, "");
  return path.basename(name, path.extname(name));
}

export async function readBenchmarkFile(file: string, options: BenchmarkFileOptions = {}): Promise<BenchmarkFile> {
  const { most } = options;
  const head = most === undefined ? undefined : await readHead(file, most, options);
  const bytes = head === undefined ? await dataBytes(file) : undefined;
  const rows = head ?? (await readBytes(file, bytes!, options)).slice(0, most);
  if (options.fieldsOf) {
    const known = options.fieldsOf(bareName(file));
    for (const row of rows) if (row.values) row.values = { ...known, ...row.values };
  }
  return {
    path: file,
    sha256:
      bytes === undefined || /\.gz$/i.test(file) ? await fileDigest(file) : createHash("sha256").update(bytes).digest("hex"),
    rows,
  };
}

/** The first rows, the rest of the file left unread; undefined where it has to be read as a whole, as an array of JSON has. */
async function readHead(file: string, most: number, options: BenchmarkFileOptions): Promise<BenchmarkRow[] | undefined> {
  const extension = dataExtension(file);
  if (extension === ".parquet") {
    if (/\.gz$/i.test(file)) return undefined;
    const handle = await readable(file, () => open(file));
    try {
      const { size } = await handle.stat();
      const slice = async (start: number, end = size) => {
        const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start));
        await handle.read(bytes, 0, bytes.length, start);
        return bytes.buffer;
      };
      const rows = await parquetRows({ byteLength: size, slice }, file, most);
      return rows.map((values, index) => ({ where: `${file}, row ${index + 1}`, values }));
    } finally {
      await handle.close();
    }
  }
  if (extension === ".csv" || extension === ".tsv") {
    // One more: the first may name the columns.
    return delimited(file, await textHead(file, most + 1, true), options).slice(0, most);
  }
  if (extension !== ".jsonl" && extension !== ".ndjson") return undefined;
  const text = await textHead(file, most, false);
  return /^\s*\[/.test(text) ? undefined : jsonRows(file, text).slice(0, most);
}

async function readBytes(file: string, bytes: Buffer, options: BenchmarkFileOptions): Promise<BenchmarkRow[]> {
  const extension = dataExtension(file);
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
