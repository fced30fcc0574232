/** `midcourse train ptr --rounds` from its arguments to its files, with the shipped model. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ptrConversation } from "#data/training-files/ptr-layout.ts";
import type { EvaluationRecord } from "#evaluation/records/evaluation-record.ts";
import { readLines } from "#files/json-lines.ts";
import type { RoundsReport } from "#recipes/ptr/rounds.ts";
import { renderRounds } from "#recipes/ptr/rounds-text.ts";
import { worldItems } from "#tasks/world/items.ts";
import { worldPrompts, writePlain } from "#tasks/world/solutions.ts";
import { registerTrain } from "./train-command.ts";

const base = path.join(import.meta.dirname, "../../../../models/base");
const items = worldItems(10, { split: "train", seed: 5 });
let folder: string;
let data: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "train-ptr-"));
  data = path.join(folder, "examples.jsonl");
  const words = { system: worldPrompts.plain, request: worldPrompts.improve };
  const examples = items.map(({ id, question, chain }) =>
    ptrConversation({ id, question, attempts: ["<think></think><answer>0</answer>"], answer: writePlain(chain) }, words),
  );
  writeFileSync(data, examples.map((example) => `${JSON.stringify(example)}\n`).join(""));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const signals = ["SIGINT", "SIGTERM"] as const;

/** Standard output of the command, run in this process. */
async function trainPtr(out: string, ...more: string[]): Promise<string> {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  registerTrain(program);
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
  let output = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    output += String(text);
    return true;
  });
  const quiet = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  const handlers = signals.map((signal) => process.listeners(signal));
  const words = ["--data", data, "--model", base, "--out", path.join(folder, out), "--max-steps", "2", "--threads", "1"];
  try {
    await program.parseAsync(["train", "ptr", ...words, ...more], { from: "user" });
  } finally {
    write.mockRestore();
    quiet.mockRestore();
    // A command listens for Ctrl-C until its process ends; this process goes on.
    for (const [index, signal] of signals.entries()) {
      for (const listener of process.listeners(signal)) if (!handlers[index].includes(listener)) process.off(signal, listener);
    }
  }
  return output;
}

const measured = ["--rounds", "2", "--items", "4", "--answer-tokens", "80"];
const results = (out: string) =>
  JSON.parse(readFileSync(path.join(folder, out, "results.json"), "utf8")) as Record<string, unknown>;
const answers = (out: string, name: string) =>
  path.join(
    folder,
    out,
    readdirSync(path.join(folder, out)).find((file) => file.startsWith("rounds-") && file.endsWith(`-${name}.jsonl`))!,
  );

describe("rounds", () => {
  test("are measured before and after, and asked as the examples ask", async () => {
    const text = await trainPtr("whole", ...measured);
    expect(text).toContain("Before training");
    expect(text).toContain("After training");
    const { rounds } = results("whole") as { rounds: RoundsReport };
    expect(rounds).toMatchObject({
      rounds: 2,
      items: 4,
      trainedOn: 0,
      instruction: worldPrompts.plain,
      request: worldPrompts.improve,
    });
    for (const { figures } of [rounds.before, rounds.after]) {
      expect(figures.map(({ round, answered }) => [round, answered])).toEqual([
        [1, 4],
        [2, 4],
      ]);
      expect(figures[1].generated!).toBeGreaterThan(figures[0].generated!);
      expect(figures[1].vote!.accuracy).toBeGreaterThanOrEqual(0);
    }
    expect(rounds.gains).toHaveLength(2);
  });

  test("killed while they were measured, the same command asks for what is missing and ends the same", async () => {
    cpSync(path.join(folder, "whole"), path.join(folder, "killed"), { recursive: true });
    for (const name of ["before", "after"]) {
      const file = answers("killed", name);
      const lines = readFileSync(file, "utf8").split("\n");
      // Three answers and the half of a fourth.
      writeFileSync(file, `${lines.slice(0, 3).join("\n")}\n${lines[3].slice(0, 20)}`);
    }
    rmSync(path.join(folder, "killed/results.json"));
    await trainPtr("killed", ...measured);
    expect(results("killed")).toEqual(results("whole"));
    const sorted = (out: string, name: string) =>
      readLines<EvaluationRecord>(answers(out, name))
        .map(({ usage: { milliseconds: _, ...usage }, ...record }) => JSON.stringify({ ...record, usage }))
        .sort();
    for (const name of ["before", "after"]) expect(sorted("killed", name)).toEqual(sorted("whole", name));
  });

  test("may be asked for when the training is over; a file's problems that were trained on are counted", async () => {
    await trainPtr("late");
    expect(results("late")).not.toHaveProperty("rounds");
    const file = path.join(folder, "test.jsonl");
    writeFileSync(file, items.map(({ question, answer }) => `${JSON.stringify({ question, answer })}\n`).join(""));
    const text = await trainPtr("late", "--rounds", "1", "--test", file, "--items", "3", "--validation", "0.1", "--json");
    const { rounds, stepsDone } = JSON.parse(text) as { rounds: RoundsReport; stepsDone: number };
    expect(stepsDone).toBe(2);
    expect(rounds).toMatchObject({ rounds: 1, test: file, items: 3, maxTokens: 512 });
    expect(rounds.trainedOn).toBeGreaterThan(0);
    expect(rounds.before.figures[0]).not.toHaveProperty("againstFirst");
  });

  test.each(
    [["--rounds=0"], ["--rounds=101"], ["--rounds=1.5"], ["--items=5"], ["--rounds=1", "--items=0"]].map((words) => [words]),
  )("refuses %j", async (words) => {
    await expect(trainPtr("refused", ...words)).rejects.toThrow();
  });
});

describe("the table", () => {
  const figure = (round: number) => ({
    round,
    accuracy: 0.5,
    interval: [0.4, 0.6] as const,
    answered: 11 - round,
    generated: 35 * round,
    all: 70 * round,
    wrongToRight: 1,
    rightToWrong: 2,
    ...(round === 1
      ? {}
      : { againstFirst: { difference: -0.1, interval: [-0.2, 0] as const, pValue: 0.1, wrongToRight: 0, rightToWrong: 1 } }),
    vote: {
      accuracy: 0.4,
      samples: round,
      outside: "above" as const,
      gain: { difference: 0.1, interval: [0, 0.2] as const, pValue: 0.2 },
    },
  });
  const gain = { difference: 0.2, interval: [0.1, 0.3] as const, pValue: 0.01 };
  const stage = { figures: [1, 2].map(figure), endedEarly: { "context-exceeded": 1 } };
  const report = {
    ...{ rounds: 2, test: "small world", items: 10, trainedOn: 1, maxTokens: 10, instruction: null, request: "Again." },
    ...{ before: stage, after: stage, gains: [gain, gain] },
  } as unknown as RoundsReport;

  test.each([40, 70, 110, 200])("fits a terminal of %i columns", (width) => {
    const text = renderRounds(report, { width, styled: false });
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(width);
    expect(text).toContain("50.0 (40.0–60.0)");
    expect(text.includes("−10.0")).toBe(width > 60);
    const words = text.replace(/\s+/g, " ");
    expect(words.includes("No room at this width for: ")).toBe(width < 200);
    expect(words.includes("“all” has the prompts")).toBe(width >= 110);
  });

  test("says where answers are missing, and what flatters", () => {
    const text = renderRounds(report, { width: 200, styled: false });
    expect(text).toContain("answers");
    expect(text).toContain("1 of 10 (context-exceeded)");
    expect(text).toContain("1 of these problems");
    expect(text).toContain("(>2.0)");
  });
});
