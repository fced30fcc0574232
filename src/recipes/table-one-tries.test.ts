import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { FakeModel } from "#models/fake.ts";
import { openRun } from "#record/run-directory.ts";
import { worldDomains } from "#tasks/world-domains.ts";
import { worldItems } from "#tasks/world-items.ts";
import { worldPrompts } from "#tasks/world-solutions.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { gradeSteps } from "#verifiers/steps.ts";
import { baseFolder } from "../../test/support/self-training-world.ts";
import { ptrExample } from "./ptr.ts";
import { workedPtrExamples, workedSolution } from "./table-one-solutions.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), "table-one-solutions-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const [sums] = worldDomains;
const items = worldItems(12, { split: "train", seed: 3 });

async function make(name: string, model: FakeModel, asked = items) {
  using run = openRun(path.join(root, name), { command: "test", options: {} });
  const sampling = { model, verify: sums!.verify, temperature: 0.9, maxTokens: 50 };
  const examples = await workedPtrExamples(asked, sampling, 3, 7, run);
  return { examples, model };
}

describe("a worked solution", () => {
  test("is right, in the model's own form, with every product worked out and no step wrong", () => {
    for (const item of items) {
      const text = workedSolution(item);
      const parsed = parseRefine(text);
      expect(parsed.ok).toBe(true);
      expect(parsed.refines).toEqual([]);
      expect(sums!.verify(item, parsed.answerText, text)).toMatchObject({ accuracy: 1 });
      expect(gradeSteps(text)).toMatchObject({ wrongToRight: 0, rightToWrong: 0 });
      const products = item.chain.filter(({ operator }) => operator === "*");
      for (const { left, right } of products) expect(text).toContain(`${left}*${right}:`);
    }
  });
});

describe("examples of PTR that end in one", () => {
  test("attempts stand as they were drawn, right or wrong, and the worked solution alone is learned, with its end", async () => {
    const tokenizer = await Tokenizer.load(baseFolder);
    const { examples } = await make("a", new FakeModel((_, sample) => `<answer>${sample}</answer>`));
    expect(examples).toHaveLength(items.length);
    for (const [index, { messages }] of examples.entries()) {
      const attempts = (messages.length - 3) / 2;
      expect(messages.map(({ content }) => content)).toEqual([
        worldPrompts.plain,
        items[index]!.question,
        ...Array.from({ length: attempts }, (_, each) => [`<answer>${each}</answer>`, worldPrompts.improve]).flat(),
        workedSolution(items[index]!),
      ]);
      expect(messages.map(({ trainable }) => trainable)).toEqual(messages.map((_, at) => at === messages.length - 1));
      const { ids, mask } = ptrExample(tokenizer, examples[index]!, { learnThoughts: false });
      const learned = ids.filter((_, t) => mask[t]! > 0);
      expect(learned.at(-1)).toBe(tokenizer.endOfTurnId);
      expect(tokenizer.decode(learned)).toBe(workedSolution(items[index]!));
    }
    const counts = new Set(examples.map(({ messages }) => (messages.length - 3) / 2));
    expect([...counts].sort()).toEqual([1, 2, 3]);
  });

  test("attempts that were cut or are empty are left out, and so is a question without any other", async () => {
    const odd = new FakeModel(({ messages }) => {
      const number = items.findIndex(({ question }) => question === messages.at(-1)!.content);
      if (number === 0) return { text: "<think>1", finishReason: "length" };
      return number === 1 ? " " : number === 2 ? new Error("503") : "<answer>5</answer>";
    });
    const { examples } = await make("b", odd);
    expect(examples.map(({ id }) => id)).toEqual(items.slice(3).map(({ id }) => `${id}-ptr`));
  });

  test("the model is asked the bare question, and how often follows from the question and not from its neighbours", async () => {
    const reply = () => new FakeModel(() => "<answer>5</answer>");
    const { model } = await make("c", reply());
    for (const [index, { messages, options }] of model.calls.entries()) {
      expect(messages).toEqual([
        { role: "system", content: worldPrompts.plain },
        { role: "user", content: items[index]!.question },
      ]);
      expect(options).toMatchObject({ temperature: 0.9, maxTokens: 50 });
    }
    expect(new Set(model.calls.map(({ options }) => options.seed)).size).toBe(items.length);
    const alone = await make("d", reply(), items.slice(5, 6));
    expect(alone.model.calls[0]!.options).toEqual(model.calls[5]!.options);
  });
});
