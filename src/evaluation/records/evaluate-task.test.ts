import { describe, expect, test } from "vitest";
import type { Item, Verifier } from "#kernel/item.ts";
import { noUsage } from "#kernel/model.ts";
import type { Method } from "#kernel/trace.ts";
import { vanilla } from "#methods/plain/vanilla.ts";
import { selfRefine } from "#methods/refinement/self-refine.ts";
import { selfConsistency } from "#methods/sampling/self-consistency.ts";
import { FakeModel } from "#models/fake.ts";
import { evaluateTask, type TaskPlan } from "./evaluate.ts";
import type { EvaluationRecord } from "./evaluation-record.ts";

const items: Item[] = ["a", "b", "c"].map((id, index) => ({ id, question: `q${index}`, answer: String(index) }));
const verify: Verifier = (item, answer) => ({ accuracy: answer === item.answer ? 1 : 0, extracted: answer });

/** Answers every question with the digit in it. */
function digitModel(): FakeModel {
  return new FakeModel(({ messages }) => `<think>easy</think><answer>${/\d/.exec(messages[0].content)![0]}</answer>`);
}

function plan(part: Partial<TaskPlan> = {}): TaskPlan {
  return { model: digitModel(), items, methods: [vanilla()], verify, temperature: 0.9, maxTokens: 16, seed: 1, ...part };
}

test("one record for each method, item and sample, in that order, graded and metered", async () => {
  const model = digitModel();
  const methods = [vanilla(), selfRefine({ rounds: 1 })];
  const records = await evaluateTask(plan({ model, methods, samples: 2 }));
  expect(records.map(({ method, item, sample }) => `${method} ${item} ${sample}`)).toEqual(
    methods.flatMap(({ id }) => ["a", "b", "c"].flatMap((item) => [0, 1].map((sample) => `${id} ${item} ${sample}`))),
  );
  expect(records.every((record) => record.accuracy === 1 && record.verdict === "ok" && record.refinements === 0)).toBe(true);
  expect(records.reduce((sum, record) => sum + record.usage.calls, 0)).toBe(model.calls.length);
  expect(JSON.parse(JSON.stringify(records))).toEqual(records);
});

test("samples draw from different seeds, methods from the same: a draft is the plain answer", async () => {
  const model = digitModel();
  await evaluateTask(plan({ model, methods: [vanilla(), vanilla({ id: "again" })], samples: 2 }));
  const seeds = model.calls.map((call) => call.options.seed);
  expect(new Set(seeds).size).toBe(6);
  // Item by item: both answers of the one method, then both of the other.
  for (const item of [0, 4, 8]) expect(seeds.slice(item, item + 2)).toEqual(seeds.slice(item + 2, item + 4));
});

test("attempts are kept and graded where there is more than one", async () => {
  const model = new FakeModel(["<answer>9</answer>", "Step 1 is wrong.", "<answer>0</answer>"]);
  const records = await evaluateTask(
    plan({ model, items: items.slice(0, 1), methods: [selfRefine({ rounds: 1 })], keepTrace: true }),
  );
  expect(records[0].attempts).toMatchObject([
    { answer: "9", accuracy: 0, outputTokens: 1 },
    { answer: "0", accuracy: 1, outputTokens: 1 },
  ]);
  expect(records[0].events!.map((event) => event.type)).toEqual(["attempt-end", "feedback-end", "attempt-end", "choice-end"]);
  const votes = await evaluateTask(plan({ methods: [selfConsistency({ samples: 3 })] }));
  expect(votes.map((record) => record.attempts!.length)).toEqual([3, 3, 3]);
  const plain = await evaluateTask(plan());
  expect(plain.every((record) => record.attempts === undefined && record.events === undefined)).toBe(true);
});

test("never more conversations in flight than asked for, and as many", async () => {
  let inFlight = 0;
  let most = 0;
  const slow: Method = {
    id: "slow",
    async *run() {
      most = Math.max(most, ++inFlight);
      await new Promise((resolve) => setImmediate(resolve));
      inFlight--;
      return { text: "", answer: "", reason: "done", usage: noUsage };
    },
  };
  await evaluateTask(plan({ methods: [slow], samples: 4, concurrency: 5 }));
  expect(most).toBe(5);
});

describe("failures are recorded", () => {
  const failing: Method = {
    id: "failing",
    // biome-ignore lint/correctness/useYield: it fails before there is anything to tell
    async *run() {
      throw new Error("a bug in the method");
    },
  };

  test("of a model, a method and a verifier, each with its message and as wrong", async () => {
    const model = new FakeModel(({ messages }) =>
      messages[0].content === "q1" ? new Error("no connection") : "<answer>0</answer>",
    );
    const records = await evaluateTask(plan({ model, methods: [vanilla(), failing] }));
    expect(records.map((record) => record.error)).toEqual([
      undefined,
      "no connection",
      undefined,
      ...Array(3).fill("a bug in the method"),
    ]);
    expect(records[1]).toMatchObject({ accuracy: 0, reason: "error", verdict: "empty" });
    const broken = () => {
      throw new Error("cannot grade");
    };
    const graded = await evaluateTask(plan({ verify: broken }));
    expect(graded.map((record) => record.error)).toEqual(Array(3).fill("cannot grade"));
  });

  test("and tried again by a later run, while finished records stay", async () => {
    const first = await evaluateTask(
      plan({
        model: new FakeModel(({ messages }) => (messages[0].content === "q1" ? new Error("lost") : "<answer>0</answer>")),
      }),
    );
    const model = digitModel();
    const fresh: EvaluationRecord[] = [];
    const second = await evaluateTask(plan({ model, known: first, onRecord: (record) => fresh.push(record) }));
    expect(model.calls).toHaveLength(1);
    expect(fresh.map((record) => record.item)).toEqual(["b"]);
    expect(second).toEqual([first[0], fresh[0], first[2]]);
  });
});

test("an abort ends the run with its reason, and the rest can be done later with equal results", async () => {
  const controller = new AbortController();
  const seen: number[] = [];
  const known: EvaluationRecord[] = [];
  const stopped = evaluateTask(
    plan({
      samples: 3,
      concurrency: 1,
      signal: controller.signal,
      onRecord: (record) => known.push(record),
      onProgress: ({ done, total }) => {
        seen.push(total);
        if (done === 4) controller.abort(new Error("enough"));
      },
    }),
  );
  await expect(stopped).rejects.toThrow("enough");
  expect(known).toHaveLength(4);
  expect(new Set(seen)).toEqual(new Set([9]));
  const resumed = await evaluateTask(plan({ samples: 3, known }));
  expect(resumed).toHaveLength(9);
  expect(resumed).toEqual(await evaluateTask(plan({ samples: 3 })));
});

test("an answer cancelled on its way leaves no record", async () => {
  const controller = new AbortController();
  const model = new FakeModel(() => {
    controller.abort(new Error("enough"));
    return new Error("aborted");
  });
  const records: EvaluationRecord[] = [];
  const onRecord = (record: EvaluationRecord) => records.push(record);
  await expect(evaluateTask(plan({ model, signal: controller.signal, concurrency: 1, onRecord }))).rejects.toThrow("enough");
  expect(records).toEqual([]);
});
