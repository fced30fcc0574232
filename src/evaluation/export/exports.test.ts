import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { Item } from "#kernel/item.ts";
import type { EvaluationRecord } from "../records/evaluation-record.ts";
import { slimRecord } from "../records/slim-record.ts";
import { summarise } from "../summary/summary.ts";
import { fileName } from "./files.ts";
import { exportInspect } from "./inspect.ts";
import { exportLmEval } from "./lm-eval.ts";

const root = mkdtempSync(path.join(os.tmpdir(), "midcourse-exports-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const items: Item[] = ["a", "b"].map((id) => ({ id, question: `Question ${id} 𝄞?`, answer: "4", alternatives: ["four"] }));
const usage = { calls: 1, inputTokens: 10, outputTokens: 5, milliseconds: 1 };

function record(
  method: string,
  item: string,
  sample: number,
  accuracy: number,
  more: Partial<EvaluationRecord> = {},
): EvaluationRecord {
  const text = `The answer is ${accuracy === 1 ? 4 : 5}.`;
  return {
    task: "sums",
    item,
    method,
    sample,
    text,
    answer: text,
    extracted: accuracy === 1 ? "4" : "5",
    accuracy,
    strictAccuracy: 0,
    verdict: "missing-think",
    refinements: 0,
    reason: "done",
    usage,
    events: [
      { type: "attempt-end", attempt: 0, messages: [{ role: "user", content: "Asked." }], text, usage },
      { type: "check-end", attempt: 0, by: "judge", passed: true, text: "fine", usage },
    ],
    ...more,
  };
}

// Samples arrive out of order, and the last answer of an item is missing.
const records = [
  record("refine a/b", "a", 1, 0),
  record("refine a/b", "a", 0, 1),
  record("refine a/b", "b", 0, 1, { extracted: undefined, error: "refused", usage: { ...usage, outputTokens: undefined } }),
  record("resampling", "a", 0, 1),
  record("refine a/b", "gone", 0, 1),
];
const results = summarise({
  run: "r",
  model: "m",
  command: "c",
  version: "0",
  seed: 1,
  temperature: 0.5,
  samples: 2,
  tasks: [{ id: "sums", items: 2, votable: true, promptVersion: "sums-1" }],
  records: records.map((entry) => slimRecord(entry)),
});
let counter = 0;
let folder: string;
beforeEach(() => {
  folder = path.join(root, String(counter++));
});
const plan = () => ({ folder, results, records, itemsOf: () => items, date: new Date("2026-01-02T03:04:05.678Z") });

describe("for lm-evaluation-harness", () => {
  test("each method has a folder with its samples, answers to one item together, and its results", () => {
    const files = exportLmEval(plan());
    const name = fileName("refine a/b");
    expect(files.map((file) => path.relative(folder, file))).toEqual([
      path.join(name, "samples_sums_2026-01-02T03-04-05.678.jsonl"),
      path.join(name, "results_2026-01-02T03-04-05.678.json"),
    ]);
    const lines = readFileSync(files[0], "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ doc_id, filter, acc }) => [doc_id, filter, acc])).toEqual([
      [0, "flexible-extract", 0.5],
      [0, "strict-match", 0],
      [1, "flexible-extract", 1],
      [1, "strict-match", 0],
    ]);
    expect(lines[0]).toMatchObject({
      doc: { id: "a", question: "Question a 𝄞?", answer: "4", alternatives: ["four"] },
      target: "4",
      arguments: { gen_args_0: { arg_0: '[{"role":"user","content":"Asked."}]', arg_1: { temperature: 0.5 } } },
      resps: [["The answer is 4.", "The answer is 5."]],
      filtered_resps: [["4", "5"]],
      metrics: ["acc"],
    });
    expect(lines[2]).toMatchObject({ resps: [["The answer is 4."]], filtered_resps: ["[invalid]"] });
    const summary = JSON.parse(readFileSync(files[1], "utf8"));
    expect(summary.results.sums).toMatchObject({ alias: "sums", "acc_stderr,strict-match": "N/A" });
    expect(summary).toMatchObject({ versions: { sums: "sums-1" }, "n-samples": { sums: { original: 2 } } });
  });
});

describe("for Inspect", () => {
  test("each task and method has a log with every answer as a sample of its epoch", () => {
    const [file, ...others] = exportInspect(plan());
    expect(others).toEqual([]);
    const log = JSON.parse(readFileSync(file!, "utf8"));
    expect(log).toMatchObject({ version: 2, eval: { task: "sums", solver: "refine a/b", config: { epochs: 2 } } });
    expect(log.samples.map(({ id, epoch }: { id: string; epoch: number }) => [id, epoch])).toEqual([
      ["a", 2],
      ["a", 1],
      ["b", 1],
    ]);
    expect(log.samples[0]).toMatchObject({
      input: [{ role: "user", content: "Asked." }],
      target: ["4", "four"],
      scores: { accuracy: { value: 0, answer: "5" }, "strict accuracy": { value: 0 } },
      model_usage: { m: { input_tokens: 10, output_tokens: 5, total_tokens: 15 } },
    });
    expect(log.samples[0].events.map(({ event }: { event: string }) => event)).toEqual(["model", "info"]);
    // Headers are read up to the samples.
    expect(Object.keys(log).at(-1)).toBe("samples");
  });

  test("unknown tokens stay unknown, and failures are errors", () => {
    const log = JSON.parse(readFileSync(exportInspect(plan())[0], "utf8"));
    expect(log.stats.model_usage).toEqual({});
    const failed = log.samples[2];
    expect(failed).toMatchObject({ model_usage: {}, error: { message: "refused" } });
    expect("usage" in failed.output).toBe(false);
    expect("answer" in failed.scores.accuracy).toBe(false);
  });
});

test("a run without answers exports nothing but ends well", () => {
  expect(exportInspect({ ...plan(), records: [] })).toEqual([]);
  expect(exportLmEval({ ...plan(), records: [], results: { ...results, overall: [] } })).toEqual([]);
});

test("names are safe in file systems, and different ones stay different", () => {
  expect(fileName("self-refine")).toBe("self-refine");
  expect(fileName("../../etc/passwd")).not.toContain("/");
  expect(fileName("a(b=1)")).not.toBe(fileName("a[b=1]"));
  expect(fileName("x".repeat(300)).length).toBeLessThan(100);
  expect(fileName("..")).not.toBe("..");
  expect(readdirSync(root).every((name) => /^\d+$/.test(name))).toBe(true);
});
