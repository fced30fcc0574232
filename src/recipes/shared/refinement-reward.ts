/**
 * The reward of PASR (arXiv 2508.12903, section 2.3): format, accuracy and refinement, each by itself, summed by eq. 7. PASR trains with it,
 * PASR+IFT sorts by it what PASR wrote.
 */
import { meanOrZero } from "#kernel/numbers.ts";
import type { ParsedAnswer } from "#kernel/refine-grammar.ts";

export interface PasrRewardOptions {
  /**
   * ζ of eq. 6: how far the accuracy of a refined answer must be from the mean accuracy of the plain ones to count as better or worse.
   * The paper names no value; the released code compares without one (0).
   */
  tolerance: number;
  /**
   * What a refinement is compared with. `versus-group`: the mean accuracy of all plain answers, the method itself (eq. 6).
   * `versus-single`: of the first plain answer alone, the ablation “w/o multi-answer” (section 3.4, Table 2: −4.5 on average).
   * `any-refinement`: nothing, every refinement earns +1, the ablation “w/o comparison” that is open to reward hacking (Table 2: −5.5).
   */
  refineReward: "versus-group" | "versus-single" | "any-refinement";
}

/** Eq. 6, and 0 where nothing was refined. `hasRefinement`: at least one complete refine span inside the thinking. */
export function refinementReward(
  hasRefinement: boolean,
  accuracy: number,
  plainAccuracies: readonly number[],
  { tolerance, refineReward }: PasrRewardOptions,
): number {
  if (!hasRefinement) return 0;
  if (refineReward === "any-refinement") return 1;
  const expected = refineReward === "versus-single" ? plainAccuracies[0] : meanOrZero(plainAccuracies);
  if (accuracy > expected + tolerance) return 1;
  if (accuracy < expected - tolerance) return -1;
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
