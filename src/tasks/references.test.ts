import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { Item } from "#kernel/item.ts";
import { MathComparer } from "#verifiers/math/comparer.ts";
import { findTask } from "./catalogue.ts";
import { type GradeRecord, gradeRecords } from "./grading.ts";
import { itemOfLine } from "./references.ts";
import type { Task } from "./task.ts";

/** Of these lines, those that are not graded as equal. */
async function notEqual(kind: string, lines: readonly object[]): Promise<unknown[]> {
  async function* source() {
    for (const [index, line] of lines.entries()) yield { number: index + 1, text: JSON.stringify(line) };
  }
  const records: GradeRecord[] = [];
  for await (const record of gradeRecords(source(), { kind })) records.push(record);
  return lines.flatMap((line, index) => {
    const record = records[index];
    return "equal" in record && record.equal ? [] : [{ line, record }];
  });
}

const itself = (golds: readonly unknown[]) => golds.map((gold) => ({ gold, answer: gold }));

describe("a reference is read by the reader of answers", () => {
  const both = String.raw`$x=\boxed{3}$ and $x=\boxed{4}$`;

  test("two boxes in a row are two answers on either side", async () => {
    const answers = [both, String.raw`\boxed{4} or \boxed{3}`, String.raw`\boxed{3, 4}`];
    expect(
      await notEqual(
        "math",
        answers.map((answer) => ({ gold: both, answer })),
      ),
    ).toEqual([]);
    const wrong = [String.raw`\boxed{4}`, String.raw`\boxed{3}`, String.raw`\boxed{3} and \boxed{5}`];
    const lines = wrong.map((answer) => ({ gold: both, answer }));
    expect(await notEqual("math", lines)).toHaveLength(wrong.length);
    expect(await notEqual("math", [{ gold: both, answer: "4", alternatives: [String.raw`so \boxed{4}`] }])).toEqual([]);
  });

  test("the same number boxed twice is one answer", async () => {
    const gold = String.raw`It is $\boxed{15\frac{39}{40}},$ or $\boxed{\frac{639}{40}}$ inches.`;
    const answers = [gold, String.raw`\boxed{\frac{639}{40}}`, String.raw`\boxed{15\frac{39}{40}}`];
    expect(
      await notEqual(
        "math",
        answers.map((answer) => ({ gold, answer })),
      ),
    ).toEqual([]);
  });

  test("a solution's own statement of its answer counts, and of an integer the integer", async () => {
    const solution = String.raw`Interest is \boxed{255}. The final answer is $10,455$.`;
    expect(await notEqual("math", [{ gold: solution, answer: String.raw`\boxed{10455}` }])).toEqual([]);
    expect(await notEqual("integer", [{ gold: String.raw`so m+n=\boxed{033}`, answer: "The answer is 33." }])).toEqual([]);
    const [{ record }] = (await notEqual("integer", [{ gold: both, answer: "4" }])) as { record: { error: string } }[];
    expect(record.error).toMatch(/holds no integer/);
  });

  test("rows of a benchmark likewise", () => {
    const { item } = itemOfLine(findTask("math"), { item: { problem: "Solve.", solution: `So ${both}.` } }, 0);
    expect(item.answer).toBe("3, 4");
  });
});

describe("a reference graded against itself is right", () => {
  const number = fc.integer({ min: -999, max: 9999 });
  const value = fc.oneof(
    number.map(String),
    fc.tuple(number, fc.integer({ min: 2, max: 99 })).map(([top, bottom]) => String.raw`\frac{${top}}{${bottom}}`),
    number.map((each) => String.raw`${each}\sqrt{2}`),
    fc.tuple(number, number).map(([x, y]) => `(${x}, ${y})`),
    fc.constantFrom("x+1", String.raw`\text{even}`, String.raw`(-\infty, 2]`, String.raw`\pi`, String.raw`\{1, 2\}`),
  );
  const boxed = value.map((each) => String.raw`\boxed{${each}}`);
  const between = fc.constantFrom(" and ", ", ", " or ", "$, $x_2 = ", " is a result on the way. Then ", ".\n\nNext, ");
  const solution = fc
    .tuple(fc.constantFrom("", "So $x = ", "We add and get "), boxed, fc.array(fc.tuple(between, boxed), { maxLength: 4 }))
    .map(([lead, first, more]) => lead + first + more.flat().join(""));
  const stated = fc.tuple(solution, value).map(([text, each]) => `${text}. The final answer is $${each}$.`);

  test("mathematics: values, solutions with boxes, and with words behind them", async () => {
    const golds = fc.sample(fc.oneof(value, solution, stated), { numRuns: 1000, seed: 9 });
    expect(await notEqual("math", itself(golds))).toEqual([]);
  });

  test("numbers, integers, options, short answers, summaries", async () => {
    const numbers = fc.sample(number, { numRuns: 300, seed: 9 });
    const written = numbers.flatMap((each) => [each, `\\boxed{${each}}`, `The answer is ${each}.`, `2+3 = 5\n#### ${each}`]);
    expect(await notEqual("number", itself(written))).toEqual([]);
    expect(await notEqual("integer", itself(written))).toEqual([]);
    expect(await notEqual("choice", itself([..."ABCDEFGHIJ", "(C)", "\\boxed{B}", "The answer is D."]))).toEqual([]);
    const texts = ["12 March 1999", "Ann and Bob", "the 3 red houses", "1,234.5"];
    expect(await notEqual("drop", itself(texts))).toEqual([]);
    expect(await notEqual("summary", itself(texts))).toEqual([]);
  });
});

const data = path.resolve(import.meta.dirname, "../../../shared/data");
const published: readonly (readonly [task: string, file: string])[] = [
  ["aime24", "aime24/test.jsonl"],
  ["arc-challenge", "arc/challenge-test.jsonl"],
  ["commonsenseqa", "commonsenseqa/dev.jsonl"],
  ["drop", "drop/sample-313.jsonl"],
  ["gsm8k", "gsm8k/test.jsonl"],
  ["math", "math500/test.json"],
  ["math-500", "math500/test.json"],
  ["winogrande", "winogrande/dev.jsonl"],
  ["xsum", "xsum/sample-313.jsonl"],
];

describe("published references graded against themselves are right (skipped where the data is absent)", () => {
  const comparer = new MathComparer();
  afterAll(() => comparer.close());

  for (const [id, file] of published) {
    test(id, { timeout: 60_000 }, async ({ skip }) => {
      const source = path.join(data, file);
      skip(!existsSync(source), `there is no ${source}`);
      const task = findTask(id);
      const text = readFileSync(source, "utf8").trim();
      const rows = (file.endsWith(".json") ? JSON.parse(text) : text.split("\n").map((line) => JSON.parse(line))) as object[];
      // MATH itself has no field for the answer, only the solution.
      const items = rows.map((row, index) => task.readRow(id === "math" ? { ...row, answer: undefined } : { ...row }, index));
      expect(items.length).toBeGreaterThan(20);
      expect(await wrong(task, items)).toEqual([]);
      const references = rows.map((row) => Object.entries(row).find(([name]) => name === "solution" || name === "answer")?.[1]);
      if (["aime24", "gsm8k", "math", "drop"].includes(id)) expect(await notEqual(id, itself(references))).toEqual([]);
    });
  }

  /** Those whose answer is wrong as it stands in the item, or as a worked example would say it. */
  async function wrong(task: Task, items: readonly Item[]): Promise<Item[]> {
    const grade = task.grader({ comparer });
    const scores = items.flatMap((item) => {
      const worked = task.ask(item, [item]).at(1)?.content ?? "";
      return [item.answer, worked].map(async (text) => ({ item, score: await grade(item, text, text) }));
    });
    return (await Promise.all(scores)).flatMap(({ item, score }) => (score.accuracy === 1 ? [] : [item]));
  }
});
