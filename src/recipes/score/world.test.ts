/** SCoRe on the shipped model and its own template, for a step of each stage. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { openRun } from "#record/run-directory.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { worldSource } from "../sources/world-source.ts";
import { smallWorldScoreOptions } from "./options.ts";
import { type ScoreMetrics, stageOneFolder, trainScore } from "./recipe.ts";

const root = mkdtempSync(path.join(tmpdir(), "score-world-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("the real engine and template: on-policy to rounding, held by KL, and stage I is a model of its own", async () => {
  const base = path.join(import.meta.dirname, "../../../models/base");
  const tokenizer = await Tokenizer.load(base);
  const engine = await EmbeddedEngine.open({ folder: base });
  const seen: ScoreMetrics[] = [];
  try {
    using run = openRun(path.join(root, "run"), { command: "train score", options: {} });
    const result = await trainScore({
      engine,
      tokenizer,
      run,
      seed: 1,
      items: worldSource.problems(1),
      judge: worldSource.verify,
      options: { ...smallWorldScoreOptions, questionsPerStep: 12, stageOneSteps: 1, stageTwoSteps: 1 },
      rolloutsEvery: 1,
      onProgress: ({ metrics }) => seen.push(metrics),
    });
    expect(result).toMatchObject({ finished: true, stepsDone: 2 });
    expect(seen.map(({ stage, conversations, updates }) => [stage, conversations, updates])).toEqual([
      [1, 48, 1],
      [2, 48, 1],
    ]);
    for (const { samplerGap, droppedShare } of seen) {
      expect(samplerGap).toBeLessThan(1e-3);
      expect(droppedShare).toBe(0);
    }
    expect(seen[0].turns.turn1.kl).toBeLessThan(1e-6);
    expect(seen[0].equalRewardsShare).toBeLessThan(1);
    expect(seen[1].turns.turn2.kl).toBeGreaterThan(1e-6);
    expect(JSON.stringify(run.readLines("rollouts")[0])).toContain("<answer>");
    const stageOne = await EmbeddedEngine.open({ folder: path.join(run.folder, stageOneFolder) });
    try {
      const probe = [{ ids: [1, 2, 3], start: 1 }];
      const [own, first] = [await engine.logprobs(probe), await stageOne.logprobs(probe)];
      expect(Array.from(own[0])).not.toEqual(Array.from(first[0]));
    } finally {
      await stageOne.close();
    }
    expect((await Tokenizer.load(path.join(run.folder, stageOneFolder))).stopIds).toEqual(tokenizer.stopIds);
  } finally {
    await engine.close();
  }
});
