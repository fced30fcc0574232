import { describe, expect, test } from "vitest";
import { answerRecord } from "../../../test/support/records.ts";
import type { EvaluationRecord } from "../records/evaluation-record.ts";
import { slimRecord } from "../records/slim-record.ts";
import type { TaskResult } from "../summary/results.ts";
import { type SummaryPlan, summarise } from "../summary/summary.ts";
import { renderMeasurement } from "./table.ts";

const items = ["a", "b", "c", "d"].map((id) => ({ id, question: id, answer: "1" }));

function record(
  method: string,
  item: string,
  accuracy: number,
  outputTokens: number | undefined,
  more: Partial<EvaluationRecord> = {},
): EvaluationRecord {
  const usage = { calls: 1, inputTokens: 10, outputTokens, milliseconds: 1 };
  return answerRecord(item, accuracy, { method, answer: String(accuracy), usage, ...more });
}

function rows(method: string, accuracies: number[], outputTokens: number | undefined, more: Partial<EvaluationRecord> = {}) {
  return accuracies.map((accuracy, index) => record(method, items[index].id, accuracy, outputTokens, more));
}

const vote = {
  attempts: ["1", "1", "0", "1"].map((answer) => ({ answer, accuracy: Number(answer), outputTokens: 5 })),
};
const records = [
  ...rows("vanilla", [1, 1, 0, 0], 5),
  ...rows("self-refine-1", [0, 1, 1, 0], 30, {
    attempts: [
      { answer: "1", accuracy: 1 },
      { answer: "0", accuracy: 0 },
    ],
    usage: { calls: 3, inputTokens: 60, outputTokens: 30, milliseconds: 3 },
  }),
  ...rows("self-consistency", [1, 1, 1, 1], 20, vote),
  ...rows("pasr", [1, 1, 1, 0], 10, { refinements: 2 }),
];
const ids = ["vanilla", "self-refine-1", "self-consistency", "pasr"];
const plan = { run: "first", model: "small", temperature: 0, samples: 1, seed: 4, tasks: [{ id: "sums", items: items.length }] };
const measure = (some: readonly EvaluationRecord[] = records, more: Partial<SummaryPlan> = {}) =>
  summarise({
    ...plan,
    methods: ids,
    comparisons: ids.slice(0, -1).map((id) => ["pasr", id] as const),
    records: some.map((entry) => slimRecord(entry)),
    ...more,
  });
const methodOf = ({ methods }: TaskResult, id: string) => methods.find((candidate) => candidate.id === id)!;
const results = measure();
const [task] = results.tasks;
const method = (id: string) => methodOf(task, id);

describe("a method's figures", () => {
  test("are means over its answers", () => {
    expect(results).toMatchObject({ schema: 2, run: "first", temperature: 0, tasks: [{ task: "sums", items: 4 }] });
    expect(task.methods.map(({ id }) => id)).toEqual(ids);
    expect(method("self-refine-1")).toMatchObject({
      accuracy: 0.5,
      tokensPerAnswer: 30,
      allTokensPerAnswer: 90,
      callsPerAnswer: 3,
      tokensPerCorrect: 180,
      generatedTokensPerCorrect: 60,
      failures: 0,
      answers: 4,
    });
    expect(method("pasr")).toMatchObject({ refinementsPerAnswer: 2, formatRate: 1 });
    expect(method("vanilla").interval[0]).toBeLessThan(0.5);
  });

  test("tell what became of the baseline's answers, and of the method's own first ones", () => {
    expect(method("self-refine-1")).toMatchObject({
      rightToWrong: 0.25,
      wrongToRight: 0.25,
      ownRightToWrong: 0.5,
      ownWrongToRight: 0,
    });
    expect(method("pasr")).toMatchObject({ rightToWrong: 0, wrongToRight: 0.25 });
    expect(method("vanilla")).toMatchObject({ rightToWrong: 0, wrongToRight: 0 });
    expect(method("pasr").ownRightToWrong).toBeUndefined();
  });

  test("pair transitions by item and sample", () => {
    const second = rows("pasr", [0, 0, 0, 0], 10).map((entry) => ({ ...entry, sample: 1 }));
    const both = measure([...records, ...second, ...rows("vanilla", [0, 0, 0, 1], 5).map((entry) => ({ ...entry, sample: 1 }))]);
    expect(both.tasks[0].methods.at(-1)).toMatchObject({ rightToWrong: 1 / 8, wrongToRight: 1 / 8 });
  });

  test("stay unknown where more than a tenth is unknown", () => {
    const vanilla = methodOf(measure([...records.slice(1), record("vanilla", "a", 1, undefined)]).tasks[0], "vanilla");
    expect(vanilla.tokensPerAnswer).toBeUndefined();
    expect(vanilla.tokensPerCorrect).toBeUndefined();
    expect(vanilla.resampling).toBeUndefined();
    expect(JSON.stringify(vanilla)).not.toContain("tokensPerAnswer");
  });

  test("give dollars only where prices are known, and no cost per correct answer where none is correct", () => {
    expect(method("pasr").costPerCorrect).toBeUndefined();
    const priced = records.map((entry) => ({ ...entry, usage: { ...entry.usage, dollars: entry.method === "pasr" ? 30 : 1 } }));
    expect(methodOf(measure(priced).tasks[0], "pasr").costPerCorrect).toBeCloseTo((4 * 30) / 3, 9);
    expect(measure(rows("vanilla", [0, 0, 0, 0], 5)).tasks[0].methods[0].tokensPerCorrect).toBeUndefined();
  });
});

test("each method is compared with resampling at its own tokens, by both conventions", () => {
  // Four samples of 5 tokens behind a prompt of 10.
  expect(task.resamplingCurve.map(({ generated, all }) => [generated, all])).toEqual([
    [5, 15],
    [10, 20],
    [15, 25],
    [20, 30],
  ]);
  const { generated, all } = method("pasr").resampling!;
  expect(generated!.samples).toBe(2);
  expect(all!.samples).toBe(2);
  expect(generated!.difference).toBeCloseTo(0.75 - generated!.accuracyAtSameTokens, 9);
  expect(method("self-refine-1").resampling!.all).toMatchObject({ outside: "above", samples: 4, accuracyAtSameTokens: 1 });
  expect(measure(rows("vanilla", [1, 1, 0, 0], 5)).tasks[0].methods[0].resampling).toBeUndefined();
});

describe("comparisons", () => {
  test("are of the pairs asked for, paired by item, corrected together", () => {
    expect(task.comparisons!.map(({ a, b }) => `${a} ${b}`)).toEqual([
      "pasr vanilla",
      "pasr self-refine-1",
      "pasr self-consistency",
    ]);
    expect(task.comparisons![0]).toMatchObject({ difference: 0.25, items: 4, test: "mcnemar", pValue: 1 });
    for (const { pValue, pHolm } of task.comparisons!) expect(pHolm).toBeGreaterThanOrEqual(pValue);
    expect(measure(records, { comparisons: undefined }).tasks[0].comparisons).toBeUndefined();
  });

  test("with the baseline say what the method's own row says", () => {
    const { a: _a, b: _b, ...compared } = measure(records, { comparisons: [["pasr", "vanilla"]] }).tasks[0].comparisons![0];
    const { pHolm: _corrected, ...own } = method("pasr").versusBaseline!;
    expect(compared).toEqual({ ...own, pHolm: own.pValue });
  });

  test("use the items both methods have and leave out what cannot be compared", () => {
    const part = measure(
      records.filter((entry) => entry.method !== "pasr" || entry.item < "c"),
      {
        comparisons: [
          ["pasr", "vanilla"],
          ["pasr", "unknown"],
        ],
      },
    );
    expect(part.tasks[0].comparisons).toMatchObject([{ a: "pasr", b: "vanilla", items: 2, difference: 0 }]);
  });

  test("take whole clusters for one", () => {
    const clustered = records.map((entry) => ({ ...entry, cluster: entry.item < "c" ? "first" : "second" }));
    const [compared] = measure(clustered).tasks[0].comparisons!;
    expect(compared).toMatchObject({ test: "sign-flip", difference: 0.25 });
  });
});

describe("the table", () => {
  test("has one row a method with accuracy, interval, tokens, transitions and cost", () => {
    expect(renderMeasurement(results, { width: 120 })).toMatchInlineSnapshot(`
      "method               accuracy (95 %)  tokens per answer  right→wrong  wrong→right  cost per correct
      ----------------  ------------------  -----------------  -----------  -----------  ----------------
      vanilla             50.0 (15.0–85.0)                  5            –            –         30 tokens
      self-refine-1       50.0 (15.0–85.0)                 30       25.0 %       25.0 %        180 tokens
      self-consistency  100.0 (51.0–100.0)                 20        0.0 %       50.0 %         30 tokens
      pasr                75.0 (30.1–95.4)                 10        0.0 %       25.0 %         27 tokens

      self-consistency has the highest accuracy of 4 methods: 100.0 %; vanilla has 50.0 %, no clear difference (corrected p
      1.000).
      4 items, temperature 0. Right→wrong and wrong→right: shares of answers, from vanilla to the method.
      Tokens are sampled ones, drafts and feedback included; cost per correct answer counts prompts too."
    `);
  });

  test.each([120, 80, 60, 40, 20])("keeps to %i columns", (width) => {
    const lines = renderMeasurement(results, { width }).split("\n");
    const longest = Math.max(...lines.map((line) => line.length));
    // Below 40 columns single cells are the limit.
    expect(longest).toBeLessThanOrEqual(Math.max(width, 30));
    for (const id of ids) expect(lines.some((line) => line.startsWith(id))).toBe(true);
  });

  test("is plain unless styling is asked for", () => {
    const controlCode = String.fromCharCode(27);
    expect(renderMeasurement(results, { width: 100 })).not.toContain(controlCode);
    expect(renderMeasurement(results, { width: 100, styled: true })).toContain(controlCode);
  });

  test("shows unknown figures as such", () => {
    const lost = measure(rows("vanilla", [1, 0, 0, 0], undefined));
    expect(renderMeasurement(lost, { width: 120 })).toMatch(/vanilla .*–.*–/);
  });
});

test("methods that eval calls by another name are said so, those alone that are shown", () => {
  const evalNames = { "self-refine-1": "self-refine(rounds=1)", elsewhere: "other" };
  const text = renderMeasurement(results, { width: 120, evalNames });
  expect(text.split("\n").at(-1)).toBe("As midcourse eval calls them: self-refine-1 is self-refine(rounds=1).");
  expect(renderMeasurement(results, { width: 120 })).not.toContain("midcourse eval");
});
