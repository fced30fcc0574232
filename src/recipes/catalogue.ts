/** Every recipe that comes with the package, in the order they are listed. */
import { isc } from "./isc/recipe.ts";
import { pasr } from "./pasr/recipe.ts";
import { pasrIft } from "./pasr-ift/recipe.ts";
import { ptr } from "./ptr/recipe.ts";
import type { RecipeCard } from "./recipe-card.ts";
import { rise } from "./rise/recipe.ts";
import { score } from "./score/recipe.ts";
import { sft } from "./sft/recipe.ts";
import { star } from "./star/recipe.ts";

export const recipes: readonly RecipeCard[] = [sft, pasr, ptr, score, star, isc, rise, pasrIft];
