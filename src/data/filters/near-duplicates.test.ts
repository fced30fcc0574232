/** Near-duplicates: found, kept apart, estimated well, in any order, in linear work. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "#kernel/seed.ts";
import { DropTally, dataCard, joinDrops, renderCard, weightFigures } from "../training-files/data-card.ts";
import { type Datum, idOf } from "../training-files/datum.ts";
import { ptrConversation } from "../training-files/ptr-layout.ts";
import {
  estimate,
  jaccard,
  nearDuplicateFigures,
  nearDuplicates,
  shingles,
  signatureOf,
  withoutNearDuplicates,
} from "./near-duplicates.ts";

const words = fc.array(fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz"), { maxLength: 30 });

/** Sentence of words that no other number gives. */
const own = (number: number, length = 12) => Array.from({ length }, (_, place) => `w${number}x${place}`).join(" ");

/** As sets of texts, whatever the order and whichever is kept. */
function clusters(texts: readonly string[], threshold: number): string[] {
  const groups = new Map<number, string[]>(texts.map((text, index) => [index, [text]]));
  for (const { index, kept } of nearDuplicates(texts, { threshold })) {
    groups.get(kept)!.push(texts[index]);
    groups.delete(index);
  }
  return [...groups.values()].map((group) => group.sort().join("\n")).sort();
}

describe("nearDuplicates", () => {
  test("texts that differ in case, spacing and punctuation alone are always found", () => {
    fc.assert(
      fc.property(
        words,
        fc.array(words, { maxLength: 8 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (text, others, threshold) => {
          const first = text.join(" ");
          const again = `  ${text.join(",\n ").toUpperCase()}! `;
          fc.pre(text.length > 0);
          const texts = [first, ...others.map((each) => each.join(" ")), again];
          const found = nearDuplicates(texts, { threshold });
          expect(found.find(({ index }) => index === texts.length - 1)).toBeDefined();
        },
      ),
    );
  });

  test("texts without a common word are never found", () => {
    const texts = Array.from({ length: 500 }, (_, number) => own(number, 1 + (number % 40)));
    for (const threshold of [0.01, 0.3, 1]) expect(nearDuplicates(texts, { threshold })).toEqual([]);
  });

  test("what is dropped is linked to what is kept by pairs of at least the threshold, and what is kept is not like it", () => {
    fc.assert(
      fc.property(fc.array(words, { maxLength: 12 }), fc.constantFrom(0.3, 0.5, 0.8), (lists, threshold) => {
        const texts = lists.map((list) => list.join(" "));
        const sets = texts.map(shingles);
        const found = nearDuplicates(texts, { threshold });
        const dropped = new Set(found.map(({ index }) => index));
        for (const { index, kept, similarity } of found) {
          expect(dropped.has(kept)).toBe(false);
          expect(similarity).toBe(jaccard(sets[index], sets[kept]));
          const near = sets.some((set, other) => other !== index && jaccard(set, sets[index]) >= threshold);
          expect(near).toBe(true);
        }
      }),
    );
  });

  test("pairs at the threshold are found in 99 of 100 cases and more, those well below never", () => {
    // 40 words; a changed last word leaves 37 of 39 runs of three.
    const near = Array.from({ length: 300 }, (_, number) => [own(number, 40), `${own(number, 39)} other`]).flat();
    expect(nearDuplicates(near, { threshold: 37 / 39 }).length).toBeGreaterThanOrEqual(295);
    expect(nearDuplicates(near, { threshold: 37 / 39 + 0.01 })).toEqual([]);
    const half = Array.from({ length: 300 }, (_, number) => [
      own(number, 42),
      `${own(number, 28)} ${own(number + 1000, 14)}`,
    ]).flat();
    const exact = jaccard(shingles(half[0]), shingles(half[1]));
    expect(nearDuplicates(half, { threshold: exact }).length).toBeGreaterThanOrEqual(290);
    expect(nearDuplicates(half, { threshold: exact + 0.01 })).toEqual([]);
  });

  test("the estimate is unbiased and within its error of the exact similarity", () => {
    const random = new Random(7);
    let sum = 0;
    for (let trial = 0; trial < 200; trial++) {
      const length = random.integer(20, 200);
      const shared = random.integer(0, length);
      const first = shingles(own(trial, length));
      const second = shingles(`${own(trial, shared)} ${own(trial + 5000, length - shared)}`);
      const exact = jaccard(first, second);
      const error = estimate(signatureOf(first), signatureOf(second)) - exact;
      expect(Math.abs(error)).toBeLessThan(5 * Math.sqrt((exact * (1 - exact) + 0.01) / 128));
      sum += error;
    }
    expect(Math.abs(sum / 200)).toBeLessThan(0.01);
  });

  test("clusters do not depend on the order, in crowded bands either", () => {
    fc.assert(
      fc.property(fc.array(words, { maxLength: 20 }), fc.nat(), (lists, seed) => {
        const texts = [...new Set(lists.map((list) => list.join(" ")))];
        expect(clusters(new Random(seed).shuffle(texts), 0.4)).toEqual(clusters(texts, 0.4));
      }),
    );
    const template = Array.from(
      { length: 400 },
      (_, number) => `${own(1, 30)} ${number} ${number % 7} ${own(2, 8 + (number % 5))}`,
    );
    const found = clusters(template, 0.85);
    expect(found.length).toBeGreaterThan(1);
    expect(found.length).toBeLessThan(400);
    for (const seed of [1, 2, 3]) expect(clusters(new Random(seed).shuffle(template), 0.85)).toEqual(found);
  });

  test("the first of a cluster stays, or the one of the largest rank; chains are one cluster", () => {
    const chain = [own(1, 30), `${own(1, 27)} a b c`, `${own(1, 24)} d e f a b c`];
    const texts = [chain[0], own(2), chain[1], chain[0]];
    expect(nearDuplicates(texts, { threshold: 0.7 }).map(({ index, kept }) => [index, kept])).toEqual([
      [2, 0],
      [3, 0],
    ]);
    const ranks = [0, 1, 2, 2];
    expect(
      nearDuplicates(texts, { threshold: 0.7, rank: (index) => ranks[index] }).map(({ index, kept }) => [index, kept]),
    ).toEqual([
      [0, 2],
      [3, 2],
    ]);
  });

  test("signs of mathematics and digits tell questions apart, scripts without spaces are compared by the character", () => {
    const differ = (first: string, second: string) => expect(nearDuplicates([first, second], { threshold: 1 })).toEqual([]);
    differ("What is 2 + 2?", "What is 2 - 2?");
    differ("What is 2 × 3?", "What is 2 ÷ 3?");
    differ("3/4", "34");
    differ("?!", "!?");
    expect(nearDuplicates(["a well-known man", "A well known man."], { threshold: 1 })).toHaveLength(1);
    const chinese = "小明有三个苹果和五个橙子他一共有多少个水果请回答";
    expect(nearDuplicates([chinese, chinese.replace("答", "复")], { threshold: 0.8 })).toHaveLength(1);
    expect(nearDuplicates([chinese, "今天的天气怎么样我们去公园玩好吗"], { threshold: 0.05 })).toEqual([]);
  });

  test("nothing, empty texts, one very long text, half a character", () => {
    expect(nearDuplicates([], { threshold: 0.5 })).toEqual([]);
    expect(nearDuplicates(["", " ", "a"], { threshold: 0.5 }).map(({ index }) => index)).toEqual([1]);
    const long = "word ".repeat(200_000);
    expect(nearDuplicates([long, "x".repeat(1_000_000), "\ud800", "\udc00"], { threshold: 0.9 })).toEqual([]);
    for (const threshold of [0, -1, 1.1, Number.NaN]) expect(() => nearDuplicates(["a"], { threshold })).toThrow(/not above 0/);
  });
});

/** Which of two similar examples stays, what is compared, and what the tally says of it. */

const question = "Tom has three apples and buys five more apples at the market on Monday. How many apples has Tom now?";
const conversation = (id: string, asked: string, answer: string, weight?: number): Datum => ({
  kind: "conversation",
  conversation: {
    ...ptrConversation(
      { id, question: asked, attempts: ["7"], answer },
      { system: "You answer questions about fruit at length." },
    ),
    ...(weight === undefined ? {} : { weight }),
  },
});
const ids = (data: readonly Datum[]) => data.map(idOf);

test("the first stays, or the one of more weight; the tally names it", () => {
  const data = [
    conversation("a", question, "8"),
    conversation("b", question.toUpperCase(), "8"),
    conversation("c", "Who?", "I."),
  ];
  const tally = new DropTally();
  expect(ids(withoutNearDuplicates(data, { threshold: 0.8, of: "conversation" }, tally))).toEqual(["a", "c"]);
  expect(tally).toMatchObject({
    read: 1,
    kept: 0,
    dropped: [{ reason: "near-duplicate", count: 1, examples: ["b: a is kept, similarity 1.00"] }],
  });
  const weighed = [conversation("a", question, "8", 0), conversation("b", question, "8"), conversation("c", question, "8", 1)];
  expect(ids(withoutNearDuplicates(weighed, { threshold: 0.8, of: "conversation" }, new DropTally()))).toEqual(["b"]);
});

test("by the question, other answers to it go; by the conversation they stay; the system message counts in neither", () => {
  const long = (word: string) => `${word} `.repeat(3) + Array.from({ length: 20 }, (_, place) => `${word}${place}`).join(" ");
  const data = [conversation("a", question, long("yes")), conversation("b", question, long("no"))];
  expect(ids(withoutNearDuplicates(data, { threshold: 0.8, of: "question" }, new DropTally()))).toEqual(["a"]);
  expect(ids(withoutNearDuplicates(data, { threshold: 0.8, of: "conversation" }, new DropTally()))).toEqual(["a", "b"]);
  const short = [conversation("a", "Who?", "I."), conversation("b", "Where?", "There.")];
  expect(ids(withoutNearDuplicates(short, { threshold: 0.3, of: "question" }, new DropTally()))).toEqual(["a", "b"]);
});

test("pairs and graded questions are compared too", () => {
  const prompt = [{ role: "user" as const, content: question }];
  const data: Datum[] = [
    { kind: "pair", pair: { id: "a", prompt, chosen: "8", rejected: "7" } },
    { kind: "pair", pair: { id: "b", prompt, chosen: "8", rejected: "7." } },
    { kind: "question", question: { id: "c", messages: prompt, answer: "8", source: "x" } },
    { kind: "question", question: { id: "d", messages: prompt, answer: "8", source: "y" } },
  ];
  expect(ids(withoutNearDuplicates(data, { threshold: 1, of: "conversation" }, new DropTally()))).toEqual(["a", "c"]);
  expect(ids(withoutNearDuplicates(data, { threshold: 1, of: "question" }, new DropTally()))).toEqual(["a"]);
});

test("figures of the card", () => {
  const conversations = [conversation("a", "q", "1"), conversation("b", "r", "2", 0), conversation("c", "s", "3", 2.5)].flatMap(
    (datum) => (datum.kind === "conversation" ? [datum.conversation] : []),
  );
  expect(weightFigures(conversations)).toEqual({
    weights: {
      "examples that have one": 2,
      "sum, 1 where there is none": 3.5,
      smallest: 0,
      largest: 2.5,
      "zero, so not trained on": 1,
    },
  });
  expect(weightFigures(conversations.slice(0, 1))).toEqual({});
  const figures = nearDuplicateFigures({ threshold: 0.8, of: "question" }, 4);
  expect(renderCard(dataCard({ title: "t", figures }, new DropTally()))).toContain("similarity from: 0.8\n  dropped: 4");
});

test("what an earlier step kept is dropped without being read twice, and reasons are joined", () => {
  const tally = new DropTally();
  for (let number = 0; number < 3; number++) tally.keep();
  tally.dropKept("a", { dropped: "weight-zero" });
  expect(tally).toMatchObject({ read: 3, kept: 2, dropped: [{ reason: "weight-zero", count: 1 }] });
  const joined = joinDrops(tally.dropped, tally.dropped, [{ reason: "malformed", meaning: "m", count: 2, examples: ["x"] }]);
  expect(joined.map(({ reason, count, examples }) => [reason, count, examples])).toEqual([
    ["weight-zero", 2, ["a", "a"]],
    ["malformed", 2, ["x"]],
  ]);
});
