import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Item } from "#kernel/item.ts";
import { openRun, readRun } from "#record/run-directory.ts";
import { shuffledStream } from "#training/stream.ts";
import { items, makeBase, prompts, stopId, tokenizer, verifier } from "../../../test/support/refine-world.ts";
import type { TabularEngine } from "../../../test/support/tabular-engine.ts";
import { type PasrOptions, paperPasrOptions, smallWorldPasrOptions } from "./options.ts";
import { type PasrTraining, trainPasr } from "./recipe.ts";

let root: string;
let base: TabularEngine;
beforeAll(async () => {
  base = await makeBase();
});
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "pasr-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const options: PasrOptions = {
  ...paperPasrOptions,
  prompts,
  maxTokens: 16,
  questionsPerStep: 8,
  steps: 60,
  learningRate: 0.05,
  samplerRefresh: 1,
};

async function play(name: string, changed: Partial<PasrOptions> = {}, more: Partial<PasrTraining> = {}) {
  const engine = (await base.freeze()) as TabularEngine;
  const folder = path.join(root, name);
  using run = openRun(folder, { command: "train pasr", options: {} });
  const result = await trainPasr({
    engine,
    tokenizer,
    items: shuffledStream<Item>(items, 5),
    judge: verifier,
    options: { ...options, ...changed },
    seed: 11,
    run,
    ...more,
  });
  return { result, engine, metrics: readRun(folder).metrics as Record<string, number>[], rollouts: run.readLines("rollouts") };
}

const mean = (lines: Record<string, number>[], name: string) => lines.reduce((sum, line) => sum + line[name], 0) / lines.length;

/** How often the trained policy refines, by kind of question, and how often it is right. */
async function probe(engine: TabularEngine) {
  const ask = items.map((item) =>
    tokenizer.encodeConversation([
      { role: "system", content: prompts.refine },
      { role: "user", content: item.question },
    ]),
  );
  const samples = await engine.sample(ask, { n: 200, maxTokens: 16, temperature: 1, stopIds: [stopId], seed: 1 });
  const share = (kind: string, of: (text: string, item: Item) => boolean) => {
    const texts = items.flatMap((item, index) =>
      item.group === kind ? samples[index].map((each) => of(tokenizer.decode(each.ids), item)) : [],
    );
    return texts.filter(Boolean).length / texts.length;
  };
  const refines = (text: string) => text.includes("<refine>");
  const isRight = (text: string, item: Item) => text.endsWith(`<answer>${item.answer}</answer>`);
  return {
    refinesEasy: share("easy", refines),
    refinesHard: share("hard", refines),
    right: (share("easy", isRight) + share("hard", isRight)) / 2,
  };
}

describe("training with PASR", () => {
  test("raises reward and accuracy and learns where to refine", async () => {
    const before = await probe(base);
    const { engine, metrics, result } = await play("a");
    const after = await probe(engine);
    expect(result.finished).toBe(true);
    expect(mean(metrics.slice(-10), "reward")).toBeGreaterThan(mean(metrics.slice(0, 10), "reward") + 0.3);
    expect(after.right).toBeGreaterThan(before.right + 0.08);
    expect(after.refinesEasy).toBeLessThan(0.3 * before.refinesEasy);
    expect(after.refinesHard).toBeGreaterThan(1.2 * before.refinesHard);
  }, 120_000);

  test("any refinement rewarded: refining rises everywhere, also where it harms", async () => {
    const before = await probe(base);
    const { engine } = await play("a", { refineReward: "any-refinement" });
    const after = await probe(engine);
    expect(before.refinesEasy).toBeLessThan(0.65);
    expect(after.refinesEasy).toBeGreaterThan(0.9);
    expect(after.refinesHard).toBeGreaterThan(0.9);
  }, 120_000);

  test("a loss on plain answers makes them better too, and a KL on them holds them where they were", async () => {
    const plain = (metrics: Record<string, number>[]) =>
      mean(metrics.slice(-10), "accuracyPlain") - mean(metrics.slice(0, 10), "accuracyPlain");
    const alone = await play("a", { refineReward: "none" });
    const weighted = await play("b", { refineReward: "none", plainWeight: 1 });
    expect(plain(weighted.metrics)).toBeGreaterThan(plain(alone.metrics) + 0.02);
    const loose = await play("c", { refineReward: "none", plainWeight: 1, klCoefficient: 0 });
    const held = await play("d", { refineReward: "none", plainWeight: 1, klCoefficient: 0, plainKlCoefficient: 3 });
    expect(Math.abs(plain(held.metrics))).toBeLessThan(0.7 * Math.abs(plain(loose.metrics)));
  }, 120_000);

  test("with a lagging sampler it learns too", async () => {
    const { metrics } = await play("a", { samplerRefresh: 4 });
    expect(mean(metrics.slice(-10), "reward")).toBeGreaterThan(mean(metrics.slice(0, 10), "reward") + 0.2);
    expect(metrics.slice(1, 4).some((line) => line.clipFraction > 0)).toBe(true);
  }, 120_000);

  test("records one line a step with terms, rates and timing, and some answers to read", async () => {
    const { metrics, rollouts } = await play("a", { steps: 11 });
    expect(metrics).toHaveLength(11);
    for (const name of [
      "reward",
      "accuracyRefined",
      "accuracyPlain",
      "formatRate",
      "refinements",
      "tokensRefined",
      "tokensPlain",
      "droppedShare",
      "kl",
      "clipFraction",
      "gradientNorm",
      "learningRate",
    ]) {
      expect(metrics[0][name], name).toBeTypeOf("number");
    }
    expect(metrics[0].rewardTerms).toHaveProperty("refine");
    expect(metrics[0].timing).toHaveProperty("tokensPerSecond");
    expect(rollouts.map((line) => line.step)).toEqual([1, 11]);
    expect(rollouts[0]).toMatchObject({ item: { id: expect.stringMatching(/^q\d$/) } });
    expect(rollouts[0].refined).toHaveLength(8);
  });

  test("the same seed gives the same run, and the schedule is followed", async () => {
    const first = await play("a", { steps: 5, schedule: "linear", warmupSteps: 2 });
    const second = await play("b", { steps: 5, schedule: "linear", warmupSteps: 2 });
    expect(first.engine.weights).toEqual(second.engine.weights);
    expect(first.metrics.map((line) => line.learningRate)).toEqual([0.025, 0.05, 0.05, 0.025, 0]);
    const other = await play("c", { steps: 5 }, { seed: 12 });
    expect(other.engine.weights).not.toEqual(first.engine.weights);
  });

  test("a judge that fails costs its questions, and the record says which and why", async () => {
    const judge: PasrTraining["judge"] = async (item, answer, completion) => {
      if (item.id === "q1") throw new Error("503 from the judge");
      return verifier(item, answer, completion);
    };
    const { metrics } = await play("a", { steps: 3 }, { judge });
    expect(metrics.map((line) => (line.dropped as unknown as Record<string, number>)["failed-grading"])).toEqual([
      0.25, 0.25, 0.25,
    ]);
    const notes = readRun(path.join(root, "a")).events.filter((event) => event.type === "note");
    expect(notes[0]).toMatchObject({ step: 1, item: "q1", message: "grading failed: 503 from the judge" });
  });

  test("a thought that the template opens is part of the answer, and one that is opened again breaks the format", async () => {
    const opening = { ...tokenizer, openedThought: () => "<think>" };
    const { metrics, rollouts } = await play("a", { steps: 1 }, { tokenizer: opening });
    // Here the model writes the tag itself, so that the answer has it twice.
    expect(metrics[0].formatRate).toBe(0);
    expect(JSON.stringify(rollouts)).toContain("<think><think>");
    const short = { ...opening, decode: (ids: readonly number[]) => tokenizer.decode(ids).replace("<think>", "") };
    const whole = await play("b", { steps: 1 }, { tokenizer: short });
    expect(whole.metrics[0].formatRate).toBeGreaterThan(0.5);
  });

  test("without KL no reference is kept", async () => {
    const openReference = async () => {
      throw new Error("nobody needs it");
    };
    const { metrics } = await play("a", { steps: 2, klCoefficient: 0 }, { openReference });
    expect(metrics[0].kl).toBeUndefined();
    await expect(play("b", { steps: 2 }, { openReference })).rejects.toThrow("nobody needs it");
  });
});

describe("options", () => {
  test("the paper's constants", () => {
    expect(paperPasrOptions).toMatchObject({
      refinedSamples: 8,
      plainSamples: 8,
      temperature: 0.9,
      maxTokens: 1500,
      learningRate: 1e-6,
      clipLow: 0.2,
      clipHigh: 0.2,
      klCoefficient: 0.04,
      samplerRefresh: 4,
      advantageEpsilon: 1e-4,
      smallestRewardRange: 1e-4,
      normaliser: "sequence-mean",
      tolerance: 0,
      refineReward: "versus-group",
    });
    expect(paperPasrOptions.plainAccuracyWindow).toBeUndefined();
    expect(smallWorldPasrOptions.prompts.refine).not.toBe(smallWorldPasrOptions.prompts.plain);
  });

  test.each([
    [{ refinedSamples: 1 }, "refinedSamples"],
    [{ plainSamples: 0 }, "plainSamples"],
    [{ temperature: 0 }, "temperature"],
    [{ questionsPerStep: 0 }, "questionsPerStep"],
  ])("%j cannot train and is refused", async (changed, named) => {
    await expect(play("a", changed)).rejects.toThrow(named);
  });

  test.each(["any-refinement", "none"] as const)("refineReward=%s needs no plain answers", async (refineReward) => {
    const { metrics } = await play("a", { steps: 2, plainSamples: 0, refineReward });
    expect(metrics[0].accuracyPlain).toBeUndefined();
  });

  test.each([{ plainWeight: 1 }, { plainKlCoefficient: 0.1 }])("%j needs plain answers", async (changed) => {
    await expect(play("a", { ...changed, plainSamples: 0, refineReward: "none" })).rejects.toThrow(
      "plain answers are to be trained",
    );
  });
});
