/** `midcourse eval` with worked examples and items by task, from its options and from the config.json of PTR's evaluation. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Results } from "#evaluation/summary/results.ts";
import { runCommand } from "../support/command.ts";
import { chatReply, type ModelServer, type PlayedRequest, playServer } from "../support/model-server.ts";

const place = mkdtempSync(path.join(tmpdir(), "midcourse-by-task-"));
let server: ModelServer;
/** Chats of the test. */
let refusesTopK = false;
let asked: PlayedRequest[] = [];
beforeAll(async () => {
  server = await playServer((request) => {
    if (refusesTopK && request.body?.top_k !== undefined) {
      return { status: 400, body: { error: { message: "top_k: Extra inputs are not permitted" } } };
    }
    if (request.path.endsWith("/chat/completions")) asked.push(request);
    return { body: chatReply(["The answer is (A). #### 4"]) };
  });
});
afterEach(() => {
  asked = [];
});
afterAll(async () => {
  await server.close();
  rmSync(place, { recursive: true, force: true });
});

function write(name: string, content: unknown): string {
  const file = path.join(place, name);
  writeFileSync(file, Array.isArray(content) ? content.map((row) => JSON.stringify(row)).join("\n") : JSON.stringify(content));
  return file;
}

const sums = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ question: `What is ${from + index} + 2?`, answer: `#### ${from + index + 2}` }));
const choices = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    id: `c${from + index}`,
    question: `Which is number ${from + index}?`,
    choices: { text: ["this", "that", "those", "none"], label: ["A", "B", "C", "D"] },
    answerKey: "A",
  }));
const files = {
  gsm8k: write("gsm8k.jsonl", sums(0, 6)),
  "arc-challenge": write("arc.jsonl", choices(0, 6)),
};
const examples = { gsm8k: write("gsm8k-train.jsonl", sums(100, 9)), "arc-challenge": write("arc-train.jsonl", choices(100, 9)) };

const named = (option: string, byTask: Record<string, string>) => [
  option,
  ...Object.entries(byTask).map(([task, file]) => `${task}=${file}`),
];
function evaluate(out: string, ...words: string[]) {
  return runCommand([
    "eval",
    ...["--model", "m", "--base-url", server.baseUrl, "--no-probe", "--methods", "vanilla", "--pool", "0", "--no-cache"],
    ...named("--data", files),
    ...named("--shots-data", examples),
    ...["--out", path.join(place, out)],
    ...words,
  ]);
}

const both = ["--tasks", "gsm8k,arc-challenge"];
const items = (out: string) => {
  const { tasks } = JSON.parse(readFileSync(path.join(place, out, "results.json"), "utf8")) as Results;
  return Object.fromEntries(tasks.map((task) => [task.task, task.items]));
};

/** Worked examples of the requests, of which each is a turn of the user before the question: all the numbers there are, by task. */
function shotsAsked(): Record<string, number[]> {
  const shots: Record<string, Set<number>> = { gsm8k: new Set(), "arc-challenge": new Set() };
  for (const { body } of asked) {
    const { messages } = body as { messages: { role: string; content: string }[] };
    const task = messages.at(-1)?.content.includes("Which is") ? "arc-challenge" : "gsm8k";
    shots[task].add(messages.filter(({ role }) => role === "assistant").length);
  }
  return Object.fromEntries(Object.entries(shots).map(([task, counts]) => [task, [...counts]]));
}

test("--shots and --limit take one number for all tasks, numbers by task, and both together", async () => {
  const done = await evaluate("by-task", ...both, "--shots", "gsm8k=8,arc=5", "--limit", "4,arc-challenge=2");
  expect(done.code).toBe(0);
  expect(shotsAsked()).toEqual({ gsm8k: [8], "arc-challenge": [5] });
  expect(items("by-task")).toEqual({ gsm8k: 4, "arc-challenge": 2 });

  asked = [];
  expect(await evaluate("number", ...both, "--shots", "3", "--limit", "1")).toMatchObject({ code: 0 });
  expect(shotsAsked()).toEqual({ gsm8k: [3], "arc-challenge": [3] });
  expect(items("number")).toEqual({ gsm8k: 1, "arc-challenge": 1 });
});

test("a run is gone on with where the worked examples of its tasks are the same; another task and more items may be added", async () => {
  const gsm8k = ["--tasks", "gsm8k"];
  const own = [...named("--data", { gsm8k: files.gsm8k }), ...named("--shots-data", { gsm8k: examples.gsm8k })];
  const alone = (...words: string[]) =>
    runCommand([
      "eval",
      ...["--model", "m", "--base-url", server.baseUrl, "--no-probe", "--methods", "vanilla", "--pool", "0", "--no-cache"],
      ...own,
      ...["--out", path.join(place, "goes-on")],
      ...gsm8k,
      ...words,
    ]);
  expect((await alone("--shots", "2", "--limit", "2")).code).toBe(0);
  const added = await evaluate("goes-on", ...both, "--shots", "gsm8k=2,arc-challenge=1", "--limit", "gsm8k=3,arc-challenge=2");
  expect(added.code).toBe(0);
  expect(shotsAsked()).toEqual({ gsm8k: [2], "arc-challenge": [1] });
  expect(asked).toHaveLength(2 + 1 + 2);

  const other = await evaluate("goes-on", ...both, "--shots", "2", "--limit", "2");
  expect(other.code).toBe(1);
  expect(other.errors).toContain("holds answers to arc-challenge with 1 worked example, and this would add some with 2");
  expect(other.errors).toContain("--shots arc-challenge=1");
});

test("--top-p and --top-k go with every call, and where a server takes none the results say so", async () => {
  const done = await evaluate("top", ...both, "--limit", "1", "--top-k", "20", "--top-p", "0.9");
  expect(done.code).toBe(0);
  expect(asked.map(({ body }) => [body?.top_k, body?.top_p])).toEqual([
    [20, 0.9],
    [20, 0.9],
  ]);
  const other = await evaluate("top", ...both, "--limit", "1", "--top-k", "10", "--top-p", "0.9");
  expect(other.errors).toContain("topK (20 there, 10 now)");
  asked = [];
  refusesTopK = true;
  const refused = await evaluate("no-top", ...both, "--limit", "1", "--top-k", "20");
  refusesTopK = false;
  expect(refused.code).toBe(0);
  expect(refused.output).toContain("top_k");
  expect(refused.output).toContain("top_k: Extra inputs are not permitted");
});

test.each([
  [["--shots", "gsm8k=8,gsm9k=5"], 'no benchmark called "gsm9k"'],
  [["--limit", "mmlu=5"], "--limit names mmlu, which is not among the benchmarks gsm8k, arc-challenge"],
  [["--shots", "arc=5,arc-challenge=4"], "--shots names arc-challenge twice"],
  [["--shots", "4,5"], "two numbers for every task"],
  [["--shots", "gsm8k=4,gsm8k=5"], "two numbers for gsm8k"],
  [["--limit", "gsm8k=many"], "must be a whole number"],
  [["--limit", "=4"], "names no task"],
  [["--limit", "gsm8k="], "must be a whole number"],
])("what is no number by task is refused with what to type: %s", async (words, said) => {
  const refused = await evaluate("refused", ...both, ...words);
  expect(refused.code).toBe(1);
  expect(refused.errors).toContain(said);
  expect(asked).toEqual([]);
});

test("packed files of questions and of worked examples are read as the plain ones are", async () => {
  const packed = Object.entries({ "gsm8k.jsonl.gz": files.gsm8k, "gsm8k-train.jsonl.gz": examples.gsm8k }).map(([name, file]) => {
    writeFileSync(path.join(place, name), gzipSync(readFileSync(file)));
    return path.join(place, name);
  });
  const done = await runCommand([
    "eval",
    ...["--model", "m", "--base-url", server.baseUrl, "--no-probe", "--methods", "vanilla", "--pool", "0", "--no-cache"],
    ...["--tasks", "gsm8k", "--data", packed[0], "--shots-data", packed[1], "--shots", "2", "--limit", "3"],
    ...["--out", path.join(place, "packed")],
  ]);
  expect(done.code).toBe(0);
  expect(items("packed")).toEqual({ gsm8k: 3 });
  expect(shotsAsked().gsm8k).toEqual([2]);
});

test("PTR's config.json names tasks, worked examples and limits; options go over it; what is not heeded is told", async () => {
  const config = write("config.json", {
    arc: { arc_c: { num_fewshots: 2, limit: 3 } },
    gsm8k: { num_fewshots: 1, limit: null, instruction: "Solve." },
    rgb: { limit: null },
  });
  const done = await evaluate("config", "--config", config, "--limit", "gsm8k=2");
  expect(done.code).toBe(0);
  expect(shotsAsked()).toEqual({ gsm8k: [1], "arc-challenge": [2] });
  expect(items("config")).toEqual({ gsm8k: 2, "arc-challenge": 3 });
  expect(done.errors).toContain("config.json: no benchmarks here, and left out: rgb.");
  expect(done.errors).toContain("config.json: instruction of gsm8k is not read");
});
