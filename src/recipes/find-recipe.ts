/** A recipe by its name in the catalogue, by a file of one's own or by a package. */
import { loadModule } from "#files/outside-module.ts";
import { userError } from "#kernel/errors.ts";
import { meant } from "#kernel/options.ts";
import { recipes } from "./catalogue.ts";
import type { RecipeCard } from "./recipe-card.ts";

export async function findRecipe(name: string): Promise<RecipeCard> {
  const known = recipes.find(({ id }) => id === name);
  if (known !== undefined) return known;
  const module = await loadModule(name);
  if (module === undefined) {
    const ids = recipes.map(({ id }) => id);
    throw userError("unknown-recipe", `there is no recipe “${name}”`, `${meant(name, ids)}There are: ${ids.join(", ")}.`);
  }
  const all = Object.values(module);
  const card = module.default ?? module.recipe ?? (all.length === 1 ? all[0] : undefined);
  if (card !== undefined) return checkedCard(card, name);
  const exported = Object.keys(module).sort().join(", ") || "nothing";
  throw userError(
    "no-recipe",
    `${name} exports ${exported}, and no recipe`,
    "Export the card as default, as `recipe`, or alone.",
  );
}

/** The card, if it is one: what every recipe must have is looked at, the rest shows when it runs. Throws user errors alone. */
export function checkedCard(card: unknown, from: string): RecipeCard {
  const found = typeof card === "object" && card !== null ? (card as Record<string, unknown>) : {};
  const texts = ["id", "name", "summary"].filter((name) => typeof found[name] !== "string");
  const groups = ["options", "presets"].filter((name) => typeof found[name] !== "object" || found[name] === null);
  const functions = ["methods", "train", "costs"].filter((name) => typeof found[name] !== "function");
  const isStated = found.status === "stable" || found.status === "experimental";
  const learns = found.learnsFrom === "questions" || found.learnsFrom === "files";
  const faults = [
    ...texts.map((name) => `${name} is no text`),
    ...groups.map((name) => `${name} is no object`),
    ...functions.map((name) => `${name} is no function`),
    ...(isStated ? [] : ["status is neither stable nor experimental"]),
    ...(learns ? [] : ["learnsFrom is neither questions nor files"]),
    ...(groups.includes("presets") || Object.keys(found.presets as object).length > 0 ? [] : ["presets has none"]),
  ];
  if (faults.length === 0) return card as RecipeCard;
  throw userError(
    "no-recipe",
    `what ${from} exports is no recipe: ${faults.join(", ")}`,
    "Make it with defineRecipe, whose types say what is missing.",
  );
}
