import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { splitOf } from "./chains.ts";
import { domainItems, type WorldDomain, worldDomains } from "./domains.ts";
import type { WorldItem } from "./items.ts";
import { writePlain } from "./solutions.ts";

const [sums, programs, postfix] = worldDomains as [WorldDomain, WorldDomain, WorldDomain];
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
    expect(worldDomains.filter(({ heldOut }) => heldOut).map(({ id }) => id)).toEqual(["programs", "postfix"]);
    expect(domainItems(sums, 0, { split: "test", seed: 1 })).toEqual([]);
  });

  it("grade the plain solution as right, and one with another answer as wrong", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        for (const domain of worldDomains) {
          const [item] = domainItems(domain, 1, { split: "test", seed });
          expect(grade(domain, item!, writePlain(item!.chain))).toBe(1);
          const wrong = item!.chain.map((step, index) =>
            index === item!.chain.length - 1 ? { ...step, result: step.result + 1 } : step,
          );
          expect(grade(domain, item!, writePlain(wrong))).toBe(0);
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

  it("write postfix chains that come to their answer", () => {
    for (const { question, answer, chain } of domainItems(postfix, 300, { split: "train", seed: 4 })) {
      const stack: number[] = [];
      for (const word of question.split(" ")) {
        if (/\d/.test(word)) stack.push(Number(word));
        else {
          const [right, left] = [stack.pop()!, stack.pop()!];
          stack.push(word === "*" ? left * right : word === "-" ? left - right : left + right);
        }
      }
      expect(stack).toEqual([Number(answer)]);
      expect(question.split(" ")).toHaveLength(1 + 2 * chain.length);
    }
  });
});
