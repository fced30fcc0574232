import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "#kernel/seed.ts";
import { evaluatePrefix, type WordProblem } from "../files/word-problem-file.ts";
import { exchangeableWords, exchangeWords, inOneOrder } from "./word-problem-variations.ts";

const problem = (template: string): WordProblem => ({
  id: "f:2",
  template,
  numbers: ["3", "4"],
  equation: ["+", "number0", "number1"],
  answer: "7",
});

describe("exchanging words", () => {
  const problems = [
    problem("how many red pens has ann got ?"),
    problem("how many red cups has joe got ?"),
    problem("how many nuts has ann , number0 or number1 ?"),
  ];
  const vocabulary = exchangeableWords(problems, 5);

  it("offers the rarer words only, never placeholders, signs or short words", () => {
    // how, many, has stand in all three; ann, got and red in two, of which the first two in the alphabet are kept.
    expect([...vocabulary.words].sort()).toEqual(["cups", "joe", "nuts", "pens", "red"]);
  });

  it("exchanges a word at all its places alike and leaves all others", () => {
    const told = problem("number0 pens , more pens than number1 red cups ?");
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const words = exchangeWords(told, vocabulary, 0.7, new Random(seed)).template.split(" ");
        expect([0, 2, 3, 5, 6, 9].map((place) => words[place]).join(" ")).toBe("number0 , more than number1 ?");
        expect(words[1]).toBe(words[4]);
        expect([1, 7, 8].every((place) => vocabulary.has.has(words[place]))).toBe(true);
      }),
    );
    expect(exchangeWords(told, vocabulary, 0, new Random(1))).toEqual(told);
  });
});

describe("operands in one order", () => {
  const leaf = fc.constantFrom("number0", "number1", "number2", "2");
  const equation = fc.letrec<{ node: string[] }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      leaf.map((name) => [name]),
      fc
        .tuple(fc.constantFrom("+", "-", "*"), tie("node"), tie("node"))
        .map(([operator, left, right]) => [operator, ...left, ...right]),
    ),
  })).node;

  it("does not change the value, and is the same for either order", () => {
    fc.assert(
      fc.property(equation, equation, fc.constantFrom("+", "*"), (left, right, operator) => {
        const [one, other] = [
          [operator, ...left, ...right],
          [operator, ...right, ...left],
        ];
        expect(inOneOrder(one)).toEqual(inOneOrder(other));
        expect(evaluatePrefix(inOneOrder(one), [3, 5, 7])).toBe(evaluatePrefix(one, [3, 5, 7]));
        expect(inOneOrder(inOneOrder(one))).toEqual(inOneOrder(one));
      }),
    );
  });

  it("leaves differences and quotients as they are", () => {
    expect(inOneOrder(["-", "number1", "number0"])).toEqual(["-", "number1", "number0"]);
    expect(inOneOrder(["*", "number2", "-", "number1", "number0"])).toEqual(["*", "-", "number1", "number0", "number2"]);
  });
});
