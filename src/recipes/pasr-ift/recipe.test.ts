import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Item, Verifier } from "#kernel/item.ts";
import { Random } from "#kernel/seed.ts";
import { FakeModel } from "#models/fake.ts";
import { openRun } from "#record/run-directory.ts";
import { worldPrompts, writeRefined } from "#tasks/world/solutions.ts";
import { gradeSteps } from "#verifiers/answers/steps.ts";
import { type SelfTrainingWorld, selfTrainingWorld, shortItems } from "../../../test/support/self-training-world.ts";
import { smallWeighted } from "../shared/option-groups.ts";
import { toExample } from "../sources/source.ts";
import { drawPasrGroups, goodPaths, groupsOfRun, type PasrGroup, trainPasrIft } from "./recipe.ts";

let world: SelfTrainingWorld;
beforeAll(async () => {
  world = await selfTrainingWorld();
});
afterAll(() => world.close());

const good = "<think>2*3=5;<refine>2*3=6</refine></think><answer>6</answer>";
const options = { instruction: "REFINE", minimumAccuracy: 1, most: 2 };
const answer = (text: string, accuracy: number, refine: number, reward = 1 + accuracy + refine) => ({
  text,
  reward,
  terms: { format: 1, accuracy, refine },
});
const group = (...refined: PasrGroup["refined"][number][]): PasrGroup => ({ item: { id: "a", question: "2*3?" }, refined });

test("a good path keeps the format, is right, refines, and is better for it than plain answers", () => {
  const { examples, counts } = goodPaths(
    [
      group(answer(good, 1, 1), answer(good, 0, -1), answer(`${good}x`, 1, 1), answer(good, 1, -0.5)),
      group(answer("<think>2*3=6;</think><answer>6</answer>", 1, 0)),
    ],
    options,
  );
  expect(counts).toEqual({ answers: 5, malformed: 1, wrong: 1, unrefined: 1, useless: 1, kept: 1 });
  expect(examples).toEqual([
    {
      id: "a-1",
      messages: [
        { role: "system", content: "REFINE", trainable: false },
        { role: "user", content: "2*3?", trainable: false },
        { role: "assistant", content: good, trainable: true },
      ],
    },
  ]);
});

test("of one question the best are kept, the shorter of equals first, none twice", () => {
  const longer = good.replace("2*3=6", "2*3=2+2+2=6");
  const best = good.replace("2*3=6", "3+3=6");
  const groups = [group(answer(longer, 1, 1), answer(good, 1, 1)), group(answer(good, 1, 1), answer(best, 1, 1, 9))];
  const kept = goodPaths(groups, options).examples.map(({ messages }) => messages[2].content);
  expect(kept).toEqual([best, good]);
  expect(goodPaths(groups, { ...options, most: 9 }).examples).toHaveLength(3);
});

test("a task may say more about what is useful", () => {
  const needless = "<think>2*3=6;<refine>2*3=6</refine></think><answer>6</answer>";
  const isUseful = (text: string) => gradeSteps(text).wrongToRight > 0;
  const { counts } = goodPaths([group(answer(good, 1, 1), answer(needless, 1, 1))], { ...options, isUseful });
  expect(counts).toMatchObject({ useless: 1, kept: 1 });
});

test("groups of a run are its rollouts; a run without any is named", () => {
  using run = openRun(path.join(world.root, "pasr"), { command: "train pasr", options: {} });
  expect(() => groupsOfRun(run)).toThrow("no rollouts");
  run.append("rollouts", { step: 1, item: { id: "a", question: "2*3?", answer: "6" }, plain: [], refined: [answer(good, 1, 1)] });
  expect(goodPaths(groupsOfRun(run), options).examples).toHaveLength(1);
});

test("answers drawn from a model are compared with its plain answers, as in training", async () => {
  const items: Item[] = [{ id: "a", question: "2*3?", answer: "6" }];
  const verify: Verifier = (item, given) => ({ accuracy: given === item.answer ? 1 : 0, extracted: given });
  const refined = [good, "6", good.replace("<answer>6", "<answer>5")];
  const model = new FakeModel(({ messages }, sample) => (messages[0].content === "R" ? refined[sample] : ["5", "6"][sample]));
  const draws = {
    refinedSamples: 3,
    plainSamples: 2,
    tolerance: 0,
    refineReward: "versus-group" as const,
    prompts: { refine: "R", plain: "P" },
  };
  const groups = await drawPasrGroups(items, { model, verify, temperature: 1, maxTokens: 9 }, draws, 1);
  expect(groups[0].refined.map(({ terms }) => terms)).toEqual([
    { format: 1, accuracy: 1, refine: 1 },
    { format: -1, accuracy: 0, refine: 0 },
    { format: 1, accuracy: 0, refine: -1 },
  ]);
});

test("questions whose plain or refined answers failed are left out; the model is shown prompts and questions alone", async () => {
  const items: Item[] = ["a", "b", "c"].map((id) => ({ id, question: `${id}?`, answer: "6" }));
  const verify: Verifier = (item, given) => ({ accuracy: given === item.answer ? 1 : 0, extracted: given });
  const model = new FakeModel(({ messages }) => {
    const asked = messages.map(({ content }) => content).join(" ");
    return asked === "P b?" || asked === "R c?" ? new Error("503") : good;
  });
  const prompts = { refine: "R", plain: "P" };
  const draws = { refinedSamples: 2, plainSamples: 3, tolerance: 0, refineReward: "versus-group" as const, prompts };
  const groups = await drawPasrGroups(items, { model, verify, temperature: 1, maxTokens: 9 }, draws, 1);
  expect(groups.map(({ item }) => item)).toEqual([{ id: "a", question: "a?" }]);
  expect(model.calls.map(({ messages, options: { n } }) => [...messages.map(({ content }) => content), n])).toEqual([
    ...items.map(({ question }) => ["P", question, 3]),
    ...items.map(({ question }) => ["R", question, 2]),
  ]);
  expect(new Set(model.calls.map(({ options: { seed } }) => seed)).size).toBe(6);
});

test("of a path the whole answer and its end are learned, and nothing before it", () => {
  const [example] = goodPaths([group(answer(good, 1, 1))], options).examples;
  const { ids, mask } = toExample(world.tokenizer, example!);
  const learned = ids.filter((_, t) => mask[t] > 0);
  expect(world.tokenizer.decode(learned)).toBe(good);
  expect(learned.at(-1)).toBe(world.tokenizer.endOfTurnId);
});

test("training on good paths lowers the loss of others", async () => {
  const paths = shortItems.map((item) => {
    const { text } = writeRefined(item.chain, { refineShare: 1, shallowShare: 0, wrongHard: 1, wrongEasy: 1 }, new Random(3));
    return { item, refined: [answer(text, 1, 1)] };
  });
  const { examples } = goodPaths(paths, { ...options, instruction: worldPrompts.refine });
  const { engine, close } = await world.open();
  try {
    using run = openRun(path.join(world.root, "ift"), { command: "train pasr-ift", options: {} });
    const training = {
      engine,
      tokenizer: world.tokenizer,
      paths: examples.slice(3),
      validation: examples.slice(0, 3),
      seed: 1,
      run,
    };
    const result = await trainPasrIft({
      ...training,
      options: { ...smallWeighted, maxSteps: 3, warmup: 0, learningRate: 1e-3, evaluateEvery: 1 },
    });
    const losses = run.readLines<{ validationLoss: number }>("evaluations").map(({ validationLoss }) => validationLoss);
    expect(result.best!.validationLoss).toBeLessThan(losses[0]);
  } finally {
    await close();
  }
});
