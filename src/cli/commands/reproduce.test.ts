import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { TableOneWanted } from "#recipes/table-one/reproduce.ts";
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

test("the page goes into the run directory unless it is told where, and a narrow table says what it lacks", async () => {
  const wanted: TableOneWanted[] = [];
  const figure = (scope: string) => ({ scope, accuracy: 0.5, interval: [0.4, 0.7], generated: 40 });
  const scopes = [
    { id: "sums", label: "sums of numbers", kind: "domain" },
    { id: "all", label: "mean of all", kind: "overall" },
  ];
  const rows = [{ id: "base", label: "base", figures: [figure("sums"), figure("all")] }];
  vi.doMock("#recipes/table-one/reproduce.ts", () => ({
    reproduceTableOne: async (asked: TableOneWanted) => {
      wanted.push(asked);
      return { failures: [], report: { table: { rows, scopes, subject: "PASR" } }, results: "{}", page: "report.html" };
    },
  }));
  const { columns } = process.stdout;
  try {
    await reproduce("page");
    await reproduce("page", "--markdown", "docs/table-1.md");
    expect(wanted.map(({ markdownFile }) => markdownFile)).toEqual([path.join(root, "page", "table-1.md"), "docs/table-1.md"]);
    process.stdout.columns = 36;
    const narrow = await reproduce("page");
    expect(narrow).toContain("No room at this width for: sums of");
    process.stdout.columns = 10;
    expect(await reproduce("page")).toMatch(/base\n {2}sums(.|\n)*50\.0/);
  } finally {
    process.stdout.columns = columns;
    vi.doUnmock("#recipes/table-one/reproduce.ts");
  }
});
