/**
 * One stage of a pipeline on disk: a line for each id, added as it comes so that nothing paid for is lost, and put into the order of the
 * ids once all are there. Killed anywhere, the next run asks for what is missing alone and ends with the same bytes. Wall times stay out
 * of the lines for that reason.
 */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import type { CardUsage } from "#data/training-files/data-card.ts";
import { replaceFile } from "#files/durable.ts";
import { type Entry, JsonLines, readEntries, repairLines } from "#files/json-lines.ts";
import { userError } from "#kernel/errors.ts";
import { inParallel } from "#kernel/in-parallel.ts";

export interface StageLine {
  id: string;
  /** Why there is no result; such a line is tried again by the next run. */
  failed?: string | undefined;
  /** By who was asked. Tries that failed before are counted in. */
  usage: Record<string, CardUsage>;
}

interface Kept extends Pick<Entry, "start" | "end"> {
  failed: boolean;
  usage: Record<string, CardUsage>;
}

export class StageFile<Line extends StageLine> {
  readonly file: string;
  readonly #kept = new Map<string, Kept>();
  #lines: JsonLines | undefined;

  /** Reads what an earlier process wrote and mends a torn last line. */
  constructor(file: string) {
    this.file = file;
    repairLines(file, (line, entry) => {
      this.#keep(line as unknown as Line, entry);
      return true;
    });
  }

  /** Whether there is a result. */
  has(id: string): boolean {
    return this.#kept.get(id)?.failed === false;
  }

  /** Result or failure; undefined where the id was not asked for yet. */
  read(id: string): Line | undefined {
    const kept = this.#kept.get(id);
    return kept && readEntries<Line>(this.file, [kept])[0];
  }

  add(line: Line): void {
    const before = this.#kept.get(line.id);
    const whole = before ? { ...line, usage: sumUsages(before.usage, line.usage) } : line;
    this.#lines ??= new JsonLines(this.file);
    this.#keep(whole, this.#lines.append(whole));
  }

  /** What all of it cost. */
  get usage(): Record<string, CardUsage> {
    let sum: Record<string, CardUsage> = {};
    for (const { usage } of this.#kept.values()) sum = sumUsages(sum, usage);
    return sum;
  }

  /** Rewrites the file in the order of the ids, one line each, in one move. */
  putInOrder(ids: readonly string[]): void {
    const wanted = ids.flatMap((id) => this.#kept.get(id) ?? []);
    if (wanted.length === 0 || isInOrder(wanted, this.#kept.size)) return;
    this.close();
    replaceFile(this.file, (target) => copyRanges(this.file, target, wanted));
    this.#kept.clear();
    repairLines(this.file, (line, entry) => {
      this.#keep(line as unknown as Line, entry);
      return true;
    });
  }

  close(): void {
    this.#lines?.sync();
    this.#lines?.close();
    this.#lines = undefined;
  }

  #keep({ id, failed, usage }: Line, { start, end }: Pick<Entry, "start" | "end">): void {
    this.#kept.set(id, { start, end, failed: failed !== undefined, usage });
  }
}

/** As many calls in a row fail before the stage gives up: a wrong key or a dead server fails every one. */
const hopelessAfter = 12;

export interface Stage<Line extends StageLine> {
  file: StageFile<Line>;
  ids: readonly string[];
  concurrency: number;
  /** A failure is a line with `failed`; throws only where the signal aborted, or for our own mistakes. */
  work: (id: string) => Promise<Line>;
  signal?: AbortSignal | undefined;
  onDone?: ((done: number, total: number) => void) | undefined;
}

/** Asks for what is missing, many at once, and leaves the file in order. Throws the signal's reason after an abort. */
export async function runStage<Line extends StageLine>(stage: Stage<Line>): Promise<void> {
  const { file, ids, concurrency, work, signal, onDone } = stage;
  let done = ids.filter((id) => file.has(id)).length;
  let failedInRow = 0;
  let last: string | undefined;
  onDone?.(done, ids.length);
  function* missing(): Generator<string> {
    for (const id of ids.filter((each) => !file.has(each))) {
      if (signal?.aborted || failedInRow >= hopelessAfter) return;
      yield id;
    }
  }
  try {
    await inParallel(missing(), concurrency, async (id) => {
      const line = await work(id);
      // What an abort cut short is no failure of the model's.
      if (signal?.aborted && line.failed !== undefined) return;
      file.add(line);
      failedInRow = line.failed === undefined ? 0 : failedInRow + 1;
      last = line.failed ?? last;
      done++;
      onDone?.(done, ids.length);
    }).catch((error) => {
      signal?.throwIfAborted();
      throw error;
    });
    signal?.throwIfAborted();
    if (failedInRow >= hopelessAfter) {
      throw userError(
        "every-call-fails",
        `${hopelessAfter} calls in a row failed; the last one: ${last}`,
        "See what the error says and run the same command again: it goes on where this one stopped.",
      );
    }
    file.putInOrder(ids);
  } finally {
    file.close();
  }
}

export function addCardUsage(first: CardUsage, second: CardUsage): CardUsage {
  const sum: CardUsage = { calls: first.calls + second.calls };
  for (const field of ["inputTokens", "outputTokens", "dollars"] as const) {
    const [one, other] = [first[field], second[field]];
    if (one !== undefined && other !== undefined) sum[field] = one + other;
  }
  return sum;
}

function sumUsages(first: Record<string, CardUsage>, second: Record<string, CardUsage>): Record<string, CardUsage> {
  const sum = { ...first };
  for (const [name, usage] of Object.entries(second)) sum[name] = sum[name] ? addCardUsage(sum[name], usage) : usage;
  return sum;
}

function isInOrder(wanted: readonly Kept[], known: number): boolean {
  return wanted.length === known && wanted.every(({ start }, index) => start === (index === 0 ? 0 : wanted[index - 1].end));
}

function copyRanges(from: string, target: number, ranges: readonly Kept[]): void {
  const source = openSync(from, "r");
  try {
    for (const { start, end } of ranges) {
      const bytes = Buffer.allocUnsafe(end - start);
      readSync(source, bytes, 0, bytes.length, start);
      for (let written = 0; written < bytes.length; ) written += writeSync(target, bytes, written);
    }
  } finally {
    closeSync(source);
  }
}
