/** The records of an evaluation run: on disk whole, one line each; in memory only what the statistics need. */
import path from "node:path";
import { type EvaluationRecord, recordKey } from "#evaluation/records/evaluation-record.ts";
import { type SlimRecord, slimRecord } from "#evaluation/records/slim-record.ts";
import { type Entry, JsonLines, readEntries, repairLines, streamLines } from "#files/json-lines.ts";
import { addUsage, noUsage, type Usage } from "#kernel/model.ts";

export const recordsFile = "records.jsonl";

export interface StoreOptions {
  /** Whether two answers of a task are the same one, beyond their normal forms. */
  sameAnswer?: (task: string | undefined) => ((first: string, second: string) => boolean) | undefined;
}

interface Kept {
  slim: SlimRecord;
  start: number;
  end: number;
}

/** What a run's records say, in short, and where each stands. Reads only; the run may be under way. */
export class RecordIndex {
  readonly file: string;
  readonly #options: StoreOptions;
  /** By `recordKey`; of an answer that was given twice, because it failed the first time, the later one. */
  readonly #kept = new Map<string, Kept>();
  #spent: Usage = noUsage;

  constructor(folder: string, options: StoreOptions = {}) {
    this.file = path.join(folder, recordsFile);
    this.#options = options;
  }

  static read(folder: string, options: StoreOptions = {}): RecordIndex {
    const index = new RecordIndex(folder, options);
    for (const entry of streamLines<EvaluationRecord>(index.file)) index.add(entry.line, entry);
    return index;
  }

  add(record: EvaluationRecord, { start, end }: Pick<Entry, "start" | "end">): void {
    const sameAnswer = this.#options.sameAnswer?.(record.task);
    this.#kept.set(recordKey(record), { slim: slimRecord(record, { sameAnswer }), start, end });
    this.#spent = addUsage(addUsage(this.#spent, record.usage), record.gradingUsage ?? noUsage);
  }

  /** An answer that failed is none: it is asked for again. */
  isKnown(key: string): boolean {
    return this.#kept.get(key)?.slim.failed === false;
  }

  /** In short, those that `wanted` says yes to. */
  records(wanted: (record: SlimRecord) => boolean = () => true): SlimRecord[] {
    return Array.from(this.#kept.values(), ({ slim }) => slim).filter(wanted);
  }

  /** Whole records by `recordKey`, read from the disk; unknown keys are left out. */
  readTraces(keys: readonly string[]): EvaluationRecord[] {
    return readEntries<EvaluationRecord>(
      this.file,
      keys.flatMap((key) => this.#kept.get(key) ?? []),
    );
  }

  /** Every whole record, one at a time. */
  *stream(): Generator<EvaluationRecord> {
    for (const { line, start } of streamLines<EvaluationRecord>(this.file)) {
      if (this.#kept.get(recordKey(line))?.start === start) yield line;
    }
  }

  /** What everything so far has cost, failed answers and grading included. */
  get spent(): Usage {
    return this.#spent;
  }
}

/** The records of a run that goes on. */
export class RecordStore {
  readonly index: RecordIndex;
  readonly #lines: JsonLines;

  /** Reads what an earlier process wrote and mends a torn last line. */
  constructor(folder: string, options: StoreOptions = {}) {
    this.index = new RecordIndex(folder, options);
    repairLines(this.index.file, (line, entry) => {
      this.index.add(line as unknown as EvaluationRecord, entry);
      return true;
    });
    this.#lines = new JsonLines(this.index.file);
  }

  append(record: EvaluationRecord): void {
    this.index.add(record, this.#lines.append(record));
  }

  close(): void {
    this.#lines.close();
  }
}
