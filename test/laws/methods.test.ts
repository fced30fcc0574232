/** The laws of the catalogue of methods: where a method stands, what its card says, and that documents list and count what there is. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { MethodCard } from "#kernel/method-card.ts";
import { methodCards } from "#methods/catalogue.ts";
import { tasks } from "#tasks/catalogue.ts";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");

/** The text of each source of a method, by its place below `src/methods`. */
const sources = new Map(
  readdirSync(path.join(root, "src/methods"), { recursive: true, encoding: "utf8" })
    .map((file) => file.split(path.sep).join("/"))
    .filter((file) => /^(?!driver\/)[^/]+\/[^/]+\.ts$/.test(file) && !file.endsWith(".test.ts"))
    .map((file) => [file, read(`src/methods/${file}`)]),
);

/** Cards that stand in no file of their kind's folder, and files in such a folder without a card. */
function misplaced(cards: readonly MethodCard[], files: ReadonlyMap<string, string>): string[] {
  const holds = (text: string, { id }: MethodCard) => text.includes(`id: "${id}"`);
  const homeless = cards.filter(
    (card) => ![...files].some(([file, text]) => file.startsWith(`${card.kind}/`) && holds(text, card)),
  );
  const empty = [...files].filter(([file, text]) => !cards.some((card) => file.startsWith(`${card.kind}/`) && holds(text, card)));
  return [
    ...homeless.map(({ id, kind }) => `${id} is not in ${kind}/`),
    ...empty.map(([file]) => `${file} has no card of its kind`),
  ];
}

/** The row of a method in docs/methods.md. */
function indexRow({ id, paper, kind, status, calls }: MethodCard): string {
  const link = paper?.arxiv ? `[${paper.title}](https://arxiv.org/abs/${paper.arxiv}), ${paper.year}` : "–";
  return `| \`${id}\` | ${link} | ${kind} | ${status} | ${calls} |`;
}

/** Rows of cards that the document lacks. */
function unlisted(cards: readonly MethodCard[], document: string): string[] {
  const lines = document.split("\n");
  return cards.map(indexRow).filter((row) => !lines.includes(row));
}

const words = [
  "ten",
  "eleven",
  "twelve",
  "thirteen",
  "fourteen",
  "fifteen",
  "sixteen",
  "seventeen",
  "eighteen",
  "nineteen",
  "twenty",
];

/** Counts of the catalogue in a document that are not so: “Fifteen methods …, sixteen benchmarks”. */
function miscounted(document: string, counts: { methods: number; benchmarks: number }): string[] {
  const said = document.matchAll(
    /\b([A-Za-z]+|\d+) (methods|benchmarks)(?= \(`npx midcourse| from their papers|, any checkpoint)/g,
  );
  return [...said]
    .filter(([, word, what]) => {
      const spelled = words.indexOf(word.toLowerCase());
      return (spelled < 0 ? Number(word) : spelled + 10) !== counts[what as "methods" | "benchmarks"];
    })
    .map(([text]) => text);
}

const counts = { methods: methodCards.length, benchmarks: tasks.length };

describe("the catalogue of methods", () => {
  test("has every card in the folder of its kind, and every file there has a card", () => {
    expect(sources.size).toBeGreaterThan(10);
    expect(misplaced(methodCards, sources)).toEqual([]);
  });

  test("says of every method whether it is stable", () => {
    for (const { id, status } of methodCards) expect(["stable", "experimental"], id).toContain(status);
  });

  test("is listed in docs/methods.md, as it is", () => {
    expect(unlisted(methodCards, read("docs/methods.md"))).toEqual([]);
    const rows = read("docs/methods.md").match(/^\| `[a-z-]+` \|/gm) ?? [];
    expect(rows).toHaveLength(methodCards.length);
  });

  test("is counted right in README and CHANGELOG", () => {
    expect(read("README.md")).toMatch(/methods \(`npx midcourse.*benchmarks, any checkpoint/);
    expect(read("CHANGELOG.md")).toContain("methods from their papers");
    for (const file of ["README.md", "CHANGELOG.md"]) expect(miscounted(read(file), counts), file).toEqual([]);
  });
});

describe("a planted violation would be seen", () => {
  const [card] = methodCards;
  const astray: MethodCard = { ...card, id: "astray", kind: "search" };

  test("a card in another folder, a file without a card", () => {
    expect(misplaced([astray], new Map([["plain/astray.ts", 'id: "astray"']]))).toEqual([
      "astray is not in search/",
      "plain/astray.ts has no card of its kind",
    ]);
    expect(misplaced([astray], new Map([["search/astray.ts", 'id: "astray"']]))).toEqual([]);
  });

  test("a paper that is not listed, or whose row has grown old", () => {
    expect(unlisted([astray], read("docs/methods.md"))).toHaveLength(1);
    expect(unlisted([{ ...card, calls: "1 + n" }], read("docs/methods.md"))).toHaveLength(1);
  });

  test("a wrong count", () => {
    const text = "Fourteen methods (`npx midcourse methods`), 9 benchmarks, any checkpoint folder";
    expect(miscounted(text, { methods: 15, benchmarks: 16 })).toEqual(["Fourteen methods", "9 benchmarks"]);
    expect(miscounted(text, { methods: 14, benchmarks: 9 })).toEqual([]);
  });
});
