import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { midcourse } from "../../../test/support/command.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), "reproduce-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const reproduce = (name: string, ...words: string[]) =>
  midcourse("reproduce", "pasr-table-1", "--seeds", "1", "--threads", "1", "--out", path.join(root, name), ...words);

test("a table of no seeds is refused before anything is written", async () => {
  await expect(reproduce("none", "--seeds", "0")).rejects.toThrow("a table of no seeds is empty");
  expect(readdirSync(root)).not.toContain("none");
});

test("nothing is put beside other people's files", async () => {
  const out = path.join(root, "letters");
  mkdirSync(out);
  writeFileSync(path.join(out, "letter.txt"), "Dear Ada");
  await expect(reproduce("letters")).rejects.toThrow(/not of this table \(letter\.txt\)/);
  expect(readdirSync(out)).toEqual(["letter.txt"]);
});

test("a folder of another size of table is refused", async () => {
  const out = path.join(root, "other");
  mkdirSync(path.join(out, "base"), { recursive: true });
  const configuration = { v: 1, command: "reproduce", options: { unit: "base", model: "elsewhere" } };
  writeFileSync(path.join(out, "base", "config.json"), JSON.stringify(configuration));
  writeFileSync(path.join(out, "base", "done.json"), "{}");
  await expect(reproduce("other", "--fast")).rejects.toThrow(/base/);
  expect(readdirSync(out)).toEqual(["base"]);
});
