import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TrainingConversation } from "#kernel/conversation.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { Random } from "#kernel/seed.ts";
import { domainItems, type WorldDomain, worldDomains } from "./domains.ts";
import type { WorldItem } from "./items.ts";
import { defaultSkillsOptions, hintConversation, retryConversation, skillsCorpus, withUnlearnedProducts } from "./skills.ts";
import { worldPrompts } from "./solutions.ts";

function first(count: number, seed: number): TrainingConversation[] {
  const conversations: TrainingConversation[] = [];
  for (const conversation of skillsCorpus(seed)) if (conversations.push(conversation) >= count) break;
  return conversations;
}

const anItem = fc
  .tuple(fc.constantFrom(...worldDomains), fc.integer({ min: 0, max: 2 ** 31 }))
  .map(([domain, seed]) => ({ domain, item: domainItems(domain, 1, { split: "train", seed })[0] }));

const grade = (domain: WorldDomain, item: WorldItem, text: string) =>
  domain.verify(item, parseRefine(text).answerText, text).accuracy;

describe("the corpus of skills", () => {
  it("repeats itself for the same seed only, has every kind in its share, and something to learn in each", () => {
    const conversations = first(2000, 1);
    expect(first(20, 1)).toEqual(conversations.slice(0, 20));
    expect(first(20, 2)).not.toEqual(conversations.slice(0, 20));
    const share = (kind: string) => conversations.filter(({ id }) => id.includes(kind)).length / conversations.length;
    const { shares } = defaultSkillsOptions;
    expect(share("-drill")).toBeCloseTo(shares.drill + shares.workedDrill, 1);
    expect(share("-self-refine")).toBeCloseTo(shares.selfRefine, 1);
    expect(share("-retry")).toBeCloseTo(shares.retry, 1);
    expect(share("-hint")).toBeCloseTo(shares.hint, 1);
    for (const { messages } of conversations) {
      expect(messages.some(({ trainable }) => trainable)).toBe(true);
      for (const { content, masked = [] } of messages) {
        let end = 0;
        for (const range of masked) {
          expect(range[0]).toBeGreaterThanOrEqual(end);
          expect(range[1]).toBeGreaterThan(range[0]);
          end = range[1];
        }
        expect(end).toBeLessThanOrEqual(content.length);
      }
    }
  });

  it("learns right last tries alone, after one to three tries", () => {
    fc.assert(
      fc.property(anItem, fc.integer(), ({ domain, item }, seed) => {
        const { messages } = retryConversation(item, new Random(seed));
        const learned = messages.filter(({ trainable }) => trainable);
        expect(learned).toEqual([messages.at(-1)]);
        const { content } = learned[0];
        expect(grade(domain, item, content)).toBe(1);
        const asked = messages.filter(({ content: words }) => words === worldPrompts.improve).length;
        expect(asked).toBeGreaterThanOrEqual(1);
        expect(messages).toHaveLength(3 + 2 * asked);
      }),
    );
  });

  it("marks the right answer in a hinted question, and never writes the mark itself", () => {
    fc.assert(
      fc.property(anItem, fc.integer(), ({ domain, item }, seed) => {
        const { messages } = hintConversation(item, new Random(seed));
        const [, question, answer] = messages;
        expect(question!.content).toBe(`${item.question}\n${item.answer} (CORRECT)`);
        expect(answer!.content).not.toContain("(CORRECT)");
        expect(grade(domain, item, answer!.content)).toBe(1);
      }),
    );
  });

  it("takes the loss from results of products in one go, and from nothing else", () => {
    const content =
      "<think>347*6=2082;<refine>7*6=42,4*6+4=28,3*6+2=20,347*6=2082</refine>2082+9=2091;12*3=36;</think><answer>2091</answer>";
    const conversation = { id: "x", messages: [{ role: "assistant" as const, content, trainable: true }] };
    const [message] = withUnlearnedProducts(conversation, new Random(1), 1).messages;
    expect(message!.masked!.map(([start, end]) => content.slice(start, end))).toEqual(["2082"]);
    expect(message!.masked![0][0]).toBe(content.indexOf("2082"));
    expect(withUnlearnedProducts(conversation, new Random(1), 0).messages[0].masked).toBeUndefined();
    const wrong = { ...conversation, messages: [{ ...conversation.messages[0], masked: [[13, 18]] as const }] };
    expect(withUnlearnedProducts(wrong, new Random(1), 1).messages[0].masked).toEqual([[13, 18]]);
    const silent = { ...conversation, messages: [{ ...conversation.messages[0], trainable: false }] };
    expect(withUnlearnedProducts(silent, new Random(1), 1)).toEqual(silent);
  });
});
