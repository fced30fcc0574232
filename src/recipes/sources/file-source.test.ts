import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { questionKey } from "#data/filters/split.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { type FileSource, fileSource } from "./file-source.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcourse-file-source-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const things = ["pens", "cups", "nuts", "hats", "toys", "eggs", "keys", "maps", "figs", "bags", "cats", "dogs"];
const header = "Question,Numbers,Equation,Answer,Type";
const problem = (thing: string, first: number, second: number, answer = first - second) =>
  `Ann had number0 ${thing} and lost number1 . How many ${thing} are left ?,${first}.0 ${second}.0,- number0 number1,${answer}.0,Subtraction`;
const wordProblems = (name: string, rows: string[]) => file(name, `${[header, ...rows].join("\n")}\n`);
const twelve = things.map((thing, index) => problem(thing, 50 + index, 10 + index));

/** Every problem has words of its own. */
const nameless = (index: number) => {
  const name = (part: string) => part + [...String(index + 100)].map((digit) => "abcdefghij"[Number(digit)]).join("");
  const [person, thing] = [name("ann"), name("pen")];
  return `${person} had number0 ${thing} and lost number1 . how many ${thing} has ${person} left ?,9 ${index % 9},- number0 number1,${9 - (index % 9)},x`;
};

const pairs = (count: number) =>
  Array.from({ length: count }, (_, index) => JSON.stringify({ question: `What is ${index} + 1?`, answer: `${index + 1}` }));

/** Questions that training shows, asks and holds out, over more than a pass. */
function questionsOf(source: FileSource, seed = 1) {
  const [conversations, problems] = [source.conversations(seed), source.problems(seed)];
  const indices = Array.from({ length: 3 * source.counts.train }, (_, index) => index);
  return {
    shown: new Set(indices.map((index) => conversations(index).messages[1].content)),
    asked: new Set(indices.map((index) => problems(index).question)),
    held: new Set(source.validation(1000, seed).map((item) => item.question)),
    tested: new Set(source.test(1000, seed).map((item) => item.question)),
  };
}

describe("word problem files", () => {
  it("keeps placeholders, teaches both formats, and grades its own answers as right", async () => {
    const source = await fileSource({ train: await wordProblems("a.csv", twelve), seed: 1 });
    const conversations = source.conversations(3);
    const prompts = new Set<string>();
    for (let index = 0; index < 60; index++) {
      const [system, user, assistant] = conversations(index).messages;
      prompts.add(system!.content);
      expect(user!.content).toContain("number0");
      const parsed = parseRefine(assistant!.content);
      expect(parsed.ok).toBe(true);
      const item = { id: "", question: "", answer: "7", numbers: ["10", "3"] };
      expect(source.verify(item, parsed.answerText, assistant!.content).accuracy).toBe(1);
    }
    expect(prompts).toEqual(new Set([source.prompts.plain, source.prompts.refine]));
  });

  it("puts new numbers in at every turn when asked to, and still grades right", async () => {
    const source = await fileSource({ train: await wordProblems("a.csv", twelve), resample: true, seed: 1 });
    const problems = source.problems(1);
    const seen = new Set<string>();
    for (let index = 0; index < 4 * source.counts.train; index++) {
      const item = problems(index);
      const [first, second] = /had (\d+) .* lost (\d+) /.exec(item.question)!.slice(1);
      expect(Number(item.answer)).toBe(Number(first) - Number(second));
      expect(source.verify(item, `- ${first} ${second}`, "").accuracy).toBe(1);
      expect(source.verify(item, `- ${second} ${first}`, "").accuracy).toBe(0);
      seen.add(item.question);
    }
    expect(seen.size).toBeGreaterThan(3 * source.counts.train);
    expect(source.validation(10, 1).every(({ question }) => /had 5\d /.test(question) || /had 6\d /.test(question))).toBe(true);
  });

  it("tells problems in other words unless told not to, and asks them as they stand in the file", async () => {
    const train = await wordProblems(
      "many.csv",
      Array.from({ length: 400 }, (_, index) => nameless(index)),
    );
    const own = (source: FileSource) => {
      const { shown, asked, held } = questionsOf(source);
      expect(asked.size + held.size).toBe(400);
      return [...shown].filter((question) => asked.has(question)).length / shown.size;
    };
    expect(own(await fileSource({ train, vary: false, seed: 1 }))).toBe(1);
    expect(own(await fileSource({ train, seed: 1 }))).toBeLessThan(0.6);
  });

  it("leaves out problems whose equation does not give their answer, and says where they stand", async () => {
    const train = await wordProblems("wrong.csv", [...twelve, problem("wigs", 30, 10, 21)]);
    const source = await fileSource({ train, seed: 1 });
    expect(source.notes).toContainEqual(expect.stringMatching(/1 problem is left out.*equation.*line 14/));
    expect(source.counts).toEqual({ train: 10, held: 2, test: 2 });
  });

  it("leaves out what the test file asks too, whatever its numbers, unless told otherwise", async () => {
    const train = await wordProblems("train.csv", [...twelve, problem("pens", 9, 1)]);
    const test = await wordProblems("test.csv", [problem("Pens", 99, 3), problem("rugs", 9, 3)]);
    const source = await fileSource({ train, test, seed: 1 });
    expect(source.notes).toContainEqual(expect.stringMatching(/^2 problems of .*train\.csv are left out, because .*test\.csv/));
    const { shown, asked, held, tested } = questionsOf(source);
    expect(tested).toEqual(new Set([...tested].map((question) => question.toLowerCase())));
    expect(tested.size).toBe(2);
    const used = [...shown, ...asked, ...held];
    expect(used.some((question) => question.includes("pens"))).toBe(false);

    const kept = await fileSource({ train, test, keepTestQuestions: true, seed: 1 });
    expect(kept.counts.train + kept.counts.held).toBe(13);
    expect(kept.notes).toContainEqual(expect.stringMatching(/^2 problems .* trained on all the same/));
  });

  it("refuses options that contradict each other or the files", async () => {
    const train = await wordProblems("a.csv", twelve);
    const other = await file("b.jsonl", pairs(10).join("\n"));
    await expect(fileSource({ train, resample: true, placeholders: true, seed: 1 })).rejects.toMatchObject({
      code: "data-resample",
    });
    await expect(fileSource({ train: other, resample: true, seed: 1 })).rejects.toMatchObject({ code: "data-resample" });
    await expect(fileSource({ train, test: other, seed: 1 })).rejects.toMatchObject({ code: "data-layout" });
    await expect(fileSource({ train: other, test: train, seed: 1 })).rejects.toMatchObject({ code: "data-layout" });
  });
});

describe("question–answer files", () => {
  it("never trains on what it holds out or measures on, and says that the held-out tenth serves twice", async () => {
    const source = await fileSource({ train: await file("q.jsonl", pairs(50).join("\n")), seed: 1 });
    const { shown, asked, held, tested } = questionsOf(source);
    expect(source.counts).toEqual({ train: 45, held: 5, test: 5 });
    expect(shown).toEqual(asked);
    expect(shown.size).toBe(45);
    expect([...held].filter((question) => shown.has(question))).toEqual([]);
    expect(tested).toEqual(held);
    expect(source.notes).toContainEqual(expect.stringContaining("serve twice"));
    const heldShown = source.heldConversations(20, 1).map(({ messages }) => messages[1].content);
    expect(heldShown.every((question) => held.has(question))).toBe(true);
  });

  it("holds out the same questions under every seed, and draws streams and samples by theirs", async () => {
    const train = await file("q.jsonl", pairs(50).join("\n"));
    const [first, second] = [await fileSource({ train, seed: 1 }), await fileSource({ train, seed: 2 })];
    expect(questionsOf(second, 9).held).toEqual(questionsOf(first, 1).held);
    const order = (source: FileSource, seed: number) => Array.from({ length: 45 }, (_, index) => source.problems(seed)(index).id);
    expect(order(first, 1)).toEqual(order(second, 1));
    expect(order(first, 1)).not.toEqual(order(first, 2));
    const picked = first.test(3, 1).map(({ id }) => id);
    expect(picked).toHaveLength(3);
    expect(first.test(3, 1).map(({ id }) => id)).toEqual(picked);
    // Any conversation can be asked for again, in any order.
    const stream = first.conversations(5);
    const later = stream(70);
    stream(3);
    expect(stream(70)).toEqual(later);
  });

  it("reads named columns even in the word problem layout, and reports rows it leaves out", async () => {
    const train = await wordProblems("named.csv", [...twelve, ",1,number0,4,x"]);
    const source = await fileSource({ train, columns: { question: "Question", answer: "Answer" }, seed: 1 });
    expect(source.counts).toEqual({ train: 10, held: 2, test: 2 });
    expect(source.notes).toContainEqual(expect.stringMatching(/1 row is left out, because there is no question \(line 14\)/));
    const item = source.test(1, 1)[0];
    expect(item.answer).toBe("40.0");
    expect(source.verify(item, "40", "").accuracy).toBe(1);
  });

  it("makes room for long solutions and no more", async () => {
    const rows = (solution: string) =>
      pairs(20)
        .map((line) => JSON.stringify({ ...JSON.parse(line), solution }))
        .join("\n");
    const long = await fileSource({ train: await file("long.jsonl", rows("step ".repeat(120))), seed: 1 });
    const short = await fileSource({ train: await file("short.jsonl", rows("s")), seed: 1 });
    expect(short.maxTokens).toBeLessThan(60);
    expect(long.maxTokens).toBeGreaterThan(300);
    expect(long.maxTokens).toBeLessThanOrEqual(1500);
  });
});

const data = "../shared/data";
if (!existsSync(data)) console.log(`skipped: ${data} is not here`);
describe.skipIf(!existsSync(data))("published files", () => {
  it.each([
    ["mawps+asdiv-train.csv", "svamp-test.csv", 3131, 0, 1000],
    ["mawps-fold0-train.csv", "mawps-fold0-test.csv", 1329, 202, 384],
    ["asdiv-fold0-train.csv", "asdiv-fold0-test.csv", 979, 0, 238],
  ])("%s → %s", async (train, test, usable, overlap, tested) => {
    const [trainPath, testPath] = [train, test].map((name) => `${data}/word-problems/${name}`);
    const source = await fileSource({ train: trainPath!, test: testPath!, seed: 1 });
    expect(source.counts.train + source.counts.held).toBe(usable);
    expect(source.counts.test).toBe(tested);
    const note = source.notes.find((text) => text.includes("asks the same questions"));
    expect(Number(note?.split(" ")[0] ?? 0)).toBe(overlap);
    const { shown, held, tested: questions } = questionsOf(source);
    const seen = new Set([...shown, ...held].map(questionKey));
    expect([...questions].filter((question) => seen.has(questionKey(question)))).toEqual([]);
  });

  it("GSM8K: solutions become thoughts, results answers", async () => {
    const source = await fileSource({ train: `${data}/gsm8k/train.jsonl`, test: `${data}/gsm8k/test.jsonl`, seed: 1 });
    expect(source.counts).toEqual({ train: expect.any(Number), held: expect.any(Number), test: 1319 });
    const conversations = source.conversations(1);
    for (let index = 0; index < 300; index++) {
      const { content, masked } = conversations(index).messages[2];
      const parsed = parseRefine(content);
      expect(parsed.ok).toBe(true);
      expect(parsed.answer).toMatch(/^-?[\d.,/$%]+/);
      expect(content).not.toMatch(/####|<</);
      if (masked) expect(parsed.refines).toHaveLength(1);
    }
  });
});
