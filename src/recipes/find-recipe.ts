/** A recipe by its name in the catalogue, by a file of one's own or by a package. */
import { loadModule } from "#files/outside-module.ts";
import { userError } from "#kernel/errors.ts";
import { meant } from "#kernel/options.ts";
import { exportedOne, isRecord } from "#kernel/values.ts";
import { recipes } from "./catalogue.ts";
import { checkedCard, keepContent, slipIn } from "./outside-recipe.ts";
import type { RecipeCard } from "./recipe-card.ts";

/** Throws user errors alone. */
export async function findRecipe(name: string): Promise<RecipeCard> {
  const ids = recipes.map(({ id }) => id);
  const known = recipes.find(({ id }) => id === name);
  if (known !== undefined) return known;
  const module = await loadModule(name);
  if (module === undefined)
    throw userError("unknown-recipe", `there is no recipe “${name}”`, `${meant(name, ids)}There are: ${ids.join(", ")}.`);
  try {
    const card = checkedCard(cardIn(module, name), name);
    if (ids.includes(card.id))
      throw userError("recipe-id-taken", `${name}: there is a recipe ${card.id} already`, "Give it another id.");
    return keepContent(card, name);
  } catch (error) {
    throw slipIn(name, error);
  }
}

/** What is meant for a recipe, which may be no good one. */
function cardIn(module: Readonly<Record<string, unknown>>, name: string): unknown {
  const alone = Object.values(module);
  const card =
    exportedOne(module, ["recipe"], (value) => (isRecord(value) && "presets" in value && "train" in value ? value : undefined)) ??
    module.default ??
    module.recipe ??
    (alone.length === 1 ? alone[0] : undefined);
  if (card !== undefined) return card;
  const exported = Object.keys(module).sort().join(", ") || "nothing";
  throw userError(
    "no-recipe",
    `${name} exports ${exported}, and no recipe`,
    "Export the card as default, as `recipe`, or alone.",
  );
}
