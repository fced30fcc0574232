/**
 * `midcourse/training`: the training recipes, each with its paper's constants. `runRecipe` takes a card, those of `recipes` or one of your own
 * made by `defineRecipe`, from its options to a measured model; the functions behind them train what `midcourse/engine` opens.
 */

export { deriveSeed } from "#kernel/seed.ts";
export { recipes } from "#recipes/catalogue.ts";
export { findRecipe } from "#recipes/find-recipe.ts";
export { iscMethod, paperIscOptions, smallIscOptions, trainIsc } from "#recipes/isc/recipe.ts";
export { type PasrOptions, paperPasrOptions, smallWorldPasrOptions } from "#recipes/pasr/options.ts";
export { trainPasr } from "#recipes/pasr/recipe.ts";
export { drawPasrGroups, goodPaths, trainPasrIft } from "#recipes/pasr-ift/recipe.ts";
export { evaluateRounds } from "#recipes/ptr/evaluation.ts";
export { type PtrOptions, ptrPresets, trainPtr } from "#recipes/ptr/recipe.ts";
export { defineRecipe, modelWhenFinished, type RecipeCard, type RecipeWork, type Trained } from "#recipes/recipe-card.ts";
export { defaultsOf, type RecipeChanges, type RecipeValues, recipeOptions, withDefaults } from "#recipes/recipe-options.ts";
export { paperRiseOptions, smallRiseOptions, trainRise } from "#recipes/rise/recipe.ts";
export { riseTurns } from "#recipes/rise/turns.ts";
export { chosenOptions, type RecipeResult, type RecipeRun, runRecipe } from "#recipes/run-recipe.ts";
export { twoTurns } from "#recipes/score/evaluation.ts";
export { paperScoreOptions, type ScoreOptions, smallWorldScoreOptions } from "#recipes/score/options.ts";
export { trainScore } from "#recipes/score/recipe.ts";
export { trainSupervised } from "#recipes/sft/recipe.ts";
export { type GradedSample, gradedSamples } from "#recipes/shared/graded-samples.ts";
export { adamWOptions, collectingFlags, questionsOption, smallWeighted, weightedOptions } from "#recipes/shared/option-groups.ts";
export { type SelfTraining, selfTrain } from "#recipes/shared/self-training.ts";
export { firstQuestions, type Source } from "#recipes/sources/source.ts";
export { paperStarOptions, smallStarOptions, trainStar } from "#recipes/star/recipe.ts";
export { openRun, readRun, withRun } from "#record/run-directory.ts";
