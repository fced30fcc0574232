/** Rows of named columns from JSONL, JSON arrays, CSV and TSV files, each with the line it stands on; errors name file and line. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { pipeline } from "node:stream/promises";
import { CsvError, parse } from "csv-parse/sync";
import { userError } from "#kernel/errors.ts";

export interface Row {
  /** One-based line in the file where the row begins; for a JSON array the one-based index. */
  line: number;
  values: Record<string, unknown>;
}

/** Reads the whole file. `.jsonl`/`.ndjson`, `.json` (an array of objects), `.csv` and `.tsv` (first row names the columns). */
export async function readRows(path: string): Promise<Row[]> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT") throw userError("data-missing", `There is no file ${path}.`, "Check the path.", cause);
    if (code === "ERR_ENCODING_INVALID_ENCODED_DATA")
      throw userError(
        "data-encoding",
        `${path} is not UTF-8 text.`,
        "Save it as UTF-8 (compressed files must be unpacked first).",
        cause,
      );
    throw userError(
      "data-unreadable",
      `${path} cannot be read: ${(cause as Error).message}`,
      "Check that it is a readable file.",
      cause,
    );
  }
  text = text.replace(/^\ufeff/, "");
  const extension = extname(path).toLowerCase();
  if (extension === ".csv" || extension === ".tsv") return readDelimited(path, text, extension === ".csv" ? "," : "\t");
  if (extension === ".json") return readJsonArray(path, text);
  // Some publish an array under the name of lines; no line of objects begins so.
  const isLines = extension === ".jsonl" || extension === ".ndjson";
  if (isLines) return /^\s*\[\s*\{/.test(text) ? readJsonArray(path, text) : readJsonLines(path, text);
  throw userError(
    "data-format",
    `${basename(path)}: the ending "${extension}" is not a known format.`,
    "Give a .jsonl, .json, .csv or .tsv file.",
  );
}

function readJsonLines(path: string, text: string): Row[] {
  const rows: Row[] = [];
  text.split(/\r?\n/).forEach((content, index) => {
    if (content.trim() === "") return;
    let value: unknown;
    try {
      value = JSON.parse(content);
    } catch (cause) {
      throw userError(
        "data-json",
        `${path}, line ${index + 1}: ${(cause as Error).message}.`,
        "Each line must be one JSON object.",
        cause,
      );
    }
    rows.push({ line: index + 1, values: requireObject(value, `${path}, line ${index + 1}`) });
  });
  return rows;
}

function readJsonArray(path: string, text: string): Row[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw userError("data-json", `${path}: ${(cause as Error).message}.`, "The file must be one JSON array of objects.", cause);
  }
  if (!Array.isArray(value))
    throw userError("data-json", `${path} is no JSON array.`, "Give an array of objects, or use .jsonl.");
  return value.map((entry, index) => ({ line: index + 1, values: requireObject(entry, `${path}, entry ${index + 1}`) }));
}

function requireObject(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw userError("data-json", `${where}: not a JSON object.`, 'Each entry must look like {"question": "…", "answer": "…"}.');
}

function readDelimited(path: string, text: string, delimiter: string): Row[] {
  try {
    const records = parse(text, {
      delimiter,
      columns: checkedHeader(path),
      info: true,
      skip_empty_lines: true,
      relax_column_count_less: true,
    });
    return (records as unknown as { record: Record<string, string>; info: { lines: number } }[]).map(({ record, info }) => ({
      line: info.lines,
      values: record,
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
