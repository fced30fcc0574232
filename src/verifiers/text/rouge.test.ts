import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import golden from "../../../test/golden/rouge.json" with { type: "json" };
import { rouge } from "./rouge.ts";
import { stem } from "./stem.ts";

test("by hand: shared words, pairs and subsequence", () => {
  // 5 of 6 words and of 7, stems unlike (sat, sit); pairs "the cat", "on the", "the mat": 3 of 5 and of 6; in order 5.
  const found = rouge("the cat sat on the mat", "the cat was sitting on the mat");
  expect(found.rouge1).toEqual({ precision: 5 / 7, recall: 5 / 6, f: expect.closeTo(10 / 13, 12) });
  expect(found.rouge2).toEqual({ precision: 3 / 6, recall: 3 / 5, f: expect.closeTo(6 / 11, 12) });
  expect(found.rougeL.f).toBeCloseTo(10 / 13, 12);
  expect(rouge("a b c d", "d c b a").rougeL.f).toBe(0.25);
  expect(rouge("running", "runs").rouge1.f).toBe(1);
  expect(rouge("running", "runs", { stem: false }).rouge1.f).toBe(0);
});

test("stems are those of the stemmer behind published figures", () => {
  const ours = Object.fromEntries(Object.keys(golden.stems).map((word) => [word, stem(word)]));
  expect(ours).toEqual(golden.stems);
});

test("scores are those of rouge_score, with and without stemming", () => {
  for (const { reference, candidate, stemmed, plain } of golden.texts) {
    for (const [scores, expected] of [
      [rouge(reference, candidate), stemmed],
      [rouge(reference, candidate, { stem: false }), plain],
    ] as const) {
      for (const name of ["rouge1", "rouge2", "rougeL"] as const) {
        const { precision, recall, f } = scores[name];
        [precision, recall, f].forEach((value, index) => {
          expect(value, `${name} of ${candidate}`).toBeCloseTo(expected[name][index], 12);
        });
      }
    }
  }
});

const xsum = path.resolve(import.meta.dirname, "../../../../shared/data/xsum/sample-313.jsonl");

test.skipIf(!existsSync(xsum))("real summaries score as in rouge_score (skipped where the data is absent)", () => {
  const rows = readFileSync(xsum, "utf8").split("\n");
  expect(golden.xsum).toHaveLength(60);
  for (const { index, rouge1, rouge2, rougeL } of golden.xsum) {
    const row = JSON.parse(rows[index]) as { question: string; answer: string };
    // Python counts code points, JavaScript UTF-16 units.
    const scores = rouge(row.answer, [...row.question].slice(0, 200).join(""));
    expect(
      [scores.rouge1.f, scores.rouge2.f, scores.rougeL.f].map((value) => value.toFixed(10)),
      `item ${index}`,
    ).toEqual([rouge1, rouge2, rougeL].map((value) => value.toFixed(10)));
  }
});

test("always between 0 and 1, 1 for a text with itself, the same both ways", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (first, second) => {
      const [one, other] = [rouge(first, second), rouge(second, first)];
      for (const name of ["rouge1", "rouge2", "rougeL"] as const) {
        expect(one[name].f).toBeGreaterThanOrEqual(0);
        expect(one[name].f).toBeLessThanOrEqual(1);
        expect(one[name].f).toBeCloseTo(other[name].f, 12);
      }
      expect(rouge(first, first).rouge1.f).toBe(
        /[a-z0-9]/i.test(first.normalize()) && /[a-z0-9]/.test(first.toLowerCase()) ? 1 : 0,
      );
    }),
  );
});

test("hostile input ends", () => {
  const huge = "spam ".repeat(300_000);
  expect(rouge(huge, huge).rougeL.f).toBe(1);
  expect(rouge("y".repeat(1_000_000), "y".repeat(1_000_000)).rouge1.f).toBe(1);
  expect(rouge("constructor __proto__ toString", "constructor").rouge1.recall).toBeGreaterThan(0);
  for (const word of ["constructor", "__proto__", "hasownproperty"]) expect(typeof stem(word)).toBe("string");
});
