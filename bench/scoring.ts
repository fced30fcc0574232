/**
 * How fast answers are read and graded, by the graders as the tasks use them.
 *
 *   node bench/scoring.ts [--data FOLDER] [--seconds 3]
 *
 * FOLDER holds published files (gsm8k/test.jsonl, arc/challenge-test.jsonl, drop/sample-313.jsonl, aime24/test.jsonl, math500/test.json,
 * mmlu/); benchmarks whose file is not there are left out, and without a folder items are made up. Completions are made up: some hundred
 * characters of reasoning and a last line with the answer in one of the usual forms, two of three right. No two completions are the same.
 * Where MIDCOURSE_PYTHON names a Python that has it, lm-evaluation-harness grades the same completions of GSM8K and MATH-500.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import type { Item } from "#kernel/item.ts";
import { taskItems } from "#recipes/benchmark/task-items.ts";
import { findTask } from "#tasks/catalogue.ts";
import type { Task } from "#tasks/task.ts";
import { MathComparer } from "#verifiers/math/comparer.ts";

const { values } = parseArgs({ options: { data: { type: "string" }, seconds: { type: "string", default: "3" } } });

const benchmarks: { task: string; file: string; target: number }[] = [
  { task: "gsm8k", file: "gsm8k/test.jsonl", target: 5000 },
  { task: "arc-challenge", file: "arc/challenge-test.jsonl", target: 5000 },
  { task: "mmlu", file: "mmlu", target: 5000 },
  { task: "drop", file: "drop/sample-313.jsonl", target: 5000 },
  { task: "aime24", file: "aime24/test.jsonl", target: 5000 },
  { task: "math-500", file: "math500/test.json", target: 300 },
];

const reasoning = [
  "First we look at what is given, and write down the parts that matter for the question.",
  "There are 12 of the first kind and 7.5 times as many of the second, which is $12 \\cdot 7.5 = 90$.",
  "Taking both together (option A would forget the second part) we get a total that has to be halved.",
  "Half of it is 1,045, and of that a share of 20% is left out, so that 836 remain; let me check this again.",
  "We have $\\frac{836}{2} = 418$, as it should be, and nothing else in the text changes the result.",
];
const endings: ((answer: string, isMath: boolean) => string)[] = [
  (answer) => `The answer is ${answer}.`,
  (answer, isMath) => `The final answer is ${isMath ? `$\\boxed{${answer}}$` : `**${answer}**`}.`,
  (answer, isMath) => (isMath ? `Therefore the answer is $${answer}$.` : `Answer: ${answer}`),
];

function completion(item: Item, items: readonly Item[], place: number, isMath: boolean): string {
  const answer = place % 3 === 2 ? items[(place * 7 + 1) % items.length].answer : item.answer;
  // One in four needs the engine, which has never seen it: the form changes and the value stays.
  const written = isMath && place % 4 === 1 ? `${answer}+${place}-${place}` : answer.replaceAll("\n", ", ");
  const lines = Array.from({ length: 3 + (place % 4) }, (_, line) => reasoning[(place + line) % reasoning.length]);
  return [`Let us work through number ${place}.`, ...lines, endings[place % endings.length](written, isMath)].join("\n");
}

async function measure(task: Task, items: readonly Item[], target: number): Promise<string[]> {
  const isMath = task.answerKind === "math";
  const comparer = isMath ? new MathComparer() : undefined;
  const grade = task.grader(comparer ? { comparer } : {});
  let place = 0;
  // As in a run: each answer is awaited by whoever asked, many at once.
  const batch = async (size: number) => {
    const texts = Array.from({ length: size }, () => completion(items[place % items.length], items, place++, isMath));
    const begun = performance.now();
    const scores = await Promise.all(texts.map((text, index) => grade(items[(place - size + index) % items.length], text, text)));
    return { seconds: (performance.now() - begun) / 1000, right: scores.filter(({ accuracy }) => accuracy === 1).length, texts };
  };
  await batch(256);
  const all: string[] = [];
  let right = 0;
  let seconds = 0;
  while (seconds < Number(values.seconds)) {
    const done = await batch(256);
    seconds += done.seconds;
    right += done.right;
    all.push(...done.texts);
  }
  await comparer?.close();
  const characters = all.reduce((sum, text) => sum + text.length, 0) / all.length;
  const rate = all.length / seconds;
  const columns = [
    String(all.length).padStart(8),
    characters.toFixed(0).padStart(11),
    `${((100 * right) / all.length).toFixed(0)} %`.padStart(7),
    rate.toFixed(0).padStart(11),
    `≥ ${target}${rate < target ? "  MISSED" : ""}`.padStart(9),
  ];
  console.log(`${task.id.padEnd(22)} ${columns.join(" ")}`);
  return all;
}

async function itemsOf(task: Task, file: string): Promise<Item[] | undefined> {
  if (values.data === undefined) return madeUp(task);
  const data = path.join(values.data, file);
  if (!existsSync(data)) return undefined;
  return (await taskItems({ task, data })).items;
}

function madeUp({ answerKind }: Task): Item[] {
  return Array.from({ length: 500 }, (_, index) => {
    const number = String(answerKind === "integer" ? index : 37 * index);
    const spans = { math: `\\frac{${index + 1}}{${index + 2}}`, choice: "ABCD"[index % 4], span: `the house number ${index}` };
    const answer = answerKind in spans ? spans[answerKind as keyof typeof spans] : number;
    const choices = [..."ABCD"].map((letter) => ({ letter, text: `thing ${letter.charCodeAt(0) * (index + 1)}` }));
    return { id: String(index), question: "", answer, ...(answerKind === "choice" ? { choices } : {}) };
  });
}

/** The same texts through the other's own task, loading and tables included in its time. */
function measurePeer(python: string, name: string, rows: readonly object[]): void {
  const folder = mkdtempSync(path.join(tmpdir(), "midcourse-bench-"));
  try {
    const file = path.join(folder, "answers.jsonl");
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const script = path.join(import.meta.dirname, "evaluation-lm-eval.py");
    const output = execFileSync(python, [script, "grade", file], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 1e9,
    });
    const reply = JSON.parse(output.trimEnd().split("\n").at(-1)!) as { missing?: string; seconds: Record<string, number> };
    if (reply.missing !== undefined) throw new Error(`${python} has no lm-evaluation-harness: ${reply.missing}`);
    for (const [task, seconds] of Object.entries(reply.seconds)) {
      console.log(
        `${name.padEnd(22)} ${String(rows.length).padStart(8)} ${"".padStart(19)} ${(rows.length / seconds).toFixed(0).padStart(11)}   ${task}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const python = process.env.MIDCOURSE_PYTHON;
console.log(`${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}\n`);
console.log("benchmark               answers  characters   right  per second    target");
for (const { task: name, file, target } of benchmarks) {
  const task = findTask(name);
  const items = await itemsOf(task, file);
  if (items === undefined) {
    console.log(`${name.padEnd(22)} left out: there is no ${path.join(values.data!, file)}`);
    continue;
  }
  const texts = await measure(task, items, target);
  if (!python || (name !== "gsm8k" && name !== "math-500")) continue;
  const rows = texts.slice(0, 4096).map((text, place) => {
    const { question, answer } = items[(place + 256) % items.length];
    if (name === "gsm8k") return { task: "gsm8k_cot", doc: { question, answer: `#### ${answer}` }, text };
    return { task: "hendrycks_math_algebra", doc: { problem: question, solution: `\\boxed{${answer}}` }, text };
  });
  measurePeer(python, "  lm-eval", rows);
}
