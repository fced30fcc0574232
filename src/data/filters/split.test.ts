import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { questionKey, splitByQuestion } from "./split.ts";

const question = fc.stringMatching(/^[a-f]{1,3}$/);
const self = (text: string) => text;

describe("splitting by question", () => {
  it("takes questions that differ in case, spacing, punctuation or form of a letter for the same", () => {
    expect(questionKey("  How many—apples,\tare left?? ")).toBe(questionKey("how many apples are LEFT"));
    expect(questionKey("cafe\u0301 ①")).toBe(questionKey("caf\u00e9 1"));
    expect(questionKey("3 apples")).not.toBe(questionKey("4 apples"));
  });

  it("keeps every row once, the same question on one side, and no question of the test file", () => {
    fc.assert(
      fc.property(fc.array(question, { minLength: 2, maxLength: 60 }), fc.array(question), (rows, tested) => {
        const keys = new Set(tested.map(questionKey));
        fc.pre(new Set(rows.filter((row) => !keys.has(row))).size >= 2);
        const { train, held, overlap } = splitByQuestion("f", rows, self, keys);
        expect([...train, ...held, ...overlap].sort()).toEqual([...rows].sort());
        expect(train.filter((row) => held.includes(row))).toEqual([]);
        expect([...train, ...held].filter((row) => keys.has(row))).toEqual([]);
        expect(overlap.every((row) => keys.has(row))).toBe(true);
        expect(new Set(held).size).toBe(Math.ceil(new Set([...train, ...held]).size / 10));
      }),
    );
  });

  it("holds out the same questions whatever their order and however often they stand there", () => {
    fc.assert(
      fc.property(fc.uniqueArray(question, { minLength: 2, maxLength: 40 }), fc.integer(), (rows, turn) => {
        const first = splitByQuestion("f", rows, self);
        const at = Math.abs(turn) % rows.length;
        const second = splitByQuestion("f", [...rows.slice(at), ...rows.slice(0, at), ...rows], self);
        expect(new Set(second.held)).toEqual(new Set(first.held));
      }),
    );
  });

  it("does not hold out the first or the last rows", () => {
    const rows = Array.from({ length: 200 }, (_, index) => `question ${index}`);
    const places = splitByQuestion("f", rows, self).held.map((row) => rows.indexOf(row));
    expect(places).toHaveLength(20);
    expect(Math.min(...places)).toBeLessThan(60);
    expect(Math.max(...places)).toBeGreaterThan(140);
  });

  it("refuses a file with nothing left to train on", () => {
    expect(() => splitByQuestion("f.csv", ["a", "A ?"], self)).toThrow(expect.objectContaining({ code: "data-too-small" }));
    expect(() => splitByQuestion("f.csv", ["a", "b"], self, new Set(["b"]))).toThrow(
      /1 question .*the test file does not hold too/,
    );
  });
});
