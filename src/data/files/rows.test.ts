import { constants } from "node:buffer";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRows, utf8Text } from "./rows.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcourse-rows-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe("rows", () => {
  it("reads JSON lines with a byte order mark, CRLF and blank lines, and keeps the line numbers", async () => {
    const rows = await readRows(
      await file("a.jsonl", '\ufeff{"question":"1+1?","answer":2}\r\n\r\n{"question":"é","answer":"x"}\r\n'),
    );
    expect(rows).toEqual([
      { line: 1, values: { question: "1+1?", answer: 2 } },
      { line: 3, values: { question: "é", answer: "x" } },
    ]);
  });

  it("reads CSV with quotes, line breaks inside fields, CRLF and a byte order mark", async () => {
    const rows = await readRows(await file("a.csv", '\ufeffquestion,answer\r\n"say ""hi"", please\r\nnow",1\r\nplain,2\r\n'));
    expect(rows.map((row) => row.values)).toEqual([
      { question: 'say "hi", please\r\nnow', answer: "1" },
      { question: "plain", answer: "2" },
    ]);
    expect(rows[1].line).toBeGreaterThan(rows[0].line);
  });

  it("reads any fields that were written as CSV", async () => {
    const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", " ", "é", ";") });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 8 }), async (records) => {
        const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const body = records.map(([first, second]) => `${quote(first)},${quote(second)}`).join("\n");
        const rows = await readRows(await file("property.csv", `one,two\n${body}\n`));
        expect(rows.map((row) => [row.values.one, row.values.two])).toEqual(records);
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ["broken.jsonl", '{"a":1}\n{"a":\n', "data-json", "line 2"],
    ["list.jsonl", "[1]\n", "data-json", "line 1"],
    ["object.json", '{"a":1}', "data-json", "object.json"],
    ["broken.csv", 'a,b\n1,2\n"x,3\n', "data-csv", "broken.csv"],
    ["wide.csv", "a,b\n1,2\n1,2,3\n", "data-csv", "line 3"],
    ["doubled.csv", "a,a\n1,2\n", "data-csv", '"a"'],
    ["a.parquet", "x", "data-parquet", "a.parquet"],
    ["a.xlsx", "x", "data-format", ".xlsx"],
  ])("names file and place when it cannot read %s", async (name, content, code, part) => {
    await expect(readRows(await file(name, content))).rejects.toMatchObject({ code, message: expect.stringContaining(part) });
  });

  it("says of a text longer than any can be that it is too large", () => {
    const bytes = new Uint8Array(constants.MAX_STRING_LENGTH + 1);
    expect(() => utf8Text("large.jsonl", bytes)).toThrow(
      expect.objectContaining({
        code: "data-too-large",
        what: expect.stringMatching(/^large\.jsonl is too large to be read: \d+ MB, of at most \d+ MB\.$/),
      }),
    );
  });

  it("names a missing file and text that is not UTF-8", async () => {
    await expect(readRows(join(folder, "none.csv"))).rejects.toMatchObject({ code: "data-missing" });
    await expect(readRows(await file("latin.csv", Buffer.from([0x61, 0x0a, 0xe9, 0x0a])))).rejects.toMatchObject({
      code: "data-encoding",
    });
  });
});

it("a folder in place of a file is told with what is in it", async () => {
  const at = await mkdtemp(join(folder, "inside-"));
  for (const name of ["train.jsonl", "test.jsonl"]) await writeFile(join(at, name), "{}\n");
  await expect(readRows(at)).rejects.toMatchObject({
    code: "data-folder",
    what: `${at} is a folder (test.jsonl, train.jsonl), and one file is read here.`,
    advice: "Name the file.",
  });
});
