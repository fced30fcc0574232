/** The records of an evaluation run: on disk whole, one line each; in memory only what the statistics need. */
import path from "node:path";
import { type EvaluationRecord, recordKey } from "#evaluation/evaluation-record.ts";
import { type SlimRecord, slimRecord } from "#evaluation/slim-record.ts";
import { addUsage, noUsage, type Usage } from "#kernel/model.ts";
import { JsonLines, repairLines, streamLines } from "#record/json-lines.ts";

export const recordsFile = "records.jsonl";

export interface StoreOptions {
  /** Whether two answers of a task are the same one, beyond their normal forms. */
  sameAnswer?: (task: string | undefined) => ((first: string, second: string) => boolean) | undefined;
}

export class RecordStore {
  readonly #file: string;
  readonly #lines: JsonLines;
  readonly #options: StoreOptions;
  /** By `recordKey`; of an answer that was given twice, because it failed the first time, the later one. */
  readonly #records = new Map<string, SlimRecord>();
  #spent: Usage = noUsage;

  /** Reads what an earlier process wrote and mends a torn last line. */
  constructor(folder: string, options: StoreOptions = {}) {
    this.#file = path.join(folder, recordsFile);
    this.#options = options;
    repairLines(this.#file, (line) => {
      this.#add(line as unknown as EvaluationRecord);
      return true;
    });
    this.#lines = new JsonLines(this.#file);
  }

  append(record: EvaluationRecord): void {
    this.#lines.append(record);
    this.#add(record);
  }

  /** An answer that failed is none: it is asked for again. */
  isKnown(key: string): boolean {
    return this.#records.get(key)?.failed === false;
  }

  get records(): Iterable<SlimRecord> {
    return this.#records.values();
  }

  /** What everything so far has cost, failed answers and grading included. */
  get spent(): Usage {
    return this.#spent;
  }

  close(): void {
    this.#lines.close();
  }

  #add(record: EvaluationRecord): void {
    const sameAnswer = this.#options.sameAnswer?.(record.task);
    this.#records.set(recordKey(record), slimRecord(record, sameAnswer ? { sameAnswer } : {}));
    this.#spent = addUsage(addUsage(this.#spent, record.usage), record.gradingUsage ?? noUsage);
  }
}

/** Whole records of a run one at a time, the last one of each key that is wanted; a run under way may be read too. */
export function readRecords(folder: string, wanted: (record: EvaluationRecord) => boolean): Map<string, EvaluationRecord> {
  const found = new Map<string, EvaluationRecord>();
  for (const record of streamRecords(folder)) if (wanted(record)) found.set(recordKey(record), record);
  return found;
}

export function* streamRecords(folder: string): Generator<EvaluationRecord> {
  for (const { line } of streamLines<EvaluationRecord>(path.join(folder, recordsFile))) yield line;
}
