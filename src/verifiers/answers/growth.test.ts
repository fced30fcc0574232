import { describe, expect, it } from "vitest";
import { answerVerifier } from "#recipes/sources/file-verifiers.ts";
import { growsTooFast } from "../../../test/support/growth.ts";
import { extractMath } from "../math/extract.ts";
import { compareMathQuick } from "../math/verdict.ts";
import { extractCode } from "../programs/extract.ts";
import { lastBoxed, lastBoxes } from "./boxes.ts";
import { readChoice } from "./choice.ts";
import { withoutDenied } from "./denials.ts";
import { visibleAnswer } from "./extract.ts";
import { numberVerifier } from "./number.ts";
import { readNumber } from "./number-extract.ts";
import { readSpan, spanScore } from "./span.ts";

const item = { id: "1", question: "", answer: "x" };
const choices = ["red", "blue", "green", "black"].map((text, index) => ({ letter: "ABCD"[index], text }));

const readers: Readonly<Record<string, (text: string) => unknown>> = {
  thoughts: visibleAnswer,
  denials: withoutDenied,
  boxes: (text) => [lastBoxed(text), lastBoxes(text, (first, second) => first === second)],
  number: readNumber,
  "number alone": (text) => numberVerifier()({ ...item, answer: "7" }, text, text),
  choice: (text) => readChoice(text, choices),
  mathematics: extractMath,
  "mathematics compared": (text) => [compareMathQuick("5", text), compareMathQuick("(1,2)", text.slice(0, 4000))],
  span: (text) => spanScore(readSpan(text)?.span ?? text, [["a", "b"]]),
  program: (text) => extractCode(text, "solve"),
  "answer of a file": (text) => answerVerifier(item, text, text),
};

/** Pieces that are repeated, and what stands before and behind: each has made some reader of answers slow. */
const hostile: readonly [before: string, piece: string, behind: string][] = [
  ["The answer is ", " ", "x"],
  ["answer", " ", "x"],
  ["", ".", "x"],
  ["x", "'", "x"],
  ["", "\n", "x"],
  ["", " \n", "x"],
  ["\\boxed{", "{", ""],
  ["", "\\boxed{", ""],
  ["", "\\boxed{1} is wrong. ", ""],
  ["", "-\\boxed{", "}"],
  ["", "1,", "x"],
  ["12", ",34", "x"],
  ["1", ",234", "5"],
  ["1", ".234", "5"],
  ["1", " 234", "5"],
  ["1", "_234", "5"],
  ["", "1 ", "x"],
  ["", "1/", "x"],
  ["", "9", "x"],
  ["", "10^", "x"],
  ["1", "e5", "x"],
  ["1", " million", "x"],
  ["", "⁰", "x"],
  ["", "½", "x"],
  ["", "٤", "x"],
  ["", "—", "5"],
  ["", "not ", "5"],
  ["", "is not, ", "5"],
  ["", "wrong ", "answer"],
  ["", "A ", ""],
  ["", "(A) ", ""],
  ["", "A, ", "B"],
  ["", "answer is ", "A"],
  ["", "answer is: ", ""],
  ["", "答案", "是5"],
  ["", "选", "B"],
  ["", "respuesta ", "es 5"],
  ["", "<think>", ""],
  ["", "</think>", ""],
  ["", "<think", ""],
  ["", "[THINK]", ""],
  ["", "[/", ""],
  ["", "<|channel|>", ""],
  ["", "<answer>", ""],
  ["", "\\frac{1}", "{2}"],
  ["7", "\\frac{\\text{m}}", "{\\text{s}}"],
  ["7", "\\text{km}/", "\\text{h}"],
  ["", "\\mathrm{\\frac{m}", "{s}}"],
  ["", "2 hours and ", "3 minutes"],
  ["The answer is 5", ", wait", ", 7"],
  ["The answer is 5, ", "which is ", "wrong"],
  ["It might be 5", ", but it", " is 7"],
  ["", "If 5, ", "it would be 7"],
  ["", "A, ", "A are wrong"],
  ["", "A are wrong, ", ""],
  ["", "<|think_start|>", ""],
  ["", "<|end_of_", "think|>"],
  ["", "answer | ", "5"],
  ["", "- ", "5"],
  ["5", " ;", "7"],
  ["", "5\n", "6"],
  ["", "\\not", "= 5"],
  ["5", "-million", ""],
  ["", "<b>", "5</b>"],
  ["", "\\text{", ""],
  ["", "$", ""],
  ["", "[1]", ""],
  ["", "(see ", ""],
  ["", "- a\n", ""],
  ["", "a & ", ""],
  ["", "```\n", ""],
  ["", "def solve", "("],
  ["", "def solve(x):\n", ""],
  ["", "x = (\n", ""],
  ["", '"""', ""],
  ["import ", "a, ", "b"],
  ["", "    x\n", ""],
  ["", "because\n", ""],
  ["A\n", "Explanation ", ""],
];

describe("no reader's work grows faster than its input", () => {
  it.each(Object.entries(readers))("%s", (_name, read) => {
    const slow = hostile.filter(([before, piece, behind]) =>
      growsTooFast(read, (length) => before + piece.repeat(length / piece.length) + behind),
    );
    expect(slow).toEqual([]);
  });
});
