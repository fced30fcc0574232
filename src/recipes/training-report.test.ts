import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readRun } from "#record/run-directory.ts";
import { midcourse } from "../../test/support/command.ts";

let root: string;
/** A training on questions the shipped model has never seen the like of. */
let run: string;
let shown: string;
const data = () => path.join(root, "questions.csv");
const words = (out: string, file = data()) => [
  ...["train", "pasr", "--data", file, "--items", "3", "--threads", "1", "--steps=6", "--out", out],
  ...["--set", "maxTokens=16", "questionsPerStep=2", "refinedSamples=2", "plainSamples=2"],
];
const writeQuestions = (file: string, answer: (index: number) => string) => {
  const lines = Array.from({ length: 30 }, (_, index) => `Who is number ${index}?,${answer(index)}`);
  writeFileSync(file, `question,answer\n${lines.join("\n")}\n`);
};

beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), "training-report-"));
  writeQuestions(data(), (index) => `Person <b>${index}</b>`);
  run = path.join(root, "own");
  shown = await midcourse(...words(run));
}, 120_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("every training leaves a page: curves, groups of answers with their rewards, and the model before and after", () => {
  expect(shown).toContain(`report   ${path.join(run, "report.html")}`);
  const page = readFileSync(path.join(run, "report.html"), "utf8");
  for (const words of ["own, train pasr", "Answers in training", "before training", "after training", "refined, trained"])
    expect(page).toContain(words);
  expect(page).toMatch(/reward -?−?\d/);
  expect(page).toContain("Person &lt;b&gt;");
  expect(page).not.toContain("Person <b>");
  expect(page).toContain("Items and traces");
});

test("report makes the page again, of one training or of several", async () => {
  const one = path.join(root, "one.html");
  await midcourse("report", run, "--out", one);
  expect(readFileSync(one, "utf8")).toBe(readFileSync(path.join(run, "report.html"), "utf8"));
  const two = path.join(root, "two.html");
  const table = await midcourse("report", run, path.join(run, "..", "own"), "--out", two);
  expect(table).toContain("copy of the other");
  expect(readFileSync(two, "utf8")).toContain("Runs compared");
});

test("a training that has nothing to learn from says so after its first steps, in its record too", () => {
  const notes = readRun(run).events.map(({ message }) => String(message));
  expect(notes.some((note) => note.includes("train sft"))).toBe(true);
});

test("a training goes on with the same file under another name, and refuses another content with both names", async () => {
  const moved = path.join(root, "moved.csv");
  copyFileSync(data(), moved);
  expect(await midcourse(...words(run, moved))).toContain(`run      ${run}`);
  const other = path.join(root, "other.csv");
  writeQuestions(other, (index) => `Another ${index}`);
  await expect(midcourse(...words(run, other))).rejects.toThrow(/data\.content .*data\.name .*questions\.csv.*other\.csv/);
  await expect(midcourse(...words(run), "--answer", "question")).rejects.toThrow("columns.answer");
}, 60_000);

test("supervised training measures its loss on held-out questions, and has a page of its curves", async () => {
  const out = path.join(root, "sft");
  await midcourse(
    "train",
    "sft",
    "--data",
    data(),
    "--items",
    "2",
    "--threads",
    "1",
    "--steps=20",
    "--size",
    "tiny",
    "--out",
    out,
  );
  const lines = readFileSync(path.join(out, "evaluations.jsonl"), "utf8").trim().split("\n");
  const { validationTokens } = JSON.parse(lines[lines.length - 1]);
  // Three of thirty questions are held out, each once; a stream of trained ones would have hundreds of tokens more.
  expect(validationTokens).toBeLessThan(200);
  expect(readFileSync(path.join(out, "report.html"), "utf8")).toContain("sft, train sft");
}, 60_000);
