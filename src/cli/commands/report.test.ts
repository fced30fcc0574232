import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { summarise } from "#evaluation/summary/summary.ts";
import { RecordStore } from "#recipes/benchmark/store.ts";
import { openRun } from "#record/run-directory.ts";
import { midcourse } from "../../../test/support/command.ts";
import { answerRecord } from "../../../test/support/records.ts";

let folder: string;
let run: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "report-"));
  run = path.join(folder, "run");
  openRun(run, { command: "eval", options: {} }).close();
  const record = answerRecord("a", 1, { task: "t", method: "vanilla", text: "1", answer: "1", extracted: "1", events: [] });
  const store = new RecordStore(run);
  store.append(record);
  const plan = { run: "run", model: "m", command: "c", version: "0", seed: 1, temperature: 0, samples: 1 };
  const results = summarise({ ...plan, tasks: [{ id: "t", items: 1 }], records: store.index.records() });
  store.close();
  writeFileSync(path.join(run, "results.json"), JSON.stringify(results));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("a report makes the folder it is to stand in, and says what is in its way", async () => {
  const file = path.join(folder, "new", "ab.html");
  await midcourse("report", run, "--out", file);
  expect(existsSync(file)).toBe(true);
  await expect(midcourse("report", run, "--out", folder)).rejects.toMatchObject({ code: "not-a-file", family: "user" });
});

test("a report replaces a symbolic link, and leaves the file it leads to as it is", async () => {
  const other = path.join(folder, "other.txt");
  writeFileSync(other, "of someone else");
  const file = path.join(folder, "report.html");
  symlinkSync(other, file);
  await midcourse("report", run, "--out", file);
  expect(readFileSync(file, "utf8")).toContain("<html");
  expect(readFileSync(other, "utf8")).toBe("of someone else");
});

test("an export says what is in its way", async () => {
  const file = path.join(folder, "file");
  writeFileSync(file, "");
  mkdirSync(path.join(folder, "free"));
  await expect(midcourse("export", run, "--out", path.join(file, "inside"))).rejects.toMatchObject({
    code: "not-a-folder",
    family: "user",
  });
  await midcourse("export", run, "--out", path.join(folder, "free"));
});
