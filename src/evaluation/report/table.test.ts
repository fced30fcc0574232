import { describe, expect, test } from "vitest";
import { slimAnswer } from "../../../test/support/records.ts";
import type { SlimRecord } from "../records/slim-record.ts";
import { summarise } from "../summary/summary.ts";
import { detectable } from "./cells.ts";
import { renderTable } from "./table.ts";

function rows(task: string, method: string, accuracies: string, more: Partial<SlimRecord> = {}): SlimRecord[] {
  return [...accuracies].map((digit, index) =>
    slimAnswer(`item-${index}`, Number(digit), { task, method, wellFormed: false, ...more }),
  );
}

const pool = (task: string) =>
  rows(task, "resampling", "11110000").map((record) => ({
    ...record,
    usage: { calls: 1, inputTokens: 10, outputTokens: 80 },
    attempts: [1, 1, 0, record.accuracy].map((accuracy) => ({ vote: String(accuracy), accuracy })),
  }));
const records = [
  ...rows("sums", "vanilla", "11110000"),
  ...rows("sums", "refine", "11111100", { usage: { calls: 3, inputTokens: 60, outputTokens: 60 } }),
  ...rows("sums", "told", "11111111", { usesOracle: true }),
  ...rows("sums", "silent", "11100000", {
    usage: { calls: 1, inputTokens: undefined, outputTokens: undefined },
    failed: true,
    extracted: false,
  }),
  ...pool("sums"),
  ...rows("words", "vanilla", "1010"),
  ...rows("words", "refine", "1110"),
];
const plan = { run: "r", model: "m", command: "c", version: "0", seed: 1, temperature: 0.7, samples: 1 };
const tasks = [
  { id: "sums", items: 8, votable: true },
  { id: "words", items: 4, votable: true },
];
const methods = ["vanilla", "refine", "told", "silent"];
const results = summarise({ ...plan, tasks, methods, records });
const lineOf = (table: string, start: string) => table.split("\n").find((line) => line.startsWith(start)) ?? "";

describe("the table of a benchmark", () => {
  const wide = renderTable(results, { width: 200 });

  test("has each method's accuracy, difference from plain answers and from resampling at the same tokens", () => {
    expect(lineOf(wide, "refine")).toMatch(
      /refine +75\.0 \(40\.9–92\.9\) +\+25\.0 \(.+ to .+\) +1\.000 +\d+\.\d +[+−]\d+\.\d \(.+\) +60 \/ 120 +3\.0 +160 tok\. +0\.0 +25\.0/,
    );
    expect(lineOf(wide, "(vote of 4)")).toMatch(/\(vote of 4\) +\d+\.\d \(.+\) +80 \/ 90/);
  });

  test("a narrow screen has both ends of an interval, which is uneven where few are right, and is told what had no room", () => {
    const none = rows("sums", "none", "00000000");
    const narrow = renderTable(summarise({ ...plan, tasks: [tasks[0]], records: [...records.slice(0, 16), ...none] }), {
      width: 60,
    });
    expect(lineOf(narrow, "none")).toMatch(/^none +0\.0 \(0–32\)/);
    expect(narrow).not.toContain("±");
    const words = narrow.replace(/\s+/g, " ");
    expect(words).toMatch(/No room at this width for: (.+, )?calls,.+\. The report and results\.json have them\./);
    expect(words).not.toContain("r→w, w→r: shares");
    expect(words).toContain("≥ where");
    expect(words).toMatch(/intervals of differences, tokens with prompts\./);
    expect(words).not.toContain("/ with every prompt");
    const narrowest = renderTable(results, { width: 55 }).replace(/\s+/g, " ");
    expect(narrowest).toMatch(/No room at this width for: .*resampling, .*tokens \(over all tasks\)\./);
    expect(narrowest).not.toContain("≥ where");
    expect(wide).toContain("≥ where");
    expect(wide).toContain("/ with every prompt");
    expect(wide).not.toContain("No room");
    expect(wide).toContain("r→w, w→r: shares");
  });

  test("marks oracles and says what cannot be compared, and why", () => {
    expect(lineOf(wide, "told †")).not.toBe("");
    expect(wide).toContain("† looks at the reference answer");
    expect(wide).toContain("not comparable: silent: tokens unknown: 8 of 8 answers failed on their way");
    expect(wide).toContain("not comparable: vanilla, refine: no resampling pool: no plain samples were drawn");
    expect(wide).toContain("failed: silent 8 of 8 answers");
    expect(wide).toContain("tokens unknown: silent 8 of 8 answers");
    expect(lineOf(wide, "silent")).toContain(" unknown ");
    expect(wide).not.toContain("left out");
    expect(wide).toContain("no answer found: silent 100.0 %");
    expect(wide).toContain("pass@4");
  });

  test("says which items the resampling pool lacks, and which answers ended early", () => {
    const broken = records.map((record, index) => {
      if (record.method === "resampling" && record.item === "item-3") return { ...record, failed: true, attempts: [] };
      return index === 0 ? { ...record, reason: "tool-calls" as const } : record;
    });
    const table = renderTable(summarise({ ...plan, tasks, methods, records: broken }), { width: 200 });
    expect(table).toContain("resampling: 1 of 8 items left out, whose samples failed or whose tokens are unknown");
    expect(table).toContain("ended early, with the best answer so far: vanilla 1 of 8 (tool calls)");
  });

  test("doubts a pool whose single samples are nothing like the baseline's answers", () => {
    expect(wide).not.toContain("doubtful");
    const unlike = records.map((record) =>
      record.method === "resampling"
        ? { ...record, attempts: record.attempts!.map((attempt) => ({ ...attempt, accuracy: 0 })) }
        : record,
    );
    const table = renderTable(summarise({ ...plan, tasks, methods, records: unlike }), { width: 200 });
    expect(table).toContain("doubtful: single samples of the resampling pool are right 0.0 % of the time, vanilla 50.0 %");
  });

  test("ends with the methods over all tasks", () => {
    const overall = wide.slice(wide.indexOf("over all tasks"));
    expect(lineOf(overall, "method")).toMatch(/method +sums +words +average/);
    expect(lineOf(overall, "refine")).toMatch(/refine +75\.0 +75\.0 +75\.0 \(/);
    expect(overall).toContain("told † (1 of 2 tasks)");
    expect(renderTable(summarise({ ...plan, tasks: [tasks[0]], methods, records: records.slice(0, 40) }))).not.toContain(
      "over all tasks",
    );
  });

  test.each([200, 120, 100, 80, 60, 40])("keeps to %i columns and leaves no method out", (width) => {
    const table = renderTable(results, { width });
    expect(Math.max(...table.split("\n").map((line) => line.length))).toBeLessThanOrEqual(width);
    for (const method of methods) expect(lineOf(table, method)).not.toBe("");
  });

  test("is plain unless styling is asked for", () => {
    const controlCode = String.fromCharCode(27);
    expect(wide).not.toContain(controlCode);
    const styled = renderTable(results, { width: 200, styled: true });
    expect(styled).toContain(controlCode);
    expect(styled.replaceAll(new RegExp(`${controlCode}\\[\\d+m`, "g"), "")).toBe(wide);
  });

  test("of a run without answers says so", () => {
    expect(renderTable(summarise({ ...plan, tasks, records: [] }))).toBe("No answers were given.");
  });

  test("never promises to find a difference of more than a hundred points", () => {
    expect(detectable([0.123, 0.456], "vanilla")).toContain("of 12.3 to 45.6 points");
    expect(detectable([0.9, 1.6], "vanilla")).toContain("of 90.0 and more points");
    expect(detectable([1.2, 1.6], "vanilla")).toMatch(/too few/);
    expect(detectable([], "vanilla")).toBe("");
  });
});
