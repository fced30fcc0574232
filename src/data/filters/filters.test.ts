/** Filters, agreement, mixing, packing. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isDropped } from "../training-files/data-card.ts";
import { packByTokens, paddingShare, stepOrder } from "../training-files/packing.ts";
import { ptrConversation } from "../training-files/ptr-layout.ts";
import {
  agreementOf,
  allOf,
  answerCharacters,
  atMostTokens,
  balanced,
  notAskedIn,
  passRateWindow,
  sameAnswers,
  withoutDuplicates,
} from "./filters.ts";
import { mix } from "./mixing.ts";
import { questionKey } from "./split.ts";

const example = (question: string, answer: string, attempt = "try") =>
  ptrConversation({ id: question, question, attempts: [attempt], answer });

describe("filters", () => {
  test("duplicates differ in case, spacing and punctuation alone", () => {
    const filter = withoutDuplicates();
    expect(filter(example("What is 2+2?", "4"))).toBeUndefined();
    expect(filter(example("what is  2 + 2", "4."))).toEqual({ dropped: "duplicate" });
    expect(filter(example("What is 2+2?", "5"))).toBeUndefined();
    expect(withoutDuplicates("question")(example("?!", "a"))).toBeUndefined();
  });

  test("questions of signs alone are not all one question", () => {
    const filter = withoutDuplicates("question");
    expect(filter(example("???", "a"))).toBeUndefined();
    expect(filter(example("!!!", "a"))).toBeUndefined();
  });

  test("test questions, lengths, and the first reason counts", () => {
    const filter = allOf(
      notAskedIn(new Set([questionKey("Who?")])),
      answerCharacters(2, 5),
      atMostTokens(10, () => 11),
    );
    expect(filter(example("who", "a"))).toEqual({ dropped: "asked-elsewhere" });
    expect(filter(example("when", "a"))).toMatchObject({ dropped: "answer-too-short" });
    expect(filter(example("when", "abcdef"))).toMatchObject({ dropped: "answer-too-long" });
    expect(filter(example("when", "abc"))).toMatchObject({ dropped: "too-long" });
  });

  test("pass rates and balance", () => {
    const window = passRateWindow(0.1, 0.7);
    expect(
      [
        [1, 0],
        [0, 0],
        [1, 1],
      ].map((each) => window(each)?.dropped),
    ).toEqual([undefined, "pass-rate", "pass-rate"]);
    expect(window([])).toMatchObject({ dropped: "pass-rate" });
    expect([...balanced([1, 3, 5, 2, 7], (value) => value % 2 === 1)]).toEqual([1, 2]);
    expect([...balanced([1, 3, 5, 2, 7], (value) => value % 2 === 1, 2)]).toEqual([1, 3, 2]);
  });
});

describe("agreement", () => {
  test("the sample that most others agree with", () => {
    const same = sameAnswers(["1", "2", undefined, "2.0", "2"], (first, second) => Number(first) === Number(second));
    expect(agreementOf(5, same)).toEqual({ chosen: 1, agreement: 0.5 });
    expect(agreementOf(1, same)).toEqual({ chosen: 0, agreement: undefined });
    expect(
      agreementOf(
        2,
        sameAnswers([undefined, undefined], () => true),
      ),
    ).toEqual({ chosen: 0, agreement: 0 });
  });
});

describe("mixing", () => {
  test("keeps the shares, repeats nothing, and is the same for the same seed", () => {
    const share = fc.constantFrom(0.1, 0.2, 0.5, 1, 3);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        share,
        share,
        fc.nat(),
        (m, n, one, other, seed) => {
          const sources = [
            { name: "a", examples: Array.from({ length: m }, (_, index) => `a${index}`), share: one },
            { name: "b", examples: Array.from({ length: n }, (_, index) => `b${index}`), share: other },
          ];
          const made = mix(sources, { seed });
          expect(mix(sources, { seed })).toEqual(made);
          expect(new Set(made.examples).size).toBe(made.examples.length);
          const [a, b] = made.counts;
          expect(a!.taken + b!.taken).toBe(made.examples.length);
          // One source is used up, and no share is missed by more than rounding.
          expect(a!.taken === m || b!.taken === n).toBe(true);
          expect(Math.abs(a!.taken - (made.examples.length * one) / (one + other))).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  test("one source whole, the others beside it as far as they reach", () => {
    const examples = (count: number) => Array.from({ length: count }, (_, index) => index);
    const sources = [
      { name: "ptr", examples: examples(80), share: 0.8 },
      { name: "plain", examples: examples(5), share: 0.2 },
    ];
    expect(mix(sources, { seed: 1, whole: "ptr" }).counts).toEqual([
      { name: "ptr", wanted: 80, taken: 80, available: 80 },
      { name: "plain", wanted: 20, taken: 5, available: 5 },
    ]);
    expect(() => mix([{ name: "x", examples: [1], share: 0 }], { seed: 1 })).toThrow(/shares/);
  });
});

describe("packing", () => {
  test("every example that fits once, no step over its room, and few steps", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 200 }), (lengths) => {
        const { steps, tooLong, fill } = packByTokens(lengths, 100);
        expect([...steps.flat(), ...tooLong].sort((a, b) => a - b)).toEqual([...lengths.keys()]);
        for (const step of steps) expect(step.reduce((sum, index) => sum + lengths[index], 0)).toBeLessThanOrEqual(100);
        for (const index of tooLong) expect(lengths[index]).toBeGreaterThan(100);
        const tokens = steps.flat().reduce((sum, index) => sum + lengths[index], 0);
        expect(steps.length).toBeLessThanOrEqual((11 / 9) * Math.ceil(tokens / 50) + 1);
        expect(fill === undefined).toBe(steps.length === 0);
      }),
    );
  });

  test("first fit, longest first", () => {
    expect(packByTokens([50, 60, 40, 30, 20], 100).steps).toEqual([
      [1, 2],
      [0, 3, 4],
    ]);
    expect(packByTokens([Number.NaN, 1], 100)).toMatchObject({ steps: [[1]], tooLong: [0] });
  });

  test("a hundred thousand examples are no matter", () => {
    const lengths = Array.from({ length: 100_000 }, (_, index) => 1 + ((index * 7919) % 500));
    const { fill } = packByTokens(lengths, 4096);
    expect(fill).toBeGreaterThan(0.99);
  });

  test("similar lengths together waste less", () => {
    const mixed = Array.from({ length: 64 }, (_, index) => (index % 2 === 0 ? 10 : 100));
    const sorted = [...mixed].sort((a, b) => a - b);
    expect(paddingShare(sorted, 400)).toBeLessThan(0.1);
    expect(paddingShare(mixed, 400)).toBeGreaterThan(0.4);
    expect(paddingShare([], 10)).toBe(0);
  });

  test("the order of steps is seeded", () => {
    const packing = packByTokens(
      Array.from({ length: 40 }, () => 60),
      100,
    );
    expect(stepOrder(packing, 1)).toEqual(stepOrder(packing, 1));
    expect(stepOrder(packing, 1)).not.toEqual(packing.steps);
  });
});

test("drops are told from results by their reason alone", () => {
  expect(isDropped({ dropped: "duplicate" })).toBe(true);
  expect(isDropped([{ dropped: "duplicate" }])).toBe(false);
});
