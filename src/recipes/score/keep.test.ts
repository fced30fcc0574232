import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRun } from "#record/run-directory.ts";
import { makeTurnEngine } from "../../../test/support/turn-world.ts";
import { type KeepState, keepBest, keepStateOf, nothingKept } from "./keep.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), "score-keep-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A checkpoint after every second step. */
async function kept(name: string, rewards: readonly (number | undefined)[], window: number) {
  const engine = makeTurnEngine();
  using run = openRun(path.join(root, name), { command: "test", options: {} });
  let state: KeepState = nothingKept;
  for (const [step, reward] of rewards.entries()) {
    const seen = { done: step + 1, reward, isLastOfStage: step + 1 === rewards.length };
    state = await keepBest({ engine, run, window, every: 2 }, state, seen);
    if (step % 2 === 1) await run.checkpoint(step + 1, (folder) => engine.save(folder), { samplerStep: step + 1, state });
    expect(keepStateOf(run.newestCheckpoint?.state).rewards.length).toBeLessThanOrEqual(window);
  }
  const folders = state.best === null ? [] : readdirSync(path.join(root, name, "best-reward"));
  return { best: state.best, folders };
}

test("a lucky step does not win over a steady stretch; with a window of one step it does", async () => {
  const rewards = [0, 3, 0, 0, 1, 1, 1, 1, 0, 0, 0];
  expect((await kept("steady", rewards, 4)).best).toEqual({ step: 8, reward: 1 });
  expect((await kept("lucky", rewards, 1)).best).toEqual({ step: 2, reward: 3 });
});

test("the folder of the best stays, and beside it at most the one the newest checkpoint still speaks of", async () => {
  const { best, folders } = await kept("rising", [1, 2, 3, 4, 5, 6, 7, 8, 9], 2);
  expect(best).toEqual({ step: 9, reward: 8.5 });
  expect(folders.sort()).toEqual(["step-8", "step-9"]);
});

test("equal rewards keep the earlier weights; steps whose questions were all dropped say nothing", async () => {
  expect((await kept("equal", [1, 1, 1, 1, 1], 2)).best).toEqual({ step: 2, reward: 1 });
  expect((await kept("dropped", [1, undefined, undefined, 2, undefined], 2)).best).toEqual({ step: 4, reward: 1.5 });
  expect((await kept("nothing", [undefined, undefined], 2)).best).toBeNull();
});
