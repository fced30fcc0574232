/**
 * Completions on disk by key and number of the sample: append-only JSON lines, one line a call, so that a kill leaves the whole call or
 * nothing of it. Several processes may use one folder: each writes a file of its own (`writer-0/responses.jsonl`, `writer-1/…`, taken over
 * from processes that ended) and reads those of all. In memory stands only where each entry is.
 */
import { closeSync, openSync, readdirSync, readSync, statSync, truncateSync } from "node:fs";
import path from "node:path";
import { makeFolder } from "#files/durable.ts";
import { guarded } from "#files/file-failures.ts";
import { fileSize, JsonLines } from "#files/json-lines.ts";
import { takeLock } from "#files/lock.ts";
import { MidcourseError, userError } from "#kernel/errors.ts";
import { getOrMake, jsonIn } from "#kernel/values.ts";

interface Writer {
  lines: JsonLines;
  shard: number;
  size: number;
  release: () => void;
}

const fileName = "responses.jsonl";
/** Files are told apart in the upper bits of a place, offsets in the lower ones. */
const shardUnit = 2 ** 44;
const mostShards = 256;

export class ResponseStore<Value extends object> {
  readonly folder: string;
  /** `key sample` → shard · 2^44 + offset of the line. */
  readonly #places = new Map<string, number>();
  /** Open files to read from, by shard. */
  readonly #handles = new Map<number, number>();
  /** Where the last whole line of each file ended when it was read. */
  readonly #ends = new Map<number, number>();
  #writer: Writer | undefined;

  /** Reads where everything is; makes nothing until something is added. */
  constructor(folder: string) {
    this.folder = folder;
    for (const shard of this.#shards()) this.#index(shard);
  }

  /** Entries known to this process. */
  get size(): number {
    return this.#places.size;
  }

  get(key: string, sample: number): Value | undefined {
    const place = this.#places.get(`${key} ${sample}`);
    if (place === undefined) return undefined;
    const shard = Math.floor(place / shardUnit);
    const line = readLineAt(this.#handle(shard), place % shardUnit);
    const at = line?.samples.indexOf(sample) ?? -1;
    // A damaged line is as good as none: it is asked for again.
    return line?.key === key && at >= 0 ? (line.values[at] as Value | undefined) : undefined;
  }

  /** Every entry, in the order of the files. */
  *values(): Generator<Value> {
    for (const name of this.#places.keys()) {
      const at = name.lastIndexOf(" ");
      const value = this.get(name.slice(0, at), Number(name.slice(at + 1)));
      if (value !== undefined) yield value;
    }
  }

  /** An entry that is there stays as it is. */
  add(key: string, entries: readonly { sample: number; value: Value }[]): void {
    const fresh = entries.filter(({ sample }) => this.get(key, sample) === undefined);
    if (fresh.length === 0) return;
    this.#writer ??= this.#openWriter();
    const { lines, shard, size } = this.#writer;
    const line = { key, samples: fresh.map(({ sample }) => sample), values: fresh.map(({ value }) => value) };
    lines.append(line);
    this.#writer.size = fileSize(lines.file);
    for (const { sample } of fresh) this.#places.set(`${key} ${sample}`, shard * shardUnit + size);
  }

  close(): void {
    for (const handle of this.#handles.values()) closeSync(handle);
    this.#handles.clear();
    if (!this.#writer) return;
    this.#writer.lines.sync();
    this.#writer.lines.close();
    this.#writer.release();
    this.#writer = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #shards(): number[] {
    const names = guarded(`read ${this.folder}`, () => {
      const status = statSync(this.folder, { throwIfNoEntry: false });
      return status === undefined ? [] : readdirSync(this.folder);
    });
    const numbers = names.flatMap((name) => /^writer-(\d{1,3})$/.exec(name)?.[1] ?? []).map(Number);
    return numbers
      .filter((shard) => shard < mostShards && fileSize(this.#file(shard)) > 0)
      .sort((first, second) => first - second);
  }

  #file(shard: number): string {
    return path.join(this.folder, `writer-${shard}`, fileName);
  }

  #handle(shard: number): number {
    return getOrMake(this.#handles, shard, () => {
      const file = this.#file(shard);
      return guarded(`read ${file}`, () => openSync(file, "r"));
    });
  }

  /** The first file that no living process writes to, its torn end cut off and what was added meanwhile read. */
  #openWriter(): Writer {
    for (let shard = 0; shard < mostShards; shard++) {
      const folder = path.join(this.folder, `writer-${shard}`);
      makeFolder(folder, `make ${folder}`);
      let release: () => void;
      try {
        release = takeLock(folder);
      } catch (error) {
        if (MidcourseError.isInstance(error) && error.code === "run-in-use") continue;
        throw error;
      }
      const file = this.#file(shard);
      const size = fileSize(file) === 0 ? 0 : this.#index(shard);
      if (fileSize(file) > size) guarded(`repair ${file}`, () => truncateSync(file, size));
      return { lines: new JsonLines(file), shard, size, release };
    }
    throw userError(
      "cache-in-use",
      `${mostShards} processes are writing to ${this.folder}`,
      "Give some of them another folder with --cache.",
    );
  }

  /**
   * Notes the places of the whole lines that were not read yet; returns where the last one ends. Of equal entries of one file the later one
   * counts, which was added because the earlier one was damaged; of several files, the first file's.
   */
  #index(shard: number): number {
    let end = this.#ends.get(shard) ?? 0;
    for (const { head, start, next } of lineHeads(this.#handle(shard), end)) {
      const read = readHead(head);
      for (const sample of read?.samples ?? []) {
        const name = copied(`${read!.key} ${sample}`);
        const known = this.#places.get(name);
        if (known === undefined || Math.floor(known / shardUnit) >= shard) this.#places.set(name, shard * shardUnit + start);
      }
      end = next;
    }
    this.#ends.set(shard, end);
    return end;
  }
}

interface StoredLine {
  key: string;
  samples: number[];
  values: unknown[];
}

/** `{"v":1,"key":"…","samples":[0,1],"values":[` is how every line of ours begins. */
const headForm = /^\{"v":\d+,"key":"([\w-]{1,100})","samples":\[([\d,]*)\],"values":\[/;
const headBytes = 16_384;
const chunkBytes = 1 << 20;

/** A part of a string keeps the whole alive; a hundred thousand places would hold every line in memory. */
function copied(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

function readHead(head: string): { key: string; samples: number[] } | undefined {
  const found = headForm.exec(head);
  return found
    ? {
        key: found[1],
        samples: found[2]
          .split(",")
          .filter((part) => part !== "")
          .map(Number),
      }
    : undefined;
}

/** Beginnings of the complete lines of a file with their places; the file is read in pieces. */
function* lineHeads(handle: number, from: number): Generator<{ head: string; start: number; next: number }> {
  const chunk = Buffer.allocUnsafe(chunkBytes);
  let start = from;
  /** The beginning of a line that goes on in the next piece. */
  let head = "";
  for (let position = from; ; ) {
    const read = readSync(handle, chunk, 0, chunkBytes, position);
    if (read === 0) return;
    let begin = 0;
    for (let feed = chunk.indexOf(10); feed >= 0 && feed < read; feed = chunk.indexOf(10, begin)) {
      yield { head: head + headOf(chunk, begin, feed, head), start, next: position + feed + 1 };
      head = "";
      begin = feed + 1;
      start = position + begin;
    }
    head += headOf(chunk, begin, read, head);
    position += read;
  }
}

/** Keys and numbers are ASCII, so a character that is split between two pieces does no harm here. */
function headOf(chunk: Buffer, begin: number, end: number, head: string): string {
  return chunk.toString("latin1", begin, Math.min(end, begin + headBytes - head.length));
}

function readLineAt(handle: number, offset: number): StoredLine | undefined {
  const pieces: Buffer[] = [];
  for (let position = offset, step = 16_384; ; step = chunkBytes) {
    const piece = Buffer.allocUnsafe(step);
    const read = readSync(handle, piece, 0, step, position);
    if (read === 0) return undefined;
    const feed = piece.subarray(0, read).indexOf(10);
    pieces.push(piece.subarray(0, feed < 0 ? read : feed));
    if (feed >= 0) break;
    position += read;
  }
  const line = jsonIn(Buffer.concat(pieces).toString("utf8")) as StoredLine | null | undefined;
  return Array.isArray(line?.samples) && Array.isArray(line.values) ? line : undefined;
}
