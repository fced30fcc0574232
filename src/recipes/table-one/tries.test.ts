import { describe, expect, test } from "vitest";
import type { Message } from "#kernel/model.ts";
import { FakeModel } from "#models/fake.ts";
import { worldDomains } from "#tasks/world/domains.ts";
import { worldItems } from "#tasks/world/items.ts";
import { worldPrompts } from "#tasks/world/solutions.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { baseFolder } from "../../../test/support/self-training-world.ts";
import { ptrExample } from "../ptr/recipe.ts";
import { ptrConversation, rightSecondTries } from "./tries.ts";

const [sums] = worldDomains;
const items = worldItems(12, { split: "train", seed: 3 });
const answered = (answer: string | number) => `<think>x</think><answer>${answer}</answer>`;
const indexOf = (messages: readonly Message[]) => items.findIndex(({ question }) => question === messages[1].content);
const isTry = (messages: readonly Message[]) => messages.length > 2;

function draw(model: FakeModel, asked = items, attempts = 3) {
  const sampling = { model, verify: sums!.verify, temperature: 0.9, maxTokens: 50 };
  return rightSecondTries(asked, sampling, { attempts, tries: 4 }, 7);
}

/** Wrong attempts, numbered; of the tries the third and fourth are right. */
const learner = () =>
  new FakeModel(({ messages }, sample) => {
    if (!isTry(messages)) return answered(-1 - sample);
    return sample < 2 ? answered(-9) : `${sample}${answered(items[indexOf(messages)].answer)}`;
  });

describe("right second tries", () => {
  test("are the first right one of each question, after attempts as they were drawn, each asked about with the same words", async () => {
    const tries = await draw(learner());
    expect(tries.map(({ item }) => item.id)).toEqual(items.map(({ id }) => id));
    for (const [index, { messages, text }] of tries.entries()) {
      expect(text).toBe(`2${answered(items[index].answer)}`);
      const attempts = (messages.length - 2) / 2;
      expect(messages.map(({ content }) => content)).toEqual([
        worldPrompts.plain,
        items[index].question,
        ...Array.from({ length: attempts }, (_, each) => [answered(-1 - each), worldPrompts.improve]).flat(),
      ]);
    }
    expect([...new Set(tries.map(({ messages }) => (messages.length - 2) / 2))].sort()).toEqual([1, 2, 3]);
  });

  test("leave out questions without one, tries that were cut, and tries that repeat an attempt", async () => {
    const model = new FakeModel(({ messages }, sample) => {
      const index = indexOf(messages);
      const right = answered(items[index].answer);
      if (index === 0) return answered(-1);
      if (index === 1) return isTry(messages) ? { text: right, finishReason: "length" } : answered(-1);
      if (index === 2) return right;
      if (index === 3) return isTry(messages) && sample === 3 ? `again ${right}` : right;
      if (index === 4) return isTry(messages) ? right : " ";
      return isTry(messages) ? right : answered(-1);
    });
    const tries = await draw(model, items.slice(0, 6));
    expect(tries.map(({ item, text }) => [item.id, text])).toEqual([
      [items[3].id, `again ${answered(items[3].answer)}`],
      [items[5].id, answered(items[5].answer)],
    ]);
  });

  test("never show the reference answer to the model, and a question's draws do not depend on its neighbours", async () => {
    const model = learner();
    const tries = await draw(model);
    for (const { messages } of model.calls) {
      const index = indexOf(messages);
      const others = messages.filter(({ role }) => role !== "assistant").map(({ content }) => content);
      expect(new Set(others)).toEqual(
        new Set([worldPrompts.plain, items[index].question, ...(isTry(messages) ? [worldPrompts.improve] : [])]),
      );
    }
    const seeds = model.calls.map(({ options }) => options.seed);
    expect(new Set(seeds).size).toBe(seeds.length);
    expect(await draw(learner(), items.slice(5, 6))).toEqual([tries[5]]);
  });

  test("become examples of PTR in which the last try alone is learned, with its end", async () => {
    const tokenizer = await Tokenizer.load(baseFolder);
    for (const each of await draw(learner())) {
      const conversation = ptrConversation(each);
      expect(conversation.messages.map(({ trainable }) => trainable)).toEqual(
        conversation.messages.map((_, at) => at === conversation.messages.length - 1),
      );
      const { ids, mask } = ptrExample(tokenizer, conversation, { learnThoughts: false });
      const learned = ids.filter((_, t) => mask[t] > 0);
      expect(learned.at(-1)).toBe(tokenizer.endOfTurnId);
      expect(tokenizer.decode(learned)).toBe(each.text);
    }
  });
});
