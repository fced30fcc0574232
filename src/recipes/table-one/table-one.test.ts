/** The whole table on the shipped model with a step or two of training each: that it runs, resumes and reports, not what it says. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { worldDomains } from "#tasks/world/domains.ts";
import { fastTableOnePlan, type TableOnePlan } from "./plan.ts";
import { reportTableOne, tableOneHtml, tableOneMarkdown } from "./report.ts";
import { readTableOne } from "./results.ts";
import { ablationRows, tableOneRows } from "./rows.ts";
import { codeVersions, runTableOne, seedsIn, type TableOneSetup, testItems } from "./table-one.ts";

const fast = fastTableOnePlan;
const plan: TableOnePlan = {
  ...fast,
  model: path.join(import.meta.dirname, "../../../models/base"),
  base: { ...fast.base, training: { ...fast.base.training, steps: 2 } },
  items: 4,
  maxTokens: 48,
  pool: { samples: 2, temperature: 0.9 },
  rounds: { selfRefine: 1, ptr: 2, ptrLong: 3, rise: 2 },
  questions: 24,
  tries: { count: 4, temperature: 0.9 },
  validation: 4,
  pasr: { ...fast.pasr, steps: 2, questionsPerStep: 2, maxTokens: 48 },
  score: { ...fast.score, stageOneSteps: 1, stageTwoSteps: 1, questionsPerStep: 2, maxTokens: 48 },
  star: { ...fast.star, loops: 1, firstSteps: 1, maxTokens: 48 },
  isc: { ...fast.isc, samples: 2, maxTokens: 48, training: { ...fast.isc.training, epochs: 1 } },
  rise: { ...fast.rise, iterations: 1, samplesPerTurn: [1, 2], maxTokens: 48 },
  ptr: { ...fast.ptr, epochs: 1 },
  ift: { samples: 2, training: { ...fast.ift.training, epochs: 1 } },
};

const root = mkdtempSync(path.join(tmpdir(), "table-one-"));
const whole = path.join(root, "whole");
const setup = (folder: string): TableOneSetup => ({ folder, plan, seeds: 1, code: "test", threads: 1 });
let failures: Awaited<ReturnType<typeof runTableOne>>;

beforeAll(async () => {
  failures = await runTableOne(setup(whole));
}, 240_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("the table in miniature", () => {
  it("names its model alike in whatever folder it goes on", () => {
    const options = (unit: string) => JSON.parse(readFileSync(path.join(whole, unit, "config.json"), "utf8")).options;
    expect(options("base").model).toBe("shipped");
    expect(options("seed-1/pasr").plan.model).toBe("shipped");
  });

  it("has an answer of every row to every test problem, and what each training cost", () => {
    const { table, ablation, rounds } = readTableOne(whole, 1);
    // A model after two steps may write nothing that could be learned from; then the row says so.
    const failed = new Set(failures.map(({ name }) => name.replace("seed-1/", "")));
    expect([...failed].every((name) => name === "pasr-ift")).toBe(true);
    for (const { id, trained } of [...tableOneRows, ...ablationRows]) {
      if (failed.has(id)) continue;
      const cells = [...table.cells, ...ablation.cells].filter(({ row }) => row === id);
      for (const domain of worldDomains) {
        const cell = cells.find((each) => each.domain === domain.id)!;
        expect(cell.seed).toBe(trained ? 1 : undefined);
        expect(cell.records.map(({ item }) => item).sort()).toEqual(
          testItems(plan, domain)
            .map((item) => item.id)
            .sort(),
        );
      }
      const cost = [...table.costs, ...ablation.costs].find(({ row }) => row === id);
      expect(cost !== undefined).toBe(trained);
      if (cost) expect(Math.min(cost.trainedTokens!, cost.steps!, cost.minutes!)).toBeGreaterThan(0);
    }
    expect(rounds.map(({ records }) => records[0]?.length)).toEqual([4, 4]);
    expect(table.cells.some(({ records }) => records.some(({ usesOracle }) => usesOracle))).toBe(true);
    expect(codeVersions(whole)).toEqual(["test"]);
    expect(seedsIn(whole)).toBe(1);
  });

  it("is written down with every row, its oracle marked, and what is missing named", () => {
    const facts = { folder: whole, plan, seeds: 2, command: "a <command>", code: ["test"], failures, isFast: true };
    const report = reportTableOne(facts);
    const markdown = tableOneMarkdown(facts, report);
    const page = tableOneHtml(facts, report);
    for (const { label } of tableOneRows) expect(markdown).toContain(label);
    expect(markdown).toContain("Self-Refine+ (oracle)");
    expect(markdown).toMatch(/PASR.*seed 2/);
    expect(markdown).toContain("prove nothing");
    expect(page.includes("a &lt;command&gt;")).toBe(true);
    expect(/NaN|undefined/.test(page.replaceAll(/<style[\s\S]*?<\/style>/g, ""))).toBe(false);
    expect(markdown).not.toMatch(/NaN|undefined/);
  });

  it("comes to the same answers after an interruption in the middle of a training", async () => {
    const folder = path.join(root, "interrupted");
    const controller = new AbortController();
    const interrupted = runTableOne({
      ...setup(folder),
      signal: controller.signal,
      onTraining: (name) => name === "seed-1/score" && controller.abort(new Error("interrupted")),
    });
    await expect(interrupted).rejects.toThrow("interrupted");
    expect(existsSync(path.join(folder, "seed-1/score/done.json"))).toBe(false);
    await runTableOne(setup(folder));
    for (const unit of ["base", "seed-1/score", "seed-1/pasr"]) {
      const weights = (from: string) => readFileSync(path.join(from, unit, "model/model.safetensors"));
      expect(weights(folder).equals(weights(whole)), unit).toBe(true);
    }
    const answers = (from: string) =>
      readTableOne(from, 1).table.cells.map(({ row, domain, records }) => [row, domain, records.map(({ text }) => text).sort()]);
    expect(answers(folder)).toEqual(answers(whole));
    // What an interrupted training cost is not known, and nobody guesses.
    expect(readTableOne(folder, 1).table.costs.map(({ row }) => row)).not.toContain("score");
  }, 240_000);
});
