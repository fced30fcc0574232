/** The store under kills at every byte, several writers, damage and size. */
import { spawn } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ResponseStore } from "./response-store.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "midcourse-responses-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Answer {
  text: string;
}

const fileOf = (shard: number, base = folder) => path.join(base, `writer-${shard}`, "responses.jsonl");

describe("what was added", () => {
  test("is listed whole, each entry once, whoever wrote it", () => {
    {
      using first = new ResponseStore<Answer>(folder);
      first.add(
        "a",
        [0, 1].map((sample) => ({ sample, value: { text: `a${sample}` } })),
      );
      using second = new ResponseStore<Answer>(folder);
      second.add("b", [{ sample: 0, value: { text: "b0" } }]);
      second.add("a", [{ sample: 0, value: { text: "again" } }]);
    }
    using store = new ResponseStore<Answer>(folder);
    expect(Array.from(store.values(), ({ text }) => text).sort()).toEqual(["a0", "a1", "b0"]);
  });

  test("is read again, in this process and the next, whatever the text", () => {
    const key = fc.stringMatching(/^[\w-]{1,30}$/);
    const calls = fc.array(
      fc.tuple(key, fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 4 }), fc.string({ unit: "binary" })),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(calls, (added) => {
        const own = mkdtempSync(path.join(folder, "run-"));
        const expected = new Map<string, string>();
        {
          using store = new ResponseStore<Answer>(own);
          for (const [key, samples, text] of added) {
            store.add(
              key,
              samples.map((sample) => ({ sample, value: { text: `${text}${sample}` } })),
            );
            for (const sample of samples) {
              const name = `${key} ${sample}`;
              if (!expected.has(name)) expected.set(name, `${text}${sample}`.toWellFormed());
            }
          }
          for (const [name, text] of expected) {
            const [key, sample] = name.split(" ") as [string, string];
            expect(store.get(key, Number(sample))?.text.toWellFormed()).toBe(text);
          }
        }
        using again = new ResponseStore<Answer>(own);
        expect(again.size).toBe(expected.size);
        for (const [name, text] of expected) {
          const [key, sample] = name.split(" ") as [string, string];
          expect(again.get(key, Number(sample))?.text.toWellFormed()).toBe(text);
        }
        expect(again.get("never", 0)).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });

  test("nothing is made on disk before something is added", () => {
    const absent = path.join(folder, "absent");
    using store = new ResponseStore<Answer>(absent);
    expect(store.get("k", 0)).toBeUndefined();
    expect(statSync(absent, { throwIfNoEntry: false })).toBeUndefined();
    store.add("k", []);
    expect(statSync(absent, { throwIfNoEntry: false })).toBeUndefined();
  });

  test("a line longer than any buffer", () => {
    const text = "é".repeat(3_000_000);
    {
      using store = new ResponseStore<Answer>(folder);
      store.add("before", [{ sample: 0, value: { text: "a" } }]);
      store.add("long", [{ sample: 0, value: { text } }]);
      store.add("after", [{ sample: 0, value: { text: "b" } }]);
      expect(store.get("long", 0)?.text).toBe(text);
    }
    using again = new ResponseStore<Answer>(folder);
    expect([again.get("before", 0)?.text, again.get("long", 0)?.text === text, again.get("after", 0)?.text]).toEqual([
      "a",
      true,
      "b",
    ]);
  });
});

describe("kills", () => {
  test("at any byte leave every whole call and nothing of the one that was torn, and the next writer goes on", () => {
    {
      using store = new ResponseStore<Answer>(folder);
      for (let call = 0; call < 2; call++) {
        store.add(
          `key-${call}`,
          [0, 1].map((sample) => ({ sample, value: { text: `😀 ${call} ${sample}` } })),
        );
      }
    }
    const bytes = readFileSync(fileOf(0));
    const ends = [...bytes.entries()].filter(([, byte]) => byte === 10).map(([index]) => index + 1);
    const torn = path.join(folder, "torn");
    for (let length = 0; length <= bytes.length; length++) {
      rmSync(torn, { recursive: true, force: true });
      mkdirSync(path.join(torn, "writer-0"), { recursive: true });
      copyFileSync(fileOf(0), fileOf(0, torn));
      truncateSync(fileOf(0, torn), length);
      const whole = ends.filter((end) => end <= length).length;
      using store = new ResponseStore<Answer>(torn);
      expect(store.size).toBe(2 * whole);
      store.add("new", [{ sample: 0, value: { text: "new" } }]);
      expect(store.get("new", 0)).toEqual({ text: "new" });
      if (whole > 0) expect(store.get(`key-${whole - 1}`, 1)).toEqual({ text: `😀 ${whole - 1} 1` });
      store.close();
      using again = new ResponseStore<Answer>(torn);
      expect(again.size).toBe(2 * whole + 1);
      expect(again.get("new", 0)).toEqual({ text: "new" });
    }
  });

  test("a damaged line is asked for again and then found", () => {
    {
      using store = new ResponseStore<Answer>(folder);
      store.add("a", [{ sample: 0, value: { text: "first" } }]);
      store.add("b", [{ sample: 0, value: { text: "second" } }]);
    }
    const text = readFileSync(fileOf(0), "utf8");
    writeFileSync(fileOf(0), text.replace('"first"', '"first'));
    {
      using store = new ResponseStore<Answer>(folder);
      expect(store.get("a", 0)).toBeUndefined();
      expect(store.get("b", 0)).toEqual({ text: "second" });
      store.add("a", [{ sample: 0, value: { text: "again" } }]);
    }
    using store = new ResponseStore<Answer>(folder);
    expect(store.get("a", 0)).toEqual({ text: "again" });
  });

  test("zeros and foreign lines do no harm", () => {
    mkdirSync(path.join(folder, "writer-0"));
    writeFileSync(fileOf(0), `${"\0".repeat(100)}\n{"other":1}\n\n`);
    mkdirSync(path.join(folder, "writer-x"));
    using store = new ResponseStore<Answer>(folder);
    store.add("a", [{ sample: 0, value: { text: "1" } }]);
    expect(store.get("a", 0)).toEqual({ text: "1" });
  });
});

describe("several writers", () => {
  test("each has a file of its own, reads the others', and files of those that ended are taken over", () => {
    {
      using first = new ResponseStore<Answer>(folder);
      first.add("a", [{ sample: 0, value: { text: "1" } }]);
      using second = new ResponseStore<Answer>(folder);
      expect(second.get("a", 0)).toEqual({ text: "1" });
      second.add("b", [{ sample: 0, value: { text: "2" } }]);
      first.add("c", [{ sample: 0, value: { text: "3" } }]);
    }
    expect(readdirSync(folder).sort()).toEqual(["writer-0", "writer-1"]);
    {
      using third = new ResponseStore<Answer>(folder);
      expect(["a", "b", "c"].map((key) => third.get(key, 0)?.text)).toEqual(["1", "2", "3"]);
      third.add("d", [{ sample: 0, value: { text: "4" } }]);
    }
    expect(readdirSync(folder).sort()).toEqual(["writer-0", "writer-1"]);
  });

  test("what another writer added to a file before it ended is seen when the file is taken over", () => {
    using late = new ResponseStore<Answer>(folder);
    {
      using first = new ResponseStore<Answer>(folder);
      first.add("a", [{ sample: 0, value: { text: "1" } }]);
    }
    late.add("b", [{ sample: 0, value: { text: "2" } }]);
    expect(late.get("a", 0)).toEqual({ text: "1" });
  });
});

test("two processes that are killed while they add leave whole calls, and nothing that was told to be kept is lost", async () => {
  const module = JSON.stringify(path.join(import.meta.dirname, "response-store.ts"));
  // Each says the number of every call that it added; the last one may have been added and not yet said.
  const script = `
    import { ResponseStore } from ${module};
    import { readdirSync, writeSync } from "node:fs";
    const [folder, name] = process.argv.slice(1);
    const store = new ResponseStore(folder);
    for (let call = 0; ; call++) {
      store.add(name + call, [0, 1].map((sample) => ({ sample, value: { text: "x".repeat(5000) + call } })));
      // Both hold a file of their own before either goes on.
      while (readdirSync(folder).length < 2) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      writeSync(1, call + "\\n");
    }`;
  const told = await Promise.all(
    ["first", "second"].map(async (name) => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script, folder, name], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let said = "";
      for await (const piece of child.stdout) {
        said += String(piece);
        if (said.split("\n").length > 200) child.kill("SIGKILL");
      }
      const whole = said.slice(0, said.lastIndexOf("\n")).split("\n");
      return { name, last: Number(whole.at(-1)) };
    }),
  );
  using store = new ResponseStore<Answer>(folder);
  for (const { name, last } of told) {
    expect(last).toBeGreaterThan(100);
    for (let call = 0; call <= last; call++)
      expect(store.get(`${name}${call}`, 1)).toEqual({ text: `${"x".repeat(5000)}${call}` });
    expect(store.get(`${name}${last + 2}`, 0)).toBeUndefined();
  }
  expect(store.size % 2).toBe(0);
  store.add("later", [{ sample: 0, value: { text: "goes on" } }]);
  expect(readdirSync(folder).sort()).toEqual(["writer-0", "writer-1"]);
});

test("a folder that cannot be one is said so", () => {
  const file = path.join(folder, "file");
  writeFileSync(file, "");
  expect(() => new ResponseStore<Answer>(file)).toThrow(/file/);
});
