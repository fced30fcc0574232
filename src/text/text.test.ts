import { describe, expect, test } from "vitest";
import { escapeMarkdown, markdownTable } from "./markdown.ts";
import {
  dollars,
  fixed,
  formatP,
  percent,
  percentSign,
  percentTogether,
  percentWithin,
  points,
  pointsWithin,
  signed,
  tokenCount,
  whole,
} from "./numbers.ts";
import { harmless, harmlessJson } from "./signs.ts";
import { alignedRows, displayWidth, fitTable, fittedLines, wrapText } from "./table.ts";

test("JSON for a screen writes what would steer it as numbers, and holds the same", () => {
  const value = { "a\u009b": ["\u007f\u0080 \u202eabc\u2066\u2028", "größer 😀\n"], b: 1 };
  for (const indent of [undefined, 2]) {
    const json = harmlessJson(value, indent);
    expect(json).not.toMatch(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028]/);
    expect(JSON.parse(json)).toEqual(value);
  }
  expect(harmlessJson(value)).toContain("a\\u009b");
});

describe("numbers", () => {
  test("what rounds to nothing has no minus", () => {
    expect([fixed(-0.04, 1), fixed(-0, 2), percent(-0.0004), whole(-0.4), tokenCount(-0)]).toEqual([
      "0.0",
      "0.00",
      "0.0",
      "0",
      "0",
    ]);
    expect([points(-0.0004), points(-0), points(0.0004), signed(-0.001, 2)]).toEqual(["+0.0", "+0.0", "+0.0", "+0.00"]);
  });

  test("shares, differences and their intervals", () => {
    expect(percent(0.4884)).toBe("48.8");
    expect(percentSign(0.4884, 0)).toBe("49 %");
    expect(percentTogether(0.4884)).toBe("48.8\u00a0%");
    expect(percentWithin(0.488, [0.401, 0.573])).toBe("48.8 (40.1–57.3)");
    expect(pointsWithin(0.012, [-0.01, 0.025])).toBe("+1.2 (−1.0 to +2.5)");
  });

  test("p, whole numbers, tokens, dollars", () => {
    expect([0.0004, 0.001, 0.0162, 1].map(formatP)).toEqual(["< 0.001", "0.001", "0.016", "1.000"]);
    // Nothing that is called clear has a p which looks as if it were not.
    expect([0.0494, 0.0499, 0.05, 0.0501].map(formatP)).toEqual(["0.049", "< 0.050", "0.050", "0.050"]);
    expect([whole(1903.6), whole(-1904)]).toEqual(["1,904", "−1,904"]);
    expect([812, 1904, 9999, 12_345].map((value) => tokenCount(value))).toEqual(["812", "1,904", "9,999", "12.3k"]);
    expect([999_940, 999_999, 1_250_000].map((value) => tokenCount(value))).toEqual(["999.9k", "1.00M", "1.25M"]);
    expect([0.012345, 12.3, 999.4, 999.5, 1234.5].map((value) => dollars(value))).toEqual([
      "$0.0123",
      "$12.3",
      "$999",
      "$1,000",
      "$1,235",
    ]);
    expect(formatP(Number.NaN)).toBe("–");
  });

  test("an unknown figure is a dash, or what is said for it", () => {
    expect([percent(undefined), points(undefined), whole(undefined), dollars(undefined)]).toEqual(["–", "–", "–", "–"]);
    expect([whole(undefined, "unknown"), fixed(undefined, 1, "")]).toEqual(["unknown", ""]);
  });
});

describe("tables", () => {
  test.each([
    ["试验一", 6],
    ["e\u0301te\u0301", 3],
    ["👩‍👩‍👧", 2],
    ["🇩🇪", 2],
    ["\u001b[1mbold\u001b[22m", 4],
    ["wrong→right −1", 14],
  ])("%s takes %i columns", (text, columns) => {
    expect(displayWidth(text)).toBe(columns);
  });

  test("columns stand under each other whatever is written in them", () => {
    const rows = alignedRows([
      ["run", "acc."],
      ["试验一", "48.8"],
      ["e\u0301t", "9.1"],
      ["👍🏽", "100.0"],
    ]);
    expect(rows).toEqual(["run      acc.", "试验一   48.8", "e\u0301t        9.1", "👍🏽      100.0"]);
    expect(new Set(rows.map(displayWidth)).size).toBe(1);
  });

  test("what would move the cursor or colour the screen is shown, and takes a column", () => {
    const odd = "a\tb\nc\u0007\u001b[31m\u007f\u009b\u202e";
    const shown = "a␉b␊c␇␛[31m␡��";
    expect(
      alignedRows([
        ["name", "n"],
        [odd, "1"],
      ]),
    ).toEqual([`name${" ".repeat(10)}  n`, `${shown}  1`]);
    const columns = [
      { title: "name", short: "name", rank: 0, cell: (text: string) => text },
      { title: "again", short: "again", rank: 1, cell: (text: string) => text },
    ];
    expect(fittedLines([odd], columns, 80).lines).toEqual([
      `name${" ".repeat(10)}${" ".repeat(11)}again`,
      `${"-".repeat(14)}  ${"-".repeat(14)}`,
      `${shown}  ${shown}`,
    ]);
    expect(fittedLines([odd], columns, 10).lines).toEqual([shown, "  again:", shown]);
  });

  test("any number of rows is laid out", () => {
    const rows = Array.from({ length: 200_000 }, (_, row) => [`${row}`]);
    expect(alignedRows(rows)).toHaveLength(rows.length);
    const column = { title: "row", short: "row", rank: 0, cell: ([text]: string[]) => text };
    expect(fitTable(rows, [column], 80)?.rows).toHaveLength(rows.length);
  });

  test("a fitted table is as wide as its rule", () => {
    const columns = [
      { title: "试验一", short: "试", rank: 0, cell: (row: { name: string }) => row.name },
      { title: "figure", short: "fig.", rank: 1, cell: () => "1.0" },
    ];
    const rows = [{ name: "自己精炼" }, { name: "plain" }];
    const wide = fitTable(rows, columns, 16)!;
    expect([wide.header, wide.rule, ...wide.rows].map(displayWidth)).toEqual([16, 16, 16, 16]);
    expect(fitTable(rows, columns, 15)!.rule).toBe("--------  ----");
    expect(fitTable(rows, columns, 7)).toBeUndefined();
  });

  test("lines are broken by what they take on the screen", () => {
    expect(wrapText("自己 精炼 ab", 9)).toEqual(["自己 精炼", "ab"]);
    expect(wrapText("one two three", 8, "  ")).toEqual(["one two", "  three"]);
  });
});

describe("signs that steer a screen", () => {
  test("a model's words cannot steer the terminal: line breaks and tabs stay, other signs are replaced", () => {
    expect(harmless("a\u001b[2J\u0007b\r\nc\td\u202ee\u009b1m\u2028")).toBe("a\uFFFD[2J\uFFFDb\nc\td\uFFFDe\uFFFD1m\uFFFD");
    expect(harmless("größer 42 😀")).toBe("größer 42 😀");
  });
});

describe("Markdown", () => {
  test("text stays text", () => {
    expect(escapeMarkdown("a|b *c* <d> & e\nf `g` $h$")).toBe("a\\|b \\*c\\* &lt;d&gt; &amp; e f \\`g\\` \\$h\\$");
    expect(escapeMarkdown("48.8\u00a0%")).toBe("48.8\u00a0%");
  });

  test("is not made a link, a name or a sign by those who read it", () => {
    const cases = {
      "https://a.example/b, HTTP://c": "https\\://a.example/b, HTTP\\://c",
      "see www.a.example": "see www\\.a.example",
      "@user, me@a.example": "@<!-- -->user, me@<!-- -->a.example",
      ":smile: :heart_eyes: :+1: :100:": ":<!-- -->smile: :<!-- -->heart\\_eyes: :<!-- -->+1: :<!-- -->100:",
      "12:30:45, seed: 3, @ 5, a: b": "12:30:45, seed: 3, @ 5, a: b",
    };
    for (const [text, escaped] of Object.entries(cases)) expect(escapeMarkdown(text)).toBe(escaped);
  });

  test("the first column is left, figures are right", () => {
    expect(markdownTable(["", "n"], [["a", "1"]])).toBe("|  | n |\n| --- | ---: |\n| a | 1 |");
  });
});
