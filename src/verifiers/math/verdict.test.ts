import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { MathComparer } from "./comparer.ts";
import { compareMathQuick, sameMath } from "./verdict.ts";

const file = path.resolve(import.meta.dirname, "../../../../shared/data/math500/test.json");
const golds = existsSync(file)
  ? [...new Set((JSON.parse(readFileSync(file, "utf8")) as { answer: string }[]).map(({ answer }) => answer))]
  : [];
if (golds.length === 0) console.log(`Skipping the MATH-500 checks: ${file} is not here.`);

const comparer = new MathComparer();
afterAll(() => comparer.close());

describe("quick comparison", () => {
  test.each([
    ["0.5", String.raw`\frac12`],
    ["1,000", "1000.0"],
    [String.raw`\text{Evelyn}`, "evelyn"],
    ["1, -2", "-2, 1"],
    ["(1, 1/2)", "(1, 0.5)"],
    ["x = 5", "5"],
    ["004", "4"],
  ])("%s is %s", (first, second) => {
    expect(compareMathQuick(first, second)).toBe(true);
    expect(sameMath(second, first)).toBe(true);
  });

  test.each([
    ["7", "8"],
    ["(1,3)", "(3,1)"],
    ["[0,1)", "(0,1)"],
    [String.raw`\text{east}`, "seat"],
    ["204_5", "204"],
    ["1, 2", "(1, 2)"],
  ])("%s is not %s", (first, second) => {
    expect(compareMathQuick(first, second)).toBe(false);
  });

  test("what needs the engine is undecided, and no vote", () => {
    expect(compareMathQuick(String.raw`2\sqrt2`, String.raw`\sqrt8`)).toBeUndefined();
    expect(sameMath(String.raw`2\sqrt2`, String.raw`\sqrt8`)).toBe(false);
  });

  test("nothing is equal to no answer", () => {
    expect(compareMathQuick("", "")).toBe(false);
    expect(compareMathQuick(" ", "0")).toBe(false);
    expect(compareMathQuick("0", "$$")).toBe(false);
  });

  test("any text: never throws, is itself, and the verdict does not depend on the order", () => {
    const atoms =
      String.raw`\frac \sqrt \pm \cup \in \text{ \begin{pmatrix} \end{pmatrix} \\ & { } ( ) [ ] , ; = < \le | : ! % ^ _ 1 23 .5 x pi or cm base ½ √ ² $ \, \degree`.split(
        " ",
      );
    const piece = fc.oneof(fc.constantFrom(...atoms), fc.constant(" "), fc.string({ maxLength: 3, unit: "binary" }));
    const text = fc.array(piece, { maxLength: 25 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, text, (first, second) => {
        expect(sameMath(first, second)).toBe(sameMath(second, first));
        expect(compareMathQuick(first, first)).toBe(first.trim() !== "");
      }),
      { numRuns: 3000, seed: 7 },
    );
  });

  test("fractions, decimals and whole numbers by their exact value", () => {
    const part = fc.integer({ min: 1, max: 400 });
    fc.assert(
      fc.property(part, part, part, part, (a, b, c, d) => {
        expect(compareMathQuick(String.raw`\frac{${a}}{${b}}`, `${c}/${d}`)).toBe(a * d === b * c);
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});

/** Different MATH-500 answers that are one answer all the same: units, degree and currency signs left out, a name left out, spelling, order. */
const equivalent = [
  ["90^\\circ", "90"],
  ["120^\\circ", "120"],
  ["30^\\circ", "30"],
  ["36^\\circ", "36"],
  ["\\$36", "36"],
  ["15\\mbox{ cm}^2", "15"],
  ["x=5", "5"],
  ["10,\\!080", "10080"],
  ["\\frac14", "\\frac{1}{4}"],
  ["2\\sqrt{5}", "2 \\sqrt{5}"],
  ["1,-2", "-2,1"],
];

describe.skipIf(golds.length === 0)("MATH-500", () => {
  test("every answer is itself, also in other ways of writing", async () => {
    const rewritten: ((gold: string) => string)[] = [
      (gold) => gold,
      (gold) => `$${gold}$`,
      (gold) => String.raw`\boxed{${gold}}.`,
      (gold) => gold.replaceAll("\\frac", "\\dfrac"),
      (gold) => gold.replaceAll(" ", "").replace("\\cotx", "\\cot{x}"),
      (gold) => gold.replaceAll("-", "−").replaceAll("\\pi", "π"),
      (gold) => gold.replace(/\\sqrt\{(\d+)\}/g, "√$1"),
      (gold) => gold.replaceAll("\\", "\\\\"),
    ];
    const failures = await Promise.all(
      golds.flatMap((gold) =>
        rewritten.map(async (rewrite) => {
          const verdict = await comparer.compare(gold, rewrite(gold));
          return verdict.equal ? [] : [`${gold} ∥ ${rewrite(gold)} (${verdict.by})`];
        }),
      ),
    );
    expect(failures.flat()).toEqual([]);
  });

  test("of all pairs of different answers, only those listed are equal", async () => {
    const found: string[] = [];
    const check = async (gold: string, answer: string) => {
      if ((await comparer.compare(gold, answer)).equal) found.push(`${gold} ∥ ${answer}`);
    };
    for (const gold of golds) await Promise.all(golds.filter((answer) => answer !== gold).map((answer) => check(gold, answer)));
    const listed = equivalent.flatMap(([one, other]) => [`${one} ∥ ${other}`, `${other} ∥ ${one}`]);
    expect(found.sort()).toEqual(listed.sort());
  });

  test("one other digit makes another answer", async () => {
    const changed = golds.flatMap((gold) =>
      [...gold.matchAll(/\d/g)].map(({ 0: digit, index }) => {
        const other = (Number(digit) + 1) % 10;
        return [gold, gold.slice(0, index) + other + gold.slice(index + 1)] as const;
      }),
    );
    const verdicts = await Promise.all(changed.map(([gold, answer]) => comparer.compare(gold, answer)));
    expect(changed.filter((_pair, index) => verdicts[index].equal)).toEqual([]);
  });
});
