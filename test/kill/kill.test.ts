/** `kill -9` at any moment, the same command again, and the run ends with the same weights and the same record as one left alone. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newConfig } from "#engines/embedded/checkpoint/create.ts";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { readLines } from "#files/json-lines.ts";
import { Random } from "#kernel/seed.ts";
import { readRun } from "#record/run-directory.ts";
import { supervisedStep } from "#training/supervised/supervised.ts";
import { example, makeBase, tokenizer } from "../support/refine-world.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), "kill-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Ending {
  output: string;
  errors: string;
  signal: string | null;
}

/** Runs one process to its end, or kills it some milliseconds after it opened the run. */
async function play(
  kind: string,
  run: string,
  how: { killAfterOperations?: number; killAfterMilliseconds?: number } = {},
): Promise<Ending> {
  const program = path.join(import.meta.dirname, "training-process.ts");
  const operations = how.killAfterOperations === undefined ? [] : [String(how.killAfterOperations)];
  const child = spawn(process.execPath, [program, kind, path.join(root, `${kind}-base`), path.join(root, run), ...operations]);
  let output = "";
  let errors = "";
  child.stderr.on("data", (data) => {
    errors += data;
  });
  child.stdout.on("data", (data) => {
    const isFirst = output === "";
    output += data;
    if (isFirst && how.killAfterMilliseconds !== undefined) setTimeout(() => child.kill("SIGKILL"), how.killAfterMilliseconds);
  });
  const signal = await new Promise<string | null>((resolve) => child.once("close", (_, given) => resolve(given)));
  return { output, errors, signal };
}

async function finish(kind: string, run: string): Promise<void> {
  const ending = await play(kind, run);
  expect(ending).toMatchObject({ signal: null, errors: "", output: "ready\nfinished\n" });
}

/** Everything that must be the same; times are not. */
function outcome(run: string) {
  const folder = path.join(root, run);
  const record = readRun(folder);
  const newest = record.checkpoints.at(-1);
  const weights = readdirSync(newest?.folder ?? "", { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => [entry.name, readFileSync(path.join(entry.parentPath, entry.name)).toString("base64")] as const)
    .sort();
  return {
    step: newest?.step,
    weights: Object.fromEntries(weights),
    metrics: record.metrics.map((line) => ({ ...line, timing: undefined })),
    evaluations: readLines(path.join(folder, "evaluations.jsonl")),
    rollouts: readLines(path.join(folder, "rollouts.jsonl")),
    folders: readdirSync(path.join(folder, "checkpoints")).sort(),
    finished: record.events.filter((event) => event.type === "finished").length,
  };
}

describe("a table of logits", () => {
  beforeAll(async () => {
    const base = await makeBase(40);
    mkdirSync(path.join(root, "table-base"));
    await base.save(path.join(root, "table-base"));
    await finish("table", "table-straight");
  }, 60_000);

  test("the run does something", () => {
    const { step, metrics, evaluations, folders } = outcome("table-straight");
    expect(step).toBe(14);
    expect(metrics).toHaveLength(14);
    expect(metrics.filter((line) => (line as unknown as { updates: number }).updates > 0).length).toBeGreaterThan(8);
    expect(evaluations.map((line) => line.step)).toEqual([0, 4, 8, 12, 14]);
    expect(folders).toEqual(["step-0", "step-12", "step-14"]);
  });

  test.each([1, 2, 3])(
    "killed at file operations drawn from seed %d",
    async (seed) => {
      const random = new Random(seed);
      const run = `table-operations-${seed}`;
      const signals: (string | null)[] = [];
      for (let kill = 0; kill < 6; kill++) {
        signals.push((await play("table", run, { killAfterOperations: random.integer(1, 130) })).signal);
      }
      await finish("table", run);
      expect(signals.filter((signal) => signal === "SIGKILL").length).toBeGreaterThanOrEqual(3);
      expect(outcome(run)).toEqual(outcome("table-straight"));
    },
    120_000,
  );

  test("killed at moments of its own", async () => {
    const random = new Random(4);
    for (let kill = 0; kill < 5; kill++) await play("table", "table-moments", { killAfterMilliseconds: random.integer(0, 150) });
    await finish("table", "table-moments");
    expect(outcome("table-moments")).toEqual(outcome("table-straight"));
  }, 120_000);
});

describe("the embedded engine", () => {
  beforeAll(async () => {
    const rawConfig = newConfig({
      vocabularySize: 16,
      hiddenSize: 32,
      intermediateSize: 48,
      layers: 2,
      heads: 2,
      maxContextTokens: 32,
      stopIds: tokenizer.stopIds,
    });
    const engine = await EmbeddedEngine.open({ rawConfig, seed: 3, threads: 1 });
    const adamW = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 };
    let cursor = 0;
    for (let step = 0; step < 60; step++) {
      const options = { tokensPerStep: 300, maxTokens: 20, tokensPerCall: 1000, adamW };
      ({ cursor } = await supervisedStep(engine, example, options, { cursor, learningRate: 0.01 }));
    }
    await engine.save(path.join(root, "embedded-base"));
    await engine.close();
    await finish("embedded", "embedded-straight");
  }, 120_000);

  test("the run does something", () => {
    const { step, metrics, weights } = outcome("embedded-straight");
    expect(step).toBe(14);
    expect(metrics.filter((line) => (line as unknown as { updates: number }).updates > 0).length).toBeGreaterThan(8);
    expect(Object.keys(weights)).toContain("model.safetensors");
  });

  test("killed at moments and at file operations", async () => {
    const random = new Random(6);
    const run = "embedded-killed";
    const signals: (string | null)[] = [];
    // Kills after few operations come first: they strike however fast the machine is, and each leaves work for the next.
    for (let kill = 0; kill < 4; kill++) {
      signals.push((await play("embedded", run, { killAfterOperations: random.integer(8, 30) })).signal);
    }
    expect(signals).toEqual(["SIGKILL", "SIGKILL", "SIGKILL", "SIGKILL"]);
    for (let kill = 0; kill < 3; kill++) {
      await play("embedded", run, { killAfterMilliseconds: random.integer(100, 900) });
    }
    await finish("embedded", run);
    expect(outcome(run)).toEqual(outcome("embedded-straight"));
  }, 180_000);
});
