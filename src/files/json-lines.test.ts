import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { JsonLines, readEntries, readLines, repairLines, streamLines } from "./json-lines.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "json-lines-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const file = () => path.join(folder, "a.jsonl");

function write(lines: object[]): void {
  const log = new JsonLines(file());
  for (const line of lines) log.append(line);
  log.sync();
  log.close();
}

describe("JSON lines", () => {
  test("come back in order, each with the schema version", () => {
    write([{ step: 1, text: "ü\n\u2028" }, { step: 2 }]);
    expect(readLines(file())).toEqual([
      { v: 1, step: 1, text: "ü\n\u2028" },
      { v: 1, step: 2 },
    ]);
    expect(readLines(path.join(folder, "absent.jsonl"))).toEqual([]);
  });

  test("cut at any byte, the complete lines survive and appending goes on", () => {
    const lines = [{ step: 1, text: "one €" }, { step: 2 }, { step: 3, more: [1, 2] }];
    write(lines);
    const whole = readFileSync(file());
    fc.assert(
      fc.property(fc.nat(whole.length), (cut) => {
        writeFileSync(file(), whole);
        truncateSync(file(), cut);
        const complete = whole.subarray(0, cut).toString().split("\n").length - 1;
        expect(readLines(file())).toHaveLength(complete);
        repairLines(file());
        write([{ step: 9 }]);
        expect(readLines(file()).map((line) => line.step)).toEqual([...[1, 2, 3].slice(0, complete), 9]);
      }),
    );
  });

  test("a last line of zeros, as a power cut leaves it, is cut off", () => {
    write([{ step: 1 }]);
    const size = statSync(file()).size;
    appendFileSync(file(), Buffer.concat([Buffer.alloc(40), Buffer.from("\n")]));
    expect(repairLines(file())).toBe(41);
    expect(statSync(file()).size).toBe(size);
  });

  test("damage before the end is named, with file and line", () => {
    writeFileSync(file(), '{"v":1,"step":1}\nnot json\n{"v":1,"step":3}\n');
    expect(() => readLines(file())).toThrow(`line 2 of ${file()}`);
  });

  test("everything from the first unwanted line on goes", () => {
    write([{ step: 1 }, { step: 2 }, { step: 1 }]);
    repairLines(file(), (line) => (line.step as number) < 2);
    expect(readLines(file()).map((line) => line.step)).toEqual([1]);
  });

  test("lines longer than what is read at once, split inside a character, come back whole and by their byte ranges", () => {
    const texts = ["€".repeat(500_000), "a", "", "ü€😀".repeat(200_000)];
    write(texts.map((text) => ({ text })));
    const entries = [...streamLines(file())];
    expect(entries.map(({ line }) => line.text)).toEqual(texts);
    expect(entries.at(-1)!.end).toBe(statSync(file()).size);
    expect(readEntries(file(), [entries[3], entries[1]]).map((line) => line.text)).toEqual([texts[3], "a"]);
  });

  test.skipIf(!existsSync("/dev/full"))("a full disk is said to be one", () => {
    symlinkSync("/dev/full", file());
    const log = new JsonLines(file());
    expect(() => log.append({ step: 1 })).toThrow(`cannot write ${file()}: the disk is full`);
    log.close();
    expect(readLines(file())).toEqual([]);
    expect(repairLines(file())).toBe(0);
  });
});
