import { Writable } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { checkFormat } from "./check-format.ts";

const good = "<think>1<refine>2</refine></think><answer>3</answer>";

async function check(chunks: readonly (string | Uint8Array)[], json = true) {
  let text = "";
  const output = new Writable({
    decodeStrings: false,
    highWaterMark: 16,
    write(chunk, _, done) {
      text += chunk;
      setImmediate(done);
    },
  });
  async function* input() {
    yield* chunks;
  }
  const counts = await checkFormat(input(), output, { json });
  return {
    counts,
    text,
    records: json
      ? text
          .split("\n")
          .filter(Boolean)
          .map((line) => JSON.parse(line))
      : [],
  };
}

test("one record per line, in order, with verdict and spans", async () => {
  const texts = [good, "", "<think>", "no tags"];
  const { counts, records } = await check([texts.map((text) => JSON.stringify({ id: 1, text })).join("\n")]);
  expect(records).toEqual(
    texts.map((text) => {
      const { ok, verdict, spans } = parseRefine(text);
      return { ok, verdict, spans };
    }),
  );
  expect(records.map((record) => record.verdict)).toEqual(["ok", "empty", "truncated", "missing-think"]);
  expect(records[0].spans[1]).toEqual({ kind: "refine", start: 8, innerStart: 16, innerEnd: 17, end: 26 });
  expect(counts).toEqual({ total: 4, ok: 1, errors: 0 });
});

test("a bad line is a record that names its line, and not the end", async () => {
  const bad = ["{", "[]", "null", "7", '{"text":null}', '{"other":"x"}', "not json"];
  const { counts, records } = await check([`\n${bad.join("\n")}\n\n${JSON.stringify({ text: good })}\n`]);
  expect(records).toHaveLength(bad.length + 1);
  for (const [index, record] of records.slice(0, -1).entries()) {
    expect(record).toEqual({ ok: false, verdict: "bad-line", error: expect.stringContaining(`line ${index + 2}: `) });
  }
  expect(records.at(-1)).toMatchObject({ ok: true, verdict: "ok" });
  expect(counts).toEqual({ total: bad.length + 1, ok: 1, errors: bad.length });
});

test("byte-order mark, CRLF, blank lines and bytes split anywhere give the same records", async () => {
  const lines = [good, "<think>é😀</think><answer>ü</answer>", "x"].map((text) => JSON.stringify({ text }));
  const plain = await check([lines.join("\n")]);
  const bytes = new TextEncoder().encode(`\ufeff${lines.join("\r\n\r\n  \r\n")}\r\n`);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
      const places = [0, ...cuts.sort((first, second) => first - second), bytes.length];
      const chunks = places.slice(1).map((place, index) => bytes.slice(places[index], place));
      expect((await check(chunks)).records).toEqual(plain.records);
    }),
    { numRuns: 30 },
  );
});

test("a line of many megabytes in small chunks is checked, and one beyond the limit is a bad line", async () => {
  const megabyte = "<".repeat(1024 * 1024);
  const long = await check(['{"text":"<think>', ...Array(8).fill(megabyte), '</think><answer>1</answer>"}\n']);
  expect(long.counts).toEqual({ total: 1, ok: 1, errors: 0 });
  const tooLong = await check([...Array(70).fill(megabyte), "\n", JSON.stringify({ text: good })]);
  expect(tooLong.records.map((record) => record.verdict)).toEqual(["bad-line", "ok"]);
  expect(tooLong.records[0].error).toMatch(/line 1: longer than/);
});

test("without json: a table of verdicts with share, first line and meaning", async () => {
  const lines = [good, good, "", "plain"].map((text) => JSON.stringify({ text }));
  const { text, records } = await check([`${lines.join("\n")}\n{"tex\n`], false);
  expect(records).toEqual([]);
  expect(text).toMatch(/^verdict +lines +share +first line +meaning\nok +2 +40\.0 % +1 +The format holds\.\n/);
  expect(text).toMatch(/\nbad-line +1 +20\.0 % +5 +The line cannot be checked: not JSON/);
  expect(text).toMatch(/\nThe format holds in 2 of 5 \(40\.0 %\)\.\n$/);
  expect((await check(["\n"], false)).text).toBe("No lines to check.\n");
});

test("an output that fails ends the check with its error", async () => {
  const output = new Writable({ write: (_chunk, _encoding, done) => done(new Error("no space left")) });
  async function* input() {
    for (;;) yield `${JSON.stringify({ text: good })}\n`;
  }
  await expect(checkFormat(input(), output, { json: true })).rejects.toThrow("no space left");
});
