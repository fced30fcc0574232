import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readLines } from "#files/json-lines.ts";
import { shippedModel } from "#files/shipped-model.ts";
import { pasr } from "../pasr/recipe.ts";
import { ptr } from "../ptr/recipe.ts";
import { type RecipeRun, runRecipe } from "../run-recipe.ts";
import { sft } from "../sft/recipe.ts";
import type { LeftOutRow } from "./left-out.ts";

const folder = mkdtempSync(path.join(tmpdir(), "left-out-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, rows: readonly object[]): string {
  const place = path.join(folder, name);
  writeFileSync(place, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return place;
}

const short = Array.from({ length: 12 }, (_, index) => ({ question: `${index}+1?`, answer: String(index + 1) }));
const endless = "one and one ".repeat(800);

async function notesOf(run: Omit<RecipeRun<never>, "out">, card: unknown, out: string) {
  const notes: string[] = [];
  const failure = await runRecipe(card as typeof pasr, {
    ...(run as RecipeRun<typeof pasr.options>),
    out: path.join(folder, out),
    onNote: (text) => notes.push(text),
  }).then(
    () => undefined,
    (error: Error) => error,
  );
  const leftOut = readLines<LeftOutRow & object>(path.join(folder, out, "left-out.jsonl"));
  return { notes: notes.join("\n"), leftOut, failure };
}

const pasrOnce = {
  model: shippedModel,
  items: 2,
  options: { steps: 1, questionsPerStep: 1, refinedSamples: 2, plainSamples: 1, maxTokens: 4 },
};

describe("rows that are not used are never left out in silence", () => {
  const data = file("train.jsonl", [
    ...short,
    { question: endless, answer: "2" },
    { question: "What?", answer: "" },
    { question: "5+5?", answer: "10", weight: 0 },
    { question: "Asked in both?", answer: "yes" },
  ]);
  const measured = file("test.jsonl", [
    { question: "Asked in both?", answer: "yes" },
    { question: `Say: ${endless}`, answer: "3" },
    short[0],
    { question: "", answer: "1" },
  ]);

  test("pasr leaves out questions longer than the context, empty rows, weights of 0 and questions of the test file, by file, line and reason", async () => {
    const { notes, leftOut, failure } = await notesOf({ ...pasrOnce, data, test: measured } as never, pasr, "pasr");
    expect(failure).toBeUndefined();
    const said = leftOut.map(({ file: of, line, use, because }) => `${path.basename(of)}:${line} ${use}: ${because}`);
    expect(said).toEqual([
      "train.jsonl:14 training: there is no answer",
      "train.jsonl:15 training: its weight is 0, so that nothing of it is learned",
      "test.jsonl:4 measuring: there is no question",
      expect.stringContaining("train.jsonl:1 training: "),
      expect.stringContaining("train.jsonl:16 training: "),
      expect.stringMatching(/^train.jsonl:13 (training|validation): its prompt leaves no room for an answer \(\d+ tokens/),
      expect.stringMatching(/^test.jsonl:2 measuring: its prompt leaves no room/),
    ]);
    expect(notes).toMatch(
      /test.jsonl: 1 row is left out of measuring, because its prompt leaves no room for an answer \(line 2\)/,
    );
    expect(notes).toMatch(/7 rows left out in all; .*left-out.jsonl names each/);
    const events = readFileSync(path.join(folder, "pasr", "events.jsonl"), "utf8");
    expect(events).toContain('"leftOutInAll":7');
  });

  test("--strict stops in place of that, before anything is trained, with lines and reasons", async () => {
    const { failure, leftOut } = await notesOf({ ...pasrOnce, data, strict: true } as never, pasr, "strict");
    expect(failure).toMatchObject({ code: "rows-left-out", message: expect.stringMatching(/there is no answer \(line 14\)/) });
    expect(leftOut).toHaveLength(2);
    const long = file("long.jsonl", [...short, { question: endless, answer: "2" }]);
    const context = await notesOf({ ...pasrOnce, data: long, strict: true } as never, pasr, "strict-context");
    expect(context.failure).toMatchObject({
      code: "rows-left-out",
      message: expect.stringMatching(/no room for an answer \(line 13\)/),
    });
    expect(readLines(path.join(folder, "strict-context", "metrics.jsonl"))).toEqual([]);
    const sound = await notesOf({ ...pasrOnce, data: file("sound.jsonl", short), strict: true } as never, pasr, "sound");
    expect([sound.failure, sound.leftOut]).toEqual([undefined, []]);
  });

  test("where none is left, that is an error with the first reason", async () => {
    const rows = short.map((row, index) => ({ ...row, question: `${index} ${endless}` }));
    const { failure } = await notesOf({ ...pasrOnce, data: file("none.jsonl", rows) } as never, pasr, "none");
    expect(failure).toMatchObject({
      code: "data-empty",
      message: expect.stringMatching(/none of 10 questions .* no room for an answer/),
    });
  });

  test("sft names the rows whose examples are longer than it takes", async () => {
    const rows = [...short, { question: "Say it.", answer: "two and two ".repeat(60) }];
    const run = {
      data: file("sft.jsonl", rows),
      items: 2,
      model: shippedModel,
      options: { steps: 1, tokensPerStep: 64, maxTokens: 150 },
    };
    const { failure, leftOut, notes } = await notesOf(run as never, sft, "sft");
    expect(failure).toBeUndefined();
    expect(leftOut).toMatchObject([
      { line: 13, because: expect.stringMatching(/more tokens than are taken \(\d+, of at most 150\)/) },
    ]);
    expect(notes).toMatch(/because its example has more tokens than are taken \(line 13\)/);
  });

  test("ptr names rows that are too long, of no sound layout, or refused by the chat template, and trains on the others", async () => {
    const chat = (...contents: string[]) => ({
      messages: contents.map((content, index) => ({ role: index % 2 === 0 ? "user" : "assistant", content })),
    });
    const rows = [
      ...short.map(({ question, answer }) => chat(question, answer)),
      chat("Say it.", "two and two ".repeat(700)),
      {
        messages: [
          { role: "user", content: "x" },
          { role: "nobody", content: "y" },
        ],
      },
      { ...chat("w", "w"), weight: 0 },
    ];
    const options = { data: [file("ptr.jsonl", rows)], maxSteps: 1, validation: "0" };
    const { failure, leftOut, notes } = await notesOf({ model: shippedModel, options } as never, ptr, "ptr");
    expect(failure).toBeUndefined();
    expect(leftOut.map(({ line, because }) => [line, because])).toEqual([
      [14, expect.stringContaining("the row is not of this format")],
      [15, expect.stringContaining("its weight is 0")],
      [13, expect.stringMatching(/it has more tokens than are taken \(\d+, of at most \d+\)/)],
    ]);
    expect(notes).toContain("3 rows left out in all");
  });
});
