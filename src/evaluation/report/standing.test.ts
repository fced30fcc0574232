import { describe, expect, test } from "vitest";
import { wholePage } from "../../../test/support/page-content.ts";
import { slimAnswer } from "../../../test/support/records.ts";
import type { SlimRecord } from "../records/slim-record.ts";
import { type SummaryPlan, summarise } from "../summary/summary.ts";
import { renderReport } from "./report.ts";
import { type Competitor, standing, standingOut } from "./standing.ts";
import { renderMeasurement, renderTable } from "./table.ts";
import { findings, headline } from "./words.ts";

const row = (id: string, accuracy: number, pHolm?: number, interval: [number, number] = [0.1, 0.9]): Competitor => ({
  id,
  accuracy,
  interval,
  ...(pHolm === undefined ? {} : { versusBaseline: { difference: accuracy - 0.5, pHolm } }),
});
const said = (...rows: Competitor[]) =>
  standing(rows, { where: "on Sums", baseline: "vanilla", intervals: false }).replaceAll("\u00a0", " ");

describe("who is ahead", () => {
  test("a method that is clearly above the plain answers is the most accurate", () => {
    expect(said(row("vanilla", 0.5), row("refine", 0.7, 0.012), row("vote", 0.6, 0.3))).toBe(
      "refine is the most accurate of 3 methods on Sums: 70.0 %; vanilla has 50.0 %, clearly less (corrected p 0.012).",
    );
  });

  test("one that is not clearly above them has the highest figure, and it is said that the difference is not clear", () => {
    expect(said(row("vanilla", 0.5), row("refine", 0.525, 0.34))).toBe(
      "refine has the highest accuracy of 2 methods on Sums: 52.5 %; vanilla has 50.0 %, no clear difference (corrected p 0.340).",
    );
  });

  test("plain answers that win are compared with the best of the others", () => {
    expect(said(row("vanilla", 0.5), row("refine", 0.25, 0.001), row("vote", 0.45, 1))).toBe(
      "vanilla has the highest accuracy of 3 methods on Sums: 50.0 %; vote has 45.0 %, no clear difference (corrected p 1.000).",
    );
    expect(said(row("vanilla", 0.5), row("refine", 0.25, 0.001))).toContain("vanilla is the most accurate of 2 methods");
  });

  test("a tie is called a tie: of two, of many, of all, with the plain answers in it and without them", () => {
    expect(said(row("vanilla", 0.5), row("a", 0.5, 1), row("b", 0.25, 1))).toBe(
      "vanilla and a are tied for the highest accuracy of 3 methods on Sums: 50.0 % each, so that none is ahead of vanilla.",
    );
    expect(said(row("vanilla", 0.5), row("a", 0.75, 0.3), row("b", 0.75, 0.3), row("c", 0.75, 0.3))).toBe(
      "a, b and c are tied for the highest accuracy of 4 methods on Sums: 75.0 % each; vanilla has 50.0 %, not clearly less.",
    );
    expect(said(row("vanilla", 0.5), row("a", 1, 0.01), row("b", 1, 0.02))).toContain(
      "vanilla has 50.0 %, clearly less than each.",
    );
    expect(said(row("vanilla", 0.5), row("a", 0.5, 1))).toBe(
      "Both methods are tied on Sums: 50.0 % each, so that none is ahead.",
    );
    expect(said(row("vanilla", 0.5), row("a", 0.5, 1), row("b", 0.5, 1))).toContain(
      "All 3 methods are tied on Sums: 50.0 % each",
    );
  });

  test("where nothing or everything is right, that is said, and nobody is the most accurate", () => {
    expect(said(...["vanilla", "a", "b", "c"].map((id) => row(id, 0)))).toBe(
      "None of 4 methods answers anything right on Sums: 0.0 %.",
    );
    expect(said(row("vanilla", 0), row("a", 0))).toBe("Neither method answers anything right on Sums: 0.0 %.");
    expect(said(row("vanilla", 1), row("a", 1))).toBe("Both methods answer everything right on Sums: 100.0 %.");
  });

  test("figures that are printed alike and are not equal are no tie, and that is said too", () => {
    expect(said(row("vanilla", 0.72), row("a", 0.7249, 1), row("b", 0.7251, 1))).toBe(
      "b has the highest accuracy of 3 methods on Sums: 72.5 %; vanilla has 72.0 %, no clear difference (corrected p 1.000); a has as much to the digit shown.",
    );
  });

  test("means that differ by the order of their sums alone are tied", () => {
    expect(said(row("vanilla", 0.1 + 0.2), row("a", 0.3), row("b", 0.1))).toMatch(/^vanilla and a are tied/);
  });

  test("a single method is the only one, and a figure that is no number does not compete", () => {
    expect(said(row("vanilla", 0.5))).toBe("vanilla, the only method on Sums, has 50.0 %.");
    expect(said(row("vanilla", 0.5), row("lost", Number.NaN))).toBe("vanilla, the only method on Sums, has 50.0 %.");
    expect(said(row("lost", Number.NaN))).toBe("");
    expect(said()).toBe("");
  });

  test("intervals of tied methods stand once where they are one, and each where they are not", () => {
    const words = { where: "", baseline: "vanilla", intervals: true };
    const text = (...rows: Competitor[]) => standing(rows, words).replaceAll("\u00a0", " ");
    expect(text(row("vanilla", 0, undefined, [0, 0.088]), row("a", 0, 1, [0, 0.088]))).toBe(
      "Neither method answers anything right: 0.0 % (95 % interval 0.0 % to 8.8 %).",
    );
    expect(text(row("vanilla", 0.5, undefined, [0.2, 0.8]), row("a", 0.5, 1, [0.3, 0.7]), row("b", 0.4, 1))).toContain(
      "50.0 % each (95 % intervals 20.0 % to 80.0 % and 30.0 % to 70.0 %)",
    );
  });

  test("nobody stands out where all are tied, nor where there is one", () => {
    expect(standingOut([row("a", 0), row("b", 0)])).toEqual([]);
    expect(standingOut([row("a", 0.5)])).toEqual([]);
    expect(standingOut([row("a", 0.5), row("b", 0.5), row("c", 0.4)]).map(({ id }) => id)).toEqual(["a", "b"]);
  });
});

const answers = (method: string, accuracies: string, more: Partial<SlimRecord> = {}): SlimRecord[] =>
  [...accuracies].map((digit, index) => slimAnswer(`item-${String(index).padStart(2, "0")}`, Number(digit), { method, ...more }));
const plan = { run: "r", model: "m", seed: 1, temperature: 0.7, samples: 1 };
const measure = (records: SlimRecord[], more: Partial<SummaryPlan> = {}) =>
  summarise({ ...plan, tasks: [{ id: "sums", title: "Sums", items: 10 }], records, ...more });
const flat = (text: string) => text.replace(/\s+/g, " ");

describe("in every place", () => {
  const none = measure(["vanilla", "a", "b", "c"].flatMap((method) => answers(method, "0000000000")));

  test("a four-way tie at nothing has no winner: headline, table, training's table and page", () => {
    expect(flat(headline(none))).toBe("None of 4 methods answers anything right on Sums: 0.0 % (95 % interval 0.0 % to 27.8 %).");
    expect(flat(renderTable(none, { width: 120 }))).toContain("None of 4 methods answers anything right: 0.0 %.");
    expect(flat(renderMeasurement(none, { width: 120 }))).toContain("None of 4 methods answers anything right: 0.0 %.");
    const page = wholePage(renderReport({ results: none, records: [] }));
    expect(page).not.toMatch(/most accurate|highest accuracy/);
    expect(page).not.toContain("<strong>0.0</strong></td><td>");
    // No row of a tie of all is bold.
    const bold = new RegExp(`${String.fromCharCode(27)}\\[1m(vanilla|a|b|c) `);
    expect(renderTable(none, { styled: true })).not.toMatch(bold);
  });

  test("where nothing is right there is no cost of a right answer, which is not an unknown one", () => {
    expect(renderTable(none, { width: 200 })).toMatch(/^vanilla .* none right /m);
    expect(renderMeasurement(none, { width: 120 })).toMatch(/^vanilla .* none right$/m);
    const page = wholePage(renderReport({ results: none, records: [] }));
    expect(page).toContain("<td>none right</td>");
    expect(page).not.toContain("<td>tokens unknown</td>");
    const silent = { usage: { calls: 1, inputTokens: undefined, outputTokens: undefined } };
    const unknown = measure(answers("vanilla", "1100000000", silent));
    expect(renderTable(unknown, { width: 200 })).toMatch(/^vanilla .* unknown +\S+ +unknown /m);
    expect(wholePage(renderReport({ results: unknown, records: [] }))).toContain("<td>tokens unknown</td>");
  });

  test("a method with answers to fewer items does not compete, and is named", () => {
    const results = measure([...answers("vanilla", "1110000000"), ...answers("a", "1100000000"), ...answers("few", "11")]);
    expect(flat(headline(results))).toMatch(/^vanilla has the highest accuracy of 2 methods on Sums/);
    expect(findings(results).at(-1)).toBe(
      "Not everything was answered on sums: few has 2 of 10 items. Accuracies over other items are not compared.",
    );
    expect(renderTable(results, { width: 200 })).toContain("incomplete: few has 2 of 10 items");
  });

  test("of a report's subject it is said when it is tied with the baseline, or not clearly apart", () => {
    const two = (own: string) => measure([...answers("vanilla", "1100000000"), ...answers("pasr", own)]);
    expect(flat(headline(two("0000000011"), "pasr"))).toMatch(/; vanilla answers as many: a tie\.$/);
    expect(flat(headline(two("1110000000"), "pasr"))).toMatch(
      /; vanilla answers 20\.0 %, no clear difference \(corrected p 1\.000\)\.$/,
    );
    expect(flat(headline(measure(answers("pasr", "1"), { tasks: [{ id: "sums", items: 1 }] }), "pasr"))).toContain(
      "of 1 problem right",
    );
  });
});

test("a budget that the first call alone goes over is said beside the table and on the page, though nothing ended early", () => {
  const usage = (calls: number, outputTokens: number) => ({ usage: { calls, inputTokens: 5, outputTokens } });
  const records = [
    ...answers("vanilla", "10", usage(1, 30)),
    ...answers("refine", "10", usage(3, 30)),
    ...answers("short", "10", usage(1, 10)),
  ];
  const results = measure(records, { budget: { outputTokens: 10 } });
  const said =
    "ver the budget: refine 2 of 2 answers; vanilla 2 of 2 answers, by the first call alone. A budget is asked before each call: the one that goes over it is finished, graded and counted";
  const inOrder = {
    ...results,
    tasks: [{ ...results.tasks[0], methods: [...results.tasks[0].methods].sort((a, b) => (a.id < b.id ? -1 : 1)) }],
  };
  expect(flat(renderTable(inOrder, { width: 100 }))).toContain(`o${said}`);
  expect(wholePage(renderReport({ results: inOrder, records: [] }))).toContain(`O${said}.`);
  expect(renderTable(measure(records, { budget: { outputTokens: 30 } }))).not.toContain("over the budget");
  expect(renderTable(measure(records))).not.toContain("over the budget");
});

describe("one test has one p", () => {
  const records = [
    ...answers("vanilla", "0000000000"),
    ...answers("pasr", "1111111000"),
    ...answers("other", "1111000000"),
    ...answers("third", "0100000000"),
  ];
  const results = measure(records, {
    methods: ["vanilla", "other", "third", "pasr"],
    comparisons: [
      ["pasr", "vanilla"],
      ["pasr", "other"],
      ["pasr", "third"],
    ],
  });
  const [task] = results.tasks;

  test("in the method's row, among the comparisons and over all tasks, where there is one task", () => {
    const own = task.methods.find(({ id }) => id === "pasr")!.versusBaseline!;
    const compared = task.comparisons!.find(({ b }) => b === "vanilla")!;
    const overall = results.overall.find(({ id }) => id === "pasr")!.versusBaseline!;
    expect(own).toMatchObject({ test: "mcnemar", pValue: compared.pValue, pHolm: compared.pHolm });
    expect(overall).toMatchObject({ pValue: own.pValue, pHolm: own.pHolm, interval: own.interval });
    for (const { id, versusBaseline } of task.methods)
      expect(results.overall.find((each) => each.id === id)!.versusBaseline?.pHolm).toBe(versusBaseline?.pHolm);
  });

  test("whichever of the two is named first", () => {
    const turned = measure(records, { methods: ["vanilla", "other", "third", "pasr"], comparisons: [["vanilla", "pasr"]] });
    const own = turned.tasks[0].methods.find(({ id }) => id === "pasr")!.versusBaseline!;
    expect(turned.tasks[0].comparisons![0]).toMatchObject({ pValue: own.pValue, pHolm: own.pHolm, difference: -own.difference });
  });

  test("graded scores and clusters, which random signs test, included", () => {
    const graded = records.map((record, index) => ({ ...record, accuracy: record.accuracy * (0.5 + (index % 7) / 14) }));
    const { tasks, overall } = measure(graded, { comparisons: [["pasr", "vanilla"]] });
    const own = tasks[0].methods.find(({ id }) => id === "pasr")!.versusBaseline!;
    expect(own.test).toBe("sign-flip");
    expect(tasks[0].comparisons![0]).toMatchObject({ pValue: own.pValue, pHolm: own.pHolm });
    expect(overall.find(({ id }) => id === "pasr")!.versusBaseline).toMatchObject({ pValue: own.pValue, pHolm: own.pHolm });
  });

  test("and is written alike in the terminal, on the page and in its sentences", () => {
    const p = task.methods.find(({ id }) => id === "pasr")!.versusBaseline!.pHolm.toFixed(3);
    expect(renderTable(results, { width: 200 })).toMatch(new RegExp(`^pasr .* ${p} `, "m"));
    expect(headline(results)).toContain(`corrected p ${p}`);
    const page = wholePage(renderReport({ results, records: [], subject: "pasr" }));
    const [, comparison] = /<th scope="row">pasr − vanilla<\/th>(.*?)<\/tr>/s.exec(page)!;
    expect(comparison).toContain(`<td>${p}</td>`);
    expect(page.split(`corrected p ${p}`).length).toBeGreaterThan(3);
    // The uncorrected one is named so wherever it is shown.
    expect(page).toContain("p, uncorrected");
    expect(page).not.toMatch(/<small>p \d/);
  });

  test("a comparison in one task of two keeps that task's p", () => {
    const both = [...records.map((record) => ({ ...record, task: "sums" })), ...answers("vanilla", "1010", { task: "words" })];
    const { tasks, overall } = measure(both, {
      tasks: [
        { id: "sums", items: 10 },
        { id: "words", items: 4 },
      ],
    });
    const own = tasks[0].methods.find(({ id }) => id === "pasr")!.versusBaseline!;
    expect(overall.find(({ id }) => id === "pasr")!.versusBaseline).toMatchObject({
      tasks: 1,
      pValue: own.pValue,
      pHolm: own.pHolm,
    });
  });
});
