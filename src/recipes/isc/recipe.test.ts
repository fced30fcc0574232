import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Item, Verifier } from "#kernel/item.ts";
import { FakeModel } from "#models/fake.ts";
import { openRun } from "#record/run-directory.ts";
import { writePlain } from "#tasks/world/solutions.ts";
import { type SelfTrainingWorld, selfTrainingWorld, shortItems } from "../../../test/support/self-training-world.ts";
import { worldVerifier } from "../shared/world-methods.ts";
import { toExample } from "../sources/source.ts";
import {
  collectIsc,
  type IscOptions,
  iscExample,
  iscMethod,
  paperIscOptions,
  readIsc,
  smallIscOptions,
  trainIsc,
} from "./recipe.ts";

const verify: Verifier = (item, answer) => ({ accuracy: answer === item.answer ? 1 : 0, extracted: answer });
const items: Item[] = ["1", "2", "3"].map((answer) => ({ id: `i${answer}`, question: `q${answer}`, answer }));
const script: Record<string, string[]> = { q1: ["1", "1", "0"], q2: ["0", "8", " "], q3: ["3", "3", "3"] };
const model = () => new FakeModel(({ messages }, sample) => script[messages.at(-1)!.content][sample]);
const options: IscOptions = { ...paperIscOptions, samples: 3 };
const collect = (changed: Partial<IscOptions> = {}, solutionOf?: (item: Item) => string | undefined, fake = model()) =>
  collectIsc(items, { model: fake, verify, temperature: 1, maxTokens: 8 }, { ...options, ...changed }, 1, solutionOf);
const { right, wrong } = paperIscOptions.verdicts;

let world: SelfTrainingWorld;
beforeAll(async () => {
  world = await selfTrainingWorld();
});
afterAll(() => world.close());

describe("what ISC learns from", () => {
  test("each distinct answer with its verdict; a wrong one with a right answer of the same question behind it", async () => {
    const { examples, figures } = await collect();
    expect(figures).toEqual({ asked: 3, right: 2, wrong: 1, withoutCorrection: 2, keptRight: 2 });
    expect(examples.map(({ messages }) => messages.at(-1))).toEqual([
      { role: "assistant", content: `1\n${right}`, trainable: true },
      { role: "assistant", content: `3\n${right}`, trainable: true },
      { role: "assistant", content: `0\n${wrong}\n1`, trainable: true, masked: [[0, 1]] },
    ]);
    expect(examples[0].messages[0]).toEqual({ role: "system", content: options.instruction, trainable: false });
  });

  test("the reference's own solution goes before the model's right answer", async () => {
    const { examples } = await collect({}, ({ answer }) => `it is ${answer}`);
    const corrected = examples.map(({ messages }) => messages.at(-1)!.content).filter((text) => text.includes(wrong));
    expect(corrected).toEqual([`0\n${wrong}\nit is 1`, `0\n${wrong}\nit is 2`, `8\n${wrong}\nit is 2`]);
  });

  test("right answers may be kept in proportion to wrong ones", async () => {
    expect((await collect({ rightPerWrong: 1 })).figures).toMatchObject({ right: 2, wrong: 1, keptRight: 1 });
  });

  test("the model is asked the bare question, with a seed that follows from it and not from its neighbours", async () => {
    const fake = model();
    await collect({}, ({ answer }) => `it is ${answer}`, fake);
    expect(fake.calls.map(({ messages }) => messages)).toEqual(
      items.map(({ question }) => [{ role: "user", content: question }]),
    );
    const seeds = fake.calls.map(({ options }) => options.seed);
    expect(new Set(seeds).size).toBe(items.length);
    const alone = model();
    await collectIsc(items.slice(2), { model: alone, verify, temperature: 1, maxTokens: 8 }, options, 1);
    expect(alone.calls[0].options).toEqual(fake.calls[2].options);
  });

  test("answers are asked for under their own instruction, and cut ones are left out", async () => {
    const fake = model();
    await collect({ askInstruction: "Answer." }, undefined, fake);
    expect(fake.calls[0].messages[0]).toEqual({ role: "system", content: "Answer." });
    const cut = new FakeModel(() => ({ text: "1", finishReason: "length" }));
    expect((await collect({}, undefined, cut)).examples).toEqual([]);
  });
});

describe("partial answer masking", () => {
  test("the end of the text is learned, instruction and question are not, masked or unmasked", () => {
    for (const correction of [undefined, "<answer>4</answer>"]) {
      const parts = { first: "<answer>5</answer>", ...(correction ? { correction } : {}) };
      const { ids, mask } = toExample(world.tokenizer, iscExample("a", "2+2?", parts, smallIscOptions));
      expect([ids.at(-1), Array.from(mask).at(-1)]).toEqual([world.tokenizer.endOfTurnId, 1]);
      const prompt = [
        { role: "system" as const, content: smallIscOptions.instruction },
        { role: "user" as const, content: "2+2?" },
      ];
      const before = world.tokenizer.encodeConversation(prompt, { addGenerationPrompt: true });
      expect(ids.slice(0, before.length)).toEqual(before);
      expect(
        Array.from(mask)
          .slice(0, before.length)
          .every((each) => each === 0),
      ).toBe(true);
    }
  });

  test("no token of a wrong answer is learned wherever its end falls, whatever stands in it", () => {
    const characters = fc.constantFrom("1", "9", "=", ";", "\n", " ", "é", "🙂", "<answer>", "</answer>", "Not right.");
    const text = fc.array(characters, { minLength: 1, maxLength: 8 }).map((each) => each.join(""));
    fc.assert(
      fc.property(text, text, (first, correction) => {
        const { ids, mask } = toExample(world.tokenizer, iscExample("a", "2?", { first, correction }, smallIscOptions));
        const kept = world.tokenizer.decode(ids.filter((_, t) => mask[t] > 0));
        const after = `\n${smallIscOptions.verdicts.wrong}\n${correction}`;
        expect(after.endsWith(kept)).toBe(true);
        // A token that the answer and the line break share may go, and nothing else of verdict and correction.
        expect(after.length - kept.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  });

  const learned = (maskWrongAnswer: boolean, correction?: string) => {
    const parts = { first: "<think>2+2=5;</think><answer>5</answer>", ...(correction ? { correction } : {}) };
    const { ids, mask } = toExample(world.tokenizer, iscExample("a", "2+2?", parts, { ...smallIscOptions, maskWrongAnswer }));
    return world.tokenizer.decode(ids.filter((_, t) => mask[t] > 0));
  };

  test("a wrong first answer weighs 0, its verdict and the correction 1", () => {
    expect(learned(true, "<think>2+2=4;</think><answer>4</answer>")).toBe(
      "\nNot right.\n<think>2+2=4;</think><answer>4</answer>",
    );
  });

  test("a right first answer is learned whole; without the mask so is a wrong one", () => {
    expect(learned(true)).toBe("<think>2+2=5;</think><answer>5</answer>\nAll right.");
    expect(learned(false, "x")).toBe("<think>2+2=5;</think><answer>5</answer>\nNot right.\nx");
  });
});

describe("at test", () => {
  test.each([
    [`5\n${wrong}\n4`, { first: "5", verdict: "wrong", final: "4" }],
    [`4\n${right}`, { first: "4", verdict: "right", final: "4" }],
    ["4", { first: "4", verdict: undefined, final: "4" }],
    [`5\n${wrong}`, { first: "5", verdict: "wrong", final: "5" }],
    [`4\n${right}\n${wrong}\n7`, { first: "4", verdict: "right", final: "4" }],
    ["", { first: "", verdict: undefined, final: "" }],
  ])("reads %j", (text, parts) => {
    expect(readIsc(text, paperIscOptions)).toEqual(parts);
  });

  test("one call under the instruction of the examples", async () => {
    const fake = new FakeModel(["4"]);
    const request = { model: fake, messages: [{ role: "user" as const, content: "q" }], temperature: 0, maxTokens: 8, seed: 1 };
    await iscMethod(paperIscOptions).run(request).next();
    expect(fake.calls.map(({ messages }) => messages[0].content)).toEqual([paperIscOptions.instruction]);
  });
});

test("a run on the small world keeps its examples, its figures and a model", async () => {
  const { engine, close } = await world.open();
  try {
    using run = openRun(path.join(world.root, "isc"), { command: "train isc", options: {} });
    const training = { ...smallIscOptions.training, maxSteps: 3 };
    const result = await trainIsc({
      engine,
      tokenizer: world.tokenizer,
      items: shortItems,
      verify: worldVerifier,
      solutionOf: (item) => writePlain((item as (typeof shortItems)[number]).chain),
      options: { ...smallIscOptions, askInstruction: "Solve step by step.", training },
      seed: 1,
      run,
    });
    expect(result).toMatchObject({ finished: true, best: 1 });
    const [round] = result.rounds;
    expect(round!.figures.withoutCorrection).toBe(0);
    expect(round!.examples).toBe((round!.figures.right as number) + (round!.figures.wrong as number));
    expect(world.weightsIn(result.model!)).toBe(world.weightsIn(path.join(world.root, "isc/round-1/model")));
  } finally {
    await close();
  }
}, 60_000);
