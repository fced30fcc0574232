import { existsSync, readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { text as textOf } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { GradeRecord, GradingOptions } from "#tasks/grading.ts";
import { gradeKinds } from "#tasks/references.ts";
import { runCommand } from "../../../test/support/command.ts";
import { gradeLines } from "./grade.ts";

async function run(
  kind: string,
  input: AsyncIterable<string | Uint8Array>,
  json = true,
  more: Pick<GradingOptions, "tolerance" | "extract" | "thoughtTags"> = {},
) {
  const output = new PassThrough();
  const written = textOf(output);
  const counts = await gradeLines(input, output, { kind, json, ...more });
  output.end();
  return { counts, text: await written };
}

async function* pieces(...parts: (string | Uint8Array)[]) {
  yield* parts;
}

describe("packed input", () => {
  const lines = Array.from({ length: 2000 }, (_, index) => ({
    gold: String(index),
    answer: `The answer is ${index % 2 ? index : "–"}.`,
  }));
  const packed = gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));

  it("is unpacked on the way, in whatever pieces it comes, several members behind each other too", async () => {
    const one = [packed.subarray(0, 1), packed.subarray(1, 2), packed.subarray(2)];
    for (const parts of [[packed], one, [Buffer.alloc(0), ...one]]) {
      const { counts } = await run("number", pieces(...parts));
      expect(counts).toMatchObject({ total: 2000, right: 1000, errors: 0 });
    }
    expect((await run("number", pieces(packed, packed))).counts.total).toBe(4000);
  });

  it("that is cut off is an error that says so", async () => {
    await expect(run("number", pieces(packed.subarray(0, packed.length - 20)))).rejects.toMatchObject({
      code: "data-packed",
      family: "user",
    });
  });

  it("is taken by the commands as they are run", async () => {
    const { output, errors, code } = await runCommand(["grade", "--kind", "number"], {}, packed);
    expect([code, errors]).toEqual([0, ""]);
    expect(output).toContain("2000");
    const checked = await runCommand(["check-format"], {}, gzipSync('{"text": "<think>1</think><answer>1</answer>"}\n'));
    expect(checked.errors).toBe("");
  });
});

it.each(["__proto__", "constructor", "toString"])("--kind %s is told as an unknown kind", async (kind) => {
  await expect(grade(kind, [{ answer: "1", reference: "1" }])).rejects.toMatchObject({ code: "unknown-task" });
});

async function grade(kind: string, lines: readonly unknown[]): Promise<GradeRecord[]> {
  const { text } = await run(kind, pieces(lines.map((line) => `${JSON.stringify(line)}\n`).join("")));
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

const equals = async (kind: string, ...lines: unknown[]) =>
  (await grade(kind, lines)).map((record) => ("equal" in record ? record.equal : record));

describe("grading by options of one's own", () => {
  const one = async (kind: string, line: object, more: Pick<GradingOptions, "tolerance" | "extract" | "thoughtTags">) =>
    JSON.parse((await run(kind, pieces(`${JSON.stringify(line)}\n`), true, more)).text);

  it("a tolerance, for numbers alone", async () => {
    const line = { gold: "3.14", answer: "The answer is 3.1416." };
    expect(await one("number", line, {})).toMatchObject({ equal: false });
    expect(await one("number", line, { tolerance: "0.01" })).toMatchObject({ equal: true, strict: true });
    await expect(one("choice", line, { tolerance: "0.01" })).rejects.toThrow("have no tolerance");
    await expect(one("number", line, { tolerance: "some" })).rejects.toThrow("is no number");
  });

  it("a pattern, stopped where it backtracks without end", async () => {
    const line = { gold: "3", answer: "<think>x=1</think>x=2; x=3; y=4" };
    expect(await one("number", line, { extract: "x=(\\d+)" })).toMatchObject({ equal: true });
    expect(await one("number", line, { extract: "z=(\\d+)" })).toMatchObject({ equal: false, status: "no-answer" });
    await expect(one("number", line, { extract: "(" })).rejects.toThrow("is no pattern");
    const hostile = { gold: "3", answer: `${"a".repeat(40)}!` };
    expect(await one("number", hostile, { extract: "(a+)+$" })).toMatchObject({ error: expect.stringContaining("took longer") });
  });

  it("tags of thoughts", async () => {
    const line = { gold: "5", answer: "<plan>The answer is 5.</plan>I give up." };
    expect(await one("number", line, {})).toMatchObject({ equal: true });
    expect(await one("number", line, { thoughtTags: ["plan"] })).toMatchObject({ equal: false, status: "no-answer" });
  });

  it("more options than there are letters", async () => {
    const choices = Array.from({ length: 40 }, (_, index) => `thing ${index}`);
    expect(await one("choice", { gold: "AC", choices, answer: "The answer is AC." }, {})).toMatchObject({ equal: true });
    expect(await one("choice", { gold: "thing 28", choices, answer: "The answer is AB." }, {})).toMatchObject({ equal: false });
  });
});

describe("grading against a reference", () => {
  it("numbers", async () => {
    const lines = [
      ["18", "The answer is $18.00."],
      [18, "18"],
      ["So 9*2 = 18\n#### 18", "18 left... I hope so."],
      ["3/4", "0.75"],
      ["30", "5:30"],
      ["5", "10 - 5"],
      ["20", "The answer is 18 (not 20)"],
    ].map(([gold, answer]) => ({ gold, answer }));
    expect(await equals("number", ...lines)).toEqual([true, true, true, true, false, false, false]);
  });

  it("integers", async () => {
    expect(
      await equals("integer", { gold: "033", answer: "\\boxed{33}" }, { gold: 33, answer: "330" }, { gold: "33", answer: "" }),
    ).toEqual([true, false, false]);
  });

  it("options, with and without the list of them", async () => {
    const choices = ["red", "blue", "green"];
    expect(
      await equals(
        "choice",
        { gold: "C", answer: "Considering all options, C is best" },
        { gold: "(C)", answer: "The answer is D" },
        { gold: "B", answer: "It must be blue.", choices },
        { gold: "blue", answer: "B", choices },
        { gold: "2", answer: "(B)", choices },
        { gold: "3", answer: "The answer is C", choices: { label: ["1", "2", "3"], text: choices } },
        { gold: "A", answer: "The answer is B", choices: { A: "red", B: "blue" } },
        { gold: "2", answer: "2" },
      ),
    ).toEqual([true, false, true, true, true, true, false, true]);
  });

  it("short answers, with their alternatives", async () => {
    const records = await grade("drop", [
      { gold: "21|2", answer: "The answer is 2." },
      { gold: ["Ann", "Ann B."], answer: "the ann" },
      { gold: [["Ann", "Bob"]], answer: "Bob and Ann" },
      { gold: "the Denver Broncos", answer: "Broncos" },
      { gold: "2", answer: "21" },
    ]);
    expect(records.map((record) => "equal" in record && record.equal)).toEqual([true, true, true, false, false]);
    expect(records[3]).toMatchObject({ equal: false, accuracy: expect.closeTo(2 / 3), extracted: "Broncos" });
  });

  it("mathematics", async () => {
    const lines = [
      { gold: "\\frac{1}{2}", answer: "so $\\boxed{\\frac12}$" },
      { gold: "0.5", answer: "\\frac{1}{2}" },
      { gold: "Hence $\\boxed{4}$.", answer: "4" },
      { gold: "x+1", answer: "\\boxed{x+2}" },
      { gold: "(x+1)^2", answer: "The answer is $x^2+2x+1$." },
      { gold: "2\\sqrt2", answer: "\\sqrt8" },
    ];
    expect(await equals("math", ...lines)).toEqual([true, true, true, false, true, true]);
  });

  it("summaries", async () => {
    const [same, other] = await grade("summary", [
      { gold: "The bridge opens on Monday.", answer: "The bridge opens on Monday." },
      { gold: "The bridge opens on Monday.", answer: "Nothing happened." },
    ]);
    expect(same).toMatchObject({ equal: true, accuracy: 1, status: "rouge" });
    expect(other).toMatchObject({ equal: false, accuracy: 0, measures: { rouge1: 0 } });
  });

  it("items as their benchmarks publish them", async () => {
    const item = { question: "Red or blue?", choices: { text: ["red", "blue"], label: ["1", "2"] }, answerKey: "2" };
    expect(
      await grade("arc-easy", [
        { item, answer: "The answer is B." },
        { item, answer: "red" },
        { item, answer: "?" },
      ]),
    ).toEqual([
      { correct: true, status: "pass", extracted: "B", strict: true },
      { correct: false, status: "fail", extracted: "A", strict: false },
      { correct: false, status: "no-answer", strict: false },
    ]);
  });
});

describe("what lines may look like", () => {
  it("a bad line is a record in its place", async () => {
    const input =
      '\ufeff{"gold":"1","answer":"1"}\r\n\r\nnonsense\n[1]\n{"gold":"1"}\n{"answer":"1"}\n{"gold":"x","answer":"1"}\n{"gold":"2","answer":2}';
    const { text, counts } = await run("number", pieces(input));
    const records = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records.map((record) => record.equal ?? record.error.split(":")[0])).toEqual([
      true,
      ...["line 3", "line 4", "line 5", "line 6", "line 7"],
      true,
    ]);
    expect(counts).toEqual({ total: 7, right: 2, unread: 0, errors: 5 });
  });

  it.each(gradeKinds.filter((kind) => kind !== "humaneval" && kind !== "program"))("%s survives odd values", async (kind) => {
    const odd = [null, true, {}, [], [[]], "", " ", "\u0000", -1e300, "a|b||", "\\boxed{", "é\u{1F600}".repeat(999)];
    const lines = odd.flatMap((value) => [
      { gold: value, answer: "1" },
      { gold: "1", answer: value },
      { item: value, answer: "1" },
    ]);
    expect(await grade(kind, lines)).toHaveLength(lines.length);
  });

  it("input may be split anywhere, also within a character", async () => {
    const bytes = Buffer.from('{"gold":"Zoë","answer":"Zoë"}\n{"gold":"a","answer":"b"}\n');
    const { text } = await run("drop", pieces(...[...bytes].map((byte) => Uint8Array.of(byte))));
    expect(
      text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).equal),
    ).toEqual([true, false]);
  });

  it("answers each line before the next one comes", async () => {
    const output = new PassThrough();
    async function* conversation() {
      for (const answer of ["1", "2"]) {
        yield `{"gold":"1","answer":"${answer}"}\n`;
        await new Promise((arrived) => output.once("data", arrived));
      }
    }
    expect(await gradeLines(conversation(), output, { kind: "number", json: true })).toMatchObject({ total: 2, right: 1 });
  });

  it("names kinds that do not exist", async () => {
    await expect(run("numbr", pieces(""))).rejects.toMatchObject({
      family: "user",
      code: "unknown-task",
      advice: expect.stringMatching(
        /^Did you mean number\? There are: math, number, integer, choice, drop, .*summary, aime24, .*gsm8k/,
      ),
    });
  });

  it("sums up without --json", async () => {
    const input = '{"gold":"1","answer":"The answer is 1."}\n{"gold":"1","answer":"so, 1 it is"}\n{"gold":"1","answer":"?"}\n{\n';
    const { text } = await run("number", pieces(input), false);
    expect(text).toMatch(
      /^number\nanswers +3\nright +2 +66\.7 %\nright in the form asked for +1 +33\.3 %\nno answer found +1 +33\.3 %\nlines not graded +1\n/,
    );
    expect(text).toContain("First line not graded: line 4: not JSON");
    expect((await run("number", pieces(""), false)).text).toBe("No lines to grade.\n");
  });
});

describe("programs", () => {
  const item = {
    task_id: "made/1",
    prompt: 'def double(n: int) -> int:\n    """Twice n."""\n',
    entry_point: "double",
    test: "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(-1) == -2\n",
  };

  it("are run, several at a time, and reported in order", { timeout: 60_000 }, async () => {
    const answers = [
      "    return 2 * n\n",
      "```python\ndef double(n):\n    return n + 2\n```",
      "def double(n):\n    raise SystemExit(0)",
      "",
      "```python\ndef double(n):\n    import time\n    time.sleep(0.3)\n    return n * 2\n```",
      "def double(n):\n    return n << 1",
    ];
    const lines = [
      ...answers.map((answer) => ({ item, answer })),
      { item: { ...item, test: "" }, answer: "x" },
      { gold: "1", answer: "x" },
    ];
    const records = await grade("humaneval", lines);
    expect(records.map((record) => ("correct" in record ? record.correct : "error"))).toEqual([
      ...[true, false, false, false, true, true],
      ...["error", "error"],
    ]);
    expect(records.slice(0, 4).map((record) => "status" in record && record.status)).toEqual(["pass", "fail", "fail", "no-code"]);
  });
});

const published = "../shared/data/drop/sample-313.jsonl";
it.runIf(existsSync(published))("uses every alternative of DROP as published", async () => {
  const rows = readFileSync(published, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { ref_text: string; answer: string });
  const lines = rows.flatMap(({ ref_text, answer }) =>
    [answer, ...ref_text.split("|")].map((each) => ({ gold: ref_text, answer: each })),
  );
  expect((await equals("drop", ...lines)).filter((equal) => equal !== true)).toEqual([]);
});
if (!existsSync(published)) console.info(`DROP as published is not tested: there is no ${published}.`);

it("ends with 1 where no line could be graded, and with 0 where some could or there was none", async () => {
  const good = '{"gold": "1", "answer": "1"}\n';
  const bad = '{"a": 1}\n';
  const codes = await Promise.all(
    [bad, bad + good, good, ""].map(async (input) => (await runCommand(["grade", "--kind", "math", "--json"], {}, input)).code),
  );
  expect(codes).toEqual([1, 0, 0, 0]);
});

describe("the help of grade", () => {
  it("says kind by kind how answers are read, and names the page with examples", async () => {
    const { output: stdout } = await runCommand(["grade", "--help"]);
    for (const kind of ["every kind", "number", "math", "integer", "choice", "drop", "humaneval", "summary"])
      expect(stdout).toMatch(new RegExp(`^  ${kind}\\s{2,}\\S`, "m"));
    expect(stdout).toContain("docs/grading.md");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(150);
  });
});
