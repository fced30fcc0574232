import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { tokenSpans, tokensTouching } from "./spans.ts";

const pieces = fc.array(fc.constantFrom("", "a", "bc", "<think>", " ", "😀", "</re"), { maxLength: 12 });

test("a character span covers exactly the tokens that touch it, with the silent tokens in front of a touched one", () => {
  fc.assert(
    fc.property(pieces, fc.nat(30), fc.nat(30), (given, first, second) => {
      const length = given.join("").length;
      const [start, end] = [first % (length + 1), second % (length + 1)].sort((one, other) => one - other);
      // Written down token by token: the range of a silent token is that of the next one that says something.
      const touched: number[] = [];
      for (const index of given.keys()) {
        const speaking = given.findIndex((piece, at) => at >= index && piece !== "");
        if (speaking < 0) continue;
        const from = given.slice(0, speaking).join("").length;
        if (from < end && from + given[speaking].length > start && end > start) touched.push(index);
      }
      const [span] = tokensTouching(given, [{ start, end }]);
      expect(Array.from({ length: span.end - span.start }, (_, index) => span.start + index)).toEqual(touched);
    }),
    { numRuns: 2000 },
  );
});

test("tagged spans in tokens hold the same text when tags are tokens", () => {
  const given = ["<think>", "1", "+1", "<refine>", "", "😀", " 2", "</refine>", "</think>", "<answer>", "2", "</answer>", ""];
  const text = (start: number, end: number) => given.slice(start, end).join("");
  const parsed = parseRefine(given.join(""));
  const spans = tokenSpans(given, parsed.spans);
  expect(spans.map((span) => span.kind)).toEqual(["think", "refine", "answer"]);
  for (const [index, span] of spans.entries()) {
    const characters = parsed.spans[index];
    expect(text(span.start, span.end)).toBe(given.join("").slice(characters.start, characters.end));
    expect(text(span.innerStart, span.innerEnd)).toBe(given.join("").slice(characters.innerStart, characters.innerEnd));
  }
  expect(spans[1]).toEqual({ kind: "refine", start: 3, innerStart: 4, innerEnd: 7, end: 8 });
});

test("a tag spread over tokens that also hold text counts every token it touches", () => {
  const given = ["<th", "ink>a", " <ref", "ine>b</", "refine></think><answer>", "1</answer>"];
  const [think, refine] = tokenSpans(given, parseRefine(given.join("")).spans);
  expect(think).toMatchObject({ start: 0, innerStart: 1, innerEnd: 5, end: 5 });
  expect(refine).toMatchObject({ start: 2, innerStart: 3, innerEnd: 4, end: 5 });
});
