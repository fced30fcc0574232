import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Engine } from "#kernel/engine.ts";
import { userError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
import { openRun, readRun } from "#record/run-directory.ts";
import { shuffledStream } from "#training/stream.ts";
import { delegate, type TabularEngine } from "../../../test/support/tabular-engine.ts";
import { again, endId, items, makeTurnBase, tokenizer, verifier } from "../../../test/support/turn-world.ts";
import { paperCodeScoreOptions, paperScoreOptions, type ScoreOptions } from "./options.ts";
import { reinforceOptions, type ScoreTraining, stageOneFolder, stageOneRewards, stageTwoRewards, trainScore } from "./recipe.ts";

let root: string;
let base: TabularEngine;
beforeAll(async () => {
  base = await makeTurnBase();
});
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "score-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const options: ScoreOptions = {
  ...paperScoreOptions,
  prompts: { system: "", retry: "AGAIN" },
  maxTokens: 4,
  questionsPerStep: 8,
  stageOneSteps: 40,
  stageTwoSteps: 40,
  learningRate: 0.05,
  keep: "last",
};

async function play(name: string, changed: Partial<ScoreOptions> = {}, more: Partial<ScoreTraining> = {}) {
  const engine = (await base.freeze()) as TabularEngine;
  const folder = path.join(root, name);
  using run = openRun(folder, { command: "train score", options: {} });
  const result = await trainScore({
    engine,
    tokenizer,
    items: shuffledStream<Item>(items, 5),
    judge: verifier,
    options: { ...options, ...changed },
    seed: 11,
    run,
    ...more,
  });
  const metrics = readRun(folder).metrics as unknown as Record<string, number>[];
  return { result, engine, metrics, rollouts: run.readLines("rollouts") };
}

const mean = (lines: Record<string, number>[], name: string) => lines.reduce((sum, line) => sum + line[name], 0) / lines.length;

/** Largest change of a first answer's log-prob against the base, and how often each turn is right. */
async function probe(engine: TabularEngine) {
  const firsts = items.flatMap((_, index) => [5, 6].map((id) => ({ ids: [index, id, endId], start: 1 })));
  const [own, before] = [await engine.logprobs(firsts), await base.logprobs(firsts)];
  const shift = Math.max(...own.flatMap((each, index) => [...each].map((value, t) => Math.abs(value - before[index][t]))));
  const sampled = await engine.sample(
    items.map((_, index) => [index]),
    { n: 200, maxTokens: 4, temperature: 1, stopIds: [endId], seed: 1 },
  );
  const pairs = sampled.flatMap((list, index) => list.map((sample) => ({ index, ids: [index, ...sample.ids, again] })));
  const seconds = await engine.sample(
    pairs.map(({ ids }) => ids),
    { n: 1, maxTokens: 4, temperature: 1, stopIds: [endId], seed: 2 },
  );
  const right = (list: readonly (readonly number[])[]) =>
    list.filter((ids, index) => tokenizer.decode(ids) === items[pairs[index].index].answer).length / list.length;
  return { shift, first: right(sampled.flat().map(({ ids }) => ids)), second: right(seconds.map(([{ ids }]) => ids)) };
}

describe("rewards", () => {
  test("stage I pays the second answer alone", () => {
    expect(
      [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ].map((pair) => stageOneRewards(pair)),
    ).toEqual([
      [0, 0],
      [0, 1],
      [0, 0],
      [0, 1],
    ]);
  });

  test("stage II pays both, and what the second gained on the first ten times", () => {
    const rewards = stageTwoRewards(10);
    expect(rewards([0, 0])).toEqual([0, 0]);
    expect(rewards([0, 1])).toEqual([0, 11]);
    expect(rewards([1, 0])).toEqual([1, -10]);
    expect(rewards([1, 1])).toEqual([1, 1]);
  });
});

describe("training with SCoRe", () => {
  test("stage I teaches the second turn and leaves the first near the reference; without its KL the first moves", async () => {
    const before = await probe(base);
    const held = await probe((await play("held", { stageTwoSteps: 0, stageOneKl: 4 })).engine);
    const free = await probe((await play("free", { stageTwoSteps: 0, stageOneKl: 0 })).engine);
    expect(held.second).toBeGreaterThan(before.second + 0.15);
    expect(held.shift).toBeLessThan(0.25);
    expect(free.shift).toBeGreaterThan(4 * held.shift);
    expect(free.first).toBeGreaterThan(held.first + 0.1);
  }, 60_000);

  test("both stages: the second turn ends above the first of the base, and mends more than it breaks", async () => {
    const before = await probe(base);
    const { engine, metrics, result } = await play("a");
    const after = await probe(engine);
    expect(result).toMatchObject({ finished: true, stepsDone: 80 });
    expect(after.second).toBeGreaterThan(before.second + 0.3);
    expect(metrics.map((line) => line.stage)).toEqual(Array.from({ length: 80 }, (_, step) => (step < 40 ? 1 : 2)));
    const [first, last] = [metrics.slice(0, 8), metrics.slice(-8)];
    expect(mean(last, "accuracyLast")).toBeGreaterThan(mean(first, "accuracyLast") + 0.25);
    const endOfStageOne = metrics.slice(32, 40);
    expect(mean(endOfStageOne, "wrongToRight")).toBeGreaterThan(2 * mean(endOfStageOne, "rightToWrong"));
  }, 60_000);

  test("paid for what follows too, the first turn of stage II learns to be wrong: why each turn answers for itself", async () => {
    const own = await probe((await play("own", { stageOneSteps: 20, stageTwoSteps: 60, stageTwoKl: 0 })).engine);
    const all = await probe((await play("all", { stageOneSteps: 20, stageTwoSteps: 60, stageTwoKl: 0, credit: "to-go" })).engine);
    expect(all.first).toBeLessThan(own.first - 0.2);
  }, 60_000);

  test("stage II starts from stage I's weights with a fresh optimiser", async () => {
    const saved: string[] = [];
    const inner = (await base.freeze()) as TabularEngine;
    const engine: Engine = delegate(inner, {
      restore: async (folder) => {
        saved.push(path.basename(folder));
        await inner.restore(folder);
      },
    });
    await play("a", { stageOneSteps: 3, stageTwoSteps: 2 }, { engine });
    expect(saved).toEqual([stageOneFolder]);
    const folder = path.join(root, "a", stageOneFolder);
    expect(existsSync(path.join(folder, "weights.bin"))).toBe(true);
    expect(existsSync(path.join(folder, "first.bin"))).toBe(false);
    const one = await play("b", { stageOneSteps: 3, stageTwoSteps: 0 });
    const fromFolder = (await base.freeze()) as TabularEngine;
    await fromFolder.restore(folder);
    expect(fromFolder.weights).toEqual(one.engine.weights);
  });

  test.each([2, 4, 5, 7])("interrupted after step %i and started again it ends with the same weights", async (stop) => {
    const short = { stageOneSteps: 4, stageTwoSteps: 5, baseFirstShare: 0.3 };
    const straight = await play("straight", short);
    const abort = new AbortController();
    const onProgress: ScoreTraining["onProgress"] = ({ stepsDone }) => {
      if (stepsDone === stop) abort.abort();
    };
    const stopped = await play("again", short, { signal: abort.signal, onProgress });
    expect(stopped.result).toMatchObject({ finished: false, stepsDone: stop });
    const resumed = await play("again", short);
    expect(resumed.engine.weights).toEqual(straight.engine.weights);
    const plain = (lines: Record<string, number>[]) => lines.map(({ timing: _, ...line }) => line);
    expect(plain(resumed.metrics)).toEqual(plain(straight.metrics));
  });

  test("killed in the middle of stage II it goes on from the last checkpoint to the same weights", async () => {
    const short = { stageOneSteps: 4, stageTwoSteps: 5 };
    const straight = await play("straight", short);
    const inner = (await base.freeze()) as TabularEngine;
    let updates = 0;
    const engine = delegate(inner, {
      step: (given) => {
        if (++updates === 7) throw new Error("killed");
        return inner.step(given);
      },
    });
    await expect(play("again", short, { engine, checkpointEvery: 4 })).rejects.toThrow("killed");
    const resumed = await play("again", short, { checkpointEvery: 4 });
    expect(resumed.engine.weights).toEqual(straight.engine.weights);
  });

  test("first answers of the base are met in stage II, and only the policy's own count in its figures", async () => {
    const { metrics } = await play("a", { stageOneSteps: 1, stageTwoSteps: 3, baseFirstShare: 0.999, stageTwoKl: 0 });
    expect(metrics.map((line) => line.conversations)).toEqual([32, 32, 32, 32]);
    expect(metrics.map((line) => typeof line.accuracyFirst)).toEqual(["number", "undefined", "undefined", "undefined"]);
    expect(metrics[3].turns).toHaveProperty("turn1.accuracy");
  });

  test("whose first answers the base writes is drawn question by question, in stage II alone", async () => {
    const asked: number[] = [];
    const openReference = async () => {
      const frozen = (await base.freeze()) as TabularEngine;
      return delegate(frozen, {
        sample: (prompts, ...rest) => {
          asked.push(prompts.length);
          return frozen.sample(prompts, ...rest);
        },
      });
    };
    await play("a", { stageOneSteps: 3, stageTwoSteps: 0, baseFirstShare: 0.5 }, { openReference });
    expect(asked).toEqual([]);
    await play("b", { stageOneSteps: 0, stageTwoSteps: 12, baseFirstShare: 0.5 }, { openReference });
    const total = asked.reduce((sum, each) => sum + each, 0);
    expect(total).toBeGreaterThan(0.3 * 12 * options.questionsPerStep);
    expect(total).toBeLessThan(0.7 * 12 * options.questionsPerStep);
    expect(new Set(asked).size).toBeGreaterThan(2);
  });

  test("records conversations to read and the figures of the paper", async () => {
    const { metrics, rollouts } = await play("a", { stageOneSteps: 2, stageTwoSteps: 9 });
    for (const name of ["accuracyFirst", "accuracyLast", "accuracyGain", "wrongToRight", "rightToWrong", "answerChangeRate"]) {
      expect(metrics[0][name], name).toBeTypeOf("number");
    }
    expect(metrics[0].turns).toHaveProperty("turn2.kl");
    expect(rollouts.map((line) => line.step)).toEqual([1, 11]);
    expect(rollouts[0].conversations).toHaveLength(4);
  });
});

describe("keeping the weights with the highest training reward", () => {
  const short: Partial<ScoreOptions> = {
    keep: "best-reward",
    rewardWindow: 3,
    stageOneSteps: 7,
    stageTwoSteps: 9,
    learningRate: 0.4,
  };

  /** What the metrics alone say: the best mean over three steps among every second step and the last of the stage. */
  function expected(metrics: Record<string, number>[], stage: number) {
    const own = metrics.filter((line) => line.stage === stage);
    const figures = own.flatMap((line, index) =>
      index >= 2 && (line.step % 2 === 0 || index === own.length - 1)
        ? [{ step: line.step, reward: mean(own.slice(index - 2, index + 1), "reward") }]
        : [],
    );
    return figures.reduce((best, each) => (each.reward > best.reward ? each : best));
  }

  test("each stage ends with its own choice: stage II starts there, and the engine ends there", async () => {
    const { result, engine, metrics } = await play("a", short, { checkpointEvery: 2 });
    const kept = expected(metrics, 2);
    expect(result.kept?.step).toBe(kept.step);
    expect(result.kept?.reward).toBeCloseTo(kept.reward, 12);
    expect(kept.step).toBeLessThan(16);
    expect(readdirSync(path.join(root, "a", "best-reward"))).toContain(`step-${kept.step}`);
    const before = await play("b", { ...short, stageTwoSteps: 0 }, { checkpointEvery: 2 });
    expect(before.result.kept?.step).toBe(expected(metrics, 1).step);
    const stageOne = (await base.freeze()) as TabularEngine;
    await stageOne.restore(path.join(root, "a", stageOneFolder));
    expect(stageOne.weights).toEqual(before.engine.weights);
    const last = await play("last", { ...short, keep: "last" }, { checkpointEvery: 2 });
    expect(last.result.kept).toBeUndefined();
    expect(last.engine.weights).not.toEqual(engine.weights);
    expect(existsSync(path.join(root, "last", "best-reward"))).toBe(false);
  });

  test("a stage shorter than the window keeps its last weights", async () => {
    const { result } = await play("a", { ...short, rewardWindow: 50 }, { checkpointEvery: 2 });
    expect(result.kept?.step).toBe(16);
  });

  test("the same command on a finished run gives the same weights again", async () => {
    const first = await play("a", short, { checkpointEvery: 2 });
    const again = await play("a", short, { checkpointEvery: 2 });
    expect(again.result.kept).toEqual(first.result.kept);
    expect(again.engine.weights).toEqual(first.engine.weights);
  });

  test("killed at any update, or while a checkpoint is written, it goes on to the same choice", async () => {
    const straight = await play("straight", short, { checkpointEvery: 2 });
    for (const at of [2, 4, 7, 8, 9, 11, 14, 16]) {
      for (const during of ["step", "save"] as const) {
        const inner = (await base.freeze()) as TabularEngine;
        let updates = 0;
        const engine = delegate(inner, {
          step: (given) => {
            if (++updates === at && during === "step") throw new Error("killed");
            return inner.step(given);
          },
          save: (folder, given) => {
            if (updates === at && folder.includes("checkpoints")) throw new Error("killed");
            return inner.save(folder, given);
          },
        });
        const name = `killed-${at}-${during}`;
        const cut = play(name, short, { engine, checkpointEvery: 2 });
        if (during === "step" || at % 2 === 0) await expect(cut).rejects.toThrow("killed");
        else await cut;
        const resumed = await play(name, short, { checkpointEvery: 2 });
        expect(resumed.result.kept).toEqual(straight.result.kept);
        expect(resumed.engine.weights).toEqual(straight.engine.weights);
      }
    }
  });
});

describe("what does not fit", () => {
  test("a template that rewrites every first answer ends training with its reason", async () => {
    const rewriting = {
      ...tokenizer,
      continueConversation: () => {
        throw userError("template-rewrites-history", "the chat template shows an earlier turn otherwise");
      },
    };
    await expect(play("a", {}, { tokenizer: rewriting })).rejects.toMatchObject({ code: "template-rewrites-history" });
  });

  test("one that rewrites some costs those questions, and the record says so", async () => {
    const some = {
      ...tokenizer,
      continueConversation: (...given: Parameters<typeof tokenizer.continueConversation>) => {
        if (given[0][0] === 2) throw userError("template-rewrites-history", "shown otherwise");
        return tokenizer.continueConversation(...given);
      },
    };
    const { metrics } = await play("a", { stageOneSteps: 2, stageTwoSteps: 0 }, { tokenizer: some });
    expect(metrics.map((line) => line.droppedShare)).toEqual([0.25, 0.25]);
    const note = readRun(path.join(root, "a")).events.find((event) => event.type === "note");
    expect(note).toMatchObject({ step: 1, item: "q2", message: "follow-up: shown otherwise" });
  });

  test.each([
    [{ samples: 1 }, "samples"],
    [{ temperature: 0 }, "temperature"],
    [{ topP: 0.9 }, "topP"],
    [{ questionsPerStep: 0 }, "questionsPerStep"],
    [{ stageOneSteps: 0, stageTwoSteps: 0 }, "stageOneSteps"],
    [{ baseFirstShare: 1 }, "baseFirstShare"],
    [{ samples: 2.5 }, "samples=2.5 is not a whole number"],
    [{ rewardWindow: 0 }, "rewardWindow"],
    [{ learningRate: Number.NaN }, "learningRate"],
  ])("%j cannot train and is refused", async (changed, named) => {
    await expect(play("a", changed)).rejects.toThrow(named);
  });
});

test("the paper's constants", () => {
  expect(paperScoreOptions).toMatchObject({
    learningRate: 5e-6,
    progressBonus: 10,
    stageOneKl: 0.1,
    stageTwoKl: 0.01,
    temperature: 1,
    credit: "own-turn",
    klPlacement: "reward",
    keep: "best-reward",
  });
  expect(paperScoreOptions.samples * paperScoreOptions.questionsPerStep).toBe(512);
  expect(paperScoreOptions.stageOneSteps + paperScoreOptions.stageTwoSteps).toBe(3000);
  expect(paperCodeScoreOptions).toMatchObject({ learningRate: 1e-5, stageOneKl: 0.25, stageTwoKl: 0.01, progressBonus: 10 });
  expect(paperCodeScoreOptions.samples * paperCodeScoreOptions.questionsPerStep).toBe(128);
  expect(paperCodeScoreOptions.stageOneSteps + paperCodeScoreOptions.stageTwoSteps).toBe(1500);
  expect(reinforceOptions(1, paperScoreOptions, [0]).klCoefficients).toEqual([0.1, 0]);
  expect(reinforceOptions(2, paperScoreOptions, [0]).klCoefficients).toEqual([0.01, 0.01]);
});
