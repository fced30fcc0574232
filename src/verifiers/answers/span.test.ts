import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readSpan, sameSpan, spanScore, spanVerifier } from "./span.ts";

describe("scoring spans", () => {
  it.each([
    ["the Denver Broncos", [["Denver Broncos"]], 1, 1],
    ["Broncos", [["the Denver Broncos"]], 0, 2 / 3],
    ["2", [["21"]], 0, 0],
    ["12.72", [["12.720"]], 1, 1],
    ["1,000 yards", [["1000"]], 0, 2 / 3],
    ["69-yard", [["69"], ["69-yard"]], 1, 1],
    ["69 yards and 5", [["5 yards"]], 0, 2 / 3],
    ["seven", [["7"]], 0, 0],
    ["a, b and c", [["b", "c", "d"]], 0, 2 / 3],
    ["c, b", [["b", "c"]], 1, 1],
    ["b and c", [["b", "c"]], 1, 1],
    ["", [["5"]], 0, 0],
  ])("%j against %j: exact match %d, F1 %d", (answer, references, exactMatch, f1) => {
    const score = spanScore(answer, references);
    expect(score.exactMatch).toBe(exactMatch);
    expect(score.f1).toBeCloseTo(f1, 10);
  });

  it("takes the best reference", () => {
    expect(spanScore("Peyton Manning", [["Colts QB Peyton Manning"], ["Peyton Manning"]])).toEqual({ exactMatch: 1, f1: 1 });
  });

  it("is 1 for every list against itself in any order, between 0 and 1 for any other", () => {
    const span = fc.constantFrom("red", "blue whale", "7", "north-east", "1,000 men", "k");
    const spans = fc.uniqueArray(span, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(spans, spans, (first, second) => {
        expect(spanScore([...first].reverse().join("; "), [first])).toEqual({ exactMatch: 1, f1: 1 });
        const { exactMatch, f1 } = spanScore(first.join("; "), [second]);
        expect(f1 >= exactMatch && f1 <= 1 + 1e-12).toBe(true);
      }),
    );
  });
});

describe("reading and grading short answers", () => {
  it.each([
    ["Answer: 12.5.", "12.5", true],
    ["The answer is the October Revolution.", "the October Revolution", true],
    ["October Revolution", "October Revolution", true],
    ["It is so.\nAnswer: U.S. Army", "U.S. Army", true],
    ["So\nit is \\boxed{5}", "5", false],
    ["First.\nThen Dundalk.", "Then Dundalk", false],
  ])("%j says %j", (text, span, strict) => expect(readSpan(text)).toEqual({ span, strict }));

  it("grades by F1, and uses alternatives", () => {
    const item = { id: "1", question: "", answer: "21", alternatives: ["2", "north\nsouth"] };
    expect(spanVerifier(item, "The answer is 2.", "")).toMatchObject({
      accuracy: 1,
      strictAccuracy: 1,
      measures: { exactMatch: 1 },
    });
    expect(spanVerifier(item, "Answer: south and north", "").accuracy).toBe(1);
    expect(spanVerifier(item, "Answer: 12", "").accuracy).toBe(0);
    expect(spanVerifier(item, "", "")).toMatchObject({ accuracy: 0, extracted: undefined, status: "no-answer" });
  });

  it("compares two answers by their words", () => {
    expect(sameSpan("The Broncos.", "broncos")).toBe(true);
    expect(sameSpan("1,000", "1000.0")).toBe(true);
    expect(sameSpan("north", "south")).toBe(false);
  });

  it("stays quick on anything", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => void spanVerifier({ id: "", question: "", answer: "x" }, text, "")),
    );
    for (const piece of ["answer: ", "and ", ", ", "5-", ".", "a\n"]) readSpan(piece.repeat(20_000));
    spanScore("a and ".repeat(10_000), [Array.from({ length: 40 }, (_, index) => `span ${index}`)]);
  });
});
