import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRun, readRun } from "#record/run-directory.ts";
import { example, makeEngine } from "../../../test/support/refine-world.ts";
import { defaultSftOptions, type SupervisedTraining, trainSupervised } from "./recipe.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "sft-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const options = { ...defaultSftOptions, steps: 40, tokensPerStep: 200, maxTokens: 20, learningRate: 0.1, warmupSteps: 5 };
const validation = Array.from({ length: 30 }, (_, index) => example(1_000_000 + index));

async function play(name: string, more: Partial<SupervisedTraining> = {}) {
  const engine = makeEngine();
  const folder = path.join(root, name);
  using run = openRun(folder, { command: "train sft", options: {} });
  const result = await trainSupervised({ engine, examples: example, validation, options, run, evaluateEvery: 10, ...more });
  return { result, engine, record: readRun(folder), evaluations: run.readLines("evaluations") };
}

test("learns, and the validation loss says so", async () => {
  const { record, evaluations, result } = await play("a", { evaluate: async (stepsDone) => ({ accuracy: stepsDone / 40 }) });
  expect(result.finished).toBe(true);
  expect(evaluations.map((line) => line.step)).toEqual([0, 10, 20, 30, 40]);
  expect(evaluations.at(-1)).toMatchObject({ accuracy: 1 });
  expect(evaluations.at(-1)?.validationLoss).toBeLessThan(0.25 * (evaluations[0].validationLoss as number));
  expect(record.metrics).toHaveLength(40);
  expect(record.metrics[4].learningRate).toBeCloseTo(0.1, 12);
  expect(record.metrics[39].learningRate).toBeCloseTo(0.005, 12);
});

test("stopped and gone on with, it takes the same examples and ends with the same weights", async () => {
  const straight = await play("a");
  const abort = new AbortController();
  const onProgress: SupervisedTraining["onProgress"] = ({ stepsDone }) => {
    if (stepsDone === 17) abort.abort();
  };
  const stopped = await play("b", { signal: abort.signal, onProgress });
  expect(stopped.result).toMatchObject({ finished: false, stepsDone: 17 });
  const resumed = await play("b");
  expect(resumed.engine.weights).toEqual(straight.engine.weights);
  expect(resumed.result.state).toEqual(straight.result.state);
  const plain = (lines: object[]) => lines.map((line) => ({ ...line, timing: undefined }));
  expect(plain(resumed.record.metrics)).toEqual(plain(straight.record.metrics));
});
