/** An append-only file of JSON lines that a crash can tear only at its end, and that opening repairs. */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, statSync, truncateSync, writeSync } from "node:fs";
import { userError } from "#kernel/errors.ts";
import { struckValue } from "#kernel/secrets.ts";
import { isRecord, jsonIn } from "#kernel/values.ts";
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

  /**
   * Adds one line without what is secret in it, whole or not at all: where the disk fills up half-way, the part that was written is taken back.
   * Returns where the line stands.
   */
  append(line: object): Pick<Entry, "start" | "end"> {
    const bytes = Buffer.from(`${JSON.stringify({ v: schemaVersion, ...struckValue(line) })}\n`);
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
    return { start: before, end: before + bytes.length };
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
  return Array.from(scan(file), (entry) => entry.line as Line);
}

/** A line with its byte range in the file, line feed included. */
export interface Entry<Line extends object = JsonObject> {
  line: Line;
  start: number;
  end: number;
}

/** The same one at a time, for files that are larger than the memory should be. */
export function streamLines<Line extends object = JsonObject>(file: string): Generator<Entry<Line>> {
  return scan(file) as Generator<Entry<Line>>;
}

/** Lines of a file by their byte ranges, as `streamLines` gave them. */
export function readEntries<Line extends object = JsonObject>(
  file: string,
  ranges: readonly Pick<Entry, "start" | "end">[],
): Line[] {
  return guarded(`read ${file}`, () => {
    const handle = openSync(file, "r");
    try {
      return ranges.map(({ start, end }) => {
        const bytes = Buffer.allocUnsafe(end - start);
        readSync(handle, bytes, 0, bytes.length, start);
        return JSON.parse(bytes.toString("utf8")) as Line;
      });
    } finally {
      closeSync(handle);
    }
  });
}

/**
 * Cuts off a torn last line, and everything from the first line on for which `keep` says no. Call before appending.
 * Returns how many bytes went.
 */
export function repairLines(file: string, keep: (line: JsonObject, entry: Entry) => boolean = () => true): number {
  let end = 0;
  for (const entry of scan(file)) {
    if (!keep(entry.line, entry)) break;
    end = entry.end;
  }
  const size = fileSize(file);
  if (size > end) guarded(`repair ${file}`, () => truncateSync(file, end));
  return Math.max(0, size - end);
}

const chunkBytes = 1 << 20;

/** Complete lines in order, the file read in pieces. */
function* scan(file: string): Generator<Entry> {
  if (fileSize(file) === 0) return;
  const handle = guarded(`open ${file}`, () => openSync(file, "r"));
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    let parts: Buffer[] = [];
    let number = 0;
    let start = 0;
    let position = 0;
    let damaged = false;
    for (;;) {
      const size = guarded(`read ${file}`, () => readSync(handle, chunk, 0, chunkBytes, position));
      if (size === 0) return;
      let from = 0;
      for (let feed = chunk.indexOf(10); feed >= 0 && feed < size; feed = chunk.indexOf(10, from)) {
        const text = lineText(parts, chunk, from, feed);
        parts = [];
        from = feed + 1;
        number++;
        // A power cut may leave a last block of zeros or old bytes; damage before the end is no crash of ours.
        if (damaged) throw damagedLine(file, number - 1);
        const line = jsonIn(text);
        const end = position + from;
        if (isRecord(line)) yield { line: line as JsonObject, start, end };
        else damaged = true;
        start = end;
      }
      if (from < size) parts.push(Buffer.from(chunk.subarray(from, size)));
      position += size;
    }
  } finally {
    closeSync(handle);
  }
}

/** Joins before it decodes: a character may be split between two chunks. */
function lineText(parts: readonly Buffer[], chunk: Buffer, from: number, to: number): string {
  if (parts.length === 0) return chunk.toString("utf8", from, to);
  return Buffer.concat([...parts, chunk.subarray(from, to)]).toString("utf8");
}

function damagedLine(file: string, number: number) {
  return userError(
    "record-damaged",
    `line ${number} of ${file} is not a JSON object`,
    "The file was changed by something else; restore it, or start a new run folder.",
  );
}

/** Bytes; 0 where there is no such file. */
export function fileSize(file: string): number {
  const status = guarded(`read ${file}`, () => statSync(file, { throwIfNoEntry: false }));
  return status?.isFile() ? status.size : 0;
}
