import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "#files/json-lines.ts";
import { readRun } from "#record/run-directory.ts";
import { worldItems } from "#tasks/world/items.ts";
import { worldPrompts } from "#tasks/world/solutions.ts";
import { runCommand } from "../../test/support/command.ts";
import { type JudgeServer, type PlayedJudge, playJudge, type ShownAnswer } from "../../test/support/judge-server.ts";
import { pasr } from "./pasr/recipe.ts";
import { runRecipe } from "./run-recipe.ts";

let root: string;
let data: string;
let server: JudgeServer;

/** The number in an answer is the one of the sentence that is the reference. */
const isRight = ({ reference, answer }: ShownAnswer) => reference === `The result is ${answer.trim()}.` || reference === answer;
const right: PlayedJudge = { grade: (shown) => (isRight(shown) ? 1 : shown.answer.length === 1 ? 0.25 : 0) };

async function serve(judge: PlayedJudge): Promise<string> {
  server = await playJudge(judge);
  return server.baseUrl;
}

beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), "training-judge-"));
  data = path.join(root, "alpaca.jsonl");
  const rows = worldItems(60, { split: "train", seed: 3 }).map(({ question, answer }) => ({
    instruction: question,
    input: "",
    output: `The result is ${answer}.`,
  }));
  writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
});
afterEach(() => server.close());
afterAll(() => rmSync(root, { recursive: true, force: true }));

const key = "sk-loopback-judge-1234567890abcdef";
const environment = { JUDGE_KEY: key, OPENAI_API_KEY: undefined, OPENAI_BASE_URL: undefined };
const words = (out: string, baseUrl: string, ...more: string[]) => [
  ...["train", "pasr", "--data", data, "--items", "4", "--threads", "1", "--out", path.join(root, out)],
  ...["--judge", "judge", "--judge-base-url", baseUrl, "--judge-api-key-env", "JUDGE_KEY", "--judge-retries", "0"],
  ...["--set", `prompts.refine=${worldPrompts.refine}`, `prompts.plain=${worldPrompts.plain}`],
  ...["steps=3", "maxTokens=120", "questionsPerStep=3", "refinedSamples=4", "plainSamples=4", ...more],
];
const read = (out: string, file: string) => JSON.parse(readFileSync(path.join(root, out, file), "utf8")) as JsonObject;

describe("training on free-text answers with a judge model", () => {
  test("every answer is graded by the judge, its cost stands apart in every step and in the results, and its key nowhere", async () => {
    const finished = await runCommand(words("whole", await serve(right)), environment);
    expect(finished.errors).not.toContain("midcourse:");
    expect(finished.code).toBe(0);
    const { metrics, configuration } = readRun(path.join(root, "whole"));
    expect(metrics).toHaveLength(3);
    const costs = metrics.map(({ judge }) => judge as Record<string, number>);
    expect(costs.every(({ answers, calls, outputTokens }) => answers > 0 && calls >= answers && outputTokens > 0)).toBe(true);
    expect(metrics.some((line) => Number(line.accuracyRefined) > 0)).toBe(true);
    expect(configuration.options.judge).toMatchObject({
      models: [{ model: "judge", server: `${server.baseUrl}` }],
      kind: "graded",
      temperature: 0.2,
    });
    expect(finished.output).toMatch(/^judge +\d+ calls, [\d,]+ tokens read and [\d,]+ written/m);
    const results = read("whole", "results.json");
    expect(results.judge).toMatchObject({ calls: server.shown.length });
    expect(records("whole").every(({ status }) => status === "judged" || status === "no-answer")).toBe(true);
    expect(records("whole").some(({ gradingUsage }) => gradingUsage !== undefined)).toBe(true);
    for (const file of ["config.json", "events.jsonl", "metrics.jsonl", "results.json", "report.html"])
      expect(readFileSync(path.join(root, "whole", file), "utf8"), file).not.toContain(key);
    const again = server.shown.map((shown) => JSON.stringify(shown));
    expect(new Set(again).size).toBe(again.length);
  }, 120_000);

  test("the same answer is not asked for twice, also where a stopped run goes on, and the record is the same", async () => {
    const baseUrl = await serve(right);
    const run = (out: string, stopAt?: number) => {
      const stop = new AbortController();
      const prompts = { refine: worldPrompts.refine, plain: worldPrompts.plain };
      return runRecipe(pasr, {
        ...{ out: path.join(root, out), data, items: 4, threads: 1, judge: "judge", judgeBaseUrl: baseUrl },
        options: { steps: 3, maxTokens: 120, questionsPerStep: 3, refinedSamples: 4, plainSamples: 4, prompts },
        signal: stop.signal,
        onProgress: ({ label, done }) => {
          if (label.startsWith("Train") && done === stopAt) stop.abort();
        },
      });
    };
    await expect(run("stopped", 2)).rejects.toThrow();
    const asked = server.shown.length;
    await run("stopped");
    const all = server.shown.map((shown) => JSON.stringify(shown));
    expect(all.length).toBeGreaterThan(asked);
    expect(new Set(all).size).toBe(all.length);
    await run("straight");
    const [one, other] = ["stopped", "straight"].map((out) => readRun(path.join(root, out)).metrics.map(withoutTime));
    expect(one).toEqual(other);
    expect(read("stopped", "results.json").judge).toEqual(read("straight", "results.json").judge);
  }, 180_000);

  test("a reply that is no score drops its group, which the metrics count, the record explains and the screen tells", async () => {
    const sulks = (shown: ShownAnswer) => shown.reference !== shown.answer && shown.question.length % 2 === 0;
    const judge: PlayedJudge = { grade: (shown) => (sulks(shown) ? "I would say 8 of 10" : isRight(shown) ? 1 : 0) };
    const finished = await runCommand(words("sulking", await serve(judge)), environment);
    expect(finished.code).toBe(0);
    const { metrics, events } = readRun(path.join(root, "sulking"));
    const shares = metrics.map(({ dropped }) => (dropped as Record<string, number>)["failed-grading"]);
    expect(shares.some((share) => share > 0)).toBe(true);
    expect(events.some(({ message }) => String(message).includes("no reply of the judge was a score"))).toBe(true);
    expect(finished.errors).toMatch(/The judge gave no score to an answer to alpaca.jsonl:\d+: .*8 of 10/);
  }, 120_000);

  test.each([
    ["a wrong key", { status: 401, body: { error: { message: "Incorrect API key provided" } } }, /judge.*401/i, "JUDGE_KEY"],
    ["words in place of a score", "I would say 8 of 10", /no score.*8 of 10/, "--judge"],
  ])(
    "%s is told once and ends the run before anything is trained",
    async (_, said, told, advice) => {
      const finished = await runCommand(words(`refused ${String(told)}`, await serve({ grade: () => said })), environment);
      expect(finished.code).not.toBe(0);
      expect(finished.errors).toMatch(told);
      expect(finished.errors).toContain(advice);
      expect(finished.errors).not.toContain("--base-url");
      expect(finished.output).toBe("");
      expect(server.shown.length).toBeLessThan(5);
    },
    60_000,
  );

  test("a training on a model's own answers is graded by the judge too, and keeps to what it says", async () => {
    const baseUrl = await serve(right);
    const out = path.join(root, "star");
    const finished = await runCommand(
      [
        ...["train", "star", "--data", data, "--items", "4", "--threads", "1", "--out", out, "--rounds", "1", "--questions", "6"],
        ...["--judge", "judge", "--judge-base-url", baseUrl, "--judge-kind", "general", "--no-rationalise"],
        ...["--set", `instruction=${worldPrompts.plain}`, "firstSteps=2", "validation=4", "maxTokens=120"],
      ],
      environment,
    );
    expect(finished.errors).not.toContain("midcourse:");
    expect(finished.code).toBe(0);
    expect(server.shown.length).toBeGreaterThan(6);
    expect(read("star", "results.json").judge).toMatchObject({ calls: server.shown.length });
  }, 120_000);

  test("a judge that goes away in the middle ends the run, and the same command goes on when it is back", async () => {
    let isAway = false;
    const judge: PlayedJudge = {
      grade: (shown) => (isAway ? { status: 500, body: "down" } : isRight(shown) ? 1 : 0),
    };
    const baseUrl = await serve(judge);
    isAway = false;
    const stopped = runCommand(words("away", baseUrl, "questionsPerStep=12"), environment);
    while (server.shown.length < 13) await new Promise((resolve) => setTimeout(resolve, 20));
    isAway = true;
    const finished = await stopped;
    expect(finished.code).not.toBe(0);
    expect(finished.errors).toContain("answers in a row");
    isAway = false;
    const again = await runCommand(words("away", baseUrl, "questionsPerStep=12"), environment);
    expect(again.code).toBe(0);
    expect(readRun(path.join(root, "away")).metrics).toHaveLength(3);
  }, 180_000);
});

describe("settings of a judge", () => {
  test.each([
    [["--judge-kind", "general"], "--judge-kind without --judge"],
    [["--judge-base-url", "http://127.0.0.1:9/v1"], "--judge-base-url without --judge"],
    [["--judge", " , "], "names no model"],
    [["--judge", "some-judge"], "give --judge a checkpoint folder"],
  ])("%j are refused", async (more, told) => {
    server = await playJudge(right);
    const finished = await runCommand(["train", "pasr", "--data", data, "--out", path.join(root, "never"), ...more], environment);
    expect(finished.code).not.toBe(0);
    expect(finished.errors).toContain(told);
  });
});

function records(out: string): JsonObject[] {
  return ["base", "trained"].flatMap((name) =>
    readFileSync(path.join(root, out, `answers-${name}.jsonl`), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as JsonObject),
  );
}

function withoutTime({ timing: _, judge: __, ...line }: JsonObject): JsonObject {
  return line;
}
