import { describe, expect, test } from "vitest";
import type { Item } from "#kernel/item.ts";
import { displayWidth } from "#text/table.ts";
import { type EvaluationRecord, recordKey } from "../records/evaluation-record.ts";
import { slimRecord } from "../records/slim-record.ts";
import { summarise } from "../summary/summary.ts";
import { compareRuns, pairRuns } from "./compare-runs.ts";
import { pageData, type ReportData } from "./page-data.ts";
import { renderReport } from "./report.ts";

const usage = { calls: 1, inputTokens: 10, outputTokens: 20, milliseconds: 1 };

function record(method: string, index: number, accuracy: number, more: Partial<EvaluationRecord> = {}): EvaluationRecord {
  const text = `${method} says ${index} `.repeat(20);
  return {
    task: "sums",
    item: `item-${index}`,
    method,
    sample: 0,
    text,
    answer: String(accuracy),
    accuracy,
    verdict: "missing-think",
    refinements: 0,
    reason: "done",
    usage,
    events: [{ type: "attempt-end", attempt: 0, messages: [{ role: "user", content: `Question ${index}` }], text, usage }],
    ...more,
  };
}

const count = 40;
const items: Item[] = Array.from({ length: count }, (_, index) => ({
  id: `item-${index}`,
  question: `Question ${index}`,
  answer: "1",
}));

function run(
  name: string,
  scores: Record<string, (index: number) => number>,
  more: Partial<ReportData> & { promptVersion?: string } = {},
): ReportData {
  const { promptVersion = "sums-1", ...others } = more;
  const records = Object.entries(scores).flatMap(([method, score]) =>
    items.map((_, index) => record(method, index, score(index))),
  );
  const whole = new Map(records.map((entry) => [recordKey(entry), entry]));
  const slim = records.map((entry) => slimRecord(entry));
  const results = summarise({
    run: name,
    model: "m",
    command: "c",
    version: "0",
    seed: 1,
    temperature: 0,
    samples: 1,
    tasks: [{ id: "sums", items: count, promptVersion }],
    records: slim,
  });
  return {
    results,
    records: slim,
    readTraces: (keys) => keys.flatMap((key) => whole.get(key) ?? []),
    itemsOf: (_, ids) => items.filter(({ id }) => ids.includes(id)),
    ...others,
  };
}

const first = run("first", { vanilla: (index) => Number(index % 2 === 0), refine: (index) => Number(index % 3 !== 0) });

describe("what travels in the page", () => {
  test("all items where there is room, every text once", () => {
    const { browser, texts } = pageData([first]);
    expect(browser[0].note).toBe("All 40 items.");
    expect(browser[0].items.length).toBe(count);
    expect(browser[0].sets.map(({ method, answers }) => [method, answers.length])).toEqual([
      ["vanilla", count],
      ["refine", count],
    ]);
    expect(new Set(texts).size).toBe(texts.length);
    // A question, and a text of each method, an item.
    expect(texts.length).toBe(3 * count);
  });

  test("else a part with every kind of outcome in it, and says what was left out", () => {
    const { browser } = pageData([{ ...first, limits: { items: 6 } }]);
    expect(browser[0].items.length).toBe(6);
    expect(browser[0].note).toMatch(/^6 of 40 items, .*all right \d+, all wrong \d+, methods disagree \d+.*records\.jsonl\.$/);
    const kinds = browser[0].items.map((_, index) => browser[0].sets.map(({ answers }) => answers[index]!.accuracy).join(""));
    expect(new Set(kinds.map((kind) => (kind === "10" ? "01" : kind)))).toEqual(new Set(["00", "01", "11"]));
  });

  test("no more than the room for traces, and no text beyond its length", () => {
    const small = pageData([{ ...first, limits: { characters: 5_000, text: 50 } }]);
    expect(small.browser[0].items.length).toBeLessThan(count);
    expect(small.browser[0].items.length).toBeGreaterThan(10);
    expect(small.texts.reduce((sum, text) => sum + text.length, 0)).toBeLessThan(6_000);
    expect(small.texts.some((text) => /\n… \(\d+ more characters\)$/.test(text))).toBe(true);
  });

  test("asks for traces a few at a time", () => {
    const asked: number[] = [];
    pageData([
      {
        ...first,
        readTraces: (keys) => {
          asked.push(keys.length);
          return first.readTraces!(keys);
        },
      },
    ]);
    expect(Math.max(...asked)).toBe(2);
  });

  test("nothing to browse without a reader", () => {
    const { readTraces: _, ...unread } = first;
    expect(pageData([unread]).browser).toEqual([]);
  });

  test("questions are read off the traces where the items are not at hand, and are left out where those are gone too", () => {
    const { itemsOf: _, ...bare } = first;
    const { browser, texts } = pageData([bare]);
    const [item] = browser[0].items;
    expect(texts[item!.question]).toBe(`Question ${item!.id.slice("item-".length)}`);
    expect("answer" in item!).toBe(false);
    expect(pageData([{ ...bare, readTraces: () => [] }]).browser).toEqual([]);
  });
});

describe("the page", () => {
  const page = renderReport(first);

  test("holds everything and loads nothing", () => {
    expect(page.includes("default-src &#39;none&#39;")).toBe(true);
    expect(/<(?:script|link|img)[^>]+(?:src|href)=/.test(page)).toBe(false);
    expect(page.includes("Methods over tasks")).toBe(true);
    expect(/^import /m.test(page)).toBe(false);
  });

  test("writes names and questions as text", () => {
    const evil = "<img src=x onerror=alert(1)>";
    const hostile = run("hostile", { vanilla: () => 1, [evil]: () => 0 }, { title: evil, promptVersion: evil });
    const written = renderReport(hostile);
    expect(written.includes(evil)).toBe(false);
    expect(written.includes("&lt;img src=x onerror=alert(1)&gt;")).toBe(true);
  });
});

describe("two runs", () => {
  const second = run("second", { vanilla: () => 1, refine: (index) => Number(index % 3 !== 0), other: () => 0 });

  test("are paired by method and item, with p corrected over all rows", () => {
    const { rows } = pairRuns(first, second);
    expect(rows.map(({ method }) => method)).toEqual(["vanilla", "refine"]);
    const [vanilla, refine] = rows.map(({ paired }) => paired!);
    expect(vanilla).toMatchObject({ difference: 0.5, items: count, test: "mcnemar", onlyThis: 20, onlyOther: 0 });
    expect(vanilla!.pHolm).toBeCloseTo(2 * vanilla!.pValue, 12);
    expect(refine).toMatchObject({ difference: 0, pHolm: 1 });
    const { table, html } = compareRuns([first, second], { width: 100 });
    expect(table).toMatch(/sums +vanilla +50\.0 +100\.0 +\+50\.0 \(\+\d/);
    expect(html.includes("Runs compared")).toBe(true);
  });

  test("say what cannot be compared", () => {
    const other = run("third", { vanilla: () => 1 }, { promptVersion: "sums-2" });
    expect(pairRuns(first, other).rows).toMatchObject([{ method: "vanilla", notComparable: "prompt sums-1 and sums-2" }]);
    expect(compareRuns([first, other]).table).toContain("not comparable: sums, vanilla: prompt sums-1 and sums-2");
    const apart = run("fourth", { else: () => 1 });
    expect(compareRuns([first, apart]).table).toContain("no method on a task in common");
  });

  test("stand in columns whatever the runs are called, and a difference of nothing is the same in table and page", () => {
    const paired = [first, run("试验一", { vanilla: (index) => (index + 1) % 2, refine: () => 1 })] as const;
    const { table, html } = compareRuns(paired, { width: 120 });
    const [header, rule, ...rows] = table.split("\n").slice(1);
    expect(header).toContain("试验一");
    expect([header, ...rows].map(displayWidth)).toEqual([header, ...rows].map(() => displayWidth(rule)));
    const { paired: same } = pairRuns(...paired).rows[0];
    expect(same!.difference).toBeCloseTo(0, 12);
    for (const text of [table, html]) {
      expect(text).toContain("+0.0");
      expect(text).not.toContain("−0.0");
    }
  });

  test.each([40, 80])("keep to %i columns", (width) => {
    const { table } = compareRuns([first, second], { width });
    expect(Math.max(...table.split("\n").map((line) => line.length))).toBeLessThanOrEqual(width);
    const words = table.replace(/\s+/g, " ");
    const note = "No room at this width for: p Holm, items, intervals. The report has them.";
    expect(words.includes(note)).toBe(width === 40);
  });
});
