import { execFileSync } from "node:child_process";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Item } from "#kernel/item.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { percentTogether, whole } from "#text/numbers.ts";
import { wholePage, wholeTasks } from "../../../test/support/page-content.ts";
import { type EvaluationRecord, recordKey } from "../records/evaluation-record.ts";
import { slimRecord } from "../records/slim-record.ts";
import { summarise } from "../summary/summary.ts";
import { markSteps, spansOf } from "./answer-marks.ts";
import { embedJson, embedSource, html } from "./html.ts";
import type { ReportData } from "./page-data.ts";
import { answerFlags } from "./page-shape.ts";
import { renderReport } from "./report.ts";
import { historyFromLines } from "./training-history.ts";
import { findings, headline } from "./words.ts";

const items: Item[] = Array.from({ length: 40 }, (_, index) => ({
  id: `item-${index}`,
  question: "What is 12*3+4?",
  answer: "40",
  steps: ["12*3=36", "36+4=40"],
}));

function record(method: string, item: string, text: string, accuracy: number): EvaluationRecord {
  const { verdict, refines, answerText } = parseRefine(text);
  const usage = { calls: 1, inputTokens: 8, outputTokens: 20, milliseconds: 1 };
  return {
    item,
    method,
    sample: 0,
    text,
    answer: answerText,
    accuracy,
    verdict,
    refinements: refines.length,
    reason: "done",
    usage,
  };
}

const right = "<think>12*3=36;36+4=40;</think><answer>40</answer>";
const wrong = "<think>12*3=35;35+4=39;</think><answer>39</answer>";
const methodRecords = (method: string, isRight: (index: number) => boolean) =>
  items.map((item, index) => record(method, item.id, isRight(index) ? right : wrong, isRight(index) ? 1 : 0));
const vanilla = methodRecords("vanilla", (index) => index < 12);
const trained = methodRecords("pasr", (index) => index < 30);
const resultsOf = (records: readonly EvaluationRecord[], a = "pasr") =>
  summarise({
    run: "r",
    model: "small",
    seed: 1,
    temperature: 0,
    samples: 1,
    tasks: [{ id: "sums", items: items.length }],
    records: records.map((entry) => slimRecord(entry)),
    comparisons: [[a, "vanilla"]],
  });
const results = resultsOf([...vanilla, ...trained]);
const about = { subject: "pasr" };

function dataOf(records: readonly EvaluationRecord[], some: readonly Item[] = items): ReportData {
  const whole = new Map(records.map((entry) => [recordKey(entry), entry]));
  return {
    results: resultsOf(records),
    records: records.map((entry) => slimRecord(entry)),
    readTraces: (keys) => keys.flatMap((key) => whole.get(key) ?? []),
    itemsOf: (_task, ids) => some.filter(({ id }) => ids.includes(id)),
  };
}

describe("markup", () => {
  test("values in a template are text", () => {
    const name = `<b title='x'>&"`;
    expect(html`<p title="${name}">${name}${undefined}${html`<i>ok</i>`}${[html`1`, html`2`]}</p>`.text).toBe(
      '<p title="&lt;b title=&#39;x&#39;&gt;&amp;&quot;">&lt;b title=&#39;x&#39;&gt;&amp;&quot;<i>ok</i>1\n2</p>',
    );
  });

  test("embedded JSON reads back unchanged and cannot end its script", () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom("</script>", "<!--", "-->", "<script>", "\u2028", "]]>"));
    fc.assert(
      fc.property(fc.array(piece), (texts) => {
        const { text } = embedJson({ texts });
        expect(text).not.toMatch(/[<>\u2028\u2029]/);
        expect(JSON.parse(text)).toEqual({ texts });
      }),
    );
  });

  test("embedded scripts cannot end theirs", () => {
    expect(embedSource('const end = "</script>" + "<!--";').text).not.toMatch(/<\/script|<!--/);
  });
});

describe("the words", () => {
  test("say who is ahead only when the interval says so", () => {
    expect(headline(results, "pasr")).toMatch(
      /^pasr answers 75\.0\u00a0% of 40 problems right .*; vanilla answers 30\.0\u00a0%\.$/,
    );
    expect(findings(results, about)[0]).toMatch(
      /^pasr is more accurate than vanilla: \+45\.0 points, .*, at 20 tokens an answer each\.$/,
    );
    expect(findings(resultsOf([...trained, ...vanilla], "other"), about).join(" ")).not.toMatch(/accurate than/);
    expect(findings(results).join(" ")).not.toMatch(/accurate than/);
    const swapped = [...methodRecords("vanilla", (index) => index < 30), ...methodRecords("pasr", (index) => index < 12)];
    expect(findings(resultsOf(swapped), about)[0]).toMatch(/^pasr is less accurate than vanilla: −45\.0/);
    const close = [...methodRecords("vanilla", (index) => index < 13), ...methodRecords("pasr", (index) => index < 14)];
    expect(findings(resultsOf(close), about)[0]).toMatch(/^No clear difference between pasr and vanilla/);
  });

  test("tell transitions and how training moved", () => {
    const lines = Array.from({ length: 20 }, (_, step) => ({
      step,
      reward: step / 10,
      needless: 1,
      note: "text",
    }));
    const training = [historyFromLines("seed 1", lines), historyFromLines("seed 2", lines)];
    const told = findings(results, { ...about, training });
    expect(told).toContain(
      "Of all answers, 45.0\u00a0% went from wrong to right and 0.0\u00a0% from right to wrong, compared with vanilla.",
    );
    expect(told).toContain("In training, the reward rose from 0.15 to 1.75 (mean of 2 runs).");
    expect(told).toContain("In training, needless refinements per answer stayed at about 1.00 (mean of 2 runs).");
  });
});

test("metric lines become a history: numbers only, objects with dotted names, gaps as null", () => {
  const lines = [
    { v: 1, step: 1, reward: 0.5, rewardTerms: { format: 1 }, phase: "warm-up" },
    { v: 1, step: 2, reward: Number.NaN, rewardTerms: { format: -1, deep: { er: 2 } }, list: [3] },
    { v: 1, note: "no step" },
  ];
  expect(historyFromLines("seed 1", lines, { group: "PASR" })).toEqual({
    label: "seed 1",
    group: "PASR",
    steps: [1, 2],
    metrics: { reward: [0.5, null], "rewardTerms.format": [1, -1], "rewardTerms.deep.er": [null, 2] },
  });
});

describe("the page's data", () => {
  const item = items[0];
  function marked(text: string, accuracy = 0) {
    const [shownTask] = wholeTasks([dataOf([record("pasr", item.id, text, accuracy)])]);
    const answer = shownTask.answers[0][0]!;
    const shown = (answer.marks ?? []).map(({ kind, start, end }) => `${kind}: ${answer.text.slice(start, end)}`);
    return { answer, shown };
  }

  test("marks the first wrong step, and says when it is missing", () => {
    expect(marked(wrong).shown).toEqual(["wrong: 12*3=35"]);
    expect(marked("<think>12*3=36;36+4=41;</think><answer>41</answer>").shown).toEqual(["wrong: 36+4=41"]);
    const missing = marked("<think>12*3=36;</think><answer>36</answer>");
    expect(missing.shown).toEqual([]);
    expect(missing.answer.stepMissing).toBe(1);
    expect(marked(right, 1).shown).toEqual([]);
  });

  test("marks what refinements corrected and spoiled", () => {
    expect(marked("<think>12*3=35;<refine>12*3=36</refine>36+4=40;</think><answer>40</answer>", 1).shown).toEqual([
      "corrected: 12*3=35",
    ]);
    expect(marked("<think>12*3=36;<refine>12*3=37</refine>37+4=41;</think><answer>41</answer>").shown[0]).toBe("wrong: 12*3=36");
  });

  test("leaves a right answer by other steps unmarked", () => {
    expect(marked("<think>3*12=36;30+10=40;</think><answer>40</answer>", 1)).toMatchObject({ shown: [] });
    expect(marked("<think>4+36=40;</think><answer>40</answer>", 1).answer.stepMissing).toBeUndefined();
  });

  test("marks lines where there are no reference steps", () => {
    const text = "first\n\nsecond is off\nthird";
    const loose = { id: "x", question: "?", answer: "1" };
    const { marks } = markSteps(loose, { ...record("pasr", "x", text, 0), firstWrongStep: 1 });
    expect(marks.map(({ start, end }) => text.slice(start, end))).toEqual(["second is off"]);
  });

  test("colours spans that were never closed to the end of the text", () => {
    const { answer } = marked("<think>12*3=36;<refine>hm");
    expect(answer.spans).toEqual([
      { kind: "think", start: 0, end: 25 },
      { kind: "refine", start: 15, end: 25 },
    ]);
    expect(answer.verdict).toBe("truncated");
    expect(answer.verdictReason).not.toBe("");
    expect(spansOf("no tags at all")).toEqual([]);
  });

  test("marks a step at its place though unseen signs before it are written out", () => {
    const hidden = wrong.replace("<think>", "\u202e<think>\u200b");
    expect(marked(hidden).answer.text.startsWith("‹U+202E›<think>‹U+200B›12*3=35")).toBe(true);
    expect(marked(hidden).shown).toEqual(["wrong: 12*3=35"]);
    expect(marked(hidden).answer.spans![0]).toMatchObject({ kind: "think", start: 8 });
  });

  test("keeps every answer beside its item, with gaps where a set has none, and shows first what was asked for", () => {
    const data = dataOf([...vanilla.slice(1), ...trained]);
    const [shownTask] = wholeTasks([{ ...data, compare: ["pasr", "unknown"] }]);
    const gap = shownTask.items.findIndex(({ id }) => id === "item-0");
    expect(
      shownTask.sets.map(({ method }, set) => [
        method,
        shownTask.answers[set][gap] === null,
        shownTask.index.sets[set].flags[gap],
      ]),
    ).toEqual([
      ["vanilla", true, 0],
      ["pasr", false, 3],
    ]);
    expect(shownTask.answers.map((answers) => answers.length)).toEqual([40, 40]);
    expect(shownTask.first).toEqual([1, 1]);
    expect(wholeTasks([{ ...data, compare: ["vanilla", "pasr"] }])[0].first).toEqual([0, 1]);
  });
});

describe("the page", () => {
  test("writes figures as terminals and files do", async () => {
    const script = pathToFileURL(path.join(import.meta.dirname, "../page/dom.js")).href;
    const { percentText, shortText, wholeText } = (await import(script)) as {
      percentText: (share: number, digits?: number) => string;
      shortText: (value: number) => string;
      wholeText: (value: number) => string;
    };
    fc.assert(
      fc.property(fc.double({ min: -1, max: 1, noNaN: true }), fc.integer({ min: 0, max: 2 }), (share, digits) => {
        expect(percentText(share, digits)).toBe(percentTogether(share, digits));
      }),
    );
    fc.assert(
      fc.property(fc.double({ min: -1e7, max: 1e7, noNaN: true }), (value) => {
        expect(wholeText(value)).toBe(whole(value));
      }),
    );
    expect([percentText(-0.0004), wholeText(-0.2)]).toEqual(["0.0\u00a0%", "0"]);
    expect([-0.3125, 0.0000243, -0, 7, -1234.5].map(shortText)).toEqual(["−0.313", "0.0000243", "0", "7", "−1,235"]);
  });

  test("reads the sums of an index as they were written", async () => {
    const script = pathToFileURL(path.join(import.meta.dirname, "../page/item-order.js")).href;
    expect(((await import(script)) as { flagsOf: object }).flagsOf).toEqual(answerFlags);
  });

  test("is one file: no address to load from, and the data in it", () => {
    const page = wholePage(renderReport({ ...dataOf([...vanilla, ...trained]), title: "first <run>" }));
    expect(page).toContain("<title>first &lt;run&gt; · Midcourse</title>");
    expect(page).not.toMatch(/<(?:script|img|iframe)[^>]*\ssrc=|<link\b/);
    expect(/<style>(.*?)<\/style>/s.exec(page)![1]).not.toMatch(/url\(|@import/);
    expect(page).not.toMatch(/^(?:import|export) /m);
    // Data, index, two libraries, the page's own, and the traces.
    expect(page.match(/<script/g)).toHaveLength(6);
    const packed = /<script [^>]*data-part="0" data-first="0">([\w+/=]*)<\/script>/.exec(page)![1];
    expect(JSON.parse(gunzipSync(Buffer.from(packed, "base64")).toString()).texts).toContain(right);
  });

  test("leaves out sections without data", () => {
    const page = wholePage(renderReport({ results, records: [] }));
    expect(page).not.toContain('id="training"');
    expect(page).not.toContain('id="items"');
    expect(page).toContain('aria-label="Comparisons of sums"');
    const training = [historyFromLines("seed 1", [{ step: 1, reward: 1 }])];
    expect(wholePage(renderReport({ results, records: [], training }))).toContain('id="training"');
  });

  test("has scripts that the compiler accepts", () => {
    const root = path.resolve(import.meta.dirname, "../../..");
    const compiler = path.join(root, "node_modules/typescript/bin/tsc");
    const compile = () =>
      execFileSync(process.execPath, [compiler, "-p", "src/evaluation/page"], { cwd: root, encoding: "utf8" });
    expect(compile).not.toThrow();
  });
});
