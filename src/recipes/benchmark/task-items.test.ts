import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findTask } from "#tasks/catalogue.ts";
import { type HubServer, hubServer } from "../../../test/support/hub-server.ts";
import { taskItems } from "./task-items.ts";

let folder: string;
let hub: HubServer;
const fixture = (name: string) => readFileSync(`test/parquet/${name}`);
const source = (id: string) => findTask(id).source;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "midcourse-items-"));
  hub = await hubServer({
    "allenai/ai2_arc": {
      commits: {
        [source("arc-easy").revision]: {
          "ARC-Easy/test-00000-of-00001.parquet": fixture("exam-snappy.parquet"),
          "ARC-Easy/train-00000-of-00001.parquet": fixture("exam-zstd.parquet"),
        },
      },
    },
    "cais/mmlu": {
      commits: {
        [source("mmlu").revision]: {
          "all/test-00000-of-00001.parquet": fixture("subjects-zstd.parquet"),
          "all/dev-00000-of-00001.parquet": fixture("subjects-zstd.parquet"),
        },
      },
    },
    "EleutherAI/drop": {
      commits: { [source("drop").revision]: { "drop_validation.parquet": fixture("passages-zstd.parquet") } },
    },
  });
});
afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});

const fromHub = () => ({ cacheFolder: path.join(folder, "cache"), environment: { HF_ENDPOINT: hub.url, HF_HOME: folder } });
const write = (name: string, lines: readonly (object | string)[]): string => {
  const file = path.join(folder, name);
  writeFileSync(file, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  return file;
};
const problem = (number: number) => ({ question: `What is ${number} + 1?`, answer: `Add.\n#### ${number + 1}` });

describe("items from the hub", () => {
  it("reads Parquet and says which commit it was", async () => {
    const { items, provenance, available } = await taskItems({ task: findTask("arc-easy"), ...fromHub() });
    expect(items.map(({ id, answer }) => [id, answer])).toEqual([
      ["exam-0", "B"],
      ["exam-1", "C"],
      ["exam-2", "D"],
    ]);
    expect(available).toBe(3);
    expect(provenance).toMatchObject({
      dataset: "allenai/ai2_arc",
      config: "ARC-Easy",
      split: "test",
      revision: source("arc-easy").revision,
    });
    expect(provenance.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("reads DROP's nested references", async () => {
    const { items } = await taskItems({ task: findTask("drop"), ...fromHub() });
    expect(items.map(({ answer, alternatives }) => [answer, alternatives])).toEqual([
      ["7", ["seven pots"]],
      ["Ann\nBob", undefined],
      ["2 May 1990", ["1990"]],
    ]);
  });

  it("takes examples from their split, of every subject, and never a question that is asked", async () => {
    const { items, shots } = await taskItems({ task: findTask("mmlu"), limit: 2, shots: 2, ...fromHub() });
    expect(shots.map(({ question }) => question)).toEqual(["pottery 2?", "pottery 3?"]);
    expect(items.map(({ question }) => question)).toEqual(["pottery 0?", "pottery 1?"]);
    await expect(taskItems({ task: findTask("mmlu"), shots: 1, ...fromHub() })).rejects.toMatchObject({ code: "few-shots" });
  });
});

describe("items from files", () => {
  it("takes the first, or a random choice that the seed decides, whose first ones stay when there are more", async () => {
    const data = write(
      "sums.jsonl",
      Array.from({ length: 50 }, (_, number) => problem(number)),
    );
    const ids = async (options: object) =>
      (await taskItems({ task: findTask("gsm8k"), data, ...options })).items.map(({ id }) => id);
    expect(await ids({ limit: 3 })).toEqual(["gsm8k-0", "gsm8k-1", "gsm8k-2"]);
    const five = await ids({ limit: 5, shuffle: true, seed: 7 });
    expect(await ids({ limit: 9, shuffle: true, seed: 7 })).toEqual(expect.arrayContaining(five));
    expect((await ids({ limit: 9, shuffle: true, seed: 7 })).slice(0, 5)).toEqual(five);
    expect(await ids({ limit: 5, shuffle: true, seed: 8 })).not.toEqual(five);
    expect(await ids({})).toHaveLength(50);
  });

  it("names the first bad row, or leaves bad rows out and counts them", async () => {
    const data = write("bad.jsonl", [problem(1), "{broken" as unknown as object, { question: "q" }, problem(2)]);
    const task = findTask("gsm8k");
    await expect(taskItems({ task, data })).rejects.toMatchObject({
      family: "user",
      message: expect.stringContaining("bad.jsonl, line 2"),
    });
    const { items, problems } = await taskItems({ task, data, badRows: "skip" });
    expect(items.map(({ id }) => id)).toEqual(["gsm8k-0", "gsm8k-3"]);
    expect(problems.map(({ where }) => where.split(", ").at(-1))).toEqual(["line 2", "line 3"]);
    expect(problems[1]?.message).toContain('no field "answer"');
    const none = write("none.jsonl", [{ question: "q" }]);
    await expect(taskItems({ task, data: none, badRows: "skip" })).rejects.toMatchObject({ code: "data-empty" });
  });

  it("takes examples from another file, and never without one", async () => {
    const data = write("test.jsonl", [problem(1), problem(2)]);
    const shotsData = write("train.jsonl", [problem(2), problem(3), problem(4)]);
    const task = findTask("gsm8k");
    const { shots, shotsProvenance } = await taskItems({ task, data, shotsData, shots: 2 });
    expect(shots.map(({ answer }) => answer)).toEqual(["4", "5"]);
    expect(shotsProvenance?.files).toEqual(["train.jsonl"]);
    await expect(taskItems({ task, data, shots: 2 })).rejects.toMatchObject({ code: "no-shots" });
    await expect(taskItems({ task, data, shotsData, shots: 3 })).rejects.toMatchObject({ code: "few-shots" });
    await expect(taskItems({ task: findTask("humaneval"), data, shots: 1 })).rejects.toMatchObject({ family: "user" });
  });

  it("reads a folder of MMLU with the examples in it", async () => {
    const at = path.join(folder, "mmlu");
    mkdirSync(at);
    for (const subject of ["pots", "sums"]) {
      writeFileSync(path.join(at, `${subject}_test.csv`), `${subject} test?,1,2,3,4,B\n`);
      writeFileSync(path.join(at, `${subject}_dev.csv`), `${subject} dev?,1,2,3,4,C\n`);
    }
    const { items, shots, provenance } = await taskItems({ task: findTask("mmlu"), data: at, shots: 1 });
    expect(items.map(({ id, group }) => [id, group])).toEqual([
      ["pots-0", "pots"],
      ["sums-0", "sums"],
    ]);
    expect(shots.map(({ question }) => question)).toEqual(["pots dev?", "sums dev?"]);
    expect(provenance.files).toEqual(["pots_test.csv", "sums_test.csv"]);
    const one = await taskItems({ task: findTask("mmlu:sums"), data: at, shots: 1 });
    expect(one.items.map(({ id }) => id)).toEqual(["sums-0"]);
    expect(one.shots.map(({ question }) => question)).toEqual(["sums dev?"]);
  });

  it("of a folder takes the file that is named after the task's split, and mixes no others into it", async () => {
    const at = path.join(folder, "gsm");
    mkdirSync(at);
    const lines = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => `${JSON.stringify(problem(from + index))}\n`).join("");
    writeFileSync(path.join(at, "train.jsonl"), lines(100, 30));
    writeFileSync(path.join(at, "test.jsonl"), lines(1, 5));
    const task = findTask("gsm8k");
    const { items, provenance } = await taskItems({ task, data: at });
    expect([items.length, provenance.files]).toEqual([5, ["test.jsonl"]]);
    rmSync(path.join(at, "test.jsonl"));
    expect((await taskItems({ task, data: at })).items).toHaveLength(30);
    for (const [names, why] of [
      [["train.jsonl", "other.jsonl"], "none is named after the split test"],
      [["test.jsonl", "my-test.jsonl"], "more than one table is named after the split test"],
    ] as const) {
      for (const name of names) writeFileSync(path.join(at, name), lines(1, 2));
      await expect(taskItems({ task, data: at })).rejects.toMatchObject({
        code: "data-several",
        message: expect.stringContaining(why),
        advice: expect.stringContaining(`Name the file: ${at}`),
      });
    }
    const parts = path.join(folder, "parts");
    mkdirSync(parts);
    for (const part of [0, 1]) writeFileSync(path.join(parts, `test-0000${part}-of-00002.jsonl`), lines(part * 10, 3));
    writeFileSync(path.join(parts, "train-00000-of-00001.jsonl"), lines(100, 3));
    expect((await taskItems({ task, data: parts })).items).toHaveLength(6);
  });

  it("with a limit reads as many rows as it needs, and the same items and checksum as without", async () => {
    const task = findTask("gsm8k");
    const rows = Array.from({ length: 40 }, (_, number) => (number % 3 === 1 ? { question: "no answer" } : problem(number)));
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const csv = rows.map((row) => ("answer" in row ? `${quoted(row.question)},${quoted(`a "b"\n${row.answer}`)}` : "none,"));
    for (const data of [write("many.jsonl", rows), write("many.csv", ["question,answer", ...csv])]) {
      const all = await taskItems({ task, data, badRows: "skip" });
      for (const limit of [1, 2, 7, 26, 100]) {
        const some = await taskItems({ task, data, badRows: "skip", limit });
        expect(some.items).toEqual(all.items.slice(0, limit));
        expect(some.provenance).toEqual(all.provenance);
        expect(some.available).toBe(limit === 100 ? all.items.length : undefined);
      }
      const shuffled = await taskItems({ task, data, badRows: "skip", limit: 3, shuffle: true });
      expect(shuffled.available).toBe(all.items.length);
    }
    const late = write("late.jsonl", [problem(1), problem(2), "{ no JSON"]);
    expect((await taskItems({ task, data: late, limit: 2 })).items).toHaveLength(2);
    await expect(taskItems({ task, data: late, limit: 3 })).rejects.toMatchObject({ code: "data-row" });
  });

  it("gives every item an id of its own", async () => {
    const data = write(
      "same.jsonl",
      [1, 2, 3].map((number) => ({ ...problem(number), id: "x" })),
    );
    const { items } = await taskItems({ task: findTask("gsm8k"), data });
    expect(items.map(({ id }) => id)).toEqual(["x", "x#2", "x#3"]);
    // A name that is free is not one that another item was given.
    const mean = write(
      "mean.jsonl",
      ["x", "x", "x#2", "x", "x#2"].map((id, number) => ({ ...problem(number), id })),
    );
    const named = (await taskItems({ task: findTask("gsm8k"), data: mean })).items.map(({ id }) => id);
    expect(named).toEqual(["x", "x#3", "x#2", "x#4", "x#2#2"]);
  });

  it("refuses counts that are none", async () => {
    const task = findTask("world");
    for (const counts of [{ limit: 0 }, { limit: 1.5 }, { limit: Number.NaN }, { shots: -1 }]) {
      await expect(taskItems({ task, ...counts })).rejects.toMatchObject({ code: "option-value" });
    }
  });
});

it("makes the items of the small world from the seed", async () => {
  const task = findTask("world");
  const [first, again, other] = await Promise.all(
    [5, 8, 5].map((limit, index) => taskItems({ task, limit, seed: index === 2 ? 2 : 1 })),
  );
  expect(again!.items.slice(0, 5)).toEqual(first!.items);
  expect(other!.items[0]).not.toEqual(first!.items[0]);
  const [item] = first!.items;
  expect(await task.grader({})(item!, item!.answer, item!.answer)).toMatchObject({ accuracy: 1 });
});

const published = "../shared/data";
const files: [id: string, file: string, count: number][] = [
  ["arc-challenge", "arc/challenge-test.jsonl", 1172],
  ["commonsenseqa", "commonsenseqa/dev.jsonl", 1221],
  ["drop", "drop/sample-313.jsonl", 313],
  ["gsm8k", "gsm8k/test.jsonl", 1319],
  ["gsm8k", "gsm8k/train.jsonl", 7473],
  ["math-500", "math500/test.json", 500],
  ["aime24", "aime24/test.jsonl", 30],
  ["humaneval", "humaneval/test.json", 164],
  ["mmlu", "mmlu", 3484],
  ["winogrande", "winogrande/dev.jsonl", 1267],
  ["xsum", "xsum/sample-313.jsonl", 313],
];

describe.runIf(existsSync(published))("published files", () => {
  it.each(files)("%s: every row of %s becomes an item, right answers are right, other options wrong", async (id, file, count) => {
    const task = findTask(id);
    const { items, problems } = await taskItems({ task, data: path.join(published, file) });
    expect([items.length, problems.length, new Set(items.map((item) => item.id)).size]).toEqual([count, 0, count]);
    if (task.answerKind === "program" || task.answerKind === "summary") return;
    const grade = task.grader({});
    for (const item of items) {
      // A published solution may box its answer in two ways, as one of MATH-500 does.
      const worked = task.answerKind === "math" ? `So it is $\\boxed{${item.answer}}$.` : task.ask(item, [item])[1].content;
      const [right, bare] = [await grade(item, worked, worked), await grade(item, item.answer, item.answer)];
      expect([item.id, right.accuracy, right.strictAccuracy]).toEqual([item.id, 1, 1]);
      expect([item.id, bare.accuracy]).toEqual([item.id, 1]);
      for (const { letter } of item.choices ?? []) {
        const said = `The answer is ${letter}.`;
        expect([item.id, letter, (await grade(item, said, said)).accuracy]).toEqual([
          item.id,
          letter,
          letter === item.answer ? 1 : 0,
        ]);
      }
    }
  });
});
if (!existsSync(published)) console.info(`Published files are not tested: there is no ${published}.`);
