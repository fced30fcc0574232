import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { questionAnswersFromRows, readQuestionAnswerFile, splitWorkedAnswer } from "./question-answer.ts";

const rows = (...values: Record<string, unknown>[]) => values.map((value, index) => ({ line: index + 2, values: value }));

describe("question–answer files", () => {
  it("guesses columns whatever their case, keeps ids and groups, and counts rows it leaves out", () => {
    const file = questionAnswersFromRows(
      "f.csv",
      rows(
        { Problem: "1+1?", Answer: "2", unique_id: "a", subject: "sums" },
        { Problem: "  ", Answer: "3", unique_id: "b", subject: "" },
        { Problem: "2+2?", Answer: "", unique_id: "c", subject: "" },
        { Problem: "2+3?", Answer: 5, unique_id: "", subject: "" },
      ),
      {},
    );
    expect(file.items).toEqual([
      { id: "a", question: "1+1?", answer: "2", group: "sums" },
      { id: "f.csv:5", question: "2+3?", answer: "5" },
    ]);
    expect(file.skipped).toEqual({ emptyQuestion: [3], emptyAnswer: [4], brokenFormat: [] });
  });

  it("keeps answers that are written in the format already, and leaves out those that break it", () => {
    const completion = "<think>1+1=3<refine>1+1=2</refine></think><answer>2</answer>";
    const file = questionAnswersFromRows(
      "f.jsonl",
      rows(
        { question: "1+1?", answer: completion },
        { question: "2+2?", answer: "<think>4</think>" },
        { question: "What does <think> mean?", answer: "a tag", solution: "it is <answer>" },
        { question: "What does <refine> mean?", answer: "a tag" },
      ),
      {},
    );
    expect(file.items.map(({ id, ...item }) => item)).toEqual([
      { question: "1+1?", answer: "2", completion },
      { question: "What does <refine> mean?", answer: "a tag" },
    ]);
    expect(file.skipped.brokenFormat).toEqual([3, 4]);
  });

  it("takes the columns it is told, against its own guess", () => {
    const file = questionAnswersFromRows("f.csv", rows({ question: "no", answer: "no", frage: "ja?", antwort: "ja" }), {
      columns: undefined,
      question: "frage",
      answer: "antwort",
    } as never);
    expect(file.items[0]).toMatchObject({ question: "ja?", answer: "ja" });
  });

  it("splits a worked answer into steps and result", () => {
    expect(splitWorkedAnswer("He sold 48/2 = <<48/2=24>>24.\nThen <<48+24=72>>72.\n#### 1,072")).toEqual({
      answer: "1072",
      solution: "He sold 48/2 = 24.\nThen 72.",
      steps: ["48/2=24", "48+24=72"],
    });
    expect(splitWorkedAnswer("### no result")).toBeUndefined();
    expect(splitWorkedAnswer("#### ")).toBeUndefined();
  });

  it.each([
    [rows({ a: "x", b: "y" }), {}, "data-column"],
    [rows({ question: "x", answer: "y" }), { answer: "z" }, "data-column"],
    [rows({ question: { deep: 1 }, answer: "y" }), {}, "data-value"],
    [rows({ question: "x", answer: "1", id: "i" }, { question: "y", answer: "1", id: "i" }), {}, "data-duplicate-id"],
    [rows({ question: "", answer: "y" }), {}, "data-empty"],
    [[], {}, "data-column"],
  ])("says what is wrong with a file it cannot use (%#)", (given, columns, code) => {
    expect(() => questionAnswersFromRows("f.jsonl", given, columns)).toThrow(expect.objectContaining({ code }));
  });

  const gsm8k = "../shared/data/gsm8k/test.jsonl";
  if (!existsSync(gsm8k)) console.log(`skipped: ${gsm8k} is not here`);
  it.skipIf(!existsSync(gsm8k))("reads GSM8K whole", async () => {
    const file = await readQuestionAnswerFile(gsm8k);
    expect(file.items).toHaveLength(1319);
    expect(file.items[0]).toMatchObject({ answer: "18", steps: ["16-3-4=9", "9*2=18"] });
    expect(file.items.every((item) => /^-?\d+(\.\d+)?$/.test(item.answer))).toBe(true);
  });
});
