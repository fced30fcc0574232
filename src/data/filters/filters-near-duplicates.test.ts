/** Which of two similar examples stays, what is compared, and what the tally says of it. */
import { expect, test } from "vitest";
import { DropTally, dataCard, joinDrops, renderCard, weightFigures } from "../training-files/data-card.ts";
import { ptrConversation } from "../training-files/ptr-layout.ts";
import { type Datum, idOf } from "../training-files/training-datum.ts";
import { nearDuplicateFigures, withoutNearDuplicates } from "./filters-near-duplicates.ts";

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
