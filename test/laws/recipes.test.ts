/** The laws of the catalogue of recipes: where a recipe stands, whom it may import, how long it is, and what the documents say of it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { recipes } from "#recipes/catalogue.ts";
import type { RecipeCard } from "#recipes/recipe-card.ts";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");
const room = path.join(root, "src/recipes");

/** Sources by their place below `src/recipes`, tests left out. */
const sources = new Map(
  readdirSync(room, { recursive: true, encoding: "utf8" })
    .map((file) => file.split(path.sep).join("/"))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => [file, read(`src/recipes/${file}`)]),
);

/** A folder for each paper: those with a recipe, and the making of PTR's data. */
const papers = new Set([...recipes.map(({ id }) => id), "ptr-data"]);

/** Imports of one paper by another; the table and the first run are made of papers and may name them all. */
function crossings(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([file, text]) => {
    const own = file.split("/")[0];
    if (!papers.has(own) && own !== "shared" && own !== "sources") return [];
    return [...text.matchAll(/from "\.\.\/([a-z-]+)\/[^"]+"/g)]
      .filter(([, other]) => papers.has(other) && other !== own)
      .map(([, other]) => `${file} imports ${other}`);
  });
}

/** Folders that are longer than a recipe should be, each with what makes it so. */
const longer: Readonly<Record<string, string>> = {
  score: "two stages, turns by the chat template, and weights kept by reward",
  ptr: "examples of every format, and rounds measured before and after",
};

function lines(folder: string, files: ReadonlyMap<string, string>): number {
  const own = [...files].filter(([file]) => file.startsWith(`${folder}/`));
  return own.reduce((sum, [, text]) => sum + text.split("\n").length - 1, 0);
}

/** Cards whose paper has no section on the page of options, or that is not named among the papers' settings. */
function unlisted(cards: readonly RecipeCard[], options: string, settings: string): string[] {
  const isListed = ({ name, id, paper }: RecipeCard) =>
    options.includes(`## ${name}\n\n\`midcourse train ${id}\``) && (paper === undefined || settings.includes(paper.arxiv));
  return cards.filter((card) => !isListed(card)).map(({ id }) => id);
}

describe("papers", () => {
  test("never import each other: what they share stands in shared/", () => {
    expect(crossings(sources)).toEqual([]);
    const planted = new Map([
      ["star/recipe.ts", 'import { ptr } from "../ptr/recipe.ts";'],
      ["shared/judge.ts", 'import { strictAnswer } from "../pasr/reward.ts";'],
      ["table-one/rows.ts", 'import { ptr } from "../ptr/recipe.ts";'],
    ]);
    expect(crossings(planted)).toEqual(["star/recipe.ts imports ptr", "shared/judge.ts imports pasr"]);
  });

  test("stand each in a folder of at most 400 lines, or say why not", () => {
    for (const { id } of recipes) {
      expect(existsSync(path.join(room, id, "recipe.ts")), id).toBe(true);
      expect(lines(id, sources) > 400, `${id}: ${lines(id, sources)} lines`).toBe(id in longer);
    }
  });

  test("a folder with a recipe is in the catalogue", () => {
    const folders = [...sources.keys()].filter((file) => file.endsWith("/recipe.ts")).map((file) => file.split("/")[0]);
    expect(folders.sort()).toEqual(recipes.map(({ id }) => id).sort());
  });
});

describe("cards", () => {
  test("have a name of small letters, each another, and a state", () => {
    for (const { id, status } of recipes) {
      expect(id).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
      expect(["stable", "experimental"]).toContain(status);
    }
    expect(new Set(recipes.map(({ id }) => id)).size).toBe(recipes.length);
  });

  test("stand in the documents", () => {
    const [options, settings] = [read("docs/recipe-options.md"), read("docs/paper-settings.md")];
    expect(unlisted(recipes, options, settings)).toEqual([]);
    const other = { ...recipes[1], id: "other", name: "Other" };
    expect(unlisted([other], options, settings)).toEqual(["other"]);
    expect(unlisted([recipes[1]], options, "")).toEqual([recipes[1].id]);
  });
});
