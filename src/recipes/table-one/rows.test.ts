/**
 * The table's rows, each trained for a step or two on the shipped model: whom they ask, what of the reference reaches a prompt, what is
 * learned, and where the training starts.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import type { Message } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { FakeModel } from "#models/fake.ts";
import { openRun } from "#record/run-directory.ts";
import { splitOf } from "#tasks/world/chains.ts";
import { worldDomains } from "#tasks/world/domains.ts";
import { type WorldItem, worldItems } from "#tasks/world/items.ts";
import { worldPrompts } from "#tasks/world/solutions.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { baseFolder, drain } from "../../../test/support/self-training-world.ts";
import { delegate } from "../../../test/support/tabular-engine.ts";
import { collectIsc } from "../isc/recipe.ts";
import { defaultsOf } from "../recipe-options.ts";
import { collectRise } from "../rise/recipe.ts";
import { opening } from "../score/turns.ts";
import { MeteredEngine } from "../shared/metered-engine.ts";
import { collectStar, hintedQuestion } from "../star/recipe.ts";
import { fastTableOnePlan, fullTableOnePlan, type TableOnePlan } from "./plan.ts";
import { ablationRows, rowMethod, tableOneRows, trainRow } from "./rows.ts";
import { testItems } from "./table-one.ts";
import { ptrConversation, rightSecondTries } from "./tries.ts";

const fast = fastTableOnePlan;
const once = { epochs: 1, maxSteps: 1 };
const plan: TableOnePlan = {
  ...fast,
  model: baseFolder,
  questions: 16,
  tries: { count: 8, temperature: 0.9 },
  validation: 4,
  pasr: { ...fast.pasr, steps: 1, questionsPerStep: 2, refinedSamples: 2, plainSamples: 2, maxTokens: 48 },
  score: { ...fast.score, stageOneSteps: 1, stageTwoSteps: 1, questionsPerStep: 2, samples: 2, maxTokens: 48 },
  star: { ...fast.star, loops: 1, firstSteps: 1 },
  isc: { ...fast.isc, samples: 2, training: { ...fast.isc.training, ...once } },
  rise: { ...fast.rise, iterations: 1, samplesPerTurn: [1, 2], training: { ...fast.rise.training, ...once } },
  ptr: { ...fast.ptr, ...once },
  ift: { samples: 8, training: { ...fast.ift.training, ...once } },
};
const seed = deriveSeed(1, "table");
const questions = worldItems(plan.questions, { split: "train", seed: deriveSeed(seed, "table-questions") });
const validation = worldItems(plan.validation, { split: "validation", seed: deriveSeed(seed, "table-validation") });

let root: string;
let tokenizer: Tokenizer;
/** A model that is not the base: what a row that builds on another row is given. */
let moved: string;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), "table-one-rows-"));
  tokenizer = await Tokenizer.load(baseFolder);
  moved = path.join(root, "moved");
  const engine = await EmbeddedEngine.open({ folder: baseFolder, threads: 1 });
  try {
    await engine.accumulate([{ ids: [1, 2, 3], start: 1, weights: new Float32Array([1, 1]) }]);
    await engine.step({ learningRate: 1e-6, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 });
    await engine.save(moved);
  } finally {
    await engine.close();
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const trainedRows = [...tableOneRows, ...ablationRows].flatMap((row) => (row.recipe ? [{ ...row, recipe: row.recipe }] : []));
const weightsIn = (folder: string) => readFileSync(path.join(folder, "model.safetensors")).toString("base64");
const ask = (system: string, question: string): Message[] => [
  { role: "system", content: system },
  { role: "user", content: question },
];
const shown = (messages: readonly Message[]) =>
  tokenizer.decode(tokenizer.encodeConversation(messages, { addGenerationPrompt: true }), { keepAll: true });

/** What passed through the engine, as text; the weights with which the first gradient was taken. */
async function train(row: (typeof trainedRows)[number]) {
  const prompts: string[] = [];
  const contexts: string[] = [];
  const learned: string[] = [];
  let start: string | undefined;
  let drawn = 0;
  const real = await EmbeddedEngine.open({ folder: baseFolder, threads: 1 });
  const note = async (
    sequences: readonly { ids: readonly number[]; start: number }[],
    isLearned: (s: number, t: number) => boolean,
  ) => {
    if (start === undefined) {
      start = path.join(root, `${row.id}-start`);
      await real.save(start);
    }
    for (const [s, sequence] of sequences.entries()) {
      const { ids } = sequence;
      contexts.push(tokenizer.decode(ids, { keepAll: true }));
      learned.push(
        tokenizer.decode(
          ids.filter((_, t) => t >= sequence.start && isLearned(s, t - sequence.start)),
          { keepAll: true },
        ),
      );
    }
  };
  const watched = delegate(real, {
    sample: async (given, options, signal) => {
      prompts.push(...given.map((ids) => tokenizer.decode(ids, { keepAll: true })));
      const samples = await real.sample(given, options, signal);
      drawn += samples.flat().length;
      return samples;
    },
    accumulate: async (sequences, signal) => {
      await note(sequences, (s, t) => sequences[s].weights[t] !== 0);
      return real.accumulate(sequences, signal);
    },
    accumulatePolicy: async (sequences, options, signal) => {
      await note(sequences, (s, t) => sequences[s].scales[t] !== 0);
      return real.accumulatePolicy(sequences, options, signal);
    },
  });
  const engine = new MeteredEngine(watched);
  try {
    using run = openRun(path.join(root, row.id), { command: "reproduce", options: {} });
    const progress: object[] = [];
    const finished = await trainRow(row, {
      plan,
      engine,
      tokenizer,
      run,
      seed,
      threads: 1,
      modelOf: (other) => (other === row.after ? moved : path.join(root, "nobody")),
      signal: undefined,
      onProgress: (each) => progress.push(each),
    });
    return { prompts, contexts, learned, start, finished, drawn, engine, progress, model: path.join(run.folder, "model") };
  } finally {
    await engine.close();
  }
}

describe("a row in training", () => {
  test.each(trainedRows.map((row) => [row.id, row] as const))(
    "%s asks the training questions without their answers, and starts from the base",
    async (id, row) => {
      const { prompts, contexts, learned, start, finished, drawn, engine, progress, model } = await train(row);
      expect(finished).toBe(true);
      // What the card says it costs at most; the tries in a teacher's place are the table's own.
      const costs = row.recipe.costs({ ...defaultsOf(row.recipe.options), ...row.settings?.(plan, () => moved) });
      expect(engine.steps).toBeLessThanOrEqual(costs.steps ?? Number.POSITIVE_INFINITY);
      if (row.prepare === undefined) expect(drawn).toBeLessThanOrEqual(costs.answers);
      expect(Math.min(engine.steps, progress.length)).toBeGreaterThan(0);
      expect(weightsIn(start!)).toBe(weightsIn(baseFolder));
      // STaR keeps the base where no loop was better than it.
      if (id !== "star") expect([weightsIn(baseFolder), weightsIn(moved)]).not.toContain(weightsIn(model));

      const marker = plan.star.hintMarker;
      const systems = [worldPrompts.plain, worldPrompts.refine];
      const first = new Set(systems.flatMap((system) => questions.map(({ question }) => shown(ask(system, question)))));
      if (id === "star") {
        for (const { question } of validation) first.add(shown(ask(worldPrompts.plain, question)));
        for (const item of questions) first.add(shown(ask(worldPrompts.plain, hintedQuestion(item, marker))));
      }
      const retry = shown([
        ...ask(worldPrompts.plain, "?"),
        { role: "assistant", content: "!" },
        { role: "user", content: worldPrompts.improve },
      ]);
      const afterAnswer = retry.slice(retry.indexOf("!") + 1);
      for (const prompt of prompts) {
        if (first.has(prompt)) continue;
        expect(["score", "rise", "isc", "ptr"]).toContain(id);
        expect([...first].some((each) => prompt.startsWith(each))).toBe(true);
        expect(prompt.endsWith(afterAnswer)).toBe(true);
      }
      if (id !== "pasr-ift") expect(prompts.length).toBeGreaterThan(0);

      for (const context of contexts) expect(questions.some(({ question }) => context.includes(question))).toBe(true);
      // The hint is for the one call, and is learned by nobody.
      expect(contexts.join("")).not.toContain(marker);
      expect(learned.length).toBeGreaterThan(0);
      if (id === "isc" || id === "ptr") {
        // What stands for a teacher's solutions is the base's own, and of PTR's examples nothing else is learned.
        const end = tokenizer.decode([tokenizer.endOfTurnId], { keepAll: true });
        const tries = JSON.parse(readFileSync(path.join(root, id, "tries.json"), "utf8")) as { item: string; text: string }[];
        expect(tries.length).toBeGreaterThan(0);
        const texts = new Map(
          tries.map(({ item, text }) => [questions.find((each) => each.id === item)!.question, `${text}${end}`]),
        );
        for (const [index, context] of contexts.entries()) {
          const solution = [...texts].find(([question]) => context.includes(question))?.[1];
          if (id === "ptr") expect(learned[index]).toBe(solution);
          else if (solution && context.includes(plan.isc.verdicts.wrong)) expect(learned[index].endsWith(solution)).toBe(true);
        }
      }
    },
    60_000,
  );

  test("nobody's questions are of the test, in any domain", () => {
    const asked = [...questions, ...validation];
    expect(new Set(questions.map(({ chain }) => splitOf(chain)))).toEqual(new Set(["train"]));
    expect(new Set(validation.map(({ chain }) => splitOf(chain)))).toEqual(new Set(["validation"]));
    for (const domain of worldDomains) {
      const reported = testItems({ items: 50 }, domain);
      expect(new Set(reported.map(({ chain }) => splitOf(chain)))).toEqual(new Set(["test"]));
      expect(reported.filter(({ question }) => asked.some((each) => each.question === question))).toEqual([]);
    }
  });
});

describe("a row at test", () => {
  const full: TableOnePlan = { ...fullTableOnePlan, model: baseFolder };
  const [item] = worldItems(1, { split: "train", seed: 9 }) as [WorldItem];
  const wrong = "<think>1+1=3;</think><answer>-1</answer>";
  const [sums] = worldDomains;
  const sampling = () => ({ model: new FakeModel(() => wrong), verify: sums!.verify, temperature: 1, maxTokens: 9 });

  /** The prompts of the first calls. */
  async function asksOf(id: string): Promise<Message[][]> {
    const row = [...tableOneRows, ...ablationRows].find((each) => each.id === id)!;
    const model = new FakeModel(() => wrong);
    const messages: Message[] = [{ role: "user", content: item.question }];
    await drain(rowMethod(row, full).run({ model, messages, temperature: 0, maxTokens: 9, seed: 1 }));
    return model.calls.map((call) => [...call.messages]);
  }
  const plainly = (messages: readonly Message[]) => messages.map(({ role, content }): Message => ({ role, content }));

  test("STaR is asked as it was asked without the hint", async () => {
    const { model, ...rest } = sampling();
    await collectStar([item], { ...rest, model }, { ...full.star, rationalise: false }, 1);
    expect(await asksOf("star")).toEqual([model.calls[0].messages]);
  });

  test("ISC is asked as its examples begin, in one call", async () => {
    const { examples } = await collectIsc([item], sampling(), full.isc, 1, () => wrong);
    expect(await asksOf("isc")).toEqual([plainly(examples[0].messages.slice(0, -1))]);
  });

  test("RISE is asked turn by turn as when its turns were drawn", async () => {
    const { model, ...rest } = sampling();
    await collectRise([item], { ...rest, model }, full.rise, 1);
    const asked = await asksOf("rise");
    expect(asked).toHaveLength(5);
    expect(model.calls.map(({ messages }) => messages)).toEqual(asked.slice(0, full.rise.samplesPerTurn.length));
  });

  test("SCoRe is asked twice, with the request it was trained on", async () => {
    const { prompts } = full.score;
    const first = opening(item, prompts);
    expect(await asksOf("score")).toEqual([
      first,
      [...first, { role: "assistant", content: wrong }, { role: "user", content: prompts.retry }],
    ]);
  });

  test("PTR is asked three times, as its examples go", async () => {
    const right = `<think>${item.answer}</think><answer>${item.answer}</answer>`;
    const model = new FakeModel(({ messages }) => (messages.length > 2 ? right : wrong));
    const [found] = await rightSecondTries([item], { ...sampling(), model }, { attempts: 1, tries: 1 }, 1);
    const example = ptrConversation(found!);
    const asked = await asksOf("ptr");
    expect(asked).toHaveLength(3);
    expect(asked[1]).toEqual(plainly(example.messages.slice(0, -1)));
    expect(asked[0]).toEqual(asked[1].slice(0, 2));
  });

  test.each(["pasr", "pasr-ift", "pasr-prompt", ...ablationRows.map(({ id }) => id)])(
    "%s is asked once under the refine prompt",
    async (id) => {
      expect(await asksOf(id)).toEqual([ask(full.pasr.prompts.refine, item.question)]);
    },
  );
});
