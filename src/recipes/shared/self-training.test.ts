/** Rounds of self-training on an engine whose weights can be compared: what each round starts from, learns, and which is kept. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TrainingConversation } from "#kernel/conversation.ts";
import { openRun } from "#record/run-directory.ts";
import { likelihoodOnly } from "#training/supervised/supervised.ts";
import type { WeightedRunOptions } from "#training/supervised/weighted-supervised-run.ts";
import { example, makeBase, stopId, tokenizer as words } from "../../../test/support/refine-world.ts";
import { delegate, type TabularEngine } from "../../../test/support/tabular-engine.ts";
import { type Collected, type SelfTraining, selfTrain } from "./self-training.ts";

let root: string;
let base: TabularEngine;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), "self-training-"));
  base = await makeBase(20);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A conversation is the number of an example of the world. */
const conversation = (index: number): TrainingConversation => ({
  id: `e${index}`,
  messages: [{ role: "assistant", content: String(index), trainable: true }],
});
const tokenizer: SelfTraining["tokenizer"] = {
  stopIds: [stopId],
  encodeConversation: (messages) => words.encodeConversation(messages),
  completionMessage: (ids) => ({ text: words.decode(ids), ended: true }),
  encodeTraining: (messages) => {
    const { ids, mask } = example(Number(messages.at(-1)!.content));
    return { ids: [...ids], mask: Uint8Array.from(mask) };
  },
};

const options: WeightedRunOptions = {
  ...likelihoodOnly,
  epochs: Number.POSITIVE_INFINITY,
  maxSteps: 2,
  tokensPerStep: 1000,
  maxTokens: 20,
  tokensPerCall: 1000,
  learningRate: 0.1,
  schedule: "constant",
  warmup: 0,
  learningRateFloor: 0,
  saveEvery: 1,
  evaluateEvery: Number.POSITIVE_INFINITY,
  patience: Number.POSITIVE_INFINITY,
  adamW: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 },
};

/** Two examples a round: 1 and 2, 11 and 12, … */
const twoEach = (round: number): Collected => ({
  examples: [1, 2].map((index) => conversation(10 * (round - 1) + index)),
  figures: { round },
});

interface Played {
  changed?: Partial<SelfTraining>;
  /** Figures in the order they are asked for: the base's first. */
  figures?: number[];
}

async function play(name: string, { changed = {}, figures }: Played = {}) {
  const engine = (await base.freeze()) as TabularEngine;
  const folder = path.join(root, name);
  using run = openRun(folder, { command: "self-training", options: {} });
  const collected: { round: number; weights: Float32Array }[] = [];
  const starts: { weights: Float32Array; optimiserSteps: string }[] = [];
  const learned: number[][] = [];
  let asked = 0;
  let isFresh = false;
  const watched = delegate(engine, {
    restore: async (from) => {
      await engine.restore(from);
      isFresh = true;
    },
    accumulate: async (sequences, signal) => {
      if (isFresh) {
        const at = path.join(root, "looked-at");
        await engine.save(at, { optimizer: true });
        starts.push({ weights: engine.weights, optimiserSteps: readFileSync(path.join(at, "steps.txt"), "utf8") });
        learned.push([]);
      }
      isFresh = false;
      learned.at(-1)!.push(sequences.length);
      return engine.accumulate(sequences, signal);
    },
  });
  const result = await selfTrain({
    engine: watched,
    tokenizer,
    run,
    rounds: 3,
    start: "base",
    data: "replace",
    collect: async (round) => {
      collected.push({ round, weights: engine.weights });
      return twoEach(round);
    },
    options: () => options,
    ...(figures ? { measure: async () => figures[asked++] } : {}),
    seed: 4,
    ...changed,
  });
  const weightsOf = async (model: string) => {
    const own = (await base.freeze()) as TabularEngine;
    await own.restore(path.join(folder, model));
    return own.weights;
  };
  return { result, engine, collected, starts, learned, folder, weightsOf, asked: () => asked };
}

describe("what a round starts from", () => {
  test("the base: every training begins at the base's weights with a fresh optimiser, and only the collector moves on", async () => {
    const { starts, collected, weightsOf } = await play("base");
    expect(starts).toHaveLength(3);
    for (const { weights, optimiserSteps } of starts) {
      expect(weights).toEqual(base.weights);
      expect(optimiserSteps).toBe("0");
    }
    expect(collected.map(({ round }) => round)).toEqual([1, 2, 3]);
    expect(collected[0].weights).toEqual(base.weights);
    for (const round of [2, 3]) {
      expect(collected[round - 1].weights).toEqual(await weightsOf(`round-${round - 1}/model`));
      expect(collected[round - 1].weights).not.toEqual(base.weights);
    }
  });

  test("the round before: each begins where the last one ended, with a fresh optimiser all the same", async () => {
    const { starts, weightsOf } = await play("previous", { changed: { start: "previous" } });
    expect(starts[0].weights).toEqual(base.weights);
    for (const round of [2, 3]) expect(starts[round - 1].weights).toEqual(await weightsOf(`round-${round - 1}/model`));
    expect(starts.map(({ optimiserSteps }) => optimiserSteps)).toEqual(["0", "0", "0"]);
  });
});

describe("what a round learns", () => {
  test("its own examples, or those of all rounds so far", async () => {
    const replaced = await play("replace");
    expect(replaced.result.rounds.map(({ examples }) => examples)).toEqual([2, 2, 2]);
    expect(replaced.learned).toEqual([
      [2, 2],
      [2, 2],
      [2, 2],
    ]);
    const accumulated = await play("accumulate", { changed: { data: "accumulate" } });
    expect(accumulated.result.rounds.map(({ examples }) => examples)).toEqual([2, 4, 6]);
    expect(accumulated.learned.map(([first]) => first)).toEqual([2, 4, 6]);
  });

  test("steps may grow from round to round, and a round that kept nothing says why", async () => {
    const growing = await play("growing", { changed: { options: (round) => ({ ...options, maxSteps: round }) } });
    expect(growing.result.rounds.map(({ steps }) => steps)).toEqual([1, 2, 3]);
    const empty = play("empty", { changed: { collect: async () => ({ examples: [], figures: { asked: 9 } }) } });
    await expect(empty).rejects.toMatchObject({ code: "nothing-kept", message: expect.stringContaining('{"asked":9}') });
  });
});

describe("which round is kept", () => {
  test("the best on held-out questions; rounds end when none was better for as long as patience lasts", async () => {
    const { result, engine, weightsOf } = await play("patience", {
      figures: [0.2, 0.5, 0.5, 0.4, 0.9],
      changed: { rounds: 9, patience: 2 },
    });
    expect(result.rounds.map(({ measured }) => measured)).toEqual([0.5, 0.5, 0.4]);
    expect(result).toMatchObject({ finished: true, best: 1 });
    expect(engine.weights).toEqual(await weightsOf("round-1/model"));
    expect(await weightsOf("model")).toEqual(engine.weights);
    expect(engine.weights).not.toEqual(await weightsOf("round-3/model"));
  });

  test("a base that no round beats is kept itself", async () => {
    const { result, engine } = await play("unbeaten", { figures: [0.5, 0.5, 0.1, 0.9], changed: { patience: 2 } });
    expect(result.best).toBe(0);
    expect(result.rounds).toHaveLength(2);
    expect(engine.weights).toEqual(base.weights);
  });

  test("the last, where nothing is measured, whatever patience says", async () => {
    const { result, engine, weightsOf } = await play("last", { changed: { patience: 1 } });
    expect(result).toMatchObject({ best: 3, finished: true });
    expect(engine.weights).toEqual(await weightsOf("round-3/model"));
  });
});

describe("stopped and gone on with", () => {
  test("what was collected and measured is not done again, and what was half collected is not kept", async () => {
    const straight = await play("straight", { figures: [0.1, 0.2, 0.3, 0.4] });
    const abort = new AbortController();
    const stopped = await play("stopped", {
      figures: [0.1, 0.2],
      changed: {
        signal: abort.signal,
        collect: async (round) => {
          if (round === 2) abort.abort();
          return twoEach(round);
        },
      },
    });
    expect(stopped.result).toMatchObject({ finished: false, model: undefined, best: 1 });
    expect(existsSync(path.join(stopped.folder, "round-1/examples.json"))).toBe(true);
    expect(existsSync(path.join(stopped.folder, "round-2/examples.json"))).toBe(false);
    const resumed = await play("stopped", { figures: [0.3, 0.4] });
    expect(resumed.collected.map(({ round }) => round)).toEqual([2, 3]);
    expect(resumed.asked()).toBe(2);
    expect(resumed.result).toEqual({ ...straight.result, model: resumed.result.model });
    expect(resumed.engine.weights).toEqual(straight.engine.weights);
    const again = await play("stopped", { figures: [] });
    expect([again.collected.length, again.starts.length]).toEqual([0, 0]);
    expect(again.engine.weights).toEqual(straight.engine.weights);
  });
});
