import { describe, expect, test } from "vitest";
import { domains, everywhere, input, overall, pool, row, three } from "../../../test/support/training-table.ts";
import { kendallTau, paperAblation, paperAverages, withPublished } from "./agreement.ts";
import { trainingTableHtml, trainingTableMarkdown, trainingTableSection } from "./render.ts";
import { figuresOf, trainingTable } from "./table.ts";
import { tableFindings, tablesOf } from "./words.ts";

describe("agreement with a published order", () => {
  const rows = withPublished([row("base", false), row("pasr", true), row("isc", true), row("star", true), row("own", true)]);
  const cells = [
    ...everywhere("base", 0.5, undefined, 3),
    ...three.flatMap((seed) => [
      ...everywhere("pasr", 0.95, seed, seed + 20),
      ...everywhere("isc", 0.1, seed, seed + 30),
      ...everywhere("star", 0.5, seed, 3),
      ...everywhere("own", 0.5, seed, 3),
    ]),
  ];
  const { agreement } = trainingTable(input(rows, cells));

  test("counts pairs by what our intervals can tell", () => {
    expect(agreement.map(({ column, rows: own }) => [column, own])).toEqual([
      ["Qwen2.5-7B", ["base", "pasr", "isc", "star"]],
      ["Qwen3-8B", ["base", "pasr", "isc", "star"]],
      ["Qwen2.5-14B", ["isc", "star"]],
    ]);
    // base against star is the one pair with equal answers.
    expect(agreement[0].counts).toEqual({ agree: 5, disagree: 0, "not separable": 1, "tied in the paper": 0 });
    expect(agreement[0].tau).toBeCloseTo(5 / Math.sqrt(30), 9);
  });

  test("disagrees where the order is the reverse", () => {
    const reverse = rows.map((own) => ({ ...own, ...(own.paper ? { paper: { x: -own.paper["Qwen2.5-7B"] } } : {}) }));
    const [turned] = trainingTable(input(reverse, cells)).agreement.filter(({ column }) => column === "x");
    expect(turned!.counts).toMatchObject({ agree: 0, disagree: 5 });
    expect(turned!.tau).toBeCloseTo(-agreement[0].tau!, 9);
  });

  test("has Kendall's tau-b", () => {
    expect(kendallTau([1, 2, 3], [10, 20, 30])).toBe(1);
    expect(kendallTau([1, 2, 3], [3, 2, 1])).toBe(-1);
    // By hand: 5 untied pairs on the left, 6 on the right; 4 concordant, 1 discordant.
    expect(kendallTau([1, 2, 2, 3], [1, 3, 2, 2.5])).toBeCloseTo(3 / Math.sqrt(30), 9);
    expect(kendallTau([1], [1])).toBeUndefined();
    expect(kendallTau([1, 1], [1, 2])).toBeUndefined();
  });

  test("keeps what is unknown unknown", () => {
    expect(paperAverages.rise).not.toHaveProperty("Qwen2.5-14B");
    expect(paperAverages["self-refine"]).toBeUndefined();
    expect(Object.keys(paperAblation)).toEqual(["pasr", "pasr-single-reference", "pasr-any-refinement"]);
    const text = trainingTableMarkdown(trainingTable(input(rows, cells)), { title: "t" });
    expect(text).toMatch(/^\| own \| [\d.]+ \| not known here \| not known here \| not known here \|$/m);
  });
});

describe("writing it down", () => {
  const hostile = "a|b <img src=x onerror=alert(1)> `c` **d**\n| e [f](g) & \"h' $i$";
  const rows = withPublished([
    row("base", false),
    row("oracle", false, { usesOracle: true, label: "self-refine+" }),
    row("pasr", true, { label: hostile, what: hostile }),
    row("star", true),
  ]);
  const cells = [
    ...everywhere("base", 0.4),
    ...everywhere("oracle", 1),
    ...three.flatMap((seed) => [...everywhere("pasr", 0.6, seed), ...everywhere("star", 0.5, seed)]),
  ];
  const costs = [{ row: "pasr", seed: 1, steps: 10, minutes: 1.5, sampledTokens: 1000 }];
  const table = trainingTable(input(rows, cells, { pool: domains.map(({ id }) => pool(id, 0.5)), costs }));
  const markdown = trainingTableMarkdown(table, { title: hostile, intro: [hostile], published: [hostile] });

  test("Markdown has tables of equal width, and text in them is text", () => {
    const blocks = markdown.split("\n\n").filter((block) => block.startsWith("|"));
    expect(blocks.length).toBe(tablesOf(table).length);
    expect(blocks.length).toBe(9);
    for (const block of blocks) {
      const widths = block.split("\n").map((line) => line.replaceAll("\\|", "").split("|").length);
      expect(new Set(widths).size).toBe(1);
      expect(block.split("\n")[1]).toMatch(/^\| ---( \| ---:)+ \|$/);
    }
    expect(markdown).not.toMatch(/<(?!br>)/);
    expect(markdown).not.toMatch(/\n\| e/);
  });

  test("the page has text where text was given", () => {
    const section = trainingTableSection(table, { id: "t", title: hostile, intro: [hostile], published: [hostile] });
    const page = trainingTableHtml({ title: hostile, headline: hostile, facts: [], sections: [section], data: { table } });
    expect(page).not.toContain("<img");
    expect(section.body.text).not.toMatch(/NaN|undefined/);
    expect(section.body.text.match(/<svg/g)).toHaveLength(3);
    for (const tag of ["table", "tr", "td", "th", "figure", "svg", "text", "li", "small", "strong"])
      expect(section.body.text.split(`<${tag}>`).length + section.body.text.split(`<${tag} `).length).toBe(
        section.body.text.split(`</${tag}>`).length + 1,
      );
    expect(JSON.parse(/id="page-data">(.*?)<\/script>/s.exec(page)![1]).table.schema).toBe(1);
  });

  test("oracles are marked and never the best", () => {
    for (const { head, rows: lines } of tablesOf(table).filter((own) => own.head[0] === "row"))
      if (lines.length === rows.length) expect([lines[1][0].text, head[0]]).toEqual(["self-refine+ (oracle)", "row"]);
    const [accuracy] = tablesOf(table);
    expect(accuracy!.rows[1].some(({ strong }) => strong)).toBe(false);
    expect(accuracy!.rows[2].filter(({ strong }) => strong).length).toBeGreaterThan(2);
  });

  test("costs are known or a dash, never 0, and say of how many runs", () => {
    const cost = tablesOf(table).find(({ title }) => title.startsWith("What the trainings"))!;
    expect(cost.rows[0].map(({ text }) => text).slice(1)).toEqual(["10", "1,000", "–", "1.5"]);
    expect(cost.rows[0][1].small).toBe("known of 1 of 3 seeds");
    expect(cost.rows[1].map(({ text }) => text).slice(1)).toEqual(["–", "–", "–", "–"]);
  });

  test("one seed says that it speaks of items only", () => {
    const one = trainingTable(
      input(
        rows,
        cells.filter(({ seed }) => seed === undefined || seed === 1),
      ),
    );
    expect(tablesOf(one)[0].note).toContain("over items only");
    expect(tablesOf(table)[0].note).toContain("over seeds");
    expect(overall(one, "pasr").overBase!.test).toBe("sign-flip");
    expect(figuresOf(one.rows[2], "sums")!.overBase!.test).toBe("mcnemar");
    expect(trainingTableMarkdown(one, { title: "t" })).toContain("a single seed says nothing about other seeds");
  });

  test("the same table comes back from JSON", () => {
    expect(JSON.parse(JSON.stringify(table))).toEqual(table);
  });
});

describe("ties and one p", () => {
  test("rows that are all equal have none that is bold, and a row as accurate as the subject is tied with it", () => {
    const alike = [...everywhere("base", 0.5, undefined, 3), ...everywhere("pasr", 0.5, 1, 3)];
    const table = trainingTable(input([row("base", false), row("pasr", true)], alike));
    expect(tablesOf(table)[0].rows.flatMap((cells) => cells.filter(({ strong }) => strong))).toEqual([]);
    expect(tableFindings(table).at(-1)).toMatch(/ Tied with base\.$/);
  });

  test("the subject against the base has one p, in the column of the base and in its own", () => {
    const cells = [
      ...everywhere("base", 0.4, undefined, 3),
      ...everywhere("pasr", 0.6, 1, 4),
      ...everywhere("isc", 0.55, 1, 5),
      ...everywhere("star", 0.45, 1, 6),
    ];
    const table = trainingTable(input([row("base", false), row("pasr", true), row("isc", true), row("star", true)], cells));
    for (const { id } of table.scopes) {
      const own = figuresOf(table.rows.find((each) => each.id === "pasr")!, id)!.overBase!;
      expect(figuresOf(table.rows[0], id)!.subjectGain).toMatchObject({ pValue: own.pValue, pHolm: own.pHolm });
    }
  });
});
