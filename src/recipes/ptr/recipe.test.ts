import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recipeCommand, recipeRun } from "#cli/commands/train/train.ts";
import { ptrConversation, publishedSampleLimits } from "#data/training-files/ptr-layout.ts";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { openRun } from "#record/run-directory.ts";
import { worldItems } from "#tasks/world/items.ts";
import { slip, writePlain } from "#tasks/world/solutions.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { chosenOptions } from "../run-recipe.ts";
import { worldSource } from "../sources/world-source.ts";
import { holdOut, readExamples, validationOf } from "./examples.ts";
import { paperPtrOptions, ptr, ptrExample, ptrPresets, smallPtrOptions, trainPtr } from "./recipe.ts";

const base = path.resolve("models/base");
let root: string;
let tokenizer: Tokenizer;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), "ptr-"));
  tokenizer = await Tokenizer.load(base);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const conversations = worldItems(24, { split: "train", seed: 5 }).map((item, index) => {
  const draft = writePlain(slip(item.chain, new Random(deriveSeed(1, index)), 0.9, 0.9));
  return ptrConversation({ id: item.id, question: item.question, attempts: [draft], answer: writePlain(item.chain) });
});

const optionsOf = (...words: string[]) => {
  const command = recipeCommand(ptr)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  return chosenOptions(ptr, worldSource, recipeRun(ptr, command.parse(words, { from: "user" })));
};

describe("the thought mask", () => {
  test("question, attempts and requests weigh 0; the final answer and its end weigh 1", () => {
    const attempts = ["<think>1+1=3;</think><answer>3</answer>", "<think>1+1=4;</think><answer>4</answer>"];
    const answer = "<think>1+1=2;</think><answer>2</answer>";
    const conversation = ptrConversation({ id: "a", question: "1+1?", attempts, answer });
    const { ids, mask } = ptrExample(tokenizer, conversation, { learnThoughts: false });
    const learned = ids.filter((_, t) => mask[t] > 0);
    expect(tokenizer.decode(learned, { keepAll: true })).toBe(
      answer + tokenizer.decode([tokenizer.endOfTurnId], { keepAll: true }),
    );
    const unmasked = ptrExample(tokenizer, conversation, { learnThoughts: true });
    expect(tokenizer.decode(unmasked.ids.filter((_, t) => unmasked.mask[t] > 0))).toBe([...attempts, answer].join(""));
    expect(unmasked.ids).toEqual(ids);
  });
});

describe("the mask of plain instruction data", () => {
  const plain = {
    id: "p",
    messages: [
      { role: "user" as const, content: "1+1?", trainable: false },
      { role: "assistant" as const, content: "<answer>2</answer>", trainable: true },
      { role: "user" as const, content: "2+2?", trainable: false },
      { role: "assistant" as const, content: "<answer>4</answer>", trainable: true, masked: [[8, 9]] as [number, number][] },
    ],
  };

  test("every turn that is marked is learned with its end, but for what is masked inside; thoughts beside it change nothing", () => {
    const end = tokenizer.decode([tokenizer.endOfTurnId], { keepAll: true });
    for (const learnThoughts of [false, true]) {
      const { ids, mask } = ptrExample(tokenizer, plain, { learnThoughts });
      const learned = tokenizer.decode(
        ids.filter((_, t) => mask[t] > 0),
        { keepAll: true },
      );
      expect(learned).toBe(`<answer>2</answer>${end}<answer></answer>${end}`);
    }
  });
});

describe("training", () => {
  const options = { ...smallPtrOptions, maxSteps: 4, tokensPerStep: 800, tokensPerCall: 800, evaluateEvery: 2, warmup: 0 };

  test.each([{}, { confidence: 0.2, likelihood: 0.8 }, { learnThoughts: true }])(
    "lowers the loss of answers it never saw, with %j",
    async (changed) => {
      const engine = await EmbeddedEngine.open({
        folder: base,
        threads: 1,
        lora: { rank: 4, alpha: 8, targetModules: ["q_proj", "v_proj"], seed: 1 },
      });
      try {
        using run = openRun(path.join(root, JSON.stringify(changed).replaceAll(/\W/g, "")), {
          command: "train ptr",
          options: {},
        });
        const [examples, validation] = [conversations.slice(6), conversations.slice(0, 6)];
        const result = await trainPtr({
          engine,
          tokenizer,
          examples,
          validation,
          options: { ...options, learningRate: 3e-3, ...changed },
          seed: 1,
          run,
        });
        const losses = run.readLines<{ validationLoss: number }>("evaluations").map(({ validationLoss }) => validationLoss);
        expect(result).toMatchObject({ finished: true, stepsDone: 4, best: { step: expect.any(Number) } });
        expect(losses).toHaveLength(3);
        expect(losses[2]).toBeLessThan(losses[0]);
      } finally {
        await engine.close();
      }
    },
  );

  test("validation examples longer than the context are left out like training ones, and said", async () => {
    const engine = await EmbeddedEngine.open({ folder: base, threads: 1 });
    try {
      using run = openRun(path.join(root, "long"), { command: "train ptr", options: {} });
      const long = ptrConversation({ id: "long", question: "1+1?", attempts: ["1".repeat(2000)], answer: "2" });
      const [examples, validation] = [conversations.slice(6, 8), [...conversations.slice(0, 2), long]];
      const short = { ...options, maxSteps: 1 };
      const result = await trainPtr({ engine, tokenizer, examples, validation, options: short, seed: 1, run });
      expect(result.best).toBeDefined();
      expect(run.readLines("events")).toContainEqual(expect.objectContaining({ type: "note", validationTooLong: 1 }));
    } finally {
      await engine.close();
    }
  });

  test("validation measures the answer alone, also where attempts are learned beside it", async () => {
    const engine = await EmbeddedEngine.open({ folder: base, threads: 1 });
    try {
      const first: number[] = [];
      for (const learnThoughts of [false, true]) {
        using run = openRun(path.join(root, `held-${learnThoughts}`), { command: "train ptr", options: {} });
        await trainPtr({
          engine,
          tokenizer,
          examples: conversations.slice(6),
          validation: conversations.slice(0, 6),
          // A rate near 0 leaves the weights for the second run as they are.
          options: { ...options, maxSteps: 1, learningRate: 1e-30, learnThoughts },
          seed: 1,
          run,
        });
        const [evaluated] = run.readLines<{ validationLoss: number }>("evaluations");
        const [step] = run.readLines<{ trainedTokens: number }>("metrics");
        first.push(evaluated!.validationLoss, step!.trainedTokens);
      }
      const [loss, trained, lossWithThoughts, trainedWithThoughts] = first;
      expect(lossWithThoughts).toBe(loss);
      expect(trainedWithThoughts).toBeGreaterThan(1.5 * trained!);
    } finally {
      await engine.close();
    }
  });

  test("the paper's constants, and what commands change of them", () => {
    expect(paperPtrOptions).toMatchObject({
      epochs: 3,
      learningRate: 1e-5,
      warmup: 800,
      schedule: "constant",
      tokensPerCall: 4096,
      tokensPerStep: 40_960,
      saveEvery: 1000,
      likelihood: 1,
      confidence: 0,
      adamW: { beta1: 0.98, beta2: 0.999, epsilon: 1e-9 },
    });
    expect(optionsOf("--preset=paper")).toMatchObject(ptrPresets.paper);
    const words = [
      "--max-steps=7",
      "--batch-tokens=100",
      "--gradient-accumulation=3",
      "--early-stop=2",
      "--confidence-weight=0.2",
    ];
    const changed = optionsOf("--preset=rerun", ...words);
    expect(changed).toMatchObject({
      maxSteps: 7,
      epochs: Number.POSITIVE_INFINITY,
      tokensPerCall: 100,
      tokensPerStep: 300,
      patience: 2,
      confidence: 0.2,
    });
    expect(optionsOf("--max-steps=7", "--epochs=2")).toMatchObject({ maxSteps: 7, epochs: 2 });
  });
});

describe("the command", () => {
  test("validation is a share or a file", () => {
    expect(validationOf("0.25")).toEqual({ share: 0.25 });
    expect(validationOf("0")).toEqual({ share: 0 });
    expect(validationOf("held.jsonl")).toEqual({ file: "held.jsonl" });
    expect(() => validationOf("1.5")).toThrow("no share");
  });

  test.each(["--epochs=0", "--lora=0", "--warmup=-1", "--schedule=square", "--preset=big"])("refuses %s", (word) => {
    expect(() => optionsOf("--data", "x", word)).toThrow();
  });
});

describe("examples from files", () => {
  test("the published layout and our own, with what is left out counted, and no question on both sides", async () => {
    const sample = path.join(root, "sample.jsonl");
    const rows = [
      { question: "What is a tide?", output1: "Water.", output2: "The rise and fall of the sea." },
      { question: "", output1: "a", output2: "an answer to nothing" },
      { question: "Why?", output1: "Because.", output2: "Given." },
      { question: "What is a moon?", output1: "A rock.", output2: "A body that circles a planet." },
    ];
    writeFileSync(sample, JSON.stringify(rows));
    const own = path.join(root, "own.jsonl");
    writeFileSync(own, conversations.map((each) => `${JSON.stringify(each)}\n`).join(""));
    const read = await readExamples({ data: [sample, own], limits: publishedSampleLimits, validation: { share: 0.2 } });
    expect(read.train.length + read.validation.length).toBe(2 + conversations.length);
    expect(read.tally.dropped.map(({ reason, count }) => [reason, count])).toEqual([
      ["question-empty", 1],
      ["answer-too-short", 1],
    ]);
    const held = path.join(root, "held.jsonl");
    writeFileSync(held, JSON.stringify([rows[3]]));
    const split = await readExamples({ data: [sample], limits: publishedSampleLimits, validation: { file: held } });
    expect(split.train.map(({ messages }) => messages[0].content)).toEqual(["What is a tide?"]);
    expect(split.tally.dropped.map(({ reason }) => reason)).toContain("asked-elsewhere");
    await expect(readExamples({ data: [held], validation: { file: held } })).rejects.toThrow("none is left");
    await expect(readExamples({ data: [path.join(root, "none.jsonl")], validation: { share: 0 } })).rejects.toThrow("none.jsonl");
  });

  test("which questions are held out depends neither on their order nor on how often they stand there", () => {
    const { held, train } = holdOut(conversations, 0.25);
    expect(held).toHaveLength(6);
    expect(train).toHaveLength(18);
    const again = holdOut([...conversations, ...conversations].reverse(), 0.25);
    expect(new Set(again.held)).toEqual(new Set(held));
    expect(holdOut(conversations, 0)).toEqual({ held: [], train: conversations });
    expect(() => holdOut(conversations.slice(0, 1), 0.5)).toThrow("left to train on");
  });
});
