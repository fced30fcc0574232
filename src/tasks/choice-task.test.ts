import { describe, expect, test } from "vitest";
import { embeddedChoices } from "./choice-task.ts";

const read = (question: string, answer: string) => embeddedChoices({ fields: { question, answer }, index: 0, task: "own" });
const texts = (question: string, answer = "A") => read(question, answer)?.choices.map(({ text }) => text);

describe("options at the end of a question", () => {
  test.each([
    ["What floats?\n1: oil\n2: iron\n3: lead\n4: gold", "2", "B"],
    ["What floats?\n1) oil\n2) iron", "1", "A"],
    ["What floats?\n(A) oil\n(B) iron", "B", "B"],
    ["What floats?\nOption1: oil\nOption2: iron", "2", "B"],
  ])("are read by number or by letter: %j", (question, key, answer) => {
    expect(read(question, key)).toMatchObject({ question: "What floats?", answer });
    expect(texts(question, key)?.slice(0, 2)).toEqual(["oil", "iron"]);
  });

  test("may go on over several lines, and hold numbered lists of their own", () => {
    const question = "Which order?\nA) 1. heat\n2. stir\nB) 1. stir\n2. heat\nC) 1. cool\n2. wait\nD) 1. wait\n2. cool";
    expect(texts(question)).toEqual(["1. heat\n2. stir", "1. stir\n2. heat", "1. cool\n2. wait", "1. wait\n2. cool"]);
    expect(read(question, "D")?.question).toBe("Which order?");
    expect(texts(`${question}\n\nAnswer with a letter.`)?.at(-1)).toBe("1. wait\n2. cool");
  });

  test("stand after lists that belong to the question", () => {
    expect(texts("Two facts:\n1. oil floats\n2. iron sinks\nWhich is true?\nA. both\nB. none")).toEqual(["both", "none"]);
    expect(read("Two facts:\n1. oil floats\n2. iron sinks\nWhich is true?\nA. both\nB. none", "A")?.question).toBe(
      "Two facts:\n1. oil floats\n2. iron sinks\nWhich is true?",
    );
  });

  test("are absent where there is one line or none of them, or nothing before them", () => {
    expect(read("What floats?", "A")).toBeUndefined();
    expect(read("What floats?\nA) oil", "A")).toBeUndefined();
    expect(read("A) oil\nB) iron", "A")).toBeUndefined();
  });

  test("a line after the options is none of them", () => {
    expect(texts("What floats?\nA) oil\nB) iron\nAnswer with a letter.")).toEqual(["oil", "iron"]);
  });
});
