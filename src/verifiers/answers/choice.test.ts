import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { choiceVerifier, readChoice } from "./choice.ts";
import { visibleAnswer } from "./extract.ts";

const options = (...texts: string[]) => texts.map((text, index) => ({ letter: "ABCDEFGHIJ"[index], text }));
const things = options("Planetary density", "rocks", "A mammal", "water");
const cities = options("a dog", "New York", "York", "5");

describe("reading the option chosen", () => {
  it.each([
    // The known traps of reading the first capital letter, the first option letter, and of dropping the last character.
    ["The answer is C", "C"],
    ["The answer is C.", "C"],
    ["Considering all options, D is best", "D"],
    ["A rock is a thing. The best answer is C, since A is wrong.", "C"],
    ["Every animal needs water. A plant does too. ANSWER: D", "D"],
    ["A", "A"],
    ["(C)", "C"],
    ["**C**", "C"],
    ["c", "C"],
    ["{C}", "C"],
    ["option c", "C"],
    ["B) rocks", "B"],
    ["A. Planetary density", "A"],
    ["The answer is (B).", "B"],
    ["The answer is **B**.", "B"],
    ['The answer is "B".', "B"],
    ["answer: b", "B"],
    ["The answer is:\n\nB", "B"],
    ["Answer:\n**B) rocks**", "B"],
    ["The answer is a mammal.", "C"],
    ["The answer is A mammal", "C"],
    ["The answer is A because it is", "A"],
    ["The answer is option D) water.", "D"],
    ["The correct answer to this question is D: water", "D"],
    ["The correct option is D.", "D"],
    ["The answer is B, not A.", "B"],
    ["The answer is not B. The answer is C.", "C"],
    ["\\boxed{C}", "C"],
    ["So $\\boxed{\\text{(C)}}$.", "C"],
    ["First I thought the answer is A. No: the answer is B.", "B"],
    ["I think (A) is wrong and (B) is right", "B"],
    ["Answer: D. water\n\nExplanation: A is wrong", "D"],
    ["It must be the water", "D"],
    ["The answer is 3", "C"],
    ["2", "B"],
    ["<think>It may be A or B</think>The answer is D", "D"],
    ["<think>A</think><answer>B</answer>", "B"],
  ])("%j chooses %s", (text, letter) => expect(readChoice(visibleAnswer(text), things)?.letter).toBe(letter));

  it.each([
    "",
    "A rock is hard.",
    "I do not know.",
    "The answer is B or C.",
    "The answer is A/B",
    "Answer is A, B, and C",
    "The answer is not B.",
    "The answer is E",
    "The answer is 7",
    "The answer is what you want",
    "Dr. B. Smith said so",
    "<think>The answer is B, or is it",
    "Perhaps B, perhaps C",
  ])("%j leaves it open", (text) => expect(readChoice(visibleAnswer(text), things)).toBeUndefined());

  it.each([
    ["New York", "B"],
    ["The answer is New York.", "B"],
    ["The answer is York", "C"],
    ["The answer is 5", "D"],
    ["The answer is -5", undefined],
    ["The answer is 0.5", undefined],
    ["The answer is 3", undefined],
    ["A dog", "A"],
  ])("by its text: %j chooses %s", (text, letter) => expect(readChoice(text, cities)?.letter).toBe(letter));

  it("calls strict what was asked for, and nothing else", () => {
    const strict = (text: string) => readChoice(text, things)?.strict;
    expect(["The answer is B.", "B", "**Answer: (B)**"].map(strict)).toEqual([true, true, true]);
    expect(["The answer is rocks.", "\\boxed{B}", "I choose B", "It is (B) here"].map(strict)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it("reads every form of every letter, whatever stands before it", () => {
    const before = fc.array(fc.constantFrom("A", "so", "it", "Is", "B", "water", "\n", "maybe", "(A)", "7"), { maxLength: 30 });
    const form = fc.constantFrom(
      "The answer is X.",
      "The answer is (X)",
      "Final answer: **X**",
      "the correct answer is option X.",
    );
    fc.assert(
      fc.property(before, form, fc.constantFrom("A", "B", "C", "D"), (words, shape, letter) => {
        const text = `${words.join(" ")}.\n${shape.replace("X", letter)}`;
        expect(readChoice(text, things)).toEqual({ letter, by: "clause", strict: true });
      }),
    );
  });

  it("never throws and stays quick on anything", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void readChoice(visibleAnswer(text), things)));
    for (const piece of ["answer is ", "\\boxed{", "(A) ", "<think>", "A ", "\n", "answer ", "(((", "option "]) {
      readChoice(visibleAnswer(piece.repeat(20_000)), things);
    }
  });
});

describe("grading the option chosen", () => {
  const item = { id: "1", question: "", answer: "B", choices: things };

  it("reports flexible and strict accuracy, and that nothing was found", () => {
    expect(choiceVerifier(item, "The answer is B.", "")).toEqual({ accuracy: 1, extracted: "B", strictAccuracy: 1 });
    expect(choiceVerifier(item, "rocks it is", "")).toEqual({ accuracy: 1, extracted: "B", strictAccuracy: 0 });
    expect(choiceVerifier(item, "The answer is C.", "")).toEqual({ accuracy: 0, extracted: "C", strictAccuracy: 0 });
    expect(choiceVerifier(item, "Hm.", "")).toEqual({
      accuracy: 0,
      extracted: undefined,
      strictAccuracy: 0,
      status: "no-answer",
    });
  });

  it("does not read thoughts that never ended", () => {
    const cut = "<think>The answer is B";
    expect(choiceVerifier(item, "The answer is B", cut).extracted).toBeUndefined();
  });

  it("knows letters without options", () => {
    expect(choiceVerifier({ id: "1", question: "", answer: "C" }, "(C)", "").accuracy).toBe(1);
    expect(choiceVerifier({ id: "1", question: "", answer: "H" }, "The answer is H", "").accuracy).toBe(1);
  });
});
