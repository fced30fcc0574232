/** An append-only file of JSON lines that a crash can tear only at its end, and that opening repairs. */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { userError } from "#kernel/errors.ts";
import { fileFailure, guarded } from "./file-failures.ts";

/** Version of the line formats of a run directory; every line carries it as `v`. */
export const schemaVersion = 1;

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue | undefined };
export type JsonObject = { [key: string]: JsonValue | undefined };

export class JsonLines {
  readonly file: string;
  readonly #handle: number;

  constructor(file: string) {
    this.file = file;
    this.#handle = guarded(`open ${file}`, () => openSync(file, "a"));
  }

  /** Adds one line, whole or not at all: where the disk fills up half-way, the part that was written is taken back. */
  append(line: object): void {
    const bytes = Buffer.from(`${JSON.stringify({ v: schemaVersion, ...line })}\n`);
    const before = fstatSync(this.#handle).size;
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#handle, bytes, written);
    } catch (error) {
      try {
        ftruncateSync(this.#handle, before);
      } catch {
        // The next opening repairs the tail.
      }
      throw fileFailure(error, `write ${this.file}`);
    }
  }

  /** Returns when the lines are on the disk. */
  sync(): void {
    guarded(`write ${this.file}`, () => {
      if (fstatSync(this.#handle).isFile()) fsyncSync(this.#handle);
    });
  }

  close(): void {
    closeSync(this.#handle);
  }
}

/** The complete lines of a file; none where there is no file. A torn last line is left out. */
export function readLines<Line extends object = JsonObject>(file: string): Line[] {
  return scan(file).map((entry) => entry.line as Line);
}

/**
 * Cuts off a torn last line, and everything from the first line on for which `keep` says no. Call before appending.
 * Returns how many bytes went.
 */
export function repairLines(file: string, keep: (line: JsonObject) => boolean = () => true): number {
  const entries = scan(file);
  const firstGone = entries.findIndex((entry) => !keep(entry.line));
  const end = firstGone >= 0 ? entries[firstGone].start : (entries.at(-1)?.end ?? 0);
  const size = regularSize(file);
  if (size > end) guarded(`repair ${file}`, () => truncateSync(file, end));
  return Math.max(0, size - end);
}

interface Entry {
  line: JsonObject;
  /** Byte range with the line feed. */
  start: number;
  end: number;
}

function scan(file: string): Entry[] {
  if (regularSize(file) === 0) return [];
  const bytes = guarded(`read ${file}`, () => readFileSync(file));
  const entries: Entry[] = [];
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(10, start);
    if (feed < 0) break;
    const line = parseLine(bytes.toString("utf8", start, feed));
    if (line === undefined) {
      // A power cut may leave a last block of zeros or old bytes; damage before the end is no crash of ours.
      if (bytes.indexOf(10, feed + 1) < 0) break;
      throw userError(
        "record-damaged",
        `line ${entries.length + 1} of ${file} is not a JSON object`,
        "The file was changed by something else; restore it, or start a new run folder.",
      );
    }
    entries.push({ line, start, end: feed + 1 });
    start = feed + 1;
  }
  return entries;
}

function parseLine(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

function regularSize(file: string): number {
  const status = guarded(`read ${file}`, () => statSync(file, { throwIfNoEntry: false }));
  return status?.isFile() ? status.size : 0;
}
