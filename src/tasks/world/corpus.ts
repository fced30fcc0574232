/** What the small world's base model is trained on: an endless mix of drills, plain and refined solutions and self-refine conversations. */
import type { TrainingConversation } from "#kernel/conversation.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { defaultWorldOptions } from "./chains.ts";
import { type WorldItem, type WorldStreamOptions, worldStream } from "./items.ts";
import {
  defaultSolutionOptions,
  drillConversation,
  plainConversation,
  refinedConversation,
  type SolutionOptions,
  selfRefineConversation,
} from "./solutions.ts";

export interface CorpusOptions extends SolutionOptions {
  /** Shares among solutions of refined ones and of self-refine conversations; the rest are plain. */
  refinedShare: number;
  selfRefineShare: number;
  /** Share of drills at the beginning and, after `drillExamples` examples of a straight line, from then on. */
  drillShareStart: number;
  drillShareEnd: number;
  drillExamples: number;
  /** Share of careful drills among drills. */
  carefulDrillShare: number;
  /** Share of products in careful drills and in quick ones: the second decides how good the model gets at products in one go. */
  carefulHardShare: number;
  quickHardShare: number;
}

export const defaultCorpusOptions: CorpusOptions = {
  ...defaultSolutionOptions,
  refinedShare: 0.45,
  selfRefineShare: 0.12,
  drillShareStart: 0.7,
  drillShareEnd: 0.3,
  drillExamples: 60_000,
  carefulDrillShare: 0.6,
  carefulHardShare: 0.8,
  quickHardShare: 0.1,
};

/** Conversations over the train stream of problems; the same for the same seed and options. */
export function* worldCorpus(
  seed: number,
  options: CorpusOptions = defaultCorpusOptions,
  stream: Omit<WorldStreamOptions, "split" | "seed"> = { minSteps: 1, maxSteps: 3, storyShare: 0.35 },
): Generator<TrainingConversation> {
  let index = 0;
  for (const item of worldStream({ ...stream, split: "train", seed })) {
    const progress = Math.min(1, index++ / options.drillExamples);
    const drillShare = options.drillShareStart + (options.drillShareEnd - options.drillShareStart) * progress;
    yield worldConversation(item, new Random(deriveSeed(seed, "conversation", item.id)), drillShare, options);
  }
}

function worldConversation(item: WorldItem, random: Random, drillShare: number, options: CorpusOptions): TrainingConversation {
  if (random.chance(drillShare)) {
    const careful = random.chance(options.carefulDrillShare);
    const hardShare = careful ? options.carefulHardShare : options.quickHardShare;
    return drillConversation(item.id, defaultWorldOptions, careful, hardShare, random);
  }
  const draw = random.uniform();
  if (draw < options.refinedShare) return refinedConversation(item, random, options);
  if (draw >= options.refinedShare + options.selfRefineShare) return plainConversation(item);
  return selfRefineConversation(item, random.chance(0.7) ? 1 : random.integer(2, 3), random);
}
