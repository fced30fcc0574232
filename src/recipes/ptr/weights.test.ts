/** Weights of a file's examples reach the loss: read, kept on the way, and one of 0 is left out and counted. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mix } from "#data/filters/mixing.ts";
import { ptrConversation } from "#data/training-files/ptr-layout.ts";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { openRun } from "#record/run-directory.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { planSteps } from "#training/supervised/weighted-supervised-run.ts";
import { toExample } from "../sources/source.ts";
import { readExamples } from "./examples.ts";
import { ptrExample, smallPtrOptions, trainPtr } from "./recipe.ts";

const base = path.join(import.meta.dirname, "../../../models/base");
let root: string;
let tokenizer: Tokenizer;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), "ptr-weights-"));
  tokenizer = await Tokenizer.load(base);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const example = (id: string, sum: number) =>
  ptrConversation({ id, question: `1+${sum}?`, attempts: ["<answer>0</answer>"], answer: `<answer>${sum + 1}</answer>` });

function fileOf(name: string, weights: readonly (number | undefined)[]): string {
  const file = path.join(root, name);
  const rows = weights.map((weight, index) => ({ ...example(`e${index}`, index), weight }));
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return file;
}

test("from the file through mixing to the steps", async () => {
  const { train, tally } = await readExamples({ data: [fileOf("a.jsonl", [2, 0, undefined, 0.5])], validation: { share: 0 } });
  expect(tally).toMatchObject({ read: 4, kept: 3, dropped: [{ reason: "weight-zero", count: 1, examples: ["e1"] }] });
  const mixed = mix([{ name: "all", examples: train, share: 1 }], { seed: 3 }).examples;
  const plan = planSteps(
    mixed.map((each) => ptrExample(tokenizer, each, { learnThoughts: false })),
    { epochs: 1, maxSteps: 9, tokensPerStep: 4096, maxTokens: 1024 },
    1,
  );
  const weights = Array.from({ length: plan.steps }, (_, step) => plan.batchAt(step).map(({ weight }) => weight)).flat();
  expect(weights.sort()).toEqual([0.5, 2, undefined]);
  expect(train.map((each) => toExample(tokenizer, each).weight)).toEqual([2, undefined, 0.5]);
});

test("questions that validation asks too are left out once, not read twice", async () => {
  const data = fileOf("b.jsonl", [1, 1, 1]);
  const file = path.join(root, "held.jsonl");
  writeFileSync(file, `${JSON.stringify(example("h", 1))}\n`);
  const { train, tally } = await readExamples({ data: [data], validation: { file } });
  expect(train.map(({ id }) => id)).toEqual(["e0", "e2"]);
  expect(tally).toMatchObject({ read: 3, kept: 2, dropped: [{ reason: "asked-elsewhere", count: 1 }] });
});

test("twice the weight is twice the loss, at the same likelihood", async () => {
  const engine = await EmbeddedEngine.open({ folder: base, threads: 1 });
  try {
    const losses: { loss: number; likelihoodLoss: number }[] = [];
    for (const weight of [1, 2]) {
      using run = openRun(path.join(root, `run-${weight}`), { command: "train ptr", options: {} });
      const { train } = await readExamples({ data: [fileOf(`${weight}.jsonl`, [weight])], validation: { share: 0 } });
      // A rate near 0 leaves the weights for the second run as they are.
      const options = { ...smallPtrOptions, epochs: 1, maxSteps: 1, learningRate: 1e-30, warmup: 0 };
      await trainPtr({ engine, tokenizer, examples: train, options, seed: 1, run });
      losses.push(...run.readLines<{ loss: number; likelihoodLoss: number }>("metrics"));
    }
    const [once, twice] = losses;
    expect(twice!.likelihoodLoss).toBeCloseTo(once!.likelihoodLoss, 5);
    expect(twice!.loss / once!.loss).toBeCloseTo(2, 5);
  } finally {
    await engine.close();
  }
});
