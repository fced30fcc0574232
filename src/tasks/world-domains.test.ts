import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { Random } from "#kernel/seed.ts";
import { splitOf } from "./world.ts";
import { domainItems, type WorldDomain, worldDomains } from "./world-domains.ts";
import type { WorldItem } from "./world-items.ts";
import { answerOfSteps, slip, writePlain } from "./world-solutions.ts";

const [sums, programs, choices] = worldDomains as [(typeof worldDomains)[0], (typeof worldDomains)[0], (typeof worldDomains)[0]];
const seeds = fc.integer({ min: 0, max: 2 ** 31 });

const grade = (domain: WorldDomain, item: WorldItem, text: string) =>
  domain.verify(item, parseRefine(text).answerText, text).accuracy;

describe("the world's domains", () => {
  it("give the same items for the same seed, none twice, and keep their splits apart", () => {
    for (const domain of worldDomains) {
      const items = domainItems(domain, 300, { split: "train", seed: 1 });
      expect(domainItems(domain, 100, { split: "train", seed: 1 })).toEqual(items.slice(0, 100));
      expect(domainItems(domain, 5, { split: "train", seed: 2 })).not.toEqual(items.slice(0, 5));
      expect(new Set(items.map(({ id }) => id)).size).toBe(300);
      expect(new Set(items.map(({ question }) => question)).size).toBe(300);
      for (const split of ["train", "validation", "test"] as const) {
        expect(domainItems(domain, 100, { split, seed: 1 }).every(({ chain }) => splitOf(chain) === split)).toBe(true);
      }
    }
    expect(worldDomains.filter(({ heldOut }) => heldOut).map(({ id }) => id)).toEqual(["programs", "choices"]);
    expect(domainItems(sums, 0, { split: "test", seed: 1 })).toEqual([]);
  });

  it("grade the plain solution as right, and one with another answer as wrong", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        for (const domain of worldDomains) {
          const [item] = domainItems(domain, 1, { split: "test", seed });
          const right = writePlain(item!.chain, answerOfSteps(item!, item!.chain));
          expect(grade(domain, item!, right)).toBe(1);
          const other =
            item!.choices?.filter(({ letter }) => letter !== item!.answer).map(({ text, letter }) => `${text} ${letter}`)[0] ??
            `${Number(item!.answer) + 1}`;
          const wrong = writePlain(item!.chain, other);
          expect(grade(domain, item!, wrong)).toBe(0);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("name what a program computes, and leave one line out", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const [item] = domainItems(programs, 1, { split: "train", seed });
        const lines = item!.question.replace("?", "").split(";");
        const values = new Map<string, number>();
        for (const line of lines.slice(0, -1)) {
          const [, name, left, operator, right] = /^([a-z])=([a-z]|\d+)(?:([-+*])(\d+))?$/.exec(line)!;
          const value = values.get(left!) ?? Number(left);
          const by = Number(right ?? 0);
          values.set(name!, operator === "*" ? value * by : operator === "-" ? value - by : value + by);
        }
        expect(String(values.get(lines.at(-1)!))).toBe(item!.answer);
        expect(values.size).toBe(item!.chain.length + 2);
      }),
    );
  });

  it("offer three different results, one of them right, in no fixed place", () => {
    const items = domainItems(choices, 300, { split: "train", seed: 4 });
    for (const { choices: options, answer, chain, question } of items) {
      expect(new Set(options!.map(({ text }) => text)).size).toBe(3);
      expect(options!.find(({ letter }) => letter === answer)!.text).toBe(String(chain.at(-1)!.result));
      expect(question.endsWith(options!.map(({ text, letter }) => `${text} ${letter}`).join(", "))).toBe(true);
    }
    for (const letter of "ABC") expect(items.filter(({ answer }) => answer === letter).length).toBeGreaterThan(60);
  });

  it("answer with the option nearest to what slips come to", () => {
    const [item] = domainItems(choices, 1, { split: "train", seed: 9 });
    expect(answerOfSteps(item!, item!.chain)).toBe(`${item!.chain.at(-1)!.result} ${item!.answer}`);
    const slipped = slip(item!.chain, new Random(3), 1, 1);
    expect(item!.choices!.map(({ text, letter }) => `${text} ${letter}`)).toContain(answerOfSteps(item!, slipped));
    const { result } = item!.chain.at(-1)!;
    expect(answerOfSteps({}, item!.chain)).toBe(String(result));
  });
});
