import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ptrConversation } from "#data/training-files/ptr-layout.ts";
import { userError } from "#kernel/errors.ts";
import type { Item, Verifier } from "#kernel/item.ts";
import type { Model } from "#kernel/model.ts";
import { FakeModel } from "#models/fake.ts";
import { slimAnswer } from "../../../test/support/records.ts";
import { evaluateRounds, type RoundsPlan, wordsOfExamples } from "./evaluation.ts";
import { type RoundFigures, roundFigures, roundGains } from "./round-figures.ts";

const items: Item[] = ["1", "2", "3"].map((answer) => ({ id: answer, question: `q${answer}`, answer }));
const verify: Verifier = (item, answer) => ({ accuracy: answer === item.answer ? 1 : 0, extracted: answer });
const script: Record<string, string[]> = { q1: ["1", "1", "0"], q2: ["0", "2", "2"], q3: ["0", "0", "0"] };
const scripted = () =>
  new FakeModel(({ messages }) => {
    const question = messages.find(({ role }) => role === "user")!.content;
    return script[question][messages.filter(({ role }) => role === "assistant").length];
  });
const plan = (model: Model): RoundsPlan => ({ model, items, verify, maxTokens: 8, seed: 1 });

describe("accuracy by round", () => {
  test("one chat with the whole history and the request of the training data", async () => {
    const model = scripted();
    const { figures, endedEarly } = await evaluateRounds({ ...plan(model), poolSamples: 0 });
    expect(figures).toMatchObject([
      { round: 1, accuracy: expect.closeTo(1 / 3), answered: 3, wrongToRight: 0, rightToWrong: 0 },
      { round: 2, accuracy: expect.closeTo(2 / 3), answered: 3, wrongToRight: 1, rightToWrong: 0 },
      { round: 3, accuracy: expect.closeTo(1 / 3), answered: 3, wrongToRight: 0, rightToWrong: 1 },
    ]);
    expect(figures[2].againstFirst).toMatchObject({ difference: 0, wrongToRight: 1, rightToWrong: 1, pValue: 1 });
    expect(figures[0]).not.toHaveProperty("againstFirst");
    expect(figures.every((figure) => figure.vote === undefined)).toBe(true);
    expect(endedEarly).toEqual({});
    const last = model.calls.at(-1)!.messages.map(({ content }) => content);
    expect(last[2]).toBe(ptrConversation({ id: "", question: "", attempts: [""], answer: "" }).messages[2].content);
    expect(last).toHaveLength(5);
  });

  test("tokens add up over the rounds, with the prompts of each", async () => {
    const { figures, records } = await evaluateRounds({ ...plan(scripted()), poolSamples: 0 });
    const sums = records.map(({ attempts }) => attempts!.map(({ inputTokens, outputTokens }) => [inputTokens!, outputTokens!]));
    for (const [index, { generated, all }] of figures.entries()) {
      const upTo = sums.map((calls) => calls.slice(0, index + 1));
      const total = (of: (call: number[]) => number) =>
        upTo.reduce((sum, calls) => sum + calls.reduce((own, call) => own + of(call), 0), 0) / sums.length;
      expect(generated).toBeCloseTo(total(([, output]) => output!));
      expect(all).toBeCloseTo(total(([input, output]) => input! + output!));
    }
  });

  test("the vote has the same words around its question, and as many answers as the rounds' tokens pay for", async () => {
    const model = scripted();
    const { figures } = await evaluateRounds({ ...plan(model), instruction: "Think.", poolSamples: 4 });

    expect(figures).toHaveLength(3);
    const sampled = model.calls.filter(({ options }) => options.n === 4);
    expect(sampled.map(({ options }) => options.temperature)).toEqual([0.7, 0.7, 0.7]);
    expect(sampled.every(({ messages }) => messages[0].content === "Think.")).toBe(true);
  });

  test("what was answered before is not asked again, and leads to the same figures", async () => {
    const records: Parameters<NonNullable<RoundsPlan["onRecord"]>>[0][] = [];
    const first = await evaluateRounds({ ...plan(scripted()), onRecord: (record) => records.push(record) });
    expect(records).toHaveLength(6);
    const model = scripted();
    const again = await evaluateRounds({ ...plan(model), known: records.slice(0, 2) });
    expect(model.calls.length).toBeLessThan(3 * 3 + 3);
    expect(again).toEqual(first);
    const asked: string[] = [];
    const all = new FakeModel(({ messages }) => {
      asked.push(messages[0].content);
      return "";
    });
    expect(await evaluateRounds({ ...plan(all), known: records })).toEqual(first);
    expect(asked).toEqual([]);
  });

  test("where the context ends the last answer stands, and the reader is told", async () => {
    const short = new FakeModel(({ messages }) => {
      if (messages.length > 3) throw userError("context-exceeded", "too long", "Shorten it.");
      return script[messages[0].content][(messages.length - 1) / 2];
    });
    const { figures, endedEarly } = await evaluateRounds({ ...plan(short), rounds: 4, poolSamples: 0 });
    expect(endedEarly).toEqual({ "context-exceeded": 3 });
    expect(figures.map(({ answered }) => answered)).toEqual([3, 3, 0, 0]);
    expect(figures[3].accuracy).toBeCloseTo(figures[1].accuracy);
    // Nothing was sampled after that, so that nothing was paid for.
    expect(figures[3].generated).toBe(figures[1].generated);
  });

  test("a model that never answers is an error; its records are wrong in every round, and answered none", async () => {
    const broken = new FakeModel(() => {
      throw new Error("no");
    });
    await expect(evaluateRounds(plan(broken))).rejects.toThrow("failed");
    const unknown = { calls: 0, inputTokens: undefined, outputTokens: undefined, milliseconds: 0 };
    const failed = items.map(({ id }) => ({ item: id, accuracy: 0, text: "", usage: unknown }));
    const figures = roundFigures(failed, { rounds: 3, seed: 1 });
    expect(figures.map(({ accuracy, answered }) => [accuracy, answered])).toEqual([0, 0, 0].map(() => [0, 0]));
    expect(figures.every((figure) => figure.generated === undefined && figure.vote === undefined)).toBe(true);
  });

  test("says what failed on the way, where not everything did", async () => {
    const partly = new FakeModel(({ messages }) => {
      if (messages[0].content !== "q1") throw new Error("no");
      return "1";
    });
    const { figures, endedEarly } = await evaluateRounds({ ...plan(partly), poolSamples: 0 });
    expect(figures.map(({ answered }) => answered)).toEqual([1, 1, 1]);
    expect(endedEarly).toEqual({ error: 2 });
  });

  test("stops where it is told to", async () => {
    const controller = new AbortController();
    const model = new FakeModel(() => {
      controller.abort();
      return "1";
    });
    await expect(evaluateRounds({ ...plan(model), signal: controller.signal })).rejects.toThrow();
  });
});

const usage = (outputTokens: number | undefined) => ({ calls: 1, inputTokens: 10, outputTokens, milliseconds: 0 });
const record = (item: string, accuracies: readonly number[]) => metered(item, accuracies, 5);
const metered = (item: string, accuracies: readonly number[], tokens: number | undefined) => ({
  item,
  text: "x",
  accuracy: accuracies.at(-1)!,
  usage: usage(tokens),
  ...(accuracies.length > 1
    ? {
        attempts: accuracies.map((accuracy) => ({
          answer: "x",
          accuracy,
          inputTokens: 10,
          ...(tokens === undefined ? {} : { outputTokens: tokens }),
        })),
      }
    : {}),
});

const voted = (item: string, samples: readonly boolean[]) =>
  slimAnswer(item, 1, {
    method: "plain",
    usage: { calls: 1, inputTokens: 10, outputTokens: 5 * samples.length },
    attempts: samples.map((right) => ({ vote: right ? "right" : "wrong", accuracy: right ? 1 : 0, outputTokens: 5 })),
  });

describe("figures", () => {
  test("a record of one answer counts for all rounds, and for one answer", () => {
    expect(roundFigures([record("a", [0, 1]), record("b", [1])], { rounds: 3, seed: 1 })).toMatchObject([
      { accuracy: 0.5, answered: 2, generated: 5, all: 15 },
      { accuracy: 1, answered: 1, wrongToRight: 1, generated: 7.5, all: 22.5 },
      { accuracy: 1, answered: 0, generated: 7.5 },
    ]);
    expect(roundFigures([], { rounds: 3, seed: 1 })).toEqual([]);
  });

  test("unknown tokens are unknown, not 0, and then no vote is set beside them", () => {
    const pool = ["a", "b"].map((item) => voted(item, [true, true]));
    const [first] = roundFigures([metered("a", [1, 1], undefined)], { rounds: 1, seed: 1, pool });
    expect(first).not.toHaveProperty("generated");
    expect(first).not.toHaveProperty("all");
    expect(first).not.toHaveProperty("vote");
  });

  test("the vote stands at the tokens of the rounds so far", () => {
    const pool = ["a", "b"].map((item) => voted(item, [true, true, true, false]));
    const figures = roundFigures([record("a", [1, 0, 0, 0, 0]), record("b", [1, 0, 0, 0, 0])], { rounds: 5, seed: 1, pool });
    expect(figures.map(({ vote }) => vote!.samples)).toEqual([1, 2, 3, 4, 4]);
    expect(figures[0].vote!.accuracy).toBeGreaterThan(0.6);
    expect(figures[0].vote!.accuracy).toBeLessThan(0.9);
    expect(figures[3].vote).toMatchObject({ accuracy: 1, gain: { difference: -1 } });
    expect(figures[4].vote!.outside).toBe("above");
  });

  test("before and after are paired by item, whatever their order", () => {
    const before = [record("a", [0, 0]), record("b", [1, 1]), record("c", [0, 0])];
    const after = [record("b", [1, 1]), record("a", [0, 1]), record("d", [1, 1])];
    expect(roundGains(before, after, { rounds: 2, seed: 1 }).map(({ difference }) => difference)).toEqual([0, 0.5]);
    expect(roundGains(before, [record("z", [1])], { rounds: 2, seed: 1 })).toEqual([]);
  });

  test("what changed from round to round adds up to the change of accuracy", () => {
    const path = fc.array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(path, { minLength: 1, maxLength: 12 }), (paths) => {
        const records = paths.map((accuracies, index) => record(String(index), accuracies));
        const figures: RoundFigures[] = roundFigures(records, { rounds: 5, seed: 1 });
        for (const [index, { accuracy, interval, againstFirst, wrongToRight, rightToWrong }] of figures.entries()) {
          const step = accuracy - (figures[index - 1]?.accuracy ?? accuracy);
          expect(step).toBeCloseTo((wrongToRight - rightToWrong) / paths.length);
          expect(interval[0]).toBeLessThanOrEqual(accuracy + 1e-9);
          expect(interval[1]).toBeGreaterThanOrEqual(accuracy - 1e-9);
          if (againstFirst) expect(againstFirst.difference).toBeCloseTo(accuracy - figures[0].accuracy);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe("the words of the examples", () => {
  const example = { id: "a", question: "q", attempts: ["x"], answer: "y" };

  test("those of most examples with an attempt; plain ones have no say", () => {
    const ours = ptrConversation(example, { system: "Solve.", request: "Again." });
    const other = ptrConversation(example);
    const plain = { id: "p", messages: [ours.messages[0], ours.messages[1], ours.messages.at(-1)!] };
    expect(wordsOfExamples([plain, plain, plain, other, ours, ours])).toEqual({ instruction: "Solve.", request: "Again." });
    expect(wordsOfExamples([other])).toEqual({ request: other.messages[2].content });
    expect(wordsOfExamples([plain])).toEqual({ instruction: "Solve." });
    expect(wordsOfExamples([])).toEqual({});
  });
});
