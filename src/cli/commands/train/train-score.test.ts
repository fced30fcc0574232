import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { chosenOptions } from "#recipes/run-recipe.ts";
import { paperCodeScoreOptions, paperScoreOptions, retryRequest, smallWorldScoreOptions } from "#recipes/score/options.ts";
import { score } from "#recipes/score/recipe.ts";
import { fileSource } from "#recipes/sources/file-source.ts";
import type { Source } from "#recipes/sources/source.ts";
import { worldSource } from "#recipes/sources/world-source.ts";
import { readRun } from "#record/run-directory.ts";
import { launch, midcourse } from "../../../../test/support/command.ts";
import { recipeCommand, recipeRun } from "./train.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), "train-score-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

const run = (...words: string[]) => midcourse("train", "score", "--items", "6", "--threads", "1", ...words);

const tiny = ["samples=2", "questionsPerStep=2", "maxTokens=24"];

test("both turns before and after, the usual table, curves for TensorBoard; the same command again gives the same", async () => {
  const out = path.join(root, "score");
  const words = ["--steps=3", "--out", out, "--tensorboard", path.join(root, "curves"), "--set", ...tiny];
  const shown = await run(...words);
  for (const title of ["turn 1", "turn 2", "Δ (95 %)", "wrong→right", "right→wrong", "base score"])
    expect(shown).toContain(title);
  expect(shown).toMatch(/^base +\d+\.\d +\d+\.\d .*\ntrained +\d+\.\d +\d+\.\d /m);
  expect(shown).toContain("kept     step 3, the last");
  expect(readdirSync(path.join(root, "curves", "score"))).toHaveLength(1);
  expect(existsSync(path.join(out, "model", "model.safetensors"))).toBe(true);
  expect(readRun(out).metrics.map((line) => line.stage)).toEqual([1, 2, 2]);
  const results = readFileSync(path.join(out, "results.json"), "utf8");
  const { tasks, turns } = JSON.parse(results);
  const { methods } = tasks[0];
  expect(methods.map(({ id }: { id: string }) => id)).toEqual(["vanilla", "base score", "score"]);
  expect(turns.base.turn1).toBe(methods[0].accuracy);
  expect(turns.trained.turn2).toBe(methods[2].accuracy);
  expect(turns.base.wrongToRight - turns.base.rightToWrong).toBeCloseTo(turns.base.delta, 12);
  expect(await run(...words)).toBe(shown);
  expect(JSON.parse(await run(...words, "--json"))).toEqual(JSON.parse(results));
  await expect(run("--out", out, "--set", ...tiny, "progressBonus=0")).rejects.toThrow("score.progressBonus");
}, 60_000);

test("an adapter with dropout on a file of questions", async () => {
  const data = path.join(root, "questions.csv");
  const lines = Array.from({ length: 60 }, (_, index) => `${index} + 1 =,${index + 1}`);
  writeFileSync(data, `question,answer\n${lines.join("\n")}\n`);
  const out = path.join(root, "file");
  await run("--data", data, "--lora=2", "--lora-dropout=0.2", "--steps=2", "--out", out, "--set", ...tiny);
  const adapter = JSON.parse(readFileSync(path.join(out, "model", "adapter_config.json"), "utf8"));
  expect(adapter).toMatchObject({ r: 2, lora_alpha: 4, lora_dropout: 0.2 });
  expect(readRun(out).configuration.options).toMatchObject({ lora: 2, loraDropout: 0.2 });
}, 60_000);

test("killed with no chance to say so and started again, it keeps the same weights and measures the same", async () => {
  const set = ["--set", ...tiny, "stageOneSteps=2", "stageTwoSteps=20", "keep=best-reward", "rewardWindow=2"];
  const words = (out: string) => ["--out", out, ...set];
  const [straight, killed] = [path.join(root, "straight", "run"), path.join(root, "killed", "run")];
  await run(...words(straight));
  const { child, finished } = launch(["train", "score", "--items", "6", "--threads", "1", ...words(killed)]);
  while (child.exitCode === null && !existsSync(path.join(killed, "checkpoints", "step-20"))) await setTimeout(5);
  child.kill("SIGKILL");
  await finished;
  await run(...words(killed));
  const results = (folder: string) => JSON.parse(readFileSync(path.join(folder, "results.json"), "utf8"));
  expect(results(killed)).toEqual(results(straight));
  expect(results(killed).kept.reward).toBeTypeOf("number");
  const weights = (folder: string) => readFileSync(path.join(folder, "model", "model.safetensors"));
  expect(weights(killed).equals(weights(straight))).toBe(true);
  const plain = (folder: string) => readRun(folder).metrics.map(({ timing: _, ...line }) => line);
  expect(plain(killed)).toEqual(plain(straight));
}, 90_000);

describe("options", () => {
  const optionsOf = (words: string[], source: Source) =>
    chosenOptions(score, source, recipeRun(score, recipeCommand(score).parse(words, { from: "user" })));

  test("each preset as it is; small ones fit the source, and a total of steps is divided as the stages are", async () => {
    expect(optionsOf([], worldSource)).toEqual(smallWorldScoreOptions);
    expect(optionsOf(["--preset=paper"], worldSource)).toEqual(paperScoreOptions);
    expect(optionsOf(["--preset=paper-code"], worldSource)).toEqual(paperCodeScoreOptions);
    const data = path.join(root, "more.csv");
    writeFileSync(data, "question,answer\n1 + 1 =,2\n1 + 2 =,3\n");
    const source = await fileSource({ train: data, seed: 1 });
    const fitted = optionsOf([], source);
    expect(fitted).toMatchObject({ maxTokens: source.maxTokens, prompts: { system: source.prompts.plain, retry: retryRequest } });
    const steps = (total: number, ...set: string[]) => {
      const { stageOneSteps, stageTwoSteps } = optionsOf(
        [`--steps=${total}`, ...set.map((each) => `--set=${each}`)],
        worldSource,
      );
      return [stageOneSteps, stageTwoSteps];
    };
    expect(steps(9)).toEqual([3, 6]);
    expect(steps(1)).toEqual([0, 1]);
    expect(steps(10, "stageOneSteps=0")).toEqual([0, 10]);
  });

  test.each([
    [["--set", "samples=1"], "samples=1 is not a whole number from 2"],
    [["--set", "stageOneSteps=1.5"], "stageOneSteps=1.5 is not a whole number"],
    [["--set", "credit=both"], "one of own-turn, to-go"],
    [["--set", "refinedSamples=4"], "score has no option “refinedSamples”"],
    [["--lora-dropout", "0.1"], "--lora-dropout without --lora"],
    [["--lora", "2", "--lora-dropout", "1"], "below 1"],
    [["--preset", "large"], "score has no preset “large”"],
  ])("%j is refused before anything is written: %s", async (words, reason) => {
    const out = path.join(root, "refused");
    await expect(run("--out", out, ...words)).rejects.toThrow(reason);
    expect(existsSync(out)).toBe(false);
  });
});
