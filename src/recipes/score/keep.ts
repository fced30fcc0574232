/**
 * Keeping the weights of a stage that were paid best while training, as SCoRe's paper does (arXiv 2409.12917, appendix), without a
 * validation set. Rewards of single steps are noise, so weights are ranked by the mean over a window of steps. What was seen and what is
 * kept travel with the loop's checkpoints, and a folder of weights is only removed once no checkpoint speaks of it: a run that is killed
 * anywhere and goes on makes the same choice.
 */
import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { makeFolder, replaceFolder } from "#files/durable.ts";
import { guarded } from "#files/file-failures.ts";
import type { JsonObject } from "#files/json-lines.ts";
import type { Engine } from "#kernel/engine.ts";
import { mean } from "#kernel/numbers.ts";
import type { RunDirectory } from "#record/run-directory.ts";

/** Weights after `step` steps; `reward` is the mean over the steps of the window that ended there. */
export type Kept = { step: number; reward: number };

/** Of one stage: its rewards of late, oldest first, and its best weights so far. */
export type KeepState = { rewards: number[]; best: Kept | null };

export const nothingKept: KeepState = { rewards: [], best: null };

export interface Keeping {
  engine: Engine;
  run: RunDirectory;
  /** Steps whose rewards are averaged. */
  window: number;
  /** Weights stand for choice after every so many steps, and at the end of the stage. */
  every: number;
}

export interface SeenStep {
  /** Steps done, this one included. */
  done: number;
  /** Mean reward of its conversations; absent where every one was dropped. */
  reward: number | undefined;
  isLastOfStage: boolean;
}

/** Takes in a step that was just made, and writes its weights down when they are the best so far. Ties stay with the earlier. */
export async function keepBest(
  keeping: Keeping,
  state: KeepState,
  { done, reward, isLastOfStage }: SeenStep,
): Promise<KeepState> {
  const { engine, run, window, every } = keeping;
  const rewards = (reward === undefined ? state.rewards : [...state.rewards, reward]).slice(-window);
  const stands = isLastOfStage ? rewards.length > 0 : rewards.length === window && done % every === 0;
  const meanReward = mean(rewards);
  if (!stands || (state.best !== null && meanReward <= state.best.reward)) return { rewards, best: state.best };
  const best = { step: done, reward: meanReward };
  makeFolder(rootOf(run));
  await replaceFolder(keptFolder(run, best), (folder) => engine.save(folder));
  removeOthers(run, [best, keepStateOf(run.newestCheckpoint?.state).best]);
  return { rewards, best };
}

export function keptFolder(run: RunDirectory, { step }: Kept): string {
  return path.join(rootOf(run), `step-${step}`);
}

/** Empty for a checkpoint that knows of no choice. */
export function keepStateOf(state: JsonObject | undefined): KeepState {
  return { ...nothingKept, ...(state as KeepState | undefined) };
}

function rootOf(run: RunDirectory): string {
  return path.join(run.folder, "best-reward");
}

function removeOthers(run: RunDirectory, needed: readonly (Kept | null)[]): void {
  const folders = needed.flatMap((kept) => (kept === null ? [] : [keptFolder(run, kept)]));
  for (const name of readdirSync(rootOf(run))) {
    const folder = path.join(rootOf(run), name);
    if (!folders.includes(folder)) guarded(`remove ${folder}`, () => rmSync(folder, { recursive: true, force: true }));
  }
}
