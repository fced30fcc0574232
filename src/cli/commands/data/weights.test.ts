/** `midcourse data convert`, `from-run` and `card` on weights, near-duplicates and Parquet. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DataCard } from "#data/training-files/data-card.ts";
import type { TrainingConversation } from "#kernel/conversation.ts";
import { midcourse } from "../../../../test/support/command.ts";

const base = path.resolve(import.meta.dirname, "../../../../models/base");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "data-weights-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("weights, near-duplicates and Parquet", () => {
  const questions = ["How many legs have two dogs and three birds together?", "Which number comes after nineteen?"];
  const conversation = (id: string, content: string, answer: string, weight?: number) => ({
    id,
    messages: [
      { role: "user", content, trainable: false },
      { role: "assistant", content: answer, trainable: true },
    ],
    ...(weight === undefined ? {} : { weight }),
  });
  const write = (name: string, rows: object[]) => {
    const file = path.join(folder, name);
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    return file;
  };
  const weighted = () =>
    write("weighted.jsonl", [
      conversation("a", questions[0], "Fourteen legs."),
      conversation("b", questions[0].toUpperCase(), "Fourteen legs!", 2),
      conversation("c", questions[1], "Twenty.", 0),
      conversation("d", "Who wrote Faust?", "Goethe.", 0.5),
    ]);

  test("weights go to our own lines, are refused elsewhere, and are counted", async () => {
    const file = weighted();
    const card = JSON.parse(
      await midcourse("data", "card", file, "--json", "--near-duplicates", "0.8", "--model", base),
    ) as DataCard;
    expect(card.figures).toMatchObject({
      weights: { "examples that have one": 3, "sum, 1 where there is none": 3.5, "zero, so not trained on": 1 },
      "near-duplicates": { found: 1 },
      packing: { steps: 1 },
    });
    const out = path.join(folder, "weighted-out.jsonl");
    const fewer = await midcourse(
      "data",
      "convert",
      file,
      "--to",
      "midcourse",
      "--near-duplicates",
      "0.8",
      "--out",
      out,
      "--json",
    );
    expect(JSON.parse(fewer)).toMatchObject({
      read: 4,
      kept: 3,
      dropped: [{ reason: "near-duplicate", examples: ["a: b is kept, similarity 1.00"] }],
      figures: { weights: { "sum, 1 where there is none": 2.5 }, "near-duplicates": { dropped: 1 } },
    });
    const written = readFileSync(out, "utf8").trim().split("\n");
    expect(written.map((line) => (JSON.parse(line) as TrainingConversation).weight)).toEqual([2, 0, 0.5]);
    const trl = path.join(folder, "weighted-trl.jsonl");
    const strict = JSON.parse(
      await midcourse("data", "convert", file, "--to", "trl-prompt-completion", "--out", trl, "--json"),
    ) as DataCard;
    expect(strict).toMatchObject({ read: 4, kept: 1 });
    expect(strict.dropped.map(({ reason, count }) => [reason, count])).toEqual([
      ["weighted", 2],
      ["weight-zero", 1],
    ]);
    const loose = await midcourse("data", "convert", file, "--to", "trl-prompt-completion", "--ignore-weights", "--out", trl);
    expect(loose).toContain("2 examples were written without the weight they have.");
    expect(readFileSync(trl, "utf8").trim().split("\n")).toHaveLength(3);
    const heavy = write("heavy.jsonl", [conversation("d", "Who wrote Faust?", "Goethe.", 0.5)]);
    await expect(midcourse("data", "convert", heavy, "--to", "openai", "--out", trl)).rejects.toThrow(
      /cannot be written as openai.*weight 0\.5/,
    );
  });

  test("near-duplicates of a question, of a run's examples, and a similarity that is none", async () => {
    const file = write("questions.jsonl", [
      conversation("a", questions[0], "It is fourteen."),
      conversation("b", questions[0], "Eight and six are fourteen, so fourteen legs in all."),
    ]);
    const out = path.join(folder, "questions-out.jsonl");
    const by = async (...words: string[]) =>
      (JSON.parse(await midcourse("data", "convert", file, "--to", "openai", "--out", out, "--json", ...words)) as DataCard).kept;
    expect(await by("--near-duplicates", "0.9")).toBe(2);
    expect(await by("--near-duplicates", "0.9", "--near-duplicates-of", "question")).toBe(1);
    for (const similarity of ["0", "1.5", "much"]) {
      await expect(by("--near-duplicates", similarity), similarity).rejects.toThrow(/--near-duplicates/);
    }
    const usage = { calls: 1, inputTokens: 1, outputTokens: 1, milliseconds: 1 };
    const record = (item: string, content: string) => ({
      ...{
        v: 1,
        task: "sums",
        item,
        method: "vanilla",
        sample: 0,
        text: "Four.",
        answer: "Four.",
        accuracy: 1,
        reason: "done",
        usage,
      },
      events: [{ type: "attempt-end", attempt: 0, messages: [{ role: "user", content }], text: "Four.", usage }],
    });
    const run = path.join(folder, "near-run");
    mkdirSync(run);
    const records = [record("a", `${questions[0]} Think.`), record("b", `${questions[0]} Think!`), record("c", questions[1])];
    const near = record("d", `${questions[0]} Think hard.`);
    write("near-run/records.jsonl", [...records, near]);
    const card = await midcourse("data", "from-run", run, "--near-duplicates", "0.6", "--out", out, "--json");
    expect(JSON.parse(card)).toMatchObject({
      read: 4,
      kept: 2,
      examples: 2,
      figures: { "near-duplicates": { dropped: 1 } },
      dropped: [
        { reason: "duplicate", count: 1 },
        { reason: "near-duplicate", count: 1 },
      ],
    });
  });

  test("verl's Parquet, there and back", async () => {
    const file = write("graded.jsonl", [conversation("a", questions[0], "14"), conversation("b", "三加五？", "八")]);
    const out = path.join(folder, "graded.parquet");
    expect(await midcourse("data", "convert", file, "--to", "verl", "--out", out)).not.toContain("verl reads Parquet");
    const card = JSON.parse(await midcourse("data", "card", out, "--json")) as DataCard;
    expect(card).toMatchObject({ read: 2, kept: 2, figures: { format: { name: "verl" } } });
    const back = path.join(folder, "graded-back.jsonl");
    expect(await midcourse("data", "convert", out, "--to", "verl", "--out", back)).toContain("verl reads Parquet");
    expect(JSON.parse(readFileSync(back, "utf8").split("\n")[1])).toMatchObject({
      prompt: [{ role: "user", content: "三加五？" }],
      reward_model: { style: "rule", ground_truth: "八" },
      extra_info: { id: "b", index: 1 },
    });
  });
});
