/** Lines that come in any order end in the order of the ids; failures are tried again and stay paid for. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { addCardUsage, runStage, StageFile, type StageLine } from "./stage-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "stage-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface TextLine extends StageLine {
  text?: string;
}

const line = (id: string): TextLine => ({ id, text: `text of ${id} 😀`, usage: { m: { calls: 1, inputTokens: 2 } } });
const ids = Array.from({ length: 9 }, (_, index) => `id ${index}`);
const stored = (name: string) => readFileSync(path.join(folder, name), "utf8");
const open = (name: string) => new StageFile<TextLine>(path.join(folder, name));

/** Answers the calls of a stage in the order given by `pick`, which chooses among those that wait. */
function released(pick: (waiting: number) => number) {
  const waiting: (() => void)[] = [];
  const work = (id: string) =>
    new Promise<TextLine>((resolve) => {
      waiting.push(() => resolve(line(id)));
      setImmediate(() => waiting.splice(pick(waiting.length), 1)[0]?.());
    });
  return work;
}

describe("order", () => {
  test("whatever the order of the answers and wherever it is cut, the bytes are those of a run in order", async () => {
    await runStage({ file: open("straight"), ids, concurrency: 1, work: async (id) => line(id) });
    const wanted = stored("straight");
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.nat(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (concurrency, chosen, cut) => {
          await runStage({ file: open("mixed"), ids: ids.slice(0, 6), concurrency, work: released((count) => chosen % count) });
          const bytes = readFileSync(path.join(folder, "mixed"));
          writeFileSync(path.join(folder, "mixed"), bytes.subarray(0, Math.floor(cut * bytes.length)));
          await runStage({ file: open("mixed"), ids, concurrency, work: released((count) => count - 1) });
          expect(stored("mixed")).toBe(wanted);
          rmSync(path.join(folder, "mixed"));
        },
      ),
      { numRuns: 30 },
    );
  });

  test("answers in reverse are put in order, and can be read from their new places", async () => {
    const file = open("reverse");
    await runStage({ file, ids, concurrency: 9, work: released((count) => count - 1) });
    expect(
      stored("reverse")
        .trim()
        .split("\n")
        .map((text) => (JSON.parse(text) as TextLine).id),
    ).toEqual(ids);
    expect(file.read("id 4")).toMatchObject(line("id 4"));
    expect(file.usage).toEqual({ m: { calls: 9, inputTokens: 18 } });
  });
});

describe("failures", () => {
  test("are tried again by the next run, their cost counted, unknown staying unknown", async () => {
    const failing = async (id: string): Promise<TextLine> =>
      id === "id 2" ? { id, failed: "busy", usage: { m: { calls: 1 } } } : line(id);
    const file = open("a");
    await runStage({ file, ids, concurrency: 2, work: failing });
    expect([file.has("id 2"), file.read("id 2")?.failed]).toEqual([false, "busy"]);
    const asked: string[] = [];
    const again = open("a");
    await runStage({
      file: again,
      ids,
      concurrency: 2,
      work: async (id) => {
        asked.push(id);
        return line(id);
      },
    });
    expect(asked).toEqual(["id 2"]);
    expect(again.usage).toEqual({ m: { calls: 10 } });
    expect(stored("a").trim().split("\n")).toHaveLength(9);
  });

  test("an abort throws its reason, and failures it caused are not written", async () => {
    const abort = new AbortController();
    const file = open("b");
    const work = async (id: string): Promise<TextLine> => {
      if (id !== "id 3") return line(id);
      abort.abort(new Error("stop"));
      return { id, failed: "cancelled", usage: {} };
    };
    await expect(runStage({ file, ids, concurrency: 1, work, signal: abort.signal })).rejects.toThrow("stop");
    expect(stored("b").trim().split("\n")).toHaveLength(3);
  });

  test("our own mistakes are thrown, after the lines that came are safe", async () => {
    const work = async (id: string) => {
      if (id === "id 5") throw new TypeError("a mistake");
      return line(id);
    };
    await expect(runStage({ file: open("c"), ids, concurrency: 1, work })).rejects.toThrow("a mistake");
    expect(stored("c").trim().split("\n")).toHaveLength(5);
  });
});

test("unknown stays unknown in a sum", () => {
  expect(addCardUsage({ calls: 1, inputTokens: 2, dollars: 0.5 }, { calls: 2, inputTokens: 3, outputTokens: 4 })).toEqual({
    calls: 3,
    inputTokens: 5,
  });
});
