import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { recipes } from "./catalogue.ts";
import { findRecipe } from "./find-recipe.ts";

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
    (thrown: { message: string; advice?: string; family: string }) => `${thrown.family}: ${thrown.message} → ${thrown.advice}`,
  );
  expect(error).toMatch(/^user: /);
  expect(error).toContain(message);
});
