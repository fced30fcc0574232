import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { convertFile } from "./written-file.ts";

test("a conversion names each row it leaves out with its line and the reason, and a strict one writes nothing", async () => {
  const place = path.join(tmpdir(), `strict-${process.pid}`);
  mkdirSync(place);
  try {
    const [file, out] = [path.join(place, "in.jsonl"), path.join(place, "out.jsonl")];
    const rows = [
      { instruction: "Add.", input: "1 + 1", output: "2" },
      { instruction: "Add.", output: "" },
      { instruction: "Add.", input: "2 + 2", output: "4", weight: 0.5 },
    ];
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const wanted = { to: "sharegpt", limits: {}, out };
    await expect(convertFile(file, { ...wanted, strict: true })).rejects.toThrow(
      /2 rows would be left out: .*line 2: the final answer is empty/,
    );
    expect(existsSync(out)).toBe(false);
    const { card } = await convertFile(file, wanted);
    expect(card.notes.join()).toMatch(/left-out.jsonl names 2 rows left out/);
    const named = readFileSync(`${out}.left-out.jsonl`, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(named).toMatchObject([
      { file, line: 2, because: "the final answer is empty" },
      { file, line: 3, because: expect.stringContaining("its weight is not 1") },
    ]);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});
