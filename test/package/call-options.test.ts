/** Every call that a program can make is held to its options: the functions and classes that the entries export, one by one. */
import { describe, expect, test } from "vitest";
import * as engine from "#entries/engine.ts";
import * as evaluation from "#entries/evaluation.ts";
import * as training from "#entries/training.ts";
import * as verifiers from "#entries/verifiers.ts";
import * as main from "#index.ts";
import { numberVerifier } from "#verifiers/answers/number.ts";
import { judgeGrader } from "#verifiers/judges/judge.ts";
import { programGrader } from "#verifiers/programs/grader.ts";
import { embeddingClient } from "#verifiers/text/similarity.ts";

const exported: Readonly<Record<string, unknown>> = { ...engine, ...evaluation, ...training, ...verifiers, ...main };

interface Call {
  with: (options: never) => unknown;
  /** Options that it takes, as far as the check looks. */
  good: object;
  /** Values that it does not take. */
  wrong: Readonly<Record<string, unknown>>;
}

const model = new main.FakeModel(() => "4");
const sdkModel = main.toAiSdk(model);
const { vanilla } = main;
const sandbox = {
  kind: "none",
  run: async () => ({ status: "error" as const, milliseconds: 0, output: "" }),
  close: async () => {},
};
const item = { id: "1", question: "2+2?", answer: "4" };
const verify = () => ({ accuracy: 1, extracted: "4" });
const server = {
  model: "m",
  address: { baseUrl: "http://127.0.0.1:1/v1" },
  connections: new main.HttpConnections({}),
  quirks: {},
};
const { quirks: _, ...probing } = server;
const request = { model, messages: [{ role: "user", content: "2+2?" }], temperature: 0, maxTokens: 8, seed: 1 };
const generate = { n: 1, temperature: 0, maxTokens: 8, seed: 1 };
const sampling = { temperature: 0, maxTokens: 8 };
const asking = { n: -1, temperature: Number.NaN, maxTokens: 0, seed: 0.5, topP: 2, stop: "x", topLogprobs: -1 };
const task = { items: [item], verify, maxTokens: 8 };
const plan = { model, temperature: 0, seed: 1 };
const planWrong = { temperature: Number.NaN, seed: "1", concurrency: 0, keepTrace: "yes", onProgress: 1, signal: {}, budget: 3 };
const card = training.recipes[0];

const calls: Readonly<Record<string, Call>> = {
  refine: {
    with: (options) => main.refine(sdkModel, vanilla(), options),
    good: { retries: 3, temperature: 1 },
    wrong: { temperature: Number.NaN, retries: -1, maxTokens: 0, seed: 1.5, showProgress: "no", budget: 5 },
  },
  toAiSdk: {
    with: (options) => main.toAiSdk(model, options),
    good: { temperature: 0 },
    wrong: { temperature: -1, maxTokens: "9", seed: Number.POSITIVE_INFINITY },
  },
  fromAiSdk: {
    with: (options) => main.fromAiSdk(sdkModel, options),
    good: { topK: 3 },
    wrong: { topP: 1.5, topK: -1, stopSequences: "x", tools: {}, temperature: Number.NaN },
  },
  "a model of the AI SDK, asked": {
    with: (options) => main.fromAiSdk(sdkModel).generate([], options),
    good: generate,
    wrong: asking,
  },
  "a server's model, asked": {
    with: (options) => new main.OpenAiModel(server as never).generate([], options),
    good: generate,
    wrong: asking,
  },
  "an embedded model, asked": {
    with: (options) => new engine.EmbeddedModel({} as never, {} as never).generate([], options),
    good: generate,
    wrong: asking,
  },
  "a method, run": {
    with: (options) => vanilla().run(options).next(),
    good: request,
    wrong: { temperature: Number.NaN, maxTokens: -1, seed: "1", messages: "2+2?", model: {}, mayCall: true },
  },
  vanilla: { with: (options) => vanilla(options), good: { instruction: "x" }, wrong: { instruction: 3 } },
  withinBudget: { with: (options) => main.withinBudget(options), good: { tokens: 3 }, wrong: { calls: Number.NaN, seconds: -1 } },
  parseMethods: { with: (options) => main.parseMethods("vanilla", options), good: { cards: [] }, wrong: { cards: 3 } },
  bindMethod: {
    with: (options) => main.bindMethod(main.selfRefine.card, options),
    good: { rounds: 2 },
    wrong: { rounds: -1 },
  },
  defineMethod: {
    with: (options) => main.defineMethod(options),
    good: {
      ...{ id: "x", summary: "x", kind: "plain", status: "stable", calls: "1", options: {} },
      ...{ maxCalls: () => 1, steps: async function* () {} },
    },
    wrong: { status: "new", maxCalls: 1, options: 3, steps: "x" },
  },
  CachedModel: {
    with: (options) => new main.CachedModel(model, options),
    good: { store: { get() {}, add() {} }, identity: 1 },
    wrong: { store: {} },
  },
  Limiter: { with: (options) => new main.Limiter(options), good: { most: 2 }, wrong: { most: Number.NaN } },
  PricedModel: {
    with: (options) => new main.PricedModel(model, options),
    good: { input: 1, output: 2 },
    wrong: { input: -1, output: Number.NaN, cachedInput: "1" },
  },
  retrying: {
    with: (options) => main.retrying(options),
    good: { retries: 2 },
    wrong: { retries: -1, firstDelaySeconds: Number.NaN, longestDelaySeconds: -1, onRetry: 3 },
  },
  OpenAiModel: {
    with: (options) => new main.OpenAiModel(options),
    good: server,
    wrong: { idleSeconds: 0, firstSeconds: Number.NaN, totalSeconds: "9", reasoningTags: "cut", maxReplyBytes: 0, stream: 1 },
  },
  probeServer: {
    with: (options) => main.probeServer(options),
    good: { ...probing, probe: false },
    wrong: { idleSeconds: -1, probe: "no", signal: {}, model: 3 },
  },
  openModel: {
    with: (options) => engine.openModel(options),
    good: { retries: 1, concurrency: 3 },
    wrong: {
      retries: Number.NaN,
      concurrency: 0,
      cache: true,
      threads: 0.5,
      reasoningTags: "x",
      totalSeconds: 0,
      header: "a: b",
    },
  },
  EmbeddedModel: {
    with: (options) => new engine.EmbeddedModel({} as never, {} as never, options),
    good: { maxBatch: 2 },
    wrong: { maxBatch: 0, id: 3 },
  },
  EmbeddedEngine: {
    with: (options) => engine.EmbeddedEngine.open(options),
    good: { folder: "x", threads: 1 },
    wrong: { threads: Number.NaN, folder: 3, lora: 8 },
  },
  evaluate: {
    with: (options) => evaluation.evaluate(options),
    good: { ...plan, tasks: [], onRecord() {} },
    wrong: { ...planWrong, tasks: {}, onRecord: 3, allowance: 3 },
  },
  "evaluate, a task": {
    with: (options) => evaluation.evaluate({ ...plan, tasks: [options], onRecord() {} }),
    good: { ...task, methods: [] },
    wrong: { maxTokens: Number.NaN, verify: 3, gradeAttempts: "no", items: {} },
  },
  "evaluate, a method": {
    with: (options) => evaluation.evaluate({ ...plan, tasks: [{ ...task, items: [], methods: [options] }], onRecord() {} }),
    good: { method: vanilla(), samples: 1 },
    wrong: { samples: 0, method: "vanilla" },
  },
  evaluateTask: {
    with: (options) => evaluation.evaluateTask(options),
    good: { ...plan, ...task, methods: [vanilla()] },
    wrong: { ...planWrong, samples: 0, methods: ["vanilla"], known: 3 },
  },
  slimRecord: {
    with: (options) => evaluation.slimRecord({} as never, options),
    good: { sameAnswer() {} },
    wrong: { sameAnswer: 1 },
  },
  renderTable: {
    with: (options) => evaluation.renderTable({ tasks: [] } as never, options),
    good: { width: 80 },
    wrong: { width: Number.NaN, styled: "yes" },
  },
  renderMeasurement: {
    with: (options) => evaluation.renderMeasurement({ tasks: [] } as never, options),
    good: { width: 80 },
    wrong: { width: -1, evalNames: "x" },
  },
  summarise: {
    with: (options) => evaluation.summarise(options),
    good: { ...{ run: "r", model: "m", seed: 1, temperature: 0, samples: 1 }, tasks: [], records: [] },
    wrong: { samples: 0, temperature: Number.NaN, records: 3, methods: "vanilla", baseline: 3 },
  },
  taskItems: {
    with: (options) => evaluation.taskItems(options),
    good: { task: evaluation.findTask("world"), limit: 3 },
    wrong: { limit: 0, shots: -1, seed: Number.NaN, badRows: "drop", shuffle: 1, task: "gsm8k" },
  },
  openRun: {
    with: (options) => evaluation.openRun("", {} as never, options),
    good: { keepCheckpoints: 2 },
    wrong: { keepCheckpoints: Number.NaN },
  },
  withRun: {
    with: (options) => evaluation.withRun("", {} as never, async () => {}, options),
    good: { keepCheckpoints: 2 },
    wrong: { keepCheckpoints: -1 },
  },
  runRecipe: {
    with: (options) => training.runRecipe(card, options),
    good: { out: "x", items: 3 },
    wrong: { items: -1, seed: Number.NaN, lora: 0, loraDropout: 1, loraAlpha: 0, out: 3, keepCheckpoints: 0, resample: "no" },
  },
  "runRecipe, its options": {
    with: (options) => training.runRecipe(card, { out: "x", options }),
    good: { steps: 3 },
    wrong: { steps: -1 },
  },
  gradedSamples: {
    with: (options) => training.gradedSamples(options, []),
    good: { model, verify, ...sampling },
    wrong: { temperature: Number.NaN, maxTokens: 0, topP: 2, concurrency: 0, verify: 3 },
  },
  selfTrain: {
    with: (options) => training.selfTrain(options),
    good: {
      ...{ engine: {}, tokenizer: {}, run: {}, rounds: 0, start: "base", data: "replace", seed: 1 },
      ...{ collect() {}, options() {} },
    },
    wrong: { rounds: -1, start: "best", data: "all", patience: 0, seed: Number.NaN },
  },
  MathComparer: {
    with: (options) => new verifiers.MathComparer(options),
    good: { workers: 1 },
    wrong: { workers: 0, milliseconds: Number.NaN, memory: "512" },
  },
  mathGrader: { with: (options) => verifiers.mathGrader(options), good: { comparer: undefined }, wrong: { comparer: 3 } },
  openSandbox: {
    with: (options) => verifiers.openSandbox(options),
    good: { prefer: "process", workers: 1 },
    wrong: { prefer: "docker", workers: 0, isolation: "chroot", allowBare: "yes" },
  },
  "a grader by number": {
    with: (options) => numberVerifier(options),
    good: { tolerance: "0.1" },
    wrong: { tolerance: "-1", ...{} },
  },
  "a grader by a judge": {
    with: (options) => judgeGrader(options),
    good: { model, kind: "general" },
    wrong: { kind: "essay", samples: 0, temperature: Number.NaN, maxTokens: 0, retries: -1, model: [] },
  },
  "a grader of programs": {
    with: (options) => programGrader(sandbox, options),
    good: { seconds: 1 },
    wrong: { seconds: 0, megabytes: Number.NaN },
  },
  "a client of embeddings": {
    with: (options) => embeddingClient(options),
    good: { batchSize: 3 },
    wrong: { batchSize: 0, retries: Number.NaN, timeoutSeconds: 0 },
  },
};

/** What takes no options of its own. */
const without: Readonly<Record<string, string>> = {
  HttpConnections: "an environment",
  MidcourseError: "made by what fails",
  parseRefine: "a text",
  RefineParser: "nothing",
  countVotes: "candidates",
  mostAgreed: "candidates",
  asking: "a conversation",
  readScore: "a text and its range",
  readVerdict: "a text",
  withNote: "a conversation",
  withReply: "a conversation",
  withTurn: "a conversation",
  FakeModel: "a script",
  MeteredModel: "a model",
  withPolicy: "a model and a policy",
  ResponseStore: "a folder",
  Tokenizer: "a folder",
  readRun: "a folder",
  integerGrader: "an answer",
  findTask: "a name",
  findRecipe: "a name",
  deriveSeed: "a seed and a path",
  modelWhenFinished: "what a training hands over",
  defineRecipe: "a card, checked by runRecipe",
  defaultsOf: "a card's options",
  recipeOptions: "a card's options",
  withDefaults: "a card's options",
  chosenOptions: "a card's options, checked as runRecipe's",
  firstQuestions: "a source",
  riseTurns: "figures that runRecipe checks",
  twoTurns: "figures that runRecipe checks",
  iscMethod: "options that runRecipe checks",
  drawPasrGroups: "what runRecipe hands over",
  goodPaths: "what runRecipe hands over",
  evaluateRounds: "what runRecipe hands over",
};

const isTraining = (name: string) => /^train[A-Z]/.test(name);

async function refusalOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    if (main.MidcourseError.isInstance(error)) return `${error.family}: ${error.message}`;
    throw error;
  }
  return "nothing was refused";
}

describe.for(Object.entries(calls))("%s", ([, { with: call, good, wrong }]) => {
  test("refuses an option that it does not have, and says which was probably meant", async () => {
    const name = Object.keys(good).toSorted((first, second) => second.length - first.length)[0];
    const refusal = await refusalOf(() => call({ ...good, [`${name}s`]: 1 } as never));
    expect(refusal).toMatch(/^user: .* has no option “/);
    expect(refusal).toContain(`Did you mean ${name}?`);
  });

  test.for(Object.entries(wrong))("refuses %s where it is %s", async ([name, value]) => {
    const refusal = await refusalOf(() => call({ ...good, [name]: value } as never));
    expect(refusal).toMatch(/^user: .*( is not | is no )/);
    expect(refusal).toContain(name);
  });

  test("refuses options that are no object", async () => {
    expect(await refusalOf(() => call(3 as never))).toMatch(/^user: /);
  });
});

test("every function that the entries export is tried here, or takes no options", () => {
  const functions = Object.entries(exported).filter(([, value]) => typeof value === "function");
  const methods = new Set(main.methodCards.map(({ id }) => id));
  const isMethod = (value: unknown) => methods.has((value as Partial<typeof vanilla>).card?.id ?? "");
  const left = functions.filter(
    ([name, value]) => !(name in calls) && !(name in without) && !isMethod(value) && !isTraining(name),
  );
  expect(left.map(([name]) => name)).toEqual([]);
  expect(Object.keys(without).filter((name) => !(name in exported))).toEqual([]);
});

test("a card of a recipe with a part that there is none of is refused, with the one that was probably meant", async () => {
  const { examples: _, ...rest } = card;
  const refusal = await refusalOf(() => training.runRecipe({ ...rest, example: [] } as never, { out: "x" }));
  expect(refusal).toContain("example is no part of one. Did you mean examples");
});

test("a value that may be a secret is not told in its refusal", async () => {
  const refusal = await refusalOf(() => engine.openModel({ headers: "api-key: hush-hush-hush" } as never));
  expect(refusal).toContain("headers=… is not an object of texts");
});
