import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Item } from "#kernel/item.ts";
import { findTask, tasks } from "./catalogue.ts";

const read = (id: string, row: Record<string, unknown>, index = 0): Item => findTask(id).readRow(row, index);
const letterOf = (item: Item, text: string) => item.choices?.find((choice) => choice.text === text)?.letter;

describe("finding a benchmark", () => {
  it("knows all of them, each with an id, a version and a commit of its own", () => {
    expect(tasks.map(({ id }) => id)).toEqual([
      ...["aime24", "arc-challenge", "arc-easy", "commonsenseqa", "drop", "gpqa", "gpqa-main", "gsm8k", "hellaswag", "humaneval"],
      ...["math", "math-500", "mmlu", "winogrande", "world", "xsum"],
    ]);
    for (const task of tasks) {
      expect(findTask(task.id)).toBe(task);
      expect(task.version).toMatch(/^[a-z0-9-]+\/\d+$/);
      if (!task.generate) expect(task.source.revision).toMatch(/^[0-9a-f]{40}$/);
    }
  });

  it("knows the subjects of MMLU and other names", () => {
    expect(findTask("mmlu:abstract_algebra")).toMatchObject({
      id: "mmlu:abstract_algebra",
      source: { config: "abstract_algebra" },
    });
    expect(findTask("GPQA-Diamond").id).toBe("gpqa");
    expect(findTask("mmlu:all").id).toBe("mmlu");
  });

  it("offers the nearest name", () => {
    for (const name of ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty"]) {
      expect(() => findTask(name)).toThrow(`There is no benchmark called "${name}"`);
    }
    expect(() => findTask("gsm8")).toThrow(/no benchmark called "gsm8"/);
    expect(() => findTask("helaswag")).toThrow(
      expect.objectContaining({ advice: expect.stringContaining("Did you mean hellaswag?") }),
    );
    expect(() => findTask("zzzzzzzzzz")).toThrow(expect.objectContaining({ advice: expect.not.stringContaining("mean") }));
  });
});

describe("reading rows of every layout", () => {
  it("ARC: nested or flat, letters or digits, three to five options", () => {
    const choices = ["iron", "water", "salt"];
    const nested = choices.map((text, index) => ({ text, label: "ABC"[index] }));
    const expected = { id: "x1", question: "Which flows?", answer: "B", choices: [{ letter: "A", text: "iron" }, {}, {}] };
    expect(read("arc-easy", { id: "x1", question: { stem: "Which flows?", choices: nested }, answerKey: "B" })).toMatchObject(
      expected,
    );
    const flat = { text: choices, label: ["1", "2", "3"] };
    expect(read("arc-challenge", { id: "x1", question: "Which flows?", choices: flat, answerKey: "2" })).toMatchObject(expected);
    const twoKeys = { question: "Which flows?\nA. iron\nB. water\nC. salt", answer: "B" };
    expect(read("arc-easy", twoKeys, 7)).toMatchObject({ ...expected, id: "arc-easy-7" });
  });

  it("CommonsenseQA: questions on one concept belong together", () => {
    const choices = { label: [..."ABCDE"], text: ["oven", "fridge", "drawer", "garden", "desk"] };
    const row = { id: "c", question: "Where is milk cold?", question_concept: "milk", choices, answerKey: "B" };
    expect(read("commonsenseqa", row)).toMatchObject({ answer: "B", cluster: "milk" });
  });

  it("MMLU: the hub's rows and those without names", () => {
    const hub = { question: "2+2?", subject: "sums", choices: ["3", "4", "5", "6"], answer: 1 };
    const expected = { id: "sums-4", question: "2+2?", answer: "B", group: "sums" };
    expect(read("mmlu", hub, 4)).toMatchObject(expected);
    expect(read("mmlu", { question: "2+2?", A: "3", B: "4", C: "5", D: "6", answer: "B", subject: "sums" }, 4)).toMatchObject(
      expected,
    );
  });

  it("GPQA: options shuffled the same way for ever, wherever the row stands", () => {
    const row = (number: number) => ({
      Question: `Question ${number}?`,
      "Correct Answer": "right\n",
      "Incorrect Answer 1": "one",
      "Incorrect Answer 2": "two",
      "Incorrect Answer 3": "three",
      "Record ID": `rec${number}`,
      "High-level domain": "Physics",
    });
    const items = Array.from({ length: 200 }, (_, number) => read("gpqa", row(number), number));
    for (const item of items) expect(letterOf(item, "right")).toBe(item.answer);
    expect(read("gpqa", row(5), 99)).toEqual(items[5]);
    for (const letter of "ABCD") expect(items.filter(({ answer }) => answer === letter).length).toBeGreaterThan(30);
    expect(items[0]).toMatchObject({ id: "rec0", cluster: "rec0", group: "Physics" });
  });

  it("GPQA: several orders of one question are one cluster", () => {
    const ordered = (options: string[]) => ({
      question: `Q?\n\nA) ${options[0]}\nB) ${options[1]}\nC) ${options[2]}`,
      answer: "C",
    });
    const [first, second] = [read("gpqa", ordered(["x", "y", "z"]), 0), read("gpqa", ordered(["z", "x", "y"]), 1)];
    expect(first).toMatchObject({ answer: "C", cluster: second.cluster });
    expect(letterOf(second, "y")).toBe("C");
  });

  it("HellaSwag: without the marks of its sources, and no rows without a label", () => {
    const row = {
      ind: 3,
      activity_label: "Baking",
      ctx: "Mix it. [header] How to bake [title] Heat.",
      endings: ["a [step]b", "c", "d", "e"],
    };
    const item = read("hellaswag", { ...row, label: "0", source_id: "s~1" });
    expect(item).toMatchObject({
      id: "3",
      question: "Baking: Mix it. How to bake. Heat.",
      answer: "A",
      group: "Baking",
      cluster: "s~1",
    });
    expect(item.choices?.[0]?.text).toBe("a b");
    expect(() => read("hellaswag", { ...row, label: "" })).toThrow(/row 1: the field "label" is empty/);
  });

  it("WinoGrande: twins are one cluster, with and without their ids", () => {
    const row = { sentence: "The cup was in the bag and the _ was big.", option1: "cup", option2: "bag", answer: "2" };
    const twin = { ...row, sentence: "The cup was in the bag and the _ was small.", answer: "1" };
    expect(read("winogrande", { ...row, qID: "ab-1" })).toMatchObject({ id: "ab-1", cluster: "ab", answer: "B" });
    expect(read("winogrande", row, 0).cluster).toBe(read("winogrande", twin, 1).cluster);
    expect(() => read("winogrande", { ...row, sentence: "no blank" })).toThrow(/no blank/);
  });

  it("GSM8K: worked steps without marks for a calculator", () => {
    const item = read(
      "gsm8k",
      { question: " How many? ", answer: "She has 2*3=<<2*3=6>>6.\nIn all 6+1=<<6+1=7>>7.\n#### 1,007" },
      2,
    );
    expect(item).toMatchObject({ id: "gsm8k-2", question: "How many?", answer: "1,007", group: "2 steps" });
    expect(item.steps).toEqual(["She has 2*3=6.", "In all 6+1=7."]);
    expect(() => read("gsm8k", { question: "q", answer: "no number" })).toThrow(/#### /);
  });

  it("MATH and AIME: the answer, or the last box of the solution", () => {
    const row = {
      problem: "Add.",
      level: "Level 4",
      type: "Algebra",
      solution: "First $\\boxed{1}$, then $\\boxed{\\frac{1}{2}}$.",
    };
    expect(read("math", row, 3)).toMatchObject({ id: "math-3", answer: "\\frac{1}{2}", group: "level 4", steps: [row.solution] });
    expect(read("math-500", { ...row, answer: "0.5", unique_id: "u", level: 4 })).toMatchObject({
      id: "u",
      answer: "0.5",
      group: "level 4",
    });
    expect(
      read("aime24", { id: 60, problem: "Find.", solution: "\\boxed{033}", url: "x/2024_AIME_II_Problems/Problem_1" }),
    ).toMatchObject({
      id: "60",
      answer: "33",
      group: "AIME II",
    });
    expect(() => read("aime24", { problem: "Find.", answer: "1.5" })).toThrow(/no integer/);
    expect(() => read("math", { problem: "Find.", solution: "none" })).toThrow(/no \\boxed/);
  });

  it("DROP: every annotator's answer, in all three layouts", () => {
    const date = { day: "", month: "", year: "" };
    const nested = {
      passage: "Ann sold pots.",
      query_id: "q",
      question: "Who?",
      answer: { number: "", date, spans: ["Ann", "Bob"] },
      validated_answers: { number: ["7", ""], date: [date, { day: "2", month: "May", year: "1990" }], spans: [[], []] },
    };
    expect(read("drop", nested)).toMatchObject({
      id: "q",
      answer: "Ann\nBob",
      alternatives: ["7", "2 May 1990"],
      group: "spans",
    });
    const flat = { passage: "p", question: "q", answers_spans: { spans: ["3", "three", "3"], types: [] } };
    expect(read("drop", flat)).toMatchObject({ answer: "3", alternatives: ["three"], group: "number" });
    const joined = { question: "Ann sold pots.\nHere is the question: Who?", answer: " Ann", ref_text: "Ann|Ann B.| 1752" };
    const item = read("drop", joined, 1);
    expect(item).toMatchObject({
      answer: "Ann",
      alternatives: ["Ann B.", "1752"],
      question: "Passage: Ann sold pots.\n\nQuestion: Who?",
    });
    expect(item.cluster).toBe(read("drop", nested).cluster);
  });

  it.each(tasks.map(({ id }) => id))("%s names what is missing in a row", (id) => {
    expect(() => read(id, {}, 4)).toThrow(
      expect.objectContaining({ family: "user", code: "task-row", message: expect.stringMatching(/row 5: /) }),
    );
    for (const junk of [null, "", [], { text: [1] }, [[]], Number.NaN]) {
      const row = Object.fromEntries(
        ["question", "problem", "choices", "endings", "answer", "answerKey", "passage"].map((name) => [name, junk]),
      );
      expect(() => read(id, row)).toThrow(expect.objectContaining({ family: "user" }));
    }
  });
});

describe("asking", () => {
  const item: Item = {
    id: "1",
    question: "Which?",
    answer: "B",
    choices: [..."AB"].map((letter) => ({ letter, text: `text ${letter}` })),
  };

  it("puts worked examples before the question as turns", () => {
    const shot = { ...item, id: "2", question: "What?", answer: "A" };
    const messages = findTask("arc-easy").ask(item, [shot]);
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(messages[1]?.content).toBe("The answer is A.");
    expect(messages[2]?.content).toContain("Which?\n\nA) text A\nB) text B\n\n");
    expect(messages[2]?.content).toContain("X is A or B.");
  });

  it("takes the examples of the item's subject", () => {
    const shots = ["sums", "pots"].map((group) => ({ ...item, question: group, group }));
    expect(
      findTask("mmlu")
        .ask({ ...item, group: "pots" }, shots)
        .map(({ content }) => content.split("\n")[0]),
    ).toEqual(["pots", "The answer is B.", "Which?"]);
  });

  it("asks in the form that the strict reading takes, so that its own worked answers are right", async () => {
    const examples: Record<string, Item> = {
      "arc-easy": item,
      gsm8k: { id: "1", question: "?", answer: "1,007", steps: ["1,000 + 7 = 1,007"] },
      math: { id: "1", question: "?", answer: "\\frac{1}{2}", steps: ["It is $\\boxed{\\frac{1}{2}}$."] },
      aime24: { id: "1", question: "?", answer: "33" },
      drop: { id: "1", question: "?", answer: "Ann\nBob", alternatives: ["Ann B."] },
    };
    for (const [id, example] of Object.entries(examples)) {
      const task = findTask(id);
      const worked = task.ask(example, [example])[1]?.content ?? "";
      expect(await task.grader({})(example, worked, worked), id).toMatchObject({ accuracy: 1, strictAccuracy: 1 });
      expect(task.sameAnswer(task.readAnswer(worked, example) ?? "", example.answer.replaceAll("\n", ", ")), id).toBe(true);
    }
  });

  it("never shows the answer, its alternatives or the tests to a method", () => {
    const secret: Item = {
      id: "1",
      question: "?",
      answer: "SECRET",
      alternatives: ["SECRET 2"],
      steps: ["SECRET 3"],
      program: { prompt: "def f():", entryPoint: "f", tests: "SECRET 4" },
    };
    for (const task of tasks) expect(JSON.stringify(task.ask(secret, []))).not.toContain("SECRET");
  });
});

describe("AIME answers", () => {
  it.each([
    ["\\boxed{033}", 1],
    ["The answer is 33.", 1],
    ["33", 1],
    ["\\boxed{33.0}", 1],
    ["\\boxed{33.5}", 0],
    ["\\boxed{330}", 0],
    ["\\boxed{133}", 0],
    ["", 0],
  ])("compares %j as an integer: %d", async (answer, accuracy) => {
    const score = await findTask("aime24").grader({})({ id: "1", question: "", answer: "33" }, answer, answer);
    expect(score.accuracy).toBe(accuracy);
  });
});

it("refuses to grade programs without a sandbox", () => {
  expect(() => findTask("humaneval").grader({})).toThrow(/sandbox/);
});

const published = "../shared/data/humaneval/test.json";
describe.runIf(existsSync(published))("HumanEval as published", () => {
  it("becomes problems with prompt and tests", () => {
    const rows = JSON.parse(readFileSync(published, "utf8")) as Record<string, unknown>[];
    const items = rows.map((row, index) => read("humaneval", row, index));
    expect(items).toHaveLength(164);
    expect(items[0]).toMatchObject({ id: "HumanEval/0", program: { entryPoint: "has_close_elements" } });
  });
});
if (!existsSync(published)) console.info(`HumanEval as published is not tested: there is no ${published}.`);
