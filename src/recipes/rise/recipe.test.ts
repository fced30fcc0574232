import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Item, Verifier } from "#kernel/item.ts";
import { FakeModel } from "#models/fake.ts";
import { openRun } from "#record/run-directory.ts";
import {
  baseFolder,
  drain,
  type SelfTrainingWorld,
  selfTrainingWorld,
  shortItems,
} from "../../../test/support/self-training-world.ts";
import type { GradedSample } from "../shared/graded-samples.ts";
import { worldVerifier } from "../shared/world-methods.ts";
import { toExample } from "../sources/source.ts";
import { collectRise, paperRiseOptions, type RiseOptions, riseExamples, smallRiseOptions, trainRise } from "./recipe.ts";
import { riseTurns } from "./turns.ts";

const items: Item[] = ["1", "2", "3"].map((answer) => ({ id: `i${answer}`, question: `q${answer}`, answer }));
const verify: Verifier = (item, answer) => ({
  accuracy: answer === item.answer ? 1 : Number(answer) / 10 || 0,
  extracted: answer,
});
const options: RiseOptions = { ...paperRiseOptions, samplesPerTurn: [1, 3] };
const request = (question: string) => paperRiseOptions.retry.replace("{question}", question);
/** Answers by question and turn, one text a sample. */
const script: Record<string, string[][]> = { q1: [["1"]], q2: [["0"], ["8", "2", "9"]], q3: [["0"], ["4", "6", "5"]] };
const model = () => new FakeModel(({ messages }, sample) => script[messages[0].content][(messages.length - 1) / 2][sample]);
const collect = (changed: Partial<RiseOptions> = {}, fake = model(), teacher?: FakeModel) =>
  collectRise(items, { model: fake, verify, temperature: 1, maxTokens: 8 }, { ...options, ...changed }, 1, teacher);

const turn = (text: string, accuracy: number, isCut = false): GradedSample => ({
  text,
  accuracy,
  isRight: accuracy === 1,
  isReadable: true,
  isCut,
});

describe("what RISE learns from", () => {
  test("each turn under the dialogue before it, the best of its samples, weighed by its reward; a right answer ends it", async () => {
    const { examples, figures } = await collect();
    expect(figures).toEqual({ asked: 3, rightAt: [1, 1], kept: 5 });
    const seen = examples.map(({ messages, weight }) => [messages.map(({ content }) => content), weight]);
    expect(seen).toEqual([
      [["q1", "1"], expect.closeTo(Math.exp(1 / 0.4), 10)],
      [["q2", "0"], 1],
      [["q2", "0", request("q2"), "2"], expect.closeTo(12.18, 2)],
      [["q3", "0"], 1],
      [["q3", "0", request("q3"), "6"], expect.closeTo(Math.exp(0.6 / 0.4), 10)],
    ]);
    for (const { messages } of examples) {
      expect(messages.map(({ trainable }) => trainable)).toEqual(messages.map((_, index) => index === messages.length - 1));
    }
  });

  test("weights may be divided by their mean", async () => {
    const { examples } = await collect({ normaliseWeights: true });
    expect(examples.reduce((sum, { weight }) => sum + weight!, 0) / examples.length).toBeCloseTo(1, 10);
  });

  test("no answer of the reference is in a prompt, and every call has a seed that follows from turn and question alone", async () => {
    const fake = new FakeModel(() => "0");
    await collect({}, fake);
    const asked = ["1", "2", "3"].map((answer) => `q${answer}`);
    expect(fake.calls.map(({ messages }) => messages.map(({ content }) => content))).toEqual([
      ...asked.map((question) => [question]),
      ...asked.map((question) => [question, "0", request(question)]),
    ]);
    expect(fake.calls.map(({ options: { n } }) => n)).toEqual([1, 1, 1, 3, 3, 3]);
    const seeds = fake.calls.map(({ options: { seed } }) => seed);
    expect(new Set(seeds).size).toBe(6);
    const alone = new FakeModel(() => "0");
    await collectRise(items.slice(2), { model: alone, verify, temperature: 1, maxTokens: 8 }, options, 1);
    expect(alone.calls.map(({ options: { seed } }) => seed)).toEqual([seeds[2], seeds[5]]);
  });

  test("a question whose first call failed has no second turn, and among equal samples the first is taken", async () => {
    const fake = new FakeModel(({ messages }, sample) => {
      if (messages[0].content === "q1") return new Error("503");
      return messages.length === 1 ? "0" : ["4", "5", "5.0"][sample];
    });
    const { examples, figures } = await collect({}, fake);
    expect(figures).toEqual({ asked: 3, rightAt: [0, 0], kept: 4 });
    expect(examples.map(({ messages }) => messages.at(-1)!.content)).toEqual(["0", "5", "0", "5"]);
    expect(fake.calls.filter(({ messages }) => messages[0].content === "q1")).toHaveLength(1);
  });

  test("a teacher writes every turn after the first", async () => {
    const [own, teacher] = [model(), new FakeModel(() => "2")];
    await collect({ samplesPerTurn: [1, 1] }, own, teacher);
    expect(own.calls.every(({ messages }) => messages.length === 1)).toBe(true);
    expect(teacher.calls.map(({ messages }) => messages.length)).toEqual([3, 3]);
  });

  test("which turns are kept", () => {
    const turns = [turn("a", 0.2), turn("b", 0.1), turn("c", 0.15), turn("d", 0.2), turn("e", 1)];
    const kept = (keep: RiseOptions["keep"]) =>
      riseExamples(items[0], turns, { ...options, keep }).map(({ messages }) => messages.at(-1)!.content);
    expect(kept("all")).toEqual(["a", "b", "c", "d", "e"]);
    expect(kept("better")).toEqual(["a", "c", "d", "e"]);
    expect(kept("best")).toEqual(["a", "d", "e"]);
    expect(kept("success")).toEqual(["e"]);
  });

  test("empty and repeated attempts leave the dialogue; a cut one stays as context and is not learned", () => {
    const turns = [turn("a", 0), turn(" ", 0), turn("a ", 0), turn("b", 0, true), turn("c", 1)];
    const examples = riseExamples(items[0], turns, options).map(({ messages }) => messages.map(({ content }) => content));
    expect(examples).toEqual([
      ["q1", "a"],
      ["q1", "a", request("q1"), "b", request("q1"), "c"],
    ]);
  });

  test("the paper's constants", () => {
    expect(paperRiseOptions).toMatchObject({ iterations: 2, samplesPerTurn: [1, 16], keep: "all", rewardTemperature: 0.4 });
    expect(paperRiseOptions.training).toMatchObject({
      learningRate: 1e-5,
      schedule: "cosine",
      warmup: 0.04,
      maxTokens: 2048,
      normaliser: "sequence-mean",
    });
  });
});

describe("turns at test", () => {
  const play = async (texts: string[], changed: object = {}) => {
    const fake = new FakeModel(texts);
    const method = riseTurns({ turns: texts.length, opening: [], retry: "No: {question}", ...changed });
    const messages = [{ role: "user" as const, content: "q" }];
    const outcome = await drain(method.run({ model: fake, messages, temperature: 0, maxTokens: 8, seed: 1 }));
    return { outcome, shown: fake.calls.map((call) => call.messages.map(({ content }) => content)) };
  };

  test("every turn is told that the last was wrong, and most turns decide", async () => {
    const { outcome, shown } = await play(["1", "2", "2", "3", "1"]);
    expect(shown[2]).toEqual(["q", "1", "No: q", "2", "No: q"]);
    expect(shown).toHaveLength(5);
    expect(outcome).toMatchObject({ answer: "1", reason: "done" });
    expect((await play(["1", "2", "2"])).outcome.answer).toBe("2");
    expect((await play(["1", "1", "3"], { choose: "last" })).outcome.answer).toBe("3");
  });

  test("a turn that fails leaves the vote to those before it", async () => {
    const fake = new FakeModel((_call, _sample, callIndex) => (callIndex === 3 ? new Error("gone") : ["2", "1", "1"][callIndex]));
    const messages = [{ role: "user" as const, content: "q" }];
    const method = riseTurns({ turns: 5, opening: [], retry: "No." });
    const outcome = await drain(method.run({ model: fake, messages, temperature: 0, maxTokens: 8, seed: 1 }));
    expect(outcome).toMatchObject({ answer: "1", reason: "error" });
    expect(fake.calls).toHaveLength(4);
  });

  test("a window shows the question and the most recent attempts", async () => {
    const { shown } = await play(["1", "2", "3", "4"], { window: 1 });
    expect(shown).toEqual([["q"], ["q", "1", "No: q"], ["q", "2", "No: q"], ["q", "3", "No: q"]]);
  });
});

describe("iterations", () => {
  let world: SelfTrainingWorld;
  beforeAll(async () => {
    world = await selfTrainingWorld();
  });
  afterAll(() => world.close());

  test("in ids only the last turn carries weight", () => {
    const [, example] = riseExamples(items[0], [turn("<answer>2</answer>", 0), turn("<answer>1</answer>", 1)], smallRiseOptions);
    const { ids, mask } = toExample(world.tokenizer, example!);
    expect(world.tokenizer.decode(ids.filter((_, t) => mask[t] > 0))).toBe("<answer>1</answer>");
    expect(world.tokenizer.decode(ids)).toContain("<answer>2</answer>");
    expect([ids.at(-1), Array.from(mask).at(-1)]).toEqual([world.tokenizer.endOfTurnId, 1]);
  });

  test("each trains the base anew on the data of all iterations so far", async () => {
    const { engine, startsOf, close } = await world.open();
    try {
      using run = openRun(path.join(world.root, "rise"), { command: "train rise", options: {} });
      const small = { ...smallRiseOptions, samplesPerTurn: [1, 4] };
      const result = await trainRise({
        engine,
        tokenizer: world.tokenizer,
        items: shortItems,
        verify: worldVerifier,
        options: { ...small, training: { ...small.training, epochs: 2, maxSteps: 2, learningRate: 1e-3 } },
        seed: 1,
        run,
      });
      expect(result).toMatchObject({ finished: true, best: 2 });
      const [first, second] = result.rounds;
      expect(second!.examples).toBe((first!.figures.kept as number) + (second!.figures.kept as number));
      const starts = await startsOf();
      expect(starts.map((start) => world.weightsIn(start) === world.weightsIn(baseFolder))).toEqual([true, true]);
      expect(world.weightsIn(path.join(world.root, "rise/round-1/model"))).not.toBe(world.weightsIn(baseFolder));
    } finally {
      await close();
    }
  }, 60_000);
});
