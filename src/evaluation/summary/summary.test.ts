import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { slimAnswer } from "../../../test/support/records.ts";
import type { SlimAttempt, SlimRecord } from "../records/slim-record.ts";
import { type SummaryPlan, summarise } from "./summary.ts";

function record(method: string, item: string, accuracy: number, more: Partial<SlimRecord> = {}): SlimRecord {
  return slimAnswer(item, accuracy, { task: "sums", method, wellFormed: false, ...more });
}

const names = Array.from({ length: 8 }, (_, index) => `item-${index}`);
const rows = (method: string, accuracies: string, more: Partial<SlimRecord> | ((index: number) => Partial<SlimRecord>) = {}) =>
  [...accuracies].map((digit, index) =>
    record(method, names[index], Number(digit), typeof more === "function" ? more(index) : more),
  );

/** Four samples of five tokens an item behind one prompt of ten; `right` of them are right. */
function pool(rights: string): SlimRecord[] {
  return [...rights].map((right, index) => {
    const attempts = Array.from({ length: 4 }, (_, at): SlimAttempt => {
      const isRight = at < Number(right);
      return { vote: isRight ? "1" : `wrong ${at}`, accuracy: isRight ? 1 : 0, inputTokens: at === 0 ? 10 : 0, outputTokens: 5 };
    });
    return record("resampling", names[index], 1, { attempts, usage: { calls: 1, inputTokens: 10, outputTokens: 20 } });
  });
}

const plan: Omit<SummaryPlan, "records"> = {
  run: "first",
  model: "fake",
  command: "midcourse eval",
  version: "0.2.0",
  seed: 3,
  temperature: 0.7,
  samples: 1,
  tasks: [{ id: "sums", items: 8, votable: true, promptVersion: "sums-1" }],
};
const cheap = { usage: { calls: 1, inputTokens: 10, outputTokens: 5 } };
const base = [...rows("vanilla", "11110000", cheap), ...pool("43214310")];
const summed = (records: SlimRecord[], more: Partial<SummaryPlan> = {}) =>
  summarise({ ...plan, records: [...base, ...records], ...more });
const methodOf = (results: ReturnType<typeof summed>, id: string) => results.tasks[0].methods.find((method) => method.id === id)!;

describe("at equal cost", () => {
  test("the pool is a baseline and no row; a method is compared with as many samples as its tokens pay for", () => {
    const results = summed(rows("refine", "11111100", { usage: { calls: 3, inputTokens: 60, outputTokens: 15 } }));
    const [task] = results.tasks;
    expect(task!.methods.map(({ id }) => id)).toEqual(["vanilla", "refine"]);
    expect(task!.pool).toEqual({
      method: "resampling",
      rule: "vote",
      samples: 4,
      items: 8,
      itemsLeftOut: 0,
      prompts: "paid once",
    });
    expect(task!.resamplingCurve.map(({ generated, all }) => [generated, all])).toEqual([
      [5, 15],
      [10, 20],
      [15, 25],
      [20, 30],
    ]);
    const { generated, all } = methodOf(results, "refine").resampling!;
    expect(generated).toMatchObject({ samples: 3, rule: "vote" });
    expect(generated!.difference).toBeCloseTo(0.75 - task!.resamplingCurve[2].accuracy, 9);
    // 75 tokens with prompts are more than the whole pool cost.
    expect(all).toMatchObject({ samples: 4, outside: "above" });
    expect(methodOf(results, "vanilla").resampling!.generated).toMatchObject({ samples: 1 });
  });

  test("prompts are paid as the pool's own calls paid them", () => {
    const each = pool("43214310").map((entry) => ({
      ...entry,
      usage: { calls: 4, inputTokens: 40, outputTokens: 20 },
      attempts: entry.attempts!.map(({ inputTokens: _, ...attempt }) => attempt),
    }));
    const results = summarise({ ...plan, records: [...rows("vanilla", "11110000"), ...each] });
    expect(results.tasks[0].pool).toMatchObject({ prompts: "paid by each sample" });
    expect(results.tasks[0].resamplingCurve.map(({ all }) => all)).toEqual([15, 30, 45, 60]);
  });

  test("answers that cannot be voted on are compared with a single sample; what an oracle would choose stands apart", () => {
    const results = summed(rows("refine", "11111111"), { tasks: [{ id: "sums", items: 8, votable: false }] });
    const [task] = results.tasks;
    expect(task!.pool!.rule).toBe("single");
    const accuracies = task!.resamplingCurve.map(({ accuracy }) => accuracy);
    for (const accuracy of accuracies) expect(accuracy).toBeCloseTo(18 / 32, 9);
    expect(task!.resamplingCurve.at(-1)!.passAtK).toBeCloseTo(7 / 8, 9);
    expect(task!.resamplingCurve.at(-1)!.passAllK).toBeCloseTo(2 / 8, 9);
    expect(task!.passAtTokens[0]).toMatchObject({ id: "resampling", oracle: true });
  });

  test("samples with scores give best-of-n, whose cost counts the scorer's tokens", () => {
    const scored = pool("43214310").map((entry) => ({
      ...entry,
      method: "best-of-n",
      usage: { calls: 8, inputTokens: 10 + 4 * 30, outputTokens: 24 },
      attempts: entry.attempts!.map((attempt, at) => ({ ...attempt, score: 1 - at / 10 })),
    }));
    const results = summed([...scored, ...rows("refine", "11111111")]);
    const curve = results.tasks[0].bestOfNCurve!;
    // The right samples have the highest scores, so the best of all four is right wherever one is.
    expect(curve.at(-1)!.accuracy).toBeCloseTo(7 / 8, 9);
    expect(curve[0].accuracy).toBeCloseTo(18 / 32, 9);
    expect(curve.map(({ generated, all }) => [generated, all])).toEqual(
      [6, 12, 18, 24].map((tokens, k) => [tokens, 10 + 30 * (k + 1) + tokens]),
    );
    expect(methodOf(results, "refine").bestOfN!.generated!.rule).toBe("best-of-n");
    expect(methodOf(results, "best-of-n").bestOfN).toBeUndefined();
  });

  test("dollars and seconds are compared where they are known; seconds stand apart", () => {
    const withCost = (records: SlimRecord[], dollars: number, seconds: number) =>
      records.map((entry) => ({ ...entry, seconds, usage: { ...entry.usage, dollars } }));
    const results = summarise({
      ...plan,
      records: [
        ...withCost(rows("vanilla", "11110000", cheap), 0.1, 2),
        ...withCost(pool("43214310"), 0.25, 3),
        ...withCost(rows("refine", "11111100"), 0.2, 5),
      ],
    });
    expect(results.tasks[0].resamplingCurve.map(({ dollars }) => dollars!.toFixed(3))).toEqual([
      "0.100",
      "0.150",
      "0.200",
      "0.250",
    ]);
    expect(methodOf(results, "refine").resampling!.dollars!.samples).toBeCloseTo(3, 9);
    expect(JSON.stringify(results.tasks)).not.toContain("econds");
    const time = results.times.find(({ method }) => method === "refine")!;
    expect(time).toMatchObject({ meanSeconds: 5, medianSeconds: 5, answers: 8 });
    expect(time.resampling!.samples).toBeCloseTo(2.5, 9);
  });

  test.each<[string, SlimRecord[], string]>([
    [
      "no usage",
      rows("refine", "11111100", { usage: { calls: 1, inputTokens: undefined, outputTokens: undefined } }),
      "tokens unknown: the server gave no usage",
    ],
    [
      "other items",
      [record("refine", "other", 1), record("refine", "items", 1)],
      "it shares fewer than two items with the resampling pool",
    ],
  ])("says why it is not possible: %s", (_, records, reason) => {
    const refine = methodOf(summed(records), "refine");
    expect(refine.resampling).toBeUndefined();
    expect(refine.notComparable).toBe(reason);
  });

  test("says why there is no pool", () => {
    const reason = (records: SlimRecord[]) => {
      const [task] = summarise({ ...plan, records: [...rows("vanilla", "11110000"), ...records] }).tasks;
      expect(task!.resamplingCurve).toEqual([]);
      expect(methodOf({ tasks: [task] } as never, "vanilla").notComparable).toBe(`no resampling pool: ${task!.poolMissing}`);
      return task!.poolMissing;
    };
    expect(reason([])).toBe("no plain samples were drawn");
    expect(reason(rows("resampling", "11110000"))).toBe("resampling has fewer than two graded samples an answer");
    const unmetered = pool("43214310").map((entry) => ({
      ...entry,
      usage: { calls: 1, inputTokens: undefined, outputTokens: undefined },
    }));
    expect(reason(unmetered)).toBe("tokens unknown: the server gave no usage");
  });

  test("a lost answer or sample among many spoils neither the method nor the pool", () => {
    const many = Array.from({ length: 40 }, (_, index) => `item-${index}`);
    const lost = { calls: 1, inputTokens: undefined, outputTokens: undefined };
    const sampled = many.map((item, index) => ({
      ...pool("4")[0],
      item,
      ...(index === 3 ? { attempts: pool("4")[0].attempts!.slice(0, 2) } : {}),
    }));
    const own = many.map((item, index) => record("vanilla", item, 1, index === 0 ? { usage: lost, failed: true } : {}));
    const [task] = summarise({ ...plan, records: [...own, ...sampled] }).tasks;
    expect(task!.pool).toMatchObject({ samples: 4, items: 39, itemsLeftOut: 1 });
    expect(task!.methods[0]).toMatchObject({ unknownTokens: 1, failures: 1, tokensPerAnswer: 20 });
    expect(task!.methods[0].resampling).toBeDefined();
  });

  test("a self-consistency of the user's own is the pool where there is no other", () => {
    const own = pool("43214310").map((entry) => ({ ...entry, method: "self-consistency(samples=4)" }));
    const [task] = summarise({ ...plan, records: [...rows("vanilla", "11110000"), ...own] }).tasks;
    expect(task!.pool!.method).toBe("self-consistency(samples=4)");
    expect(task!.methods.map(({ id }) => id)).toContain("self-consistency(samples=4)");
    expect(task!.methods[1].notComparable).toBe("its own samples are the resampling pool");
  });
});

describe("against plain answers", () => {
  test("scores of 0 and 1 have McNemar's exact test, with Holm's correction over the methods", () => {
    const results = summed([...rows("refine", "11111100"), ...rows("worse", "00000000")]);
    const [refine, worse] = [methodOf(results, "refine"), methodOf(results, "worse")].map((method) => method.versusBaseline!);
    expect(refine).toMatchObject({
      difference: 0.25,
      test: "mcnemar",
      pValue: 0.5,
      midP: 0.25,
      onlyThis: 2,
      onlyOther: 0,
      items: 8,
    });
    expect(worse).toMatchObject({ difference: -0.5, onlyThis: 0, onlyOther: 4 });
    expect(worse!.pHolm).toBeCloseTo(2 * worse!.pValue, 9);
    expect(refine!.minimumDetectableEffect).toBeCloseTo(2.8016 * refine!.standardError, 3);
    expect(methodOf(results, "vanilla").versusBaseline).toBeUndefined();
    expect(methodOf(results, "refine")).toMatchObject({
      transitions: { rightToRight: 4, wrongToRight: 2, rightToWrong: 0, wrongToWrong: 2 },
      correctionRate: 0.5,
      damageRate: 0,
    });
  });

  test("items of one cluster widen the interval and flip together", () => {
    const clustered = (records: SlimRecord[]) =>
      records.map((entry) => ({ ...entry, cluster: `passage ${Math.floor(names.indexOf(entry.item) / 4)}` }));
    const records = [...rows("vanilla", "00001111"), ...rows("refine", "11111111")];
    const apart = methodOf(summarise({ ...plan, records }), "refine").versusBaseline!;
    const together = summarise({ ...plan, records: clustered(records) });
    const pair = methodOf(together, "refine").versusBaseline!;
    expect(together.tasks[0].clusters).toBe(2);
    expect(pair.test).toBe("sign-flip");
    expect(pair.pValue).toBe(1);
    expect(apart.pValue).toBe(0.125);
    expect(pair.interval[1] - pair.interval[0]).toBeGreaterThan(apart.interval[1] - apart.interval[0]);
  });

  test("several samples of an item count as one item", () => {
    const twice = [...rows("refine", "11110000"), ...rows("refine", "11111111", { sample: 1 })];
    const refine = methodOf(summed(twice), "refine");
    expect(refine).toMatchObject({ accuracy: 0.75, answers: 16, items: 8 });
    expect(refine.versusBaseline).toMatchObject({ test: "sign-flip", items: 8, difference: 0.25 });
  });
});

test("verdicts are measured against grades, by group and by how hard the item is for plain answers", () => {
  const checked = rows("refine", "11111100", (index) => ({
    group: index < 4 ? "easy" : "hard",
    checks: [{ by: "own verdict", passed: index !== 0, right: index < 6 }],
  }));
  const [verification] = methodOf(summed(checked), "refine").verification!;
  expect(verification).toMatchObject({ by: "own verdict", verdicts: 8, precision: 5 / 7, recall: 5 / 6, specificity: 0 });
  expect(verification!.byGroup!.map(({ group }) => group).sort()).toEqual(["easy", "hard"]);
  expect(verification!.byPassRate!.map(({ passRate }) => passRate)).toEqual([
    [0, 0],
    [0, 0.25],
    [0.25, 0.75],
    [0.75, 1],
  ]);
});

test("pass@t counts the items with a right attempt, and what the attempts took", () => {
  const paths = rows("refine", "10000000", (index) => ({
    usage: { calls: 1, inputTokens: 10, outputTokens: 10 },
    ...(index < 4
      ? {
          attempts: [
            { vote: "a", accuracy: 0, spentTokens: 10 },
            { vote: "b", accuracy: 1, spentTokens: 40 },
          ],
        }
      : {}),
  }));
  const curve = summed(paths).tasks[0].passAtTokens.find(({ id }) => id === "refine")!;
  // Those that stopped after one attempt stay at its tokens.
  expect(curve.points).toEqual([
    { attempts: 1, tokens: 10, share: 0 },
    { attempts: 2, tokens: 25, share: 0.5 },
  ]);
  expect(curve.oracle).toBe(true);
});

describe("over all tasks", () => {
  const tasks = [
    { id: "sums", items: 8, votable: true },
    { id: "words", items: 2, votable: true },
  ];
  const other = (method: string, accuracies: string) => rows(method, accuracies).map((entry) => ({ ...entry, task: "words" }));

  test("the macro mean weighs tasks alike, the micro mean items", () => {
    const results = summed([...rows("refine", "11111100"), ...other("refine", "00"), ...other("vanilla", "10")], { tasks });
    const refine = results.overall.find(({ id }) => id === "refine")!;
    expect(refine).toMatchObject({ tasks: 2, oracle: false });
    expect(refine.macro.accuracy).toBeCloseTo(0.375, 9);
    expect(refine.micro.accuracy).toBeCloseTo(0.6, 9);
    expect(refine.versusBaseline!.difference).toBeCloseTo((0.25 - 0.5) / 2, 9);
    expect(refine.versusResampling!.tasks).toBe(1);
    const [low, high] = refine.macro.interval;
    expect(low).toBeLessThan(0.375);
    expect(high).toBeGreaterThan(0.375);
  });

  test("a method with fewer tasks says so", () => {
    const results = summed([...rows("refine", "11111100"), ...other("vanilla", "10")], { tasks });
    expect(results.overall.map(({ id, tasks: count }) => [id, count])).toEqual([
      ["vanilla", 2],
      ["refine", 1],
    ]);
  });
});

test("the order in which answers arrived changes nothing, nor do their times", () => {
  const records = [...base, ...rows("refine", "11111100")];
  const expected = JSON.stringify(summarise({ ...plan, records }));
  fc.assert(
    fc.property(fc.shuffledSubarray(records, { minLength: records.length }), (shuffled) => {
      expect(JSON.stringify(summarise({ ...plan, records: shuffled }))).toBe(expected);
    }),
    { numRuns: 5 },
  );
  const timed = records.map((entry, index) => ({ ...entry, seconds: index }));
  const { times, ...rest } = summarise({ ...plan, records: timed });
  expect(times.length).toBe(2);
  expect(JSON.stringify({ ...rest, times: [] })).toBe(expected);
});

describe("few items", () => {
  const items = names.slice(0, 3);
  const of = (task: string, method: string, accuracy: number, more: Partial<SlimRecord> = {}) =>
    items.map((item) => record(method, item, accuracy, { task, ...more }));
  const attempts = Array.from({ length: 4 }, (): SlimAttempt => ({ vote: "1", accuracy: 1, inputTokens: 0, outputTokens: 5 }));
  const tasks = ["sums", "words"].map((id) => ({ id, items: 3, votable: true }));
  const records = tasks.flatMap(({ id }) => [
    ...of(id, "vanilla", 0),
    ...of(id, "refine", 0),
    ...of(id, "resampling", 1, { attempts }),
  ]);
  const results = summarise({ ...plan, tasks, records });
  const refine = results.tasks[0].methods.find(({ id }) => id === "refine")!;

  test("that all go one way give no small p: signs are flipped, and three leave one in four", () => {
    expect(refine.resampling!.generated!.difference).toBe(-1);
    expect(refine.resampling!.generated!.pValue).toBeCloseTo(0.25, 1);
    expect(results.overall[1].versusResampling!.pValue).toBeCloseTo(2 / 64, 1);
  });

  test("that are all alike give no interval without width, in a task and over several", () => {
    const [low, high] = refine.versusBaseline!.interval;
    expect(low).toBeLessThan(-0.5);
    expect(high).toBeGreaterThan(0.5);
    expect(results.tasks[0].resamplingCurve.at(-1)!.interval[0]).toBeLessThan(0.5);
    for (const { macro, micro, versusBaseline } of results.overall) {
      for (const { interval } of [macro, micro, versusBaseline ?? macro]) expect(interval[1]).toBeGreaterThan(0.3);
      // Two tasks of three items say more than one of them and less than six items of one.
      expect(macro.interval[1]).toBeLessThan(refine.interval[1]);
      expect(macro.interval[1]).toBeGreaterThan(0.39);
    }
  });
});

test("a run without answers has results too", () => {
  expect(summarise({ ...plan, records: [] })).toMatchObject({ schema: 2, tasks: [], overall: [], times: [] });
  const failed = summarise({
    ...plan,
    records: [record("vanilla", "a", 0, { failed: true, reason: "error", extracted: false })],
  });
  expect(failed.tasks[0].methods[0]).toMatchObject({ accuracy: 0, failures: 1, extractionFailures: 1, reasons: { error: 1 } });
});
