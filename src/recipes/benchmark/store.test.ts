import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type EvaluationRecord, recordKey } from "#evaluation/records/evaluation-record.ts";
import { answerRecord } from "../../../test/support/records.ts";
import { RecordIndex, RecordStore } from "./store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "benchmark-store-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const usage = { calls: 1, inputTokens: 2, outputTokens: 3, milliseconds: 4 };
const record = (item: string, part: Partial<EvaluationRecord> = {}) =>
  answerRecord(item, 1, { task: "t", method: "vanilla", text: `answer to ${item}`, answer: item, usage, events: [], ...part });

test("records come back in short from memory and whole from the disk, in this process and the next", () => {
  const store = new RecordStore(folder);
  store.append(record("a"));
  store.append(record("ü€"));
  store.close();
  for (const each of [store.index, new RecordStore(folder).index, RecordIndex.read(folder)]) {
    expect(each.records().map(({ item }) => item)).toEqual(["a", "ü€"]);
    expect(each.readTraces([recordKey(record("ü€")), "unknown"])).toMatchObject([{ item: "ü€", text: "answer to ü€" }]);
    expect(each.spent).toMatchObject({ calls: 2, inputTokens: 4, outputTokens: 6 });
  }
});

test("a torn last line is cut off, and its answer is asked for again", () => {
  const store = new RecordStore(folder);
  store.append(record("a"));
  store.close();
  appendFileSync(path.join(folder, "records.jsonl"), JSON.stringify(record("b")).slice(0, 40));
  const again = new RecordStore(folder);
  expect(again.index.isKnown(recordKey(record("a")))).toBe(true);
  expect(again.index.isKnown(recordKey(record("b")))).toBe(false);
  again.append(record("b"));
  expect(Array.from(again.index.stream(), ({ item }) => item)).toEqual(["a", "b"]);
  again.close();
});

test("an answer that failed is not known, and the one after it takes its place; both were paid for", () => {
  const store = new RecordStore(folder);
  store.append(record("a", { error: "503", accuracy: 0 }));
  expect(store.index.isKnown(recordKey(record("a")))).toBe(false);
  store.append(record("a"));
  expect(store.index.isKnown(recordKey(record("a")))).toBe(true);
  expect(store.index.records()).toMatchObject([{ failed: false, accuracy: 1 }]);
  expect(Array.from(store.index.stream(), ({ error }) => error)).toEqual([undefined]);
  expect(store.index.spent.calls).toBe(2);
  store.close();
});
