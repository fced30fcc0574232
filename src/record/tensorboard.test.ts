import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TensorBoardFile } from "./tensorboard.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "tensorboard-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The messages of a file's records. */
function messagesOf(file: string): Buffer[] {
  const bytes = readFileSync(file);
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    messages.push(bytes.subarray(at + 12, at + 12 + length));
    at += length + 16;
  }
  return messages;
}

test("a file begins with its version and the step it goes on from, then one record a step", () => {
  const file = new TensorBoardFile(path.join(folder, "deep", "er"), 41);
  file.write(42, [
    ["reward", 1],
    ["timing/seconds", 2],
  ]);
  file.write(43, []);
  file.close();
  const messages = messagesOf(file.file);
  expect(messages).toHaveLength(4);
  expect(messages[0].toString("latin1")).toContain("brain.Event:2");
  expect([...messages[1].subarray(9)]).toEqual([0x10, 42, 0x3a, 2, 8, 1]);
  expect(messages[2].toString("latin1")).toContain("timing/seconds");
});

test("a later process always has a later name, however quickly it follows", () => {
  const files = [0, 1, 2].map(() => new TensorBoardFile(folder, 0));
  for (const file of files) file.close();
  const names = files.map((file) => path.basename(file.file));
  expect(readdirSync(folder).sort()).toEqual(names);
  writeFileSync(path.join(folder, "events.out.tfevents.9000000000.other.1.0"), "");
  const last = new TensorBoardFile(folder, 0);
  last.close();
  expect(path.basename(last.file)).toMatch(/^events\.out\.tfevents\.9000000001\./);
});

test("a folder that cannot be is said at once", () => {
  writeFileSync(path.join(folder, "file"), "");
  expect(() => new TensorBoardFile(path.join(folder, "file", "in"), 0)).toThrow(/a part of the path is a file/);
  if (process.getuid?.() === 0) return;
  chmodSync(folder, 0o500);
  expect(() => new TensorBoardFile(path.join(folder, "new"), 0)).toThrow(/permission/);
});
