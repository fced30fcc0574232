/**
 * The reward of PASR (arXiv 2508.12903, section 2.3): format, accuracy and refinement, each by itself, summed by eq. 7. PASR trains with it,
 * PASR+IFT sorts by it what PASR wrote.
 */
import { meanOrZero } from "#kernel/numbers.ts";
import type { ParsedAnswer } from "#kernel/refine-grammar.ts";
import { refineInstruction } from "#methods/plain/pasr-format.ts";
import { type RecipeValues, recipeOptions } from "../recipe-options.ts";

export const rewardOptions = recipeOptions({
  tolerance: {
    type: "number",
    default: 0,
    maximum: 1,
    description: "ζ of eq. 6: how far from the plain answers' mean accuracy a refined answer counts as better or worse",
    paper: "not named; the code compares without one (0)",
  },
  refineReward: {
    type: "choice",
    choices: ["versus-group", "versus-single", "any-refinement", "none"],
    default: "versus-group",
    description:
      "what a refinement is compared with: all plain answers, the first alone, or nothing, so that any is paid, which is open to reward hacking; none: refinements earn nothing, the control with format and accuracy alone",
    paper:
      "versus-group; versus-single and any-refinement are its ablations (3.4, Table 2: −4.5 and −5.5 on average); none is ours",
  },
});

export type PasrRewardOptions = RecipeValues<typeof rewardOptions>;

/** System messages of the two kinds of answer: what the paper asks of a model that already follows instructions (Table B.3), in our own words. */
export const answerPrompts = recipeOptions({
  refine: { type: "text", default: refineInstruction, description: "system message of refined answers" },
  plain: {
    type: "text",
    default: "You are a helpful assistant. Work out the user's question and give the answer.",
    description: "system message of plain answers",
  },
});

/** Whether refined answers are set against plain ones, which have to be sampled then. */
export function comparesWithPlain(refineReward: PasrRewardOptions["refineReward"]): boolean {
  return refineReward === "versus-group" || refineReward === "versus-single";
}

/** The mean of eight times 0.7 is not 0.7 to the last bit: accuracies that differ by no more than rounding are equal. */
const rounding = 1e-9;

/** Eq. 6, and 0 where nothing was refined. `hasRefinement`: at least one complete refine span inside the thinking. */
export function refinementReward(
  hasRefinement: boolean,
  accuracy: number,
  plainAccuracies: readonly number[],
  { tolerance, refineReward }: PasrRewardOptions,
): number {
  if (!hasRefinement || refineReward === "none") return 0;
  if (refineReward === "any-refinement") return 1;
  const expected = refineReward === "versus-single" ? plainAccuracies[0] : meanOrZero(plainAccuracies);
  const ahead = accuracy - expected;
  if (ahead > tolerance + rounding) return 1;
  if (ahead < -tolerance - rounding) return -1;
  return -0.5;
}

/** Eq. 4 to 7. `accuracy` is what a verifier or a judge gave, in [0, 1]. */
export function pasrReward(
  parsed: Pick<ParsedAnswer, "ok" | "refines">,
  accuracy: number,
  plainAccuracies: readonly number[],
  options: PasrRewardOptions,
): { reward: number; terms: { format: number; accuracy: number; refine: number } } {
  const format = parsed.ok ? 1 : -1;
  const refine = refinementReward(parsed.refines.length > 0, accuracy, plainAccuracies, options);
  return { reward: format + accuracy + refine, terms: { format, accuracy, refine } };
}
