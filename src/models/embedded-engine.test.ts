/** The embedded model over the real engine and a real tokenizer: what a call returns depends on the call alone. */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newConfig } from "#engines/embedded/checkpoint/create.ts";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { evaluateTask } from "#evaluation/records/evaluate.ts";
import type { Message } from "#kernel/model.ts";
import { pasrFormat } from "#methods/plain/pasr-format.ts";
import { vanilla } from "#methods/plain/vanilla.ts";
import { selfRefine } from "#methods/refinement/self-refine.ts";
import { selfConsistency } from "#methods/sampling/self-consistency.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { trainTokenizer } from "#tokens/train-bpe.ts";
import { MeteredModel } from "./around/meter.ts";
import { EmbeddedModel } from "./embedded.ts";

let folder: string;
let engine: EmbeddedEngine;
let tokenizer: Tokenizer;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "midcourse-model-"));
  await trainTokenizer({ texts: ["Start with 3. Add 4."], vocabularySize: 300, folder });
  tokenizer = await Tokenizer.load(folder);
  const sizes = { hiddenSize: 16, intermediateSize: 24, layers: 1, heads: 2, maxContextTokens: 160 };
  const rawConfig = newConfig({ vocabularySize: tokenizer.vocabularySize, stopIds: tokenizer.stopIds, ...sizes });
  engine = await EmbeddedEngine.open({ rawConfig, seed: 1, threads: 1 });
});

afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

const ask = (content: string): Message[] => [{ role: "user", content }];

test("a call's completions are the same alone and among others, and their tokens are counted exactly", async () => {
  const model = new EmbeddedModel(engine, tokenizer);
  const options = { n: 2, temperature: 1, maxTokens: 12 };
  const questions = ["Start with 3.", "Add 4. Add 5. Add 6.", "Start."];
  const together = await Promise.all(questions.map((question, seed) => model.generate(ask(question), { ...options, seed })));
  for (const [seed, question] of questions.entries()) {
    const alone = await model.generate(ask(question), { ...options, seed });
    expect(alone.map(({ text }) => text)).toEqual(together[seed].map(({ text }) => text));
    expect(alone[0].usage.inputTokens).toBe(tokenizer.encodeConversation(ask(question), { addGenerationPrompt: true }).length);
    for (const { usage, finishReason } of alone) {
      expect(usage.outputTokens).toBeGreaterThan(0);
      if (finishReason === "length") expect(usage.outputTokens).toBe(12);
    }
  }
  expect(together[0][0].text).not.toBe(together[0][1].text);
});

test("all methods run over it; long dialogues end with the best answer so far and say why", async () => {
  const model = new MeteredModel(new EmbeddedModel(engine, tokenizer));
  const items = ["Start with 3. Add 4.", "Start with 9."].map((question, index) => ({ id: `q${index}`, question, answer: "7" }));
  const methods = [
    vanilla(),
    pasrFormat({ instruction: "Refine." }),
    selfRefine({ rounds: 1, feedbackPrompt: "Check.", refinePrompt: "Again." }),
    selfRefine({ rounds: 9, feedbackPrompt: "Check.", refinePrompt: "Again." }),
    selfConsistency({ samples: 3 }),
  ];
  const verify = () => ({ accuracy: 0, extracted: undefined });
  const records = await evaluateTask({ model, items, methods, verify, temperature: 1, maxTokens: 12, seed: 1 });
  expect(records).toHaveLength(10);
  expect(records.filter(({ reason }) => reason === "context-exceeded").map(({ method }) => method)).toEqual([
    "self-refine-9",
    "self-refine-9",
  ]);
  expect(records.every(({ text, error }) => text !== "" && error === undefined)).toBe(true);
  const total = records.reduce((sum, record) => sum + record.usage.outputTokens!, 0);
  expect(total).toBe(model.usage.outputTokens);
  const plain = records.find(({ method }) => method === "vanilla")!;
  const refined = records.find(({ method, item }) => method === "self-refine-1" && item === plain.item)!;
  expect(refined.attempts![0].answer).toBe(plain.answer);
});
