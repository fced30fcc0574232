import { describe, expect, test } from "vitest";
import { wholePage } from "../../../test/support/page-content.ts";
import { slimAnswer } from "../../../test/support/records.ts";
import type { SlimRecord } from "../records/slim-record.ts";
import { summarise } from "../summary/summary.ts";
import { compareRuns, pairRuns } from "./compare-runs.ts";
import type { ReportData } from "./page-data.ts";

const answers = (method: string, from: number, accuracies: string): SlimRecord[] =>
  [...accuracies].map((digit, index) => slimAnswer(`item-${from + index}`, Number(digit), { method, seconds: 1 + index / 7 }));
const run = (title: string, records: SlimRecord[]): ReportData => ({
  title,
  records,
  results: summarise({ run: "r", model: "m", seed: 1, temperature: 0, samples: 1, tasks: [{ id: "sums", items: 20 }], records }),
});
const flat = (text: string) => text.replace(/\s+/g, " ");
const both = (...runs: ReportData[]) => {
  const { table, html } = compareRuns(runs, { width: 120 });
  return { table: flat(table), html: flat(wholePage(html)) };
};

describe("two runs beside each other", () => {
  test("show the accuracies of the items both have, which differ by the difference beside them, and how many are left out", () => {
    // Alone the first has 70 %, on the shared ten 40 %.
    const first = run("one", answers("vanilla", 0, "11111111111111000000"));
    const second = run("two", answers("vanilla", 10, "1111111111"));
    const [row] = pairRuns(first, second).rows;
    expect(row).toMatchObject({ first: { accuracy: 0.4, leftOut: 10 }, second: { accuracy: 1, leftOut: 0 } });
    expect(row.paired!.difference).toBeCloseTo(row.second.accuracy! - row.first.accuracy!, 12);
    const { table, html } = both(first, second);
    expect(table).toContain("sums vanilla 40.0 100.0 +60.0");
    const said =
      "Left out, as the other run has no answer: 10 items of one (sums: vanilla). Accuracies are those of the items both have.";
    expect(table).toContain(said);
    expect(html).toContain(said);
    expect(html).toContain("<td>10 <small>10 left out</small></td>");
  });

  test("that share no item say so, and show no accuracies that could be taken for a comparison", () => {
    const { table, html } = both(run("one", answers("vanilla", 0, "1111")), run("two", answers("vanilla", 10, "0000")));
    for (const text of [table, html])
      expect(text).toContain("one and two answered none of the same items, so that nothing can be compared.");
    expect(table).toContain("sums vanilla – – – – –");
    expect(table).toContain("not comparable: sums, vanilla: no item in common");
  });

  test("of which one is a copy are told to be the same, and a second run of the same answers is not", () => {
    const records = [...answers("vanilla", 0, "1100"), ...answers("refine", 0, "1110")];
    const again = records.map((record) => ({ ...record, seconds: record.seconds! + 0.001 }));
    const copied = both(run("a/good", records), run("b/good", structuredClone(records).reverse()));
    for (const text of Object.values(copied)) {
      expect(text).toContain("The records of a/good and b/good are the same: one is a copy of the other");
      expect(text).toContain("b/good against a/good");
    }
    const repeated = both(run("a/good", records), run("b/good", again));
    for (const text of Object.values(repeated)) {
      expect(text).not.toContain("is a copy of the other");
      expect(text).toContain("No clear difference between a/good and b/good.");
    }
    expect(copied.html).toContain("a/good: refine has the highest accuracy");
    // What a run was stands apart from what the next one was.
    expect(copied.html.split('<dl class="facts"><div><dt>run</dt>')).toHaveLength(3);
  });

  test("cannot steer the screen by their names", () => {
    const table = compareRuns([
      run("a\u001b[2J", answers("vanilla", 0, "11")),
      run("b\u202e", answers("vanilla", 0, "10")),
    ]).table;
    for (const sign of ["\u001b", "\u202e"]) expect(table).not.toContain(sign);
  });
});
