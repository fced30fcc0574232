import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBenchmarkFile, readBenchmarkFiles } from "./benchmark-file.ts";
import { parquetRows } from "./parquet.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "midcourse-files-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function rowsOf(name: string, content: string | Uint8Array, options = {}) {
  writeFileSync(path.join(folder, name), content);
  return (await readBenchmarkFile(path.join(folder, name), options)).rows;
}

describe("reading benchmark files", () => {
  it("keeps bad JSON lines as problems with their place", async () => {
    const rows = await rowsOf("a.jsonl", '\ufeff{"a":1}\r\n\r\nnonsense\n[1]\n{"a":2}');
    expect(rows.map(({ values }) => values?.a)).toEqual([1, undefined, undefined, 2]);
    expect(rows[1]).toMatchObject({ where: expect.stringContaining("line 3"), problem: expect.any(String) });
    expect(rows[2]).toMatchObject({ where: expect.stringContaining("line 4"), problem: "not a JSON object" });
  });

  it("reads arrays, and lines under the name of an array", async () => {
    expect(await rowsOf("a.json", '[{"a":1}, 2]')).toMatchObject([{ values: { a: 1 } }, { problem: "not a JSON object" }]);
    expect(await rowsOf("b.json", '{"a":1}\n{"a":2}\n')).toHaveLength(2);
    await expect(rowsOf("c.json", '{"a":1}')).rejects.toMatchObject({ code: "data-json" });
    await expect(rowsOf("d.json", '[{"a":1')).rejects.toMatchObject({ code: "data-json" });
  });

  it("reads CSV with and without names in the first row", async () => {
    const csvColumns = ["question", "A", "B", "answer"];
    const bare = await rowsOf("bare.csv", '"How, many?\nSay.",1,2,B\nWhich?,x\n', { csvColumns });
    expect(bare[0]).toMatchObject({ values: { question: "How, many?\nSay.", A: "1", B: "2", answer: "B" } });
    expect(bare[1]).toMatchObject({ where: expect.stringContaining("line 3"), problem: "2 columns instead of 4" });
    const named = await rowsOf("named.csv", "question,A,B,answer\nHow?,1,2,B\n", { csvColumns });
    expect(named.map(({ values }) => values?.answer)).toEqual(["B"]);
    await expect(rowsOf("broken.csv", 'a,b\n"x,y\n')).rejects.toMatchObject({ code: "data-csv" });
    expect(await rowsOf("empty.csv", "")).toEqual([]);
  });

  it("reads a folder's files in order, with what their names tell", async () => {
    const at = path.join(folder, "many");
    mkdirSync(at);
    for (const name of ["b_test.csv", "a_test.csv", "a_dev.csv", "notes.txt"])
      writeFileSync(path.join(at, name), `q of ${name},1,2,A\n`);
    const csvColumns = ["question", "A", "B", "answer"];
    const fieldsOf = (name: string) => ({ subject: name.slice(0, 1) });
    const files = await readBenchmarkFiles(at, { csvColumns, ending: "_test", fieldsOf });
    expect(files.map(({ rows }) => rows[0]?.values)).toMatchObject([
      { question: "q of a_test.csv", subject: "a" },
      { question: "q of b_test.csv", subject: "b" },
    ]);
    await expect(readBenchmarkFiles(at, { ending: "_val" })).rejects.toMatchObject({ code: "data-missing" });
  });

  it("names files that are missing, of another kind, or not text", async () => {
    await expect(readBenchmarkFiles(path.join(folder, "none.csv"))).rejects.toMatchObject({ code: "data-missing" });
    await expect(rowsOf("a.txt", "")).rejects.toMatchObject({ code: "data-format" });
    await expect(rowsOf("a.csv", Uint8Array.of(0xff, 0xfe, 0x00))).rejects.toMatchObject({ code: "data-encoding" });
    await expect(rowsOf("a.parquet", "PAR1 not at all")).rejects.toMatchObject({ code: "data-parquet" });
  });
});

describe("reading Parquet", () => {
  const read = (name: string) => parquetRows(readFileSync(`test/parquet/${name}`), name);

  it.each(["exam-snappy.parquet", "exam-zstd.parquet"])("reads records of lists: %s", async (name) => {
    expect(await read(name)).toMatchObject([
      {
        id: "exam-0",
        question: "Which pot holds 0 litres – or none?",
        choices: { text: ["red", "blue", "grün", "pink"], label: ["A", "B", "C", "D"] },
        answerKey: "B",
      },
      { choices: { label: ["1", "2", "3", "4"] }, answerKey: "3" },
      { id: "exam-2" },
    ]);
  });

  it("reads whole numbers as numbers and missing values as none", async () => {
    const rows = await read("subjects-zstd.parquet");
    expect(rows).toHaveLength(12);
    expect(rows[5]).toMatchObject({ subject: "pottery", choices: ["one", "two", "three", "four"], answer: 1 });
    expect(rows[5]?.note ?? undefined).toBeUndefined();
  });

  it("reads records in records and lists of lists", async () => {
    const [first] = await read("passages-zstd.parquet");
    expect(first).toMatchObject({ answer: { number: "7", spans: [] }, validated_answers: { spans: [["seven pots"], []] } });
  });
});
