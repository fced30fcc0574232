import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Item } from "#kernel/item.ts";
import { writtenOut } from "#text/signs.ts";
import { displayWidth } from "#text/table.ts";
import { wholePage, wholeTasks } from "../../../test/support/page-content.ts";
import { type EvaluationRecord, recordKey } from "../records/evaluation-record.ts";
import { slimRecord } from "../records/slim-record.ts";
import { summarise } from "../summary/summary.ts";
import { compareRuns, pairRuns } from "./compare-runs.ts";
import { pageContent, type ReportData } from "./page-data.ts";
import { answerFlags } from "./page-shape.ts";
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

function wholeComparison({ table, html }: ReturnType<typeof compareRuns>) {
  return { table, html: wholePage(html) };
}

const first = run("first", { vanilla: (index) => Number(index % 2 === 0), refine: (index) => Number(index % 3 !== 0) });

describe("what travels in the page", () => {
  test("all items of all methods, however many, in the order of their names", () => {
    const [task] = wholeTasks([first]);
    expect(task.note).toBe("All 40 items.");
    expect(task.items.map(({ id }) => id)).toEqual(items.map(({ id }) => id));
    expect(task.sets.map(({ method }) => method)).toEqual(["vanilla", "refine"]);
    for (const answers of task.answers) expect(answers.map((answer) => answer?.events.length)).toEqual(items.map(() => 1));
    const flags = task.index.sets.map((set) => set.flags.map((sum) => (sum & answerFlags.right) !== 0));
    expect(flags).toEqual([items.map((_, index) => index % 2 === 0), items.map((_, index) => index % 3 !== 0)]);
  });

  test("every text once in a part, and whole, however long it is", () => {
    const long = "word ".repeat(40_000);
    const texts = wholeTasks([
      { ...first, readTraces: (keys) => [...first.readTraces!(keys)].map((one) => ({ ...one, text: `${long}${one.item}` })) },
    ])[0].texts;
    expect(texts.length).toBeGreaterThan(1);
    for (const part of texts) expect(new Set(part).size).toBe(part.length);
    expect(texts.flat().filter((text) => text.startsWith(long)).length).toBe(count);
  });

  test("traces are asked for an item at a time, and a page of twice the items makes twice the parts and no larger ones", () => {
    const sizes = [200, 400].map((count) => {
      const many = Array.from({ length: count }, (_, index) => record("vanilla", index, 1, { text: "x".repeat(10_000) + index }));
      const byKey = new Map(many.map((one) => [recordKey(one), one]));
      const asked: number[] = [];
      const readTraces = (keys: readonly string[]) => {
        asked.push(keys.length);
        return keys.flatMap((key) => byKey.get(key) ?? []);
      };
      const data = { ...run("many", { vanilla: () => 1 }), records: many.map((one) => slimRecord(one)), readTraces };
      const { tasks } = pageContent([data]);
      const sizes = [...tasks[0].parts()].map(({ texts }) => texts.join("").length);
      expect(Math.max(...asked)).toBe(1);
      expect(asked.length).toBe(2 * count);
      return { parts: sizes.length, largest: Math.max(...sizes) };
    });
    expect(Math.abs(sizes[1].parts - 2 * sizes[0].parts)).toBeLessThanOrEqual(1);
    expect(sizes[1].largest).toBeLessThan(1.1 * sizes[0].largest);
  });

  test("nothing to browse without a reader", () => {
    const { readTraces: _, ...unread } = first;
    expect(wholeTasks([unread])).toEqual([]);
  });

  test("questions are read off the traces where the items are not at hand, and are left out where those are gone too", () => {
    const { itemsOf: _, ...bare } = first;
    const [item] = wholeTasks([bare])[0].items;
    expect(item!.question).toBe(`Question ${item!.id.slice("item-".length)}`);
    expect("answer" in item!).toBe(false);
    expect(wholeTasks([{ ...bare, readTraces: () => [] }])).toEqual([]);
  });
});

describe("the page", () => {
  const page = wholePage(renderReport(first));

  test("holds everything and loads nothing", () => {
    expect(page.includes("default-src &#39;none&#39;")).toBe(true);
    expect(/<(?:script|link|img)[^>]+(?:src|href)=/.test(page)).toBe(false);
    expect(page.includes("Methods over tasks")).toBe(true);
    expect(/^import /m.test(page)).toBe(false);
  });

  test("writes names and questions as text", () => {
    const evil = "<img src=x onerror=alert(1)>";
    const hostile = run("hostile", { vanilla: () => 1, [evil]: () => 0 }, { title: evil, promptVersion: evil });
    const written = wholePage(renderReport(hostile));
    expect(written.includes(evil)).toBe(false);
    expect(written.includes("&lt;img src=x onerror=alert(1)&gt;")).toBe(true);
  });
});

describe("signs that would steer a page", () => {
  const steering = [
    "\u202a",
    "\u202b",
    "\u202c",
    "\u202d",
    "\u202e",
    "\u2066",
    "\u2067",
    "\u2068",
    "\u2069",
    "\u200e",
    "\u200f",
    "\u061c",
  ];

  test.each([...steering, "\u200b", "\ufeff", "\u00ad", "\u2028", "\u001b", "\u009b", "\u{e0041}"])(
    "%j is written out in titles, names, questions and answers, and stands nowhere as itself",
    (sign) => {
      const name = `met${sign}hod`;
      const data = run(`ru${sign}n`, { vanilla: () => 1, [name]: () => 0 }, { title: `ti${sign}tle`, promptVersion: `v${sign}` });
      const hidden = {
        ...data,
        readTraces: (keys: readonly string[]) =>
          [...data.readTraces!(keys)].map((one) => ({ ...one, text: `The ${sign}answer`, extracted: `1${sign}2` })),
        itemsOf: (_: string, ids: readonly string[]) =>
          ids.map((id) => ({ id, question: `wh${sign}at`, answer: sign, group: sign })),
      };
      const page = wholePage(renderReport(hidden));
      const [packedIndex, packedPart] = [...page.matchAll(/<script type="application\/octet-stream"[^>]*>([^<]*)</g)].map(
        ([, packed]) => gunzipSync(Buffer.from(packed, "base64")).toString(),
      );
      const shown = `‹U+${sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}›`;
      for (const text of [page.replace(/<script>.*?<\/script>/gs, ""), packedIndex, packedPart]) {
        expect(text).not.toContain(sign);
        expect(text).not.toContain(JSON.stringify(sign).slice(1, -1));
        expect(text).toContain(shown);
      }
      expect(page).toContain(`<title>ti${shown}tle`);
      expect(packedPart).toContain(`The ${shown}answer`);
    },
  );

  test("right-to-left scripts, joined letters and emoji stay as they are", () => {
    const texts = [
      "الجواب هو ١٢",
      "می\u200cخواهم",
      "התשובה היא 12",
      "क्\u200dष",
      "👨\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f⃣",
      "tab\tand\nline\r\n",
    ];
    for (const text of texts) expect(writtenOut(text)).toBe(text);
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
    const { table, html } = wholeComparison(compareRuns([first, second], { width: 100 }));
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
    const { table, html } = wholeComparison(compareRuns(paired, { width: 120 }));
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
