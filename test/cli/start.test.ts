/** The first command a newcomer runs, as a real process on the shipped model: its files, its resuming after kill -9, its refusals. */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { launch, runCommand } from "../support/command.ts";

const place = mkdtempSync(path.join(tmpdir(), "midcourse-start-"));
afterAll(() => rmSync(place, { recursive: true, force: true }));

const run = (...words: string[]) => runCommand(words);
const startIn = (folder: string, ...more: string[]) => [
  "start",
  "--out",
  folder,
  "--steps",
  "3",
  "--items",
  "8",
  "--threads",
  "1",
  ...more,
];

function weightsHash(folder: string): string {
  return createHash("sha256")
    .update(readFileSync(path.join(folder, "checkpoints/step-3/model.safetensors")))
    .digest("hex");
}

/** What a run says, without what the clock decides. */
function results(folder: string): unknown {
  return JSON.parse(readFileSync(path.join(folder, "results.json"), "utf8"), (key, value) => (key === "run" ? undefined : value));
}

test("the -- of npm is taken where npm took none away", async () => {
  expect((await run("start", "--", "--steps", "few")).errors).toContain("option '--steps <number>' argument 'few' is invalid");
});

test("it measures, trains, measures again and reports; killed at any moment, the same command ends the same", {
  timeout: 300_000,
}, async () => {
  const whole = path.join(place, "whole");
  const first = await run(...startIn(whole));
  expect(first.errors).not.toContain("midcourse:");
  expect(first.code).toBe(0);
  for (const id of ["vanilla", "pasr-prompt", "self-refine-1", "self-refine-3", "self-consistency", "pasr"])
    expect(first.output).toContain(id);
  expect(existsSync(path.join(whole, "report.html"))).toBe(true);
  expect(readdirSync(path.join(whole, "checkpoints"))).toContain("step-3");

  const again = await run(...startIn(whole, "--json"));
  expect(again.code).toBe(0);
  expect(again.errors).toContain("Nothing was left to do");
  expect(first.errors).not.toContain("Nothing was left to do");
  expect(JSON.parse(again.output)).toEqual(JSON.parse(readFileSync(path.join(whole, "results.json"), "utf8")));

  const killed = path.join(place, "killed");
  for (const file of ["answers-base-greedy.jsonl", "metrics.jsonl", "answers-trained-greedy.jsonl"]) {
    const { child, finished } = launch(startIn(killed));
    const look = setInterval(() => {
      if (existsSync(path.join(killed, file))) child.kill("SIGKILL");
    }, 20);
    await finished;
    clearInterval(look);
  }
  const last = await run(...startIn(killed));
  expect(last.code).toBe(0);
  expect(weightsHash(killed)).toBe(weightsHash(whole));
  expect(results(killed)).toEqual(results(whole));

  const page = path.join(place, "both.html");
  expect((await run("report", whole, killed, "--out", page)).code).toBe(0);
  // Of several runs the page says whose results these are.
  expect(readFileSync(page, "utf8")).toContain("training curves of whole, killed; results and answers of whole alone");
});

test("a folder of another configuration, a missing model and wrong options are told plainly", { timeout: 120_000 }, async () => {
  const folder = path.join(place, "whole");
  const other = await run(...startIn(folder, "--seed", "9"));
  expect(other.code).toBe(1);
  expect(other.errors).toMatch(/seed/);
  const missing = await run("start", "--model", path.join(place, "nowhere"), "--out", path.join(place, "none"));
  expect(missing.code).toBe(1);
  expect(missing.errors).toContain("nowhere");
  expect(missing.errors).not.toContain("    at ");
  const typo = await run("start", "--itmes", "3");
  expect(typo.code).not.toBe(0);
  expect(typo.errors).toContain("--items");
  const none = await run("start", "--items", "0", "--out", path.join(place, "none"));
  expect(none.code).toBe(1);
  expect(none.errors).toContain("--items");
});

test("Ctrl-C ends cleanly with a word on how to go on", { timeout: 120_000 }, async () => {
  const folder = path.join(place, "interrupted");
  const { child, finished } = launch(startIn(folder));
  const look = setInterval(() => {
    if (!existsSync(path.join(folder, "answers-base-greedy.jsonl"))) return;
    clearInterval(look);
    child.kill("SIGINT");
  }, 20);
  const { code, errors } = await finished;
  expect(code).toBe(130);
  expect(errors).toContain("goes on from the last checkpoint");
  expect(existsSync(path.join(folder, "lock.json"))).toBe(false);
});
