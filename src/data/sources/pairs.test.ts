import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Message, noUsage } from "#kernel/model.ts";
import { isDropped } from "../training-files/data-card.ts";
import { type Candidate, flipPair, type PreferencePair, pairKinds, pairsOf, sharedPrefix, stopContinuePair } from "./pairs.ts";
import type { TraceRecord } from "./trace-record.ts";

const prompt: Message[] = [{ role: "user", content: "q" }];
const candidates: Candidate[] = [
  { text: "right one", accuracy: 1, score: 0.4 },
  { text: "wrong", accuracy: 0, score: 0.9 },
  { text: "right two is long", accuracy: 1, score: 0.8 },
  { text: "poor", accuracy: 0, score: 0.1 },
];
const sides = (pairs: unknown) => (pairs as PreferencePair[]).map(({ chosen, rejected }) => [chosen, rejected]);

describe("builders", () => {
  test("best against worst, by score where there is one", () => {
    const group = { id: "g", prompt, candidates };
    expect(sides(pairsOf("best-worst", group, { seed: 1 }))).toEqual([["wrong", "poor"]]);
    const graded = { ...group, candidates: candidates.map(({ text, accuracy }) => ({ text, accuracy })) };
    expect(sides(pairsOf("best-worst", graded, { seed: 1, most: 9 }))).toEqual([
      ["right one", "poor"],
      ["right two is long", "wrong"],
    ]);
  });

  test("hard negatives are the wrong answers a scorer likes best", () => {
    const pairs = pairsOf("hard-negative", { id: "g", prompt, candidates }, { seed: 1, most: 1 });
    expect((pairs as PreferencePair[])[0].rejected).toBe("wrong");
  });

  test("a chosen answer may be bounded by the rejected one's length", () => {
    const pairs = pairsOf("correct-wrong", { id: "g", prompt, candidates }, { seed: 1, most: 9, longestRatio: 1 });
    expect(pairs).toEqual({ dropped: "no-pair" });
    const longer = pairsOf("correct-wrong", { id: "g", prompt, candidates }, { seed: 1, most: 9, longestRatio: 2 });
    expect(sides(longer)).toEqual([["right one", "wrong"]]);
  });

  test("whatever the candidates, the chosen one is better, nothing repeats, and the same seed gives the same", () => {
    const candidate = fc.record({ text: fc.constantFrom("a", "ab", "abc", "b", " "), accuracy: fc.constantFrom(0, 0.5, 1) });
    fc.assert(
      fc.property(fc.array(candidate, { maxLength: 8 }), fc.constantFrom(...pairKinds), fc.nat(), (all, kind, seed) => {
        const group = { id: "g", prompt, candidates: all };
        const pairs = pairsOf(kind, group, { seed, most: 99, maskSharedPrefix: true });
        expect(pairsOf(kind, group, { seed, most: 99, maskSharedPrefix: true })).toEqual(pairs);
        if (isDropped(pairs)) return;
        const first = (text: string) => all.find((each) => each.text === text)!.accuracy;
        for (const { chosen, rejected, chosenMasked } of pairs) {
          expect(first(chosen)).toBeGreaterThan(first(rejected));
          for (const [, end] of chosenMasked ?? []) expect(chosen.slice(0, end)).toBe(rejected.slice(0, end));
        }
        expect(new Set(sides(pairs).map((each) => JSON.stringify(each))).size).toBe(pairs.length);
      }),
    );
  });

  test("every right answer meets every wrong one once", () => {
    const all = Array.from({ length: 5 }, (_, index) => ({ text: `${index}`, accuracy: index < 2 ? 1 : 0 }));
    const pairs = pairsOf("correct-wrong", { id: "g", prompt, candidates: all }, { seed: 3, most: 99 }) as PreferencePair[];
    expect(pairs).toHaveLength(6);
    expect(new Set(pairs.slice(0, 3).map(({ rejected }) => rejected)).size).toBe(3);
    expect(new Set(pairs.slice(0, 2).map(({ chosen }) => chosen)).size).toBe(2);
  });
});

describe("pairs of one refinement", () => {
  const record = (accuracies: [number, number]): TraceRecord => ({
    item: "q",
    method: "m",
    sample: 0,
    text: "second",
    answer: "second",
    accuracy: accuracies[1],
    attempts: accuracies.map((accuracy) => ({ accuracy })),
    reason: "done",
    events: ["first", "second"].map((text, attempt) => ({
      type: "attempt-end",
      attempt,
      messages: prompt,
      text,
      usage: noUsage,
    })),
  });

  test("flip: whichever of the two is right", () => {
    expect(flipPair(record([0, 1]))).toMatchObject({ chosen: "second", rejected: "first", prompt });
    expect(flipPair(record([1, 0]))).toMatchObject({ chosen: "first", rejected: "second" });
    expect(flipPair(record([1, 1]))).toEqual({ dropped: "no-pair" });
  });

  test("stop or continue on the same attempt, the attempt itself masked", () => {
    const options = { stop: "<stop>", again: "<again>" };
    expect(stopContinuePair(record([1, 1]), options)).toMatchObject({
      chosen: "first<stop>",
      rejected: "first<again>second",
      chosenMasked: [[0, 5]],
    });
    expect(stopContinuePair(record([0, 1]), options)).toMatchObject({ chosen: "first<again>second", rejected: "first<stop>" });
    expect(stopContinuePair(record([0, 0]), options)).toEqual({ dropped: "no-pair" });
  });
});

test("a shared beginning never ends inside a character", () => {
  expect(sharedPrefix("a😀", "a😁")).toBe(1);
  expect(sharedPrefix("a😀", "a😀b")).toBe(3);
  expect(sharedPrefix("", "a")).toBe(0);
});
