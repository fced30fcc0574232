import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { extractAnswer, extractNumber, numberVerifier, parseNumber } from "./number.ts";

const score = (answer: string, wanted: string, tolerance?: string) =>
  numberVerifier(tolerance === undefined ? {} : { tolerance })({ id: "1", question: "?", answer: wanted }, answer, answer)
    .accuracy;

describe("number verifier", () => {
  it.each([
    ["1,000", "1000"],
    ["+5", "5"],
    ["−5", "-5"],
    ["5.", "5"],
    [" 42 \n", "42"],
    ["$18", "18.00"],
    ["-$3", "-3"],
    ["3/4", "0.75"],
    ["18 dollars", "18"],
    ["It is 1,234.50.", "1234.5"],
    [".5", "0.5"],
    ["12,345,678", "12345678"],
  ])("takes %j for %j", (answer, wanted) => {
    expect(score(answer, wanted)).toBe(1);
  });

  it.each([
    ["", "0"],
    ["four", "4"],
    ["4 or 5", "4"],
    ["1,00", "100"],
    ["--5", "5"],
    ["1/0", "0"],
    ["1e3", "1000"],
    ["NaN", "0"],
    ["9".repeat(500), "9"],
    ["0.3333333", "1/3"],
  ])("does not take %j for %j", (answer, wanted) => {
    expect(score(answer, wanted)).toBe(0);
  });

  it("is exact unless a tolerance is given", () => {
    expect(score("0.3333", "0.333333")).toBe(0);
    expect(score("0.3333", "0.333333", "0.001")).toBe(1);
    expect(score("0.4", "0.333333", "0.001")).toBe(0);
  });

  it("knows every way of writing the same integer, and no other number is equal to it", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (value, other) => {
        const text = String(value);
        const grouped = value.toLocaleString("en-US");
        for (const written of [grouped, `${text}.0`, `${text}.`, text.replace("-", "−"), ` ${text} `])
          expect(score(written, text)).toBe(1);
        expect(score(String(other), text)).toBe(other === value ? 1 : 0);
      }),
    );
  });

  it("never throws, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        const found = extractNumber(text);
        expect(found === undefined || parseNumber(found) !== undefined).toBe(true);
        expect([0, 1]).toContain(score(text, "7"));
      }),
    );
  });

  it("reads the answer only from a well-formed completion", () => {
    expect(extractAnswer("<think>1+1=2;</think><answer>2</answer>")).toBe("2");
    expect(extractAnswer("<think>1+1=2;<answer>2</answer>")).toBeUndefined();
  });
});
