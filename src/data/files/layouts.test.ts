import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { writeRows } from "../training-files/formats.ts";
import { questionAnswersFromRows, readQuestionAnswerFile } from "./question-answer.ts";

const folder = mkdtempSync(path.join(tmpdir(), "layouts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const place = path.join(folder, name);
  writeFileSync(place, content);
  return place;
}

const lines = (...rows: object[]) => rows.map((row) => JSON.stringify(row)).join("\n");

async function pairs(place: string) {
  const { items } = await readQuestionAnswerFile(place);
  return items.map(({ question, answer }) => [question, answer]);
}

describe("known layouts as questions with answers", () => {
  const user = (content: string) => ({ role: "user", content });
  const assistant = (content: string, more = {}) => ({ role: "assistant", content, ...more });
  it.each<[string, object[], string[][]]>([
    [
      "Alpaca: the input stands below the instruction, and an empty one is none",
      [
        { instruction: "Add.", input: "1 + 1", output: "2" },
        { instruction: "Say hello.", input: "", output: "hello" },
      ],
      [
        ["Add.\n\n1 + 1", "2"],
        ["Say hello.", "hello"],
      ],
    ],
    [
      "OpenAI: what stands before the question is part of it",
      [{ messages: [{ role: "system", content: "Be brief." }, user("1+1?"), assistant("2")] }],
      [["Be brief.\n\n1+1?", "2"]],
    ],
    [
      "ShareGPT",
      [
        {
          conversations: [
            { from: "human", value: "1+1?" },
            { from: "gpt", value: "2" },
          ],
        },
      ],
      [["1+1?", "2"]],
    ],
    ["TRL, prompt and completion as text", [{ prompt: "1+1?", completion: " 2" }], [["1+1?", "2"]]],
    ["TRL, prompt and completion as messages", [{ prompt: [user("1+1?")], completion: [assistant("2")] }], [["1+1?", "2"]]],
    ["TRL, a preference: the chosen answer", [{ prompt: "1+1?", chosen: "2", rejected: "3" }], [["1+1?", "2"]]],
    ["a prompt of messages with an answer beside it", [{ prompt: [user("1+1?")], answer: 2 }], [["1+1?", "2"]]],
    ["verl", [{ prompt: [user("1+1?")], reward_model: { ground_truth: "2" } }], [["1+1?", "2"]]],
    [
      "Problem and Result, whatever their case, with an identity in front",
      [{ ID: 7, Problem: "1+1?", Result: "2" }],
      [["1+1?", "2"]],
    ],
    [
      "Dolly: the context stands below the instruction",
      [{ instruction: "Who?", context: "Ann came.", response: "Ann" }],
      [["Who?\n\nAnn came.", "Ann"]],
    ],
  ])("%s", async (name, rows, expected) => {
    const stem = name.replaceAll(/\W+/g, "-");
    expect(await pairs(file(`${stem}.jsonl`, lines(...rows)))).toEqual(expected);
    expect(await pairs(file(`${stem}.jsonl.gz`, gzipSync(lines(...rows))))).toEqual(expected);
    const parquet = path.join(folder, `${stem}.parquet`);
    writeRows(parquet, rows as Record<string, unknown>[]);
    expect(await pairs(parquet)).toEqual(expected);
  });

  it("leaves out rows of several turns, of weight 0 and without an answer, each with its line and the reason", () => {
    const talk = (...messages: object[]) => ({ messages });
    const rows = [
      talk(user("1+1?"), assistant("2")),
      talk(user("1+1?"), assistant("3"), user("Sure?"), assistant("2")),
      talk(user("2+2?"), assistant("4", { weight: 0 })),
      talk(user("3+3?"), assistant(" ")),
      { ...talk(user("4+4?"), assistant("8")), weight: 0 },
      talk(user("5+5?"), { role: "assistant", content: null }),
    ].map((values, index) => ({ line: index + 1, values }));
    const read = questionAnswersFromRows("a.jsonl", rows, {});
    expect(read.items.map(({ id }) => id)).toEqual(["a.jsonl:1"]);
    expect(read.leftOut.map(({ line, because }) => `${line}: ${because}`)).toEqual([
      expect.stringContaining("2: it has several turns"),
      "3: no message of it carries loss",
      "4: there is no answer",
      "5: its weight is 0, so that nothing of it is learned",
      expect.stringContaining("6: the row is not of this format"),
    ]);
    expect(() => questionAnswersFromRows("a.jsonl", rows.slice(1, 2), {})).toThrow(
      /line 2 is left out, because it has several turns/,
    );
  });

  it("names the candidates and what to type where two columns are as likely, or none is", () => {
    const read = (values: Record<string, unknown>, flags: boolean) =>
      questionAnswersFromRows("a.csv", [{ line: 2, values }], {}, flags);
    expect(() => read({ problem: "1+1?", query: "2+2?", answer: 4 }, true)).toThrow(
      /several columns could be the question: problem, query.*--question "problem" or --question "query"/s,
    );
    expect(() => read({ id: 1, Frage: "1+1?", answer: 2 }, true)).toThrow(
      /no column looks like the question.*--question "Frage"\./s,
    );
    expect(() => read({ id: 1, Frage: "1+1?", answer: 2 }, false)).toThrow(/Call the one that is meant “question”: Frage/);
    expect(() => read({ id: 1, Frage: "1+1?", answer: 2 }, true)).not.toThrow(/--columns/);
  });
});

describe("delimiters", () => {
  it.each([
    ["semicolons", "question;answer\n1,5 + 1?;2,5\n2+2?;4\n"],
    ["tabs under the name of CSV", "question\tanswer\n1,5 + 1?\t2,5\n2+2?\t4\n"],
    ["bars", "question|answer\n1,5 + 1?|2,5\n2+2?|4\n"],
    ["commas, with semicolons in the text", 'question,answer\n"1,5 + 1?","2,5"\n2+2?,4\n'],
    ["semicolons and quoted line breaks", 'question;answer\n1,5 + 1?;"2,5"\n"2+2?";4\n'],
  ])("%s are told by what stands in every row", async (name, text) => {
    expect(await pairs(file(`${name.replaceAll(/\W+/g, "-")}.csv`, text))).toEqual([
      ["1,5 + 1?", "2,5"],
      ["2+2?", "4"],
    ]);
  });

  it("a packed file that is cut off says so", async () => {
    const cut = gzipSync("question,answer\n1+1?,2\n".repeat(100)).subarray(0, 60);
    await expect(readQuestionAnswerFile(file("cut.csv.gz", cut))).rejects.toMatchObject({ code: "data-packed" });
  });
});
