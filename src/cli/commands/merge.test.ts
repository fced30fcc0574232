import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { shippedModel } from "#files/shipped-model.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { midcourse } from "../../../test/support/command.ts";

let root: string;
/** An adapter that was trained on a copy of the shipped model, side by side with it. */
let adapter: string;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), "merge-"));
  cpSync(shippedModel, path.join(root, "base"), { recursive: true });
  adapter = path.join(root, "run", "model");
  await train("run", path.join(root, "base"), "--lora=2", "--lora-alpha=64");
}, 120_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const train = (name: string, model: string, ...words: string[]) =>
  midcourse(
    ...["train", "pasr", "--model", model, "--items", "2", "--threads", "1", "--steps=2", "--out", path.join(root, name)],
    ...["--set", "maxTokens=24", "questionsPerStep=4", "refinedSamples=4", "learningRate=0.01", "plainSamples=2"],
    ...words,
  );

const sequences = Array.from({ length: 3 }, (_, index) => ({ ids: [5, 6, 7, 8 + index, 9, 10], start: 2 }));

async function logprobsOf(folder: string): Promise<number[]> {
  const engine = await EmbeddedEngine.open({ folder, threads: 1 });
  const found = await engine.logprobs(sequences);
  await engine.close();
  return found.flatMap((each) => [...each]);
}

const configuration = () => JSON.parse(readFileSync(path.join(adapter, "adapter_config.json"), "utf8"));

test("an adapter names its base from where it lies, with the alpha that was asked for", () => {
  expect(configuration()).toMatchObject({ base_model_name_or_path: "../../base", r: 2, lora_alpha: 64 });
});

test("its folder is a model: it answers as the merged checkpoint does, with its base's tokenizer, and not as its base", async () => {
  const merged = path.join(root, "merged");
  expect(await midcourse("merge", adapter, "--out", merged)).toContain("merged in");
  expect(existsSync(path.join(merged, "tokenizer.json"))).toBe(true);
  const [own, plain, base] = [await logprobsOf(adapter), await logprobsOf(merged), await logprobsOf(path.join(root, "base"))];
  for (const [index, each] of own.entries()) expect(each).toBeCloseTo(plain[index], 5);
  expect(Math.max(...own.map((each, index) => Math.abs(each - base[index])))).toBeGreaterThan(1e-3);
  const text = (await Tokenizer.load(path.join(root, "base"))).encode("12 + 5");
  expect((await Tokenizer.load(adapter)).encode("12 + 5")).toEqual(text);
  const solved = async (model: string) => {
    const lines = (await midcourse("solve", "What is 12 + 5?", "--method", "vanilla", "--model", model, "--json"))
      .trim()
      .split("\n");
    return JSON.parse(lines[lines.length - 1]).text;
  };
  expect(await solved(adapter)).toBe(await solved(merged));
}, 60_000);

test("it can be evaluated, and trained on, with all weights or with another adapter", async () => {
  const out = path.join(root, "eval");
  await midcourse("eval", "--model", adapter, "--tasks", "world", "--methods", "vanilla", "--limit", "2", "--out", out);
  await train("whole", adapter);
  expect(existsSync(path.join(root, "whole", "model", "model.safetensors"))).toBe(true);
  expect(existsSync(path.join(root, "whole", "model", "tokenizer.json"))).toBe(true);
  await train("second", adapter, "--lora=1");
  const second = path.join(root, "second", "model");
  const own = await logprobsOf(second);
  await midcourse("merge", second, "--out", path.join(root, "both"));
  for (const [index, each] of (await logprobsOf(path.join(root, "both"))).entries()) expect(each).toBeCloseTo(own[index], 4);
}, 120_000);

test("moved with its base it still finds it; without it, both places that were looked at are named", async () => {
  const elsewhere = path.join(root, "elsewhere");
  mkdirSync(elsewhere);
  cpSync(path.join(root, "base"), path.join(elsewhere, "base"), { recursive: true });
  cpSync(path.join(root, "run"), path.join(elsewhere, "run"), { recursive: true });
  const moved = path.join(elsewhere, "run", "model");
  expect(await logprobsOf(moved)).toEqual(await logprobsOf(adapter));
  renameSync(path.join(elsewhere, "base"), path.join(elsewhere, "gone"));
  await expect(logprobsOf(moved)).rejects.toThrow(path.join(elsewhere, "base"));
  const file = path.join(moved, "adapter_config.json");
  const named = (name: unknown) => writeFileSync(file, JSON.stringify({ ...configuration(), base_model_name_or_path: name }));
  named("midcourse/base");
  expect(await logprobsOf(moved)).toEqual(await logprobsOf(adapter));
  named(null);
  await expect(logprobsOf(moved)).rejects.toThrow("names no base model");
  named(".");
  await expect(logprobsOf(moved)).rejects.toThrow("is not at");
}, 60_000);

test("what is no adapter cannot be merged", async () => {
  await expect(midcourse("merge", path.join(root, "base"), "--out", path.join(root, "x"))).rejects.toThrow(
    "no adapter_config.json",
  );
});
