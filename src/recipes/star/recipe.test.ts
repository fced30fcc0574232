import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Item, Verifier } from "#kernel/item.ts";
import { FakeModel } from "#models/fake.ts";
import { openRun } from "#record/run-directory.ts";
import { baseFolder, type SelfTrainingWorld, selfTrainingWorld, shortItems } from "../../../test/support/self-training-world.ts";
import type { RoundRecord } from "../shared/self-training.ts";
import { worldVerifier } from "../shared/world-methods.ts";
import { toExample } from "../sources/source.ts";
import {
  collectStar,
  hintedQuestion,
  paperStarOptions,
  type StarOptions,
  smallStarOptions,
  starPrompt,
  trainStar,
} from "./recipe.ts";

const items: Item[] = ["1", "2", "3", "4"].map((answer) => ({ id: `i${answer}`, question: `q${answer}`, answer }));
const verify: Verifier = (item, answer) => ({ accuracy: answer === item.answer ? 1 : 0, extracted: answer });
const marker = paperStarOptions.hintMarker;

/** Knows q1; knows q2 with the hint; says of q3 why it knows; never knows q4. */
const model = () =>
  new FakeModel(({ messages }) => {
    const { content } = messages.at(-1)!;
    const number = content[1];
    const isHinted = content.includes(marker);
    const known = number === "1" || (number !== "4" && isHinted);
    const why = number === "3" ? `It is marked ${marker}.` : "Because.";
    return `<think>${why}</think><answer>${known ? number : "0"}</answer>`;
  });

const collect = (options: StarOptions = paperStarOptions, fake = model()) =>
  collectStar(items, { model: fake, verify, temperature: 0, maxTokens: 20 }, options, 1);

describe("what STaR learns from", () => {
  test("right answers, and rationales that became right with the hint, without any trace of it", async () => {
    const { examples, figures } = await collect();
    expect(figures).toEqual({ asked: 4, right: 1, hinted: 3, rationalised: 1, repeatedHint: 1, failed: 0 });
    expect(examples.map(({ id }) => id)).toEqual(["i1-plain", "i2-rationalised"]);
    expect(JSON.stringify(examples)).not.toContain(marker);
    expect(examples[1].messages.map(({ content, trainable }) => [content, trainable])).toEqual([
      ["q2", false],
      ["<think>Because.</think><answer>2</answer>", true],
    ]);
  });

  test("without rationalisation nobody is given a hint", async () => {
    const fake = model();
    const { examples, figures } = await collect({ ...paperStarOptions, rationalise: false }, fake);
    expect(examples).toHaveLength(1);
    expect(figures).toMatchObject({ hinted: 0, rationalised: 0 });
    expect(JSON.stringify(fake.calls)).not.toContain(marker);
  });

  test("worked examples stand before the question, and in training only when asked for", async () => {
    const workedExamples = [{ question: "w", answer: "done" }];
    const fake = model();
    const shown = await collect({ ...paperStarOptions, workedExamples, instruction: "Think." }, fake);
    expect(fake.calls[0].messages.map(({ content }) => content)).toEqual(["Think.", "w", "done", "q1"]);
    expect(shown.examples[0].messages.map(({ content }) => content).slice(0, 2)).toEqual(["Think.", "q1"]);
    const kept = await collect({ ...paperStarOptions, workedExamples, trainWithExamples: true });
    expect(kept.examples[0].messages.map(({ content, trainable }) => [content, trainable]).slice(0, 3)).toEqual([
      ["w", false],
      ["done", false],
      ["q1", false],
    ]);
  });

  test("answers that were cut are not learned; failed calls are counted; all failed is an error", async () => {
    const cut = new FakeModel(() => ({ text: "<answer>1</answer>", finishReason: "length" }));
    expect((await collect(paperStarOptions, cut)).examples).toEqual([]);
    const broken = new FakeModel(({ messages }) => (messages[0].content === "q1" ? new Error("503") : "<answer>2</answer>"));
    expect((await collect(paperStarOptions, broken)).figures).toMatchObject({ failed: 1, right: 1 });
    await expect(collect(paperStarOptions, new FakeModel(() => new Error("503")))).rejects.toThrow("503");
  });

  test("the answer is shown where the model was wrong, once, and nowhere else; failed calls are not asked again", async () => {
    const fake = new FakeModel(({ messages }) => {
      const { content } = messages.at(-1)!;
      return content === "q4" ? new Error("503") : `<answer>${content === "q1" ? "1" : "0"}</answer>`;
    });
    await collect({ ...paperStarOptions, workedExamples: [{ question: "w", answer: "done" }] }, fake);
    const asked = fake.calls.map(({ messages }) => messages.at(-1)!.content);
    expect(asked).toEqual(["q1", "q2", "q3", "q4", `q2\n2 ${marker}`, `q3\n3 ${marker}`]);
    for (const { messages } of fake.calls) expect(JSON.stringify(messages.slice(0, -1))).not.toContain(marker);
  });

  test("right answers that were cut are neither learned nor asked for again with the hint", async () => {
    const fake = new FakeModel(({ messages }) => ({
      text: `<answer>${messages[0].content[1]}</answer>`,
      finishReason: messages[0].content === "q2" ? "length" : "stop",
    }));
    const { examples, figures } = await collect(paperStarOptions, fake);
    expect(examples.map(({ id }) => id)).toEqual(["i1-plain", "i3-plain", "i4-plain"]);
    expect(figures).toMatchObject({ right: 3, hinted: 0 });
  });

  test("every call has a seed of its own, that follows from loop, kind and question", async () => {
    const seedsOf = async (seed: number, some = items) => {
      const fake = new FakeModel(() => "<answer>0</answer>");
      await collectStar(some, { model: fake, verify, temperature: 1, maxTokens: 9 }, paperStarOptions, seed);
      return fake.calls.map(({ options }) => options.seed);
    };
    const seeds = await seedsOf(1);
    expect(new Set([...seeds, ...(await seedsOf(2))]).size).toBe(2 * 2 * items.length);
    expect(await seedsOf(1, items.slice(2, 3))).toEqual([seeds[2], seeds[6]]);
  });

  test("the hint stands behind the right option, or at the end", () => {
    const choices = ["north", "south"].map((text, index) => ({ letter: "AB"[index], text }));
    const item: Item = { id: "a", question: "Where is north?\nA) north\nB) south", answer: "A", choices };
    expect(hintedQuestion(item, "(X)")).toBe("Where is north?\nA) north (X)\nB) south");
    expect(hintedQuestion(items[0], "(X)")).toBe("q1\n1 (X)");
    expect(hintedQuestion({ ...item, question: "?" }, "(X)")).toBe("?\nA (X)");
  });

  test.each([
    ["Which? A) oil B) iron C) olive oil", "A", "Which? A) oil (X) B) iron C) olive oil"],
    ["Which?\n(A) oil\n(B) iron\n(C) olive oil", "A", "Which?\n(A) oil (X)\n(B) iron\n(C) olive oil"],
    ["Which?\noil\niron\nolive oil", "A", "Which?\noil (X)\niron\nolive oil"],
    ["Is oil lighter than olive oil?", "A", "Is oil lighter than olive oil?\nA (X)"],
    ["Which?\nC. olive oil\nA. oil", "C", "Which?\nC. olive oil (X)\nA. oil"],
  ])("an option inside another one is not marked for it: %s", (question, answer, hinted) => {
    const choices = [
      { letter: "A", text: "oil" },
      { letter: "B", text: "iron" },
      { letter: "C", text: "olive oil" },
    ];
    expect(hintedQuestion({ id: "i", question, answer, choices }, "(X)")).toBe(hinted);
  });

  test("the paper's constants", () => {
    expect(paperStarOptions).toMatchObject({
      firstSteps: 40,
      growth: 1.2,
      rationalise: true,
      temperature: 0,
      trainWithExamples: false,
    });
    expect(paperStarOptions.training).toMatchObject({ learningRate: 1e-6, warmup: 100 });
    expect(starPrompt("q", paperStarOptions)).toEqual([{ role: "user", content: "q" }]);
  });
});

describe("loops", () => {
  let world: SelfTrainingWorld;
  beforeAll(async () => {
    world = await selfTrainingWorld();
  });
  afterAll(() => world.close());

  test("in ids the rationale and its end are learned, and nothing of question, instruction or worked examples", async () => {
    const shown = { ...paperStarOptions, instruction: "Think.", workedExamples: [{ question: "w", answer: "done" }] };
    const { examples } = await collect({ ...shown, trainWithExamples: true });
    for (const example of examples) {
      const { ids, mask } = toExample(world.tokenizer, example);
      const learned = ids.filter((_, t) => mask[t] > 0);
      expect(world.tokenizer.decode(learned)).toBe(example.messages.at(-1)!.content);
      expect(learned.at(-1)).toBe(world.tokenizer.endOfTurnId);
      expect(world.tokenizer.decode(ids)).toContain("done");
    }
  });

  const options: StarOptions = { ...smallStarOptions, loops: 2, firstSteps: 2, growth: 1.5, instruction: "Solve step by step." };

  test("each starts from the base with a fresh optimiser, learns what the newest model wrote, and goes on after a stop", async () => {
    const play = async (name: string, signal?: AbortSignal) => {
      const { engine, startsOf, close } = await world.open();
      try {
        using run = openRun(path.join(world.root, name), { command: "train star", options: {} });
        const training = {
          engine,
          tokenizer: world.tokenizer,
          items: shortItems,
          validation: shortItems.slice(0, 4),
          verify: worldVerifier,
        };
        const stop = new AbortController();
        const result = await trainStar({
          ...training,
          options,
          seed: 1,
          run,
          ...(signal ? { signal: stop.signal } : {}),
          onProgress: (round, { stepsDone }) => {
            if (signal && round === 2 && stepsDone === 1) stop.abort();
          },
        });
        return { result, starts: await startsOf() };
      } finally {
        await close();
      }
    };
    const { result, starts } = await play("straight");
    expect(result.finished).toBe(true);
    expect(result.rounds.map(({ steps }) => steps)).toEqual([2, 3]);
    for (const { figures, examples } of result.rounds as RoundRecord[]) {
      expect(figures.asked).toBe(10);
      expect(examples).toBe((figures.right as number) + (figures.rationalised as number));
    }
    expect(starts).toHaveLength(2);
    for (const start of starts) {
      expect(world.weightsIn(start)).toBe(world.weightsIn(baseFolder));
      expect(readFileSync(path.join(start, "optimizer.safetensors"), "latin1")).toContain('"step":"0"');
    }
    const text = readFileSync(path.join(world.root, "straight/round-2/examples.json"), "utf8");
    expect(text).not.toContain(marker);

    const stopped = await play("stopped", new AbortController().signal);
    expect(stopped.result).toMatchObject({ finished: false, model: undefined });
    const resumed = await play("stopped");
    expect(resumed.result.rounds).toEqual(result.rounds);
    expect(world.weightsIn(resumed.result.model!)).toBe(world.weightsIn(result.model!));
    expect(world.weightsIn(path.join(world.root, "stopped/round-2/model"))).toBe(
      world.weightsIn(path.join(world.root, "straight/round-2/model")),
    );
  }, 120_000);
});
