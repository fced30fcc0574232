import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { recipes } from "./catalogue.ts";
import { findRecipe } from "./find-recipe.ts";
import { checkedCard, slipIn } from "./outside-recipe.ts";
import { runRecipe } from "./run-recipe.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), "recipes-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function written(name: string, text: string): string {
  const file = path.join(root, name);
  writeFileSync(file, text);
  return file;
}

const card =
  '{ id: "mine", name: "Mine", summary: "s", status: "experimental", options: {}, presets: { small: {} }, learnsFrom: "questions", methods: () => [], train: async () => ({ model: undefined }), costs: () => ({ answers: 0 }) }';

test("of the catalogue by its id, of a file by its path, exported as default, as recipe or alone", async () => {
  for (const each of recipes) expect(await findRecipe(each.id)).toBe(each);
  expect(await findRecipe(written("mine.mjs", `export default ${card};`))).toMatchObject({ id: "mine" });
  expect(await findRecipe(written("typed.mts", `export const recipe: object = ${card};\nexport const more = 1;`))).toMatchObject({
    id: "mine",
  });
  expect(await findRecipe(written("only.mjs", `export const mine = ${card};`))).toMatchObject({ id: "mine" });
});

test("of a module of the older kind, and beside another default", async () => {
  const found = async (name: string, text: string) => expect(await findRecipe(written(name, text))).toMatchObject({ id: "mine" });
  await found("named.cjs", `module.exports = { recipe: ${card} };`);
  await found("default.cjs", `exports.__esModule = true; exports.default = ${card};`);
  await found("alone.cjs", `exports.mine = ${card};`);
  await found("beside.mjs", `export default function helper() {}\nexport const recipe = ${card};`);
});

test.each([
  ["an id that leads out of the run folder", 'id: "../../escape"', "id is not of small letters"],
  ["an id of the catalogue", 'id: "pasr"', "there is a recipe pasr already"],
  ["an unknown type", 'options: { a: { type: "wrong", description: "d" } }', "option a: type is none of integer, number"],
  [
    "a default out of range",
    'options: { g: { a: { type: "integer", default: -3, description: "d" } } }',
    "option g.a: default is not",
  ],
  ["an option of nothing", "options: { a: null }", "option a: is no object"],
  ["a choice without choices", 'options: { a: { type: "choice", description: "d" } }', "option a: choices is no list"],
  ["a flag without an option", 'flags: { "--zzz <n>": { option: "nope" } }', "flag --zzz <n> sets nope, which is no option"],
  ["a flag that is none", 'flags: { zzz: { option: "a" } }', "“zzz” is no flag"],
  ["examples as one text", 'examples: "one"', "examples is no list of texts"],
  ["a paper without a title", "paper: {}", "paper is not a title"],
  ["a preset of nothing", "presets: { small: null }", "presets.small is neither"],
  ["a preset with an unknown option", "presets: { small: { b: 3 } }", "has no option “b”"],
  ["an id that throws", 'get id() { throw new Error("getter") }', "failed: getter → See at "],
])("a card with %s is refused", async (name, part, message) => {
  const file = written(`${name.replaceAll(" ", "-")}.mjs`, `const card = ${card};\nexport default { ...card, ${part} };`);
  const error = await findRecipe(file).then(
    () => "found",
    (thrown) => `${thrown.family}: ${thrown.message}`,
  );
  expect(error).toMatch(/^user: /);
  expect(error).toContain(message);
});

test("a group that holds itself is refused", async () => {
  const file = written("circle.mjs", `const o = {}; o.o = o;\nexport default { ...${card}, options: { o } };`);
  await expect(findRecipe(file)).rejects.toMatchObject({
    family: "user",
    message: expect.stringContaining("is a group in more"),
  });
});

test.each([
  ["train without a model", "train: async () => undefined", "train returned no { model }"],
  ["a model that is nowhere", 'train: async () => ({ model: "/nowhere" })', "train returned /nowhere, where no model is"],
  ["a training that ends of itself", "", "ended without a model"],
  ["methods that are none", "methods: () => undefined", "what methods returns is no list of methods"],
  ["a preset of nothing", "presets: { small: () => undefined }", "what preset small returns is no object"],
])("%s is the card's fault", async (name, part, message) => {
  const found = await findRecipe(written(`run-${name.replaceAll(" ", "-")}.mjs`, `export default { ...${card}, ${part} };`));
  await expect(runRecipe(found, { out: path.join(root, name), items: 0 })).rejects.toMatchObject({
    family: "user",
    message: expect.stringContaining(message),
  });
});

test("a run goes on with the module that it was begun with, and not with a changed one", async () => {
  mkdirSync(path.join(root, "first"));
  mkdirSync(path.join(root, "moved"));
  mkdirSync(path.join(root, "changed"));
  const out = path.join(root, "out");
  const run = async (name: string, text: string) =>
    runRecipe(await findRecipe(written(name, text)), { out, items: 0 }).catch(({ what }) => what);
  expect(await run("first/same.mjs", `export default ${card};`)).toBe("mine ended without a model");
  expect(await run("moved/same.mjs", `export default ${card};`)).toBe("mine ended without a model");
  expect(await run("changed/same.mjs", `export default ${card}; // More.`)).toMatch(
    /module \("same.mjs of content \w+" there, "same.mjs of content \w+" now\)/,
  );
});

test("every card of the catalogue passes the same check", () => {
  for (const each of recipes) expect(checkedCard(each, each.id)).toBe(each);
});

test("a slip in a module's own function is its author's, what the module has no part in stays ours", () => {
  const file = written("slip.mjs", "");
  const slip = new TypeError("x is undefined");
  slip.stack = `TypeError: x is undefined\n    at train (file://${file}:3:7)`;
  expect(slipIn(file, slip)).toMatchObject({ family: "user", advice: `See at train (file://${file}:3:7).` });
  expect(slipIn(file, "str")).toMatchObject({ family: "user", what: `${file} threw str` });
  const ours = new TypeError("ours");
  expect(slipIn(file, ours)).toBe(ours);
});

test.each([
  ["score2", "", "there is no recipe “score2” → Did you mean score? There are: sft, "],
  ["./nowhere.ts", "", "there is no file ./nowhere.ts"],
  ["none.mjs", "export const other = 1, more = 2;", "exports more, other, and no recipe → Export the card as default"],
  ["empty.mjs", "", "exports nothing, and no recipe"],
  ["throws.mjs", 'throw new Error("half-way");', "cannot be loaded: half-way"],
  ["number.mjs", "export default 3;", "is no recipe: id is no text"],
  ["shape.mjs", `export default { ...${card}, train: 1, presets: {} };`, "is no recipe: train is no function, presets has none"],
  ["state.mjs", `export default { ...${card}, status: "done" };`, "is no recipe: status is neither stable nor experimental"],
])("%s is refused", async (name, text, message) => {
  const asked = text === "" && name !== "empty.mjs" ? name : written(name, text);
  const error = await findRecipe(asked).then(
    () => "found",
    (thrown: { message: string; family: string }) => `${thrown.family}: ${thrown.message}`,
  );
  expect(error).toMatch(/^user: /);
  expect(error).toContain(message);
});
