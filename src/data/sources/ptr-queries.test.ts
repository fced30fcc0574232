import { expect, test } from "vitest";
import type { Row } from "../files/rows.ts";
import { questionKey } from "../filters/split.ts";
import { queriesFromFiles, queriesFromRows } from "./ptr-queries.ts";

const rows = (values: Record<string, unknown>[]): Row[] => values.map((value, index) => ({ line: index + 1, values: value }));

test("questions in the shapes that instruction data has", () => {
  const asked = (values: Record<string, unknown>) => queriesFromRows("f.jsonl", rows([values])).queries[0];
  expect(asked({ question: " Why? ", answer: "so" })).toEqual({ id: "f.jsonl:1", question: "Why?" });
  expect(asked({ id: 7, instruction: "Translate.", input: "Haus" })).toEqual({ id: "7", question: "Translate.\n\nHaus" });
  expect(
    asked({
      prompt: [
        { role: "system", content: "s" },
        { role: "user", content: "Hi" },
      ],
    })?.question,
  ).toBe("Hi");
  expect(
    asked({
      conversations: [
        { from: "human", value: "Hello" },
        { from: "gpt", value: "x" },
      ],
    })?.question,
  ).toBe("Hello");
  expect(asked({ 问题: "?", question: "é" })?.question).toBe("é");
});

test("what is empty, too long, a test question or there already is left out and counted; ids stay unique", () => {
  const { queries, tally } = queriesFromRows(
    "f.jsonl",
    rows([
      { id: "a", question: "One?" },
      { id: "a", question: "Two?" },
      { id: "b", question: "one" },
      { question: "" },
      { question: null },
      { question: ["x"] },
      { question: "A very long question" },
      { question: "Test?" },
    ]),
    { maximumCharacters: 10, testQuestions: new Set([questionKey("TEST")]) },
  );
  expect(queries).toEqual([
    { id: "a", question: "One?" },
    { id: "f.jsonl:2", question: "Two?" },
  ]);
  expect(tally.dropped.map(({ reason, count }) => [reason, count])).toEqual([
    ["duplicate", 1],
    ["question-empty", 2],
    ["malformed", 1],
    ["question-too-long", 1],
    ["asked-elsewhere", 1],
  ]);
  expect(tally.read).toBe(8);
});

test("several files are one list in their order: repeats across them are counted, ids stay unique, each has its own column", () => {
  const { queries, tally } = queriesFromFiles([
    { file: "a/q.jsonl", rows: rows([{ id: 1, question: "One?" }, { question: "Two?" }]) },
    { file: "b/q.jsonl", rows: rows([{ id: 1, prompt: "Three?" }, { prompt: "Four?" }, { prompt: "two" }, { prompt: "" }]) },
  ]);
  expect(queries).toEqual([
    { id: "1", question: "One?" },
    { id: "q.jsonl:2", question: "Two?" },
    { id: "q.jsonl:1", question: "Three?" },
    { id: "b/q.jsonl:2", question: "Four?" },
  ]);
  expect(tally.dropped.map(({ reason, count }) => [reason, count])).toEqual([
    ["duplicate", 1],
    ["question-empty", 1],
  ]);
});

test("a column that is not there is named with those that are", () => {
  expect(() => queriesFromRows("f.jsonl", rows([{ text1: "x" }]))).toThrow(/no column looks like the question/);
  expect(() => queriesFromRows("f.jsonl", rows([{ question: "x" }]), { column: "q" })).toThrow(/no column “q”/);
  expect(() => queriesFromRows("f.jsonl", rows([{ question: " " }]))).toThrow(/no question that can be used/);
});
