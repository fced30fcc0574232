/** How PASR (recipe.ts) grades the answers of its twin groups. */
import type { Sample } from "#kernel/engine.ts";
import type { Item } from "#kernel/item.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import type { Grade, Grader, PlainGrade } from "#training/policy/rollouts.ts";
import { type Judge, judged, strictAnswer } from "../shared/graded-samples.ts";
import { type PasrRewardOptions, pasrReward } from "../shared/refinement-reward.ts";

/** Grades samples for the twin-group rollouts. A plain answer need not keep the format: the best guess at its answer is graded. */
export function pasrGrader(decode: (ids: readonly number[]) => string, judge: Judge, options: PasrRewardOptions): Grader<Item> {
  return {
    async plain(item: Item, sample: Sample): Promise<PlainGrade> {
      const text = decode(sample.ids);
      const parsed = parseRefine(text);
      const { accuracy } = judged(await judge(item, strictAnswer(parsed) ?? parsed.answerText, text));
      return { accuracy, text };
    },
    async refined(item: Item, sample: Sample, plainAccuracies: readonly number[]): Promise<Grade> {
      const text = decode(sample.ids);
      const parsed = parseRefine(text);
      const answer = strictAnswer(parsed);
      const accuracy = answer === undefined ? 0 : judged(await judge(item, answer, text)).accuracy;
      return {
        ...pasrReward(parsed, accuracy, plainAccuracies, options),
        accuracy,
        wellFormed: parsed.ok,
        refinements: parsed.refines.length,
        text,
      };
    },
  };
}
