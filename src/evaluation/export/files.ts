/** What the exports have in common: what is exported, names of files, and files that grow record by record. */
import { createHash } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import path from "node:path";
import { makeFolder, replaceLink } from "#files/durable.ts";
import type { Item } from "#kernel/item.ts";
import type { Message } from "#kernel/model.ts";
import { struckFile } from "#kernel/secrets.ts";
import type { TraceEvent } from "#kernel/trace.ts";
import { getOrMake } from "#kernel/values.ts";
import type { EvaluationRecord } from "../records/evaluation-record.ts";
import type { Results } from "../summary/results.ts";
import { resamplingMethod } from "../summary/summary.ts";

export interface ExportPlan {
  /** Is made where it is missing; files of the same name are replaced. */
  folder: string;
  results: Results;
  /** One after the other, in any order: a run of any size is exported without holding it. The pool's samples are left out. */
  records: Iterable<EvaluationRecord>;
  /** All items of a task, in its own order. */
  itemsOf: (task: string) => readonly Item[];
  /** Stands in names and in the files: when the run was made. */
  date: Date;
}

/** A record with its item, the item's place in its task, and the task's name. */
export interface ExportedRecord {
  task: string;
  item: Item;
  index: number;
  record: EvaluationRecord;
}

/** Records of items that the task does not have any more are left out. */
export function* exportedRecords({ records, results, itemsOf }: ExportPlan): Generator<ExportedRecord> {
  const places = new Map<string, Map<string, { item: Item; index: number }>>();
  for (const record of records) {
    if (record.method === resamplingMethod) continue;
    const task = record.task ?? results.tasks[0]?.task ?? "";
    const items = getOrMake(places, task, () => new Map(itemsOf(task).map((item, index) => [item.id, { item, index }])));
    const place = items.get(record.item);
    if (place) yield { task, record, ...place };
  }
}

/** The conversation the method's first call was asked with; the bare question where no trace was kept. */
export function promptOf(record: EvaluationRecord, item: Item): readonly Message[] {
  return firstMessages(record.events ?? []) ?? [{ role: "user", content: item.question }];
}

function firstMessages(events: readonly TraceEvent[]): readonly Message[] | undefined {
  for (const event of events) {
    const messages = event.type === "inner" ? firstMessages([event.event]) : "messages" in event ? event.messages : undefined;
    if (messages && messages.length > 0) return messages;
  }
  return undefined;
}

/** Files that are written to a piece at a time, opened when they are first needed. */
export class GrowingFiles {
  readonly #folder: string;
  readonly #handles = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  write(name: string, text: string): void {
    const handle = getOrMake(this.#handles, name, () => {
      const file = path.join(this.#folder, name);
      makeFolder(path.dirname(file));
      replaceLink(file);
      return openSync(file, "w");
    });
    const bytes = Buffer.from(struckFile(text));
    for (let written = 0; written < bytes.length; ) written += writeSync(handle, bytes, written);
  }

  /** Paths of all files, in the order they were begun. */
  get written(): string[] {
    return [...this.#handles.keys()].map((name) => path.join(this.#folder, name));
  }

  close(): void {
    for (const handle of this.#handles.values()) closeSync(handle);
  }
}

/** A method or task as part of a file name. */
export function fileName(name: string): string {
  const plain = name
    .replace(/[^\p{L}\p{N}._-]+/gu, "_")
    .replace(/^\.+/, "_")
    .slice(0, 80);
  // Two names that differ in what was replaced stay two names.
  return plain === name ? plain : `${plain}-${sha256(name).slice(0, 6)}`;
}

export function sha256(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}
