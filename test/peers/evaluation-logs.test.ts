/**
 * Exported runs are read by the programs they are meant for: Inspect's own log reader, and lm-evaluation-harness's description of its
 * result files. Needs a Python with inspect_ai and lm_eval, named by MIDCOURSE_PYTHON (python3 otherwise); skips with the reason without.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { exportInspect } from "#evaluation/export/inspect.ts";
import { exportLmEval } from "#evaluation/export/lm-eval.ts";
import { exampleBenchmark, exampleMethods } from "../support/example-benchmark.ts";
import { exampleBenchmarkData } from "../support/example-benchmark-data.ts";

const python = process.env.MIDCOURSE_PYTHON ?? "python3";
const folder = mkdtempSync(path.join(tmpdir(), "midcourse-logs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { records, items } = exampleBenchmark({ samples: 2 });
const { results } = exampleBenchmarkData({ run: "first", samples: 2 });
const plan = { results, records, itemsOf: (task: string) => items.get(task) ?? [], date: new Date("2026-01-02T03:04:05Z") };

interface Reading {
  missing?: string;
  version: string;
  logs: {
    task: string;
    solver: string;
    status: string;
    samples: number;
    epochs: number[];
    accuracy: number;
    mean: number;
    usage: Record<string, number>;
    events: string[];
    errors: number;
  }[];
  files: { file: string; samples: number; strict: number; repeats: number }[];
  unknown: string[];
}

/** What the peer read, or why it could not. */
function readWith(peer: "inspect" | "lm_eval", where: string): Reading | undefined {
  let reading: Reading;
  try {
    const script = path.join(import.meta.dirname, "evaluation_logs.py");
    reading = JSON.parse(execFileSync(python, [script, peer, where], { encoding: "utf8", maxBuffer: 1e8 }).split("\n").at(-2)!);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    reading = { missing: `there is no ${python}` } as Reading;
  }
  if (reading.missing === undefined) {
    console.log(`Read with ${peer} ${reading.version}.`);
    return reading;
  }
  console.log(`Skipped: ${peer} cannot read logs (${reading.missing}); name a Python that has it in MIDCOURSE_PYTHON.`);
  return undefined;
}

test("Inspect reads every log, and its means are ours", ({ skip }) => {
  exportInspect({ ...plan, folder: path.join(folder, "inspect") });
  const reading = readWith("inspect", path.join(folder, "inspect"));
  if (!reading) return skip();
  expect(reading.logs.length).toBe(2 * exampleMethods.length);
  for (const { task, solver, status, samples, epochs, accuracy, mean, usage } of reading.logs) {
    const taskResult = results.tasks.find((candidate) => candidate.task === task)!;
    const method = taskResult.methods.find(({ id }) => id === solver)!;
    expect({ status, samples, epochs }).toEqual({ status: "success", samples: 2 * taskResult.items, epochs: [1, 2] });
    expect(accuracy).toBeCloseTo(method.accuracy, 9);
    expect(mean).toBeCloseTo(method.accuracy, 9);
    const known = method.tokensPerAnswer;
    expect(Object.values(usage)).toEqual(known === undefined ? [] : [Math.round(known * method.answers)]);
  }
  const debate = reading.logs.find(({ solver }) => solver === "debate")!;
  expect(debate.events).toEqual(["ModelEvent", "ModelEvent", "ModelEvent", "ModelEvent"]);
  expect(reading.logs.find(({ solver, task }) => solver === "silent" && task === "sums")!.errors).toBe(8);
});

test("lm-evaluation-harness finds the fields it describes, and its hashes", ({ skip }) => {
  exportLmEval({ ...plan, folder: path.join(folder, "lm-eval") });
  const reading = readWith("lm_eval", path.join(folder, "lm-eval"));
  if (!reading) return skip();
  expect(reading.unknown).toEqual([]);
  expect(reading.files.length).toBe(2 * exampleMethods.length);
  for (const { file, samples, strict, repeats } of reading.files) {
    const count = file.includes("samples_sums") ? 48 : 30;
    expect({ samples, strict, repeats }).toEqual({ samples: 2 * count, strict: count, repeats: 2 });
  }
});
