import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Engine } from "#kernel/engine.ts";
import { openRun, type RunDirectory, readRun } from "#record/run-directory.ts";
import { makeEngine } from "../../test/support/refine-world.ts";
import { delegate, type TabularEngine } from "../../test/support/tabular-engine.ts";
import { type LoopResult, runTrainingLoop, type TrainingLoop } from "./loop.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "loop-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const adamW = { learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, maxGradientNorm: 1 };
type State = { sum: number };
type Loop = TrainingLoop<{ seen: number; state: number }, State>;

/** A step whose result depends on everything a resumed run must have again: weights, optimiser, sampler, reference and state. */
function dependentStep(engine: Engine): Loop["takeStep"] {
  return async ({ step, sampler, reference, state, signal }) => {
    const sequence = { ids: [0, 2, 6 + (step % 6), 12], start: 2 };
    const [own] = await engine.logprobs([sequence], signal);
    const [sampled] = await sampler.logprobs([sequence]);
    const [first] = reference === undefined ? [[0, 0]] : await reference.logprobs([sequence]);
    const weights = Float32Array.from(own, (value, t) => 1 + sampled[t] - 0.5 * first[t] + 0.1 * value + 0.01 * state.sum);
    await engine.accumulate([{ ...sequence, weights }], signal);
    await engine.step(adamW);
    return { metrics: { seen: sampled[0], state: state.sum }, state: { sum: state.sum + own[0] } };
  };
}

interface Played {
  result: LoopResult<State>;
  weights: Float32Array;
}

/** One process of a run: fresh engine, one opening, until the end or until `stopAfter` steps were taken. */
async function play(folder: string, overrides: Partial<Loop> = {}, stopAfter?: number): Promise<Played> {
  const engine = makeEngine();
  const abort = new AbortController();
  using run = openRun(folder, { command: "test", options: {} });
  const result = await runTrainingLoop({
    engine,
    run,
    steps: 13,
    checkpointEvery: 5,
    initialState: { sum: 1 },
    takeStep: dependentStep(engine),
    onProgress: ({ stepsDone }) => {
      if (stepsDone === stopAfter) abort.abort();
    },
    signal: abort.signal,
    ...overrides,
  });
  return { result, weights: engine.weights };
}

const variants: Record<string, Partial<Loop>> = {
  "plain loop": {},
  "reference from the first weights": { openReference: "freeze-initial" },
  "lagging sampler": { samplerRefresh: 4 },
  "lagging sampler and reference, with evaluations": {
    samplerRefresh: 3,
    openReference: "freeze-initial",
    evaluate: async (stepsDone) => ({ square: stepsDone ** 2 }),
    evaluateEvery: 4,
  },
};

describe.each(Object.entries(variants))("%s", (_, variant) => {
  test("interrupted after any step and resumed, it ends with the same weights, metrics and evaluations", async () => {
    const straight = await play(path.join(root, "straight"), variant);
    expect(straight.result).toMatchObject({ finished: true, stepsDone: 13 });
    const wanted = readRun(path.join(root, "straight"));
    const evaluations = (folder: string) => {
      using run = openRun(folder, { command: "test", options: {} });
      return run.readLines("evaluations");
    };
    for (const stops of [[1], [3], [4], [5], [6, 7, 8], [12], [13]]) {
      const folder = path.join(root, `stopped-${stops.join("-")}`);
      for (const stop of stops) {
        const part = await play(folder, variant, stop);
        expect(part.result.stepsDone).toBe(stop);
      }
      const last = await play(folder, variant);
      expect(last.result).toMatchObject({ finished: true, stepsDone: 13, state: straight.result.state });
      expect(last.weights).toEqual(straight.weights);
      expect(readRun(folder).metrics).toEqual(wanted.metrics);
      expect(evaluations(folder)).toEqual(evaluations(path.join(root, "straight")));
    }
  });
});

describe("stopping", () => {
  test("drops the step under way and writes a checkpoint of the last whole one", async () => {
    const abort = new AbortController();
    const engine = makeEngine();
    const step = dependentStep(engine);
    const folder = path.join(root, "a");
    const { result } = await play(folder, {
      engine,
      signal: abort.signal,
      takeStep: async (context) => {
        if (context.step === 7) abort.abort();
        return step(context);
      },
    });
    expect(result).toMatchObject({ finished: false, stepsDone: 7, checkpoint: { step: 7 } });
    expect(readRun(folder).events.map((event) => event.type)).toEqual(["opened", "interrupted"]);
    expect(readRun(folder).metrics).toHaveLength(7);
  });

  test("a gradient that was half gathered does not reach the next step", async () => {
    const abort = new AbortController();
    const engine = makeEngine();
    await play(path.join(root, "a"), {
      engine,
      signal: abort.signal,
      takeStep: async () => {
        await engine.accumulate([{ ids: [0, 2, 6], start: 2, weights: Float32Array.of(5) }]);
        abort.abort();
        throw abort.signal.reason;
      },
    });
    expect((await engine.step(adamW)).gradientNorm).toBe(0);
  });

  test("before the first step leaves a run that starts anew", async () => {
    const folder = path.join(root, "a");
    const stopped = await play(folder, { signal: AbortSignal.abort() });
    expect(stopped.result).toMatchObject({ finished: false, stepsDone: 0 });
    const straight = await play(path.join(root, "b"));
    expect((await play(folder)).weights).toEqual(straight.weights);
  });

  test("during an evaluation, the evaluation is made up for", async () => {
    const folder = path.join(root, "a");
    const abort = new AbortController();
    const evaluate: Loop["evaluate"] = async (stepsDone, signal) => {
      if (stepsDone === 4) abort.abort();
      signal?.throwIfAborted();
      return { stepsDone };
    };
    const stopped = await play(folder, { evaluate, evaluateEvery: 4, signal: abort.signal });
    expect(stopped.result).toMatchObject({ finished: false, stepsDone: 4 });
    await play(folder, { evaluate: async (stepsDone) => ({ stepsDone }), evaluateEvery: 4 });
    using run = openRun(folder, { command: "test", options: {} });
    expect(run.readLines("evaluations").map((line) => line.step)).toEqual([0, 4, 8, 12, 13]);
  });
});

describe("failing", () => {
  test("is recorded and passed on; the same call goes on from the checkpoint", async () => {
    const folder = path.join(root, "a");
    const engine = makeEngine();
    const step = dependentStep(engine);
    const failing: Loop["takeStep"] = async (context) => {
      if (context.step === 7) throw new Error("out of luck");
      return step(context);
    };
    await expect(play(folder, { engine, takeStep: failing })).rejects.toThrow("out of luck");
    expect(readRun(folder).events.at(-1)).toMatchObject({ type: "failed", step: 7, message: "out of luck" });
    const straight = await play(path.join(root, "b"));
    expect((await play(folder)).weights).toEqual(straight.weights);
    expect(readRun(folder).metrics).toEqual(readRun(path.join(root, "b")).metrics);
  });

  test("a failure that is no abort is passed on even when the signal came meanwhile", async () => {
    const abort = new AbortController();
    const takeStep: Loop["takeStep"] = async () => {
      abort.abort();
      throw new Error("disk on fire");
    };
    await expect(play(path.join(root, "a"), { takeStep, signal: abort.signal })).rejects.toThrow("disk on fire");
  });

  test("a missing first checkpoint is named where the reference needs it", async () => {
    const folder = path.join(root, "a");
    await play(folder, { openReference: "freeze-initial" }, 6);
    rmSync(path.join(folder, "checkpoints", "step-0"), { recursive: true });
    await expect(play(folder, { openReference: "freeze-initial" })).rejects.toMatchObject({
      code: "initial-checkpoint-missing",
      family: "user",
    });
  });
});

test("a finished run does nothing more", async () => {
  const folder = path.join(root, "a");
  const first = await play(folder);
  const takeStep: Loop["takeStep"] = async () => {
    throw new Error("no step is due");
  };
  const again = await play(folder, { takeStep });
  expect(again.result).toMatchObject({ finished: true, stepsDone: 13 });
  expect(again.weights).toEqual(first.weights);
  expect(readRun(folder).events.filter((event) => event.type === "finished")).toHaveLength(1);
});

test("every frozen copy is closed", async () => {
  let open = 0;
  const inner: TabularEngine = makeEngine();
  const engine = delegate(inner, {
    freeze: async () => {
      open += 1;
      const close = async () => {
        open -= 1;
      };
      return Object.assign(await inner.freeze(), { close });
    },
  });
  const takeStep: Loop["takeStep"] = async (context) => {
    expect(open).toBe(2);
    return dependentStep(engine)(context);
  };
  await play(path.join(root, "a"), { engine, takeStep, samplerRefresh: 2, openReference: "freeze-initial" });
  expect(open).toBe(0);
});

test("progress counts steps and time", async () => {
  const seen: number[] = [];
  await play(path.join(root, "a"), {
    onProgress: ({ stepsDone, steps, secondsPerStep, secondsLeft }) => {
      seen.push(stepsDone);
      expect(steps).toBe(13);
      expect(secondsLeft).toBeCloseTo(secondsPerStep * (13 - stepsDone), 10);
    },
  });
  expect(seen).toEqual(Array.from({ length: 13 }, (_, index) => index + 1));
});

test("old checkpoints go, the sampler's and the first stay", async () => {
  const folder = path.join(root, "a");
  using run: RunDirectory = openRun(folder, { command: "test", options: {} }, { keepCheckpoints: 1 });
  const engine = makeEngine();
  await runTrainingLoop({
    engine,
    run,
    steps: 13,
    checkpointEvery: 5,
    initialState: { sum: 1 },
    takeStep: dependentStep(engine),
    samplerRefresh: 4,
    openReference: "freeze-initial",
  });
  expect(readdirSync(path.join(folder, "checkpoints")).sort()).toEqual(["step-0", "step-12", "step-13"]);
  expect(existsSync(path.join(folder, "checkpoints", "step-13", "weights.bin"))).toBe(true);
});
