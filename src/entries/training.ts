/** `midcourse/training`: the training recipes, each with its paper's constants. They train what `midcourse/engine` opens. */

export { iscMethod, paperIscOptions, smallIscOptions, trainIsc } from "#recipes/isc/recipe.ts";
export { type PasrOptions, paperPasrOptions, smallWorldPasrOptions, trainPasr } from "#recipes/pasr/recipe.ts";
export { drawPasrGroups, goodPaths, trainPasrIft } from "#recipes/pasr-ift/recipe.ts";
export { evaluateRounds } from "#recipes/ptr/evaluation.ts";
export { type PtrOptions, ptrPresets, trainPtr } from "#recipes/ptr/recipe.ts";
export { paperRiseOptions, smallRiseOptions, trainRise } from "#recipes/rise/recipe.ts";
export { riseTurns } from "#recipes/rise/turns.ts";
export { twoTurns } from "#recipes/score/evaluation.ts";
export { paperScoreOptions, type ScoreOptions, smallWorldScoreOptions, trainScore } from "#recipes/score/recipe.ts";
export { trainSupervised } from "#recipes/sft/recipe.ts";
export { paperStarOptions, smallStarOptions, trainStar } from "#recipes/star/recipe.ts";
export { openRun, readRun, withRun } from "#record/run-directory.ts";
