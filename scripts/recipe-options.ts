/** Writes docs/recipe-options.md from the cards. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { recipes } from "#recipes/catalogue.ts";
import { recipeOptionsPage } from "#recipes/option-table.ts";

writeFileSync(path.join(import.meta.dirname, "../docs/recipe-options.md"), recipeOptionsPage(recipes));
