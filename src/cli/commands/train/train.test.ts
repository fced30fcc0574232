import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recipes } from "#recipes/catalogue.ts";
import { isc } from "#recipes/isc/recipe.ts";
import { chosenOptions } from "#recipes/run-recipe.ts";
import { worldSource } from "#recipes/sources/world-source.ts";
import { star } from "#recipes/star/recipe.ts";
import { midcourse } from "../../../../test/support/command.ts";
import { recipeCommand, recipeRun } from "./train.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), "train-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function settings(name: string, text: string): string {
  const file = path.join(root, name);
  writeFileSync(file, text);
  return file;
}

const optionsOf = (...words: string[]) =>
  chosenOptions(star, worldSource, recipeRun(star, recipeCommand(star).parse(words, { from: "user" })));

test.each([[[]], [["--help"]], [["-h"]]])("%j lists the recipes with their papers", async (words) => {
  const shown = await midcourse("train", ...words);
  for (const { id, summary, paper } of recipes) {
    expect(shown).toContain(`  ${id} `);
    expect(shown).toContain(summary);
    if (paper) expect(shown).toContain(`(arXiv ${paper.arxiv})`);
  }
});

test.each(recipes.map(({ id }) => id))("train %s --options lists every option", async (id) => {
  const shown = await midcourse("train", id, "--options");
  for (const name of Object.keys(recipes.find((card) => card.id === id)!.options))
    expect(shown).toMatch(new RegExp(`^${name}[ .]`, "m"));
});

describe("a file, --set and flags, the later against the earlier", () => {
  test("in this order, and over the preset", () => {
    const file = settings(
      "all.json",
      '{"loops": 7, "growth": 2, "training": {"warmup": 5, "patience": "Infinity"}, "instruction": null}',
    );
    const chosen = optionsOf("--rounds=9", "--no-rationalise", "--settings", file, "--set", "growth=3", "training.saveEvery=4");
    expect(chosen).toMatchObject({ loops: 9, growth: 3, rationalise: false, instruction: undefined });
    expect(chosen.training).toMatchObject({ warmup: 5, saveEvery: 4, patience: Number.POSITIVE_INFINITY, learningRate: 3e-4 });
    expect(optionsOf("--preset=paper")).toMatchObject({ training: { learningRate: 1e-6 } });
    expect(optionsOf()).toMatchObject({ loops: 4, rationalise: true, questions: 200 });
  });

  test.each([
    ["broken.json", "{", "is no JSON"],
    ["list.json", "[1]", "holds no options"],
    ["marked.json", '\uFEFF{"loop": 1}', "star has no option “loop”"],
    ["name.json", '{"loop": 1}', "star has no option “loop”"],
    ["type.json", '{"loops": "3"}', 'star: loops="3" (a text) is not a whole number from 1'],
    ["range.json", '{"training": {"learningRate": 0}}', "star: training.learningRate=0 is not a number above 0"],
  ])("%s is refused before anything is written: %s %s", async (name, text, message) => {
    const out = path.join(root, "refused");
    await expect(midcourse("train", "star", "--settings", settings(name, text), "--out", out)).rejects.toThrow(message);
    expect(existsSync(out)).toBe(false);
  });
});

test("the example of settings is an option that the recipe has", async () => {
  const file = settings("none.json", "[]");
  const refused = await midcourse("train", "isc", "--settings", file).catch((error: { advice?: string }) => error.advice);
  const example = /^For example (\{.*\})\.$/.exec(String(refused))?.[1];
  const words = ["--settings", settings("example.json", String(example))];
  const command = recipeCommand(isc).exitOverride();
  command.parse(words, { from: "user" });
  expect(() => chosenOptions(isc, worldSource, recipeRun(isc, command))).not.toThrow();
});

test("a flag of one's own card that every recipe has is refused", async () => {
  const option = '{ a: { type: "integer", default: 1, description: "d" } }';
  const card = `{ id: "mine", name: "Mine", summary: "s", status: "experimental", options: ${option}, presets: { small: {} },
    flags: { "--seed <n>": { option: "a" } }, learnsFrom: "questions", methods: () => [], train: () => {}, costs: () => ({}) }`;
  const file = settings("flag.mjs", `export default ${card};`);
  await expect(midcourse("train", file)).rejects.toMatchObject({
    family: "user",
    what: `${file}: the flag --seed of its card is one that every recipe has`,
  });
});

test.each([
  [["--out", "x"], "stands where the recipe is named"],
  [["scor"], "there is no recipe"],
  [["star", "--epochs", "2"], "unknown option"],
  [["isc", "--samples", "0"], "isc: samples=0 is not a whole number from 1"],
  [["ptr", "--out", "x"], "ptr learns from files of examples"],
  [["pasr-ift", "--trained", "a", "--from-run", "b"], "one of two places"],
])("%j is refused: %s", async (words, message) => {
  await expect(midcourse("train", ...words)).rejects.toThrow(message);
  expect(existsSync("x")).toBe(false);
});
