/** `midcourse eval` as a process: killed and resumed, extended, against a server that fails, and what is made of its runs afterwards. */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Results } from "#evaluation/summary/results.ts";
import { launch, runCommand } from "../support/command.ts";
import { chatReply, type PlayedRequest, playServer } from "../support/model-server.ts";

const place = mkdtempSync(path.join(tmpdir(), "midcourse-eval-"));
afterAll(() => rmSync(place, { recursive: true, force: true }));

const questions = path.join(place, "questions.jsonl");
writeFileSync(
  questions,
  Array.from({ length: 10 }, (_, index) =>
    JSON.stringify({
      question: `Ann has ${20 + index} pens and buys ${index} more. How many?`,
      answer: `#### ${20 + 2 * index}`,
    }),
  ).join("\n"),
);

const shipped = { OPENAI_BASE_URL: undefined, OPENAI_API_KEY: undefined };
const results = (folder: string) => JSON.parse(readFileSync(path.join(folder, "results.json"), "utf8")) as Results;
const lines = (folder: string) => {
  const file = path.join(folder, "records.jsonl");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
};

/** What a run says, without its name and what the clock decides. */
function said(folder: string): unknown {
  const { run: _run, command: _command, times: _times, ...rest } = results(folder);
  return rest;
}

/** What was answered, whatever the order it was finished in, without what the clock decides. */
function answered(folder: string): string {
  const records = readFileSync(path.join(folder, "records.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) =>
      JSON.stringify(JSON.parse(line), (key, value) => (key === "seconds" || key === "milliseconds" ? undefined : value)),
    );
  return createHash("sha256").update(records.sort().join("\n")).digest("hex");
}

describe("the shipped model on its own task and on GSM8K's layout, four methods", () => {
  const words = (out: string) => [
    "eval",
    "--tasks",
    "world,gsm8k",
    "--data",
    `gsm8k=${questions}`,
    "--limit",
    "10",
    "--pool",
    "4",
    "--max-tokens",
    "96",
    "--threads",
    "1",
    "--out",
    out,
  ];
  const whole = path.join(place, "whole");

  test("killed at any moment, the same command ends with the same", { timeout: 240_000 }, async () => {
    const first = await runCommand(words(whole), shipped);
    expect(first.errors).not.toContain("midcourse:");
    expect(first.code).toBe(0);
    for (const id of ["vanilla", "pasr-format", "self-refine", "self-consistency", "vote of 4"])
      expect(first.output).toContain(id);
    expect(lines(whole)).toBe(2 * 10 * 5);
    expect(first.errors).not.toContain("Nothing was left");
    const again = await runCommand(words(whole), shipped);
    expect(again.errors).toContain("Nothing was left to do: all of it was there already.");
    expect(again.code).toBe(0);

    const killed = path.join(place, "killed");
    for (const enough of [1, 20, 60]) {
      const { child, finished } = launch(words(killed), shipped);
      const look = setInterval(() => {
        if (lines(killed) >= enough) child.kill("SIGKILL");
      }, 5);
      await finished;
      clearInterval(look);
    }
    const last = await runCommand(words(killed), shipped);
    expect(last.code).toBe(0);
    expect(said(killed)).toEqual(said(whole));
    expect(answered(killed)).toBe(answered(whole));
  });

  test("more items and methods may be added, and only those are asked for; another seed is refused", {
    timeout: 120_000,
  }, async () => {
    const before = lines(whole);
    const more = await runCommand([...words(whole), "--methods", "vanilla,ptr-rounds(rounds=2)"], shipped);
    expect(more.code).toBe(0);
    expect(lines(whole)).toBe(before + 2 * 10);
    expect(results(whole).tasks[0].methods.map(({ id }) => id)).toEqual(["vanilla", "ptr-rounds(rounds=2)"]);
    const other = await runCommand([...words(whole), "--seed", "2"], shipped);
    expect(other.code).toBe(1);
    expect(other.errors).toContain("seed");
    writeFileSync(path.join(place, "other.jsonl"), `${JSON.stringify({ question: "1+1?", answer: "#### 2" })}\n`);
    const data = await runCommand([...words(whole), "--data", `gsm8k=${path.join(place, "other.jsonl")}`], shipped);
    expect(data.code).toBe(1);
    expect(data.errors).toContain("gsm8k");
  });

  test("runs are compared on one page and exported", { timeout: 60_000 }, async () => {
    const page = path.join(place, "ab.html");
    const compared = await runCommand(["report", whole, path.join(place, "killed"), "--out", page]);
    expect(compared.errors).toBe("");
    expect(compared.output).toContain("vanilla");
    expect(readFileSync(page, "utf8")).toContain("<!doctype html>");
    for (const format of ["lm-eval", "inspect"]) {
      const out = path.join(place, format);
      const exported = await runCommand(["export", whole, "--format", format, "--out", out]);
      expect(exported.errors).toBe("");
      expect(readdirSync(out, { recursive: true }).length).toBeGreaterThan(2);
    }
    const mixed = await runCommand(["report", whole, place, "--out", page]);
    expect(mixed.code).toBe(1);
  });
});

describe("a model behind a server", () => {
  /** Adds up what the question names; has no other endpoint. */
  const play = ({ body, path }: PlayedRequest) => {
    if (path !== "/v1/chat/completions") return { status: 404 };
    const messages = body?.messages as { content: string }[];
    const [first = 0, second = 0] = (/(\d+) pens and buys (\d+)/.exec(messages[0].content) ?? []).slice(1).map(Number);
    return { body: chatReply(Array(Number(body?.n ?? 1)).fill(`The answer is ${first + second}.`)) };
  };
  const words = (baseUrl: string, out: string, ...more: string[]) => [
    "eval",
    "--model",
    "m",
    "--base-url",
    baseUrl,
    "--no-probe",
    "--tasks",
    "gsm8k",
    "--data",
    questions,
    "--methods",
    "vanilla,self-refine(rounds=1)",
    "--pool",
    "2",
    "--retries",
    "0",
    "--out",
    out,
    ...more,
  ];

  test("what fails is recorded, told, and tried again by the same command", { timeout: 60_000 }, async () => {
    let broken = true;
    const server = await playServer((request) => {
      const isHard = JSON.stringify(request.body ?? "").includes("Ann has 23 pens");
      return broken && isHard ? { status: 500, body: { error: { message: "out of luck" } } } : play(request);
    });
    try {
      const out = path.join(place, "flaky");
      const first = await runCommand(words(server.baseUrl, out));
      expect(first.code).toBe(0);
      expect(first.errors).toContain("2 answers failed (2 graded wrong)");
      expect(results(out).tasks[0].methods.map(({ accuracy, failures }) => [accuracy, failures])).toEqual([
        [0.9, 1],
        [0.9, 1],
      ]);
      broken = false;
      const asked = server.chats().length;
      const second = await runCommand(words(server.baseUrl, out));
      expect(second.errors).not.toContain("answers failed");
      expect(results(out).tasks[0].methods.map(({ accuracy, failures }) => [accuracy, failures])).toEqual([
        [1, 0],
        [1, 0],
      ]);
      // One item's answers, not all of them once more.
      expect(server.chats().length - asked).toBeLessThan(8);
      const calm = path.join(place, "calm");
      await runCommand(words(server.baseUrl, calm));
      expect((said(out) as Results).tasks).toEqual((said(calm) as Results).tasks);
    } finally {
      await server.close();
    }
  });

  test("two judges grade instead of the rule; what they cost and how far they agree is told apart", {
    timeout: 60_000,
  }, async () => {
    const server = await playServer((request) => {
      const { body } = request;
      if (body?.model === "strict") return { body: chatReply(["No.\nSCORE: 0"]) };
      return body?.model === "mild" ? { body: chatReply(["Fine.\nSCORE: 1"]) } : play(request);
    });
    try {
      const out = path.join(place, "judged");
      const judged = await runCommand(words(server.baseUrl, out, "--grade-by", "judge", "--judge", "mild,strict"));
      expect(judged.code).toBe(0);
      const [vanilla] = results(out).tasks[0].methods;
      expect(vanilla!.accuracy).toBe(0.5);
      expect(vanilla!.measures).toMatchObject({ judge1: 1, judge2: 0, judgeAgreement: 0, judgeUnread: 0 });
      expect(vanilla!.gradingTokensPerAnswer).toBe(26);
      expect(judged.output).toContain("judgeAgreement");
      const nobody = await runCommand(words(server.baseUrl, path.join(place, "nobody"), "--grade-by", "judge"));
      expect([nobody.code, nobody.errors]).toEqual([1, expect.stringContaining("--judge")]);
    } finally {
      await server.close();
    }
  });

  test("a wrong key ends it with one clear message", { timeout: 60_000 }, async () => {
    const server = await playServer(() => ({ status: 401, body: { error: { message: "who are you" } } }));
    try {
      const { code, errors } = await runCommand(words(server.baseUrl, path.join(place, "unknown")));
      expect(code).toBe(1);
      expect(errors).toContain("OPENAI_API_KEY");
      expect(errors).not.toContain("    at ");
    } finally {
      await server.close();
    }
  });

  test("the run's budget ends it with what there is, and a larger one goes on", { timeout: 60_000 }, async () => {
    const server = await playServer(play);
    try {
      const out = path.join(place, "capped");
      const capped = await runCommand(words(server.baseUrl, out, "--run-budget", "calls=6", "--concurrency", "1"));
      expect(capped.errors).toContain("--run-budget");
      expect(lines(out)).toBeLessThan(12);
      const rest = await runCommand(words(server.baseUrl, out));
      expect(rest.errors).not.toContain("--run-budget");
      expect(lines(out)).toBe(30);
    } finally {
      await server.close();
    }
  });
});

test("what is misspelt is told with what was meant", { timeout: 60_000 }, async () => {
  const out = path.join(place, "none");
  const method = await runCommand(["eval", "--methods", "self-refin", "--out", out], shipped);
  expect([method.code, method.errors]).toEqual([1, expect.stringContaining("self-refine")]);
  const task = await runCommand(["eval", "--tasks", "gsm8", "--out", out], shipped);
  expect([task.code, task.errors]).toEqual([1, expect.stringContaining("gsm8k")]);
  const cap = await runCommand(["eval", "--budget", "token=5", "--out", out], shipped);
  expect([cap.code, cap.errors]).toEqual([1, expect.stringContaining("tokens=")]);
});

test("what is misspelt is told before a server is asked anything", { timeout: 60_000 }, async () => {
  const server = await playServer(() => ({ hangs: true }));
  try {
    const refused = async (...words: string[]) =>
      (await runCommand(["eval", "--base-url", server.baseUrl, "--out", path.join(place, "unasked"), ...words], shipped)).errors;
    expect(await refused("--tasks", "gsm8k", "--methods", "vanilla,self-consistency(n=3)")).toContain("It has: samples");
    expect(await refused("--tasks", "gsm8")).toContain("gsm8k");
    expect(server.requests).toEqual([]);
  } finally {
    await server.close();
  }
});
