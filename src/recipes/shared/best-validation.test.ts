import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRun, type RunDirectory } from "#record/run-directory.ts";
import { keepingBest, restoreBest } from "./best-validation.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "keep-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Weights that are one number. */
class OneNumber {
  weights = -1;
  async save(folder: string): Promise<void> {
    writeFileSync(path.join(folder, "config.json"), String(this.weights));
  }
  async restore(folder: string): Promise<void> {
    this.weights = Number(readFileSync(path.join(folder, "config.json"), "utf8"));
  }
}

/** Weights of the last step and those that are restored, after looks with these accuracies; the last `again` of them are made twice. */
async function trained(accuracies: readonly number[], again = 0) {
  const engine = new OneNumber();
  using run: RunDirectory = openRun(path.join(root, `run-${accuracies.join("-")}-${again}`), {
    command: "train pasr",
    options: {},
  });
  const look = keepingBest(engine, run, async (step) => ({ greedy: { accuracy: accuracies[step] } }));
  for (const step of accuracies.keys()) {
    engine.weights = step;
    const figures = await look(step, undefined);
    run.append("evaluations", { step, ...figures });
  }
  for (let step = accuracies.length - again; step < accuracies.length; step++) {
    engine.weights = step;
    await look(step, undefined);
  }
  const kept = await restoreBest(engine, run);
  return { kept, weights: engine.weights };
}

test("the weights that answered validation best are kept, the earlier of equals, the first ones where training only hurt", async () => {
  expect(await trained([0.2, 0.6, 0.9, 0.7])).toEqual({ kept: { step: 2, accuracy: 0.9 }, weights: 2 });
  expect(await trained([0.2, 0.9, 0.9])).toEqual({ kept: { step: 1, accuracy: 0.9 }, weights: 1 });
  expect(await trained([0.5, 0.4, 0.3])).toEqual({ kept: { step: 0, accuracy: 0.5 }, weights: 0 });
});

test("steps that are done again after a kill make the same choice", async () => {
  expect(await trained([0.2, 0.6, 0.9, 0.7], 3)).toEqual({ kept: { step: 2, accuracy: 0.9 }, weights: 2 });
  expect(await trained([0.2, 0.9, 0.6, 0.7], 2)).toEqual({ kept: { step: 1, accuracy: 0.9 }, weights: 1 });
});

test("a run without a validation accuracy has nothing to choose by, and says what to do", async () => {
  await expect(trained([Number.NaN])).rejects.toThrow("keep=last");
});
