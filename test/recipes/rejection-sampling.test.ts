/** The example of a recipe from outside: by its file on the command line, and by its card in a program. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { runRecipe } from "#recipes/run-recipe.ts";
import { rejectionSampling } from "../../examples/recipe/rejection-sampling.ts";
import { midcourse } from "../support/command.ts";

const root = mkdtempSync(path.join(tmpdir(), "midcourse-recipe-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const file = "./examples/recipe/rejection-sampling.ts";
const train = (...words: string[]) => midcourse("train", file, ...words);

test("the command trains by its file, measures before and after, and a program does the same by its card", async () => {
  const out = path.join(root, "command");
  const words = ["--samples=4", "--questions=12", "--epochs=1", "--items=6", "--threads=1"];
  const shown = await train(...words, "--out", out);
  expect(shown).toContain("base rejection-sampling");
  const { examples } = JSON.parse(readFileSync(path.join(out, "round-1/examples.json"), "utf8")) as {
    examples: { messages: { content: string }[] }[];
  };
  const texts = examples.map(({ messages }) => messages.map(({ content }) => content).join("\n"));
  expect(texts.length).toBeGreaterThan(0);
  expect(new Set(texts).size).toBe(texts.length);

  const { model, results, table } = await runRecipe(rejectionSampling, {
    out: path.join(root, "program"),
    options: { samples: 4, questions: 12, training: { epochs: 1 } },
    items: 6,
    threads: 1,
  });
  const weights = (folder: string) => readFileSync(path.join(folder, "model.safetensors"));
  expect(weights(model).equals(weights(path.join(out, "model")))).toBe(true);
  expect(table).toBeDefined();
  expect(results).toMatchObject({ tasks: [{}] });
}, 60_000);

test("its options are refused as those of every recipe, before anything is written", async () => {
  const out = path.join(root, "refused");
  await expect(train("--set", "samples=0", "--out", out)).rejects.toThrow(
    "rejection-sampling: samples=0 is not a whole number from 1",
  );
  await expect(train("--set", "sample=1", "--out", out)).rejects.toThrow("rejection-sampling has no option “sample”");
  await expect(runRecipe(rejectionSampling, { out, options: { temperature: Number.NaN } })).rejects.toThrow("temperature=NaN");
  expect(existsSync(out)).toBe(false);
  expect(await train("--options")).toContain("answers drawn to each question; a whole number from 1. Paper: 100");
});
