/** The rewards of SCoRe (arXiv 2409.12917) turn by turn, and how an answer is graded. The recipe is in score.ts. */
import type { Item } from "#kernel/item.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import type { TurnRewards } from "#training/policy/reinforce-step-batch.ts";
import type { TurnGrader } from "#training/policy/turn-rollouts.ts";
import { type Judge, strictAnswer } from "../pasr/reward.ts";

/** Stage I pays the second answer alone. */
export const stageOneRewards: TurnRewards = ([, second]) => [0, second];

/** Stage II pays both, and adds to the second α times what it gained on the first. */
export function stageTwoRewards(progressBonus: number): TurnRewards {
  return ([first, second]) => [first, second + progressBonus * (second - first)];
}

/** Grades a turn by the answer that can be read out of it, tagged or not. */
export function turnGrader(decode: (ids: readonly number[]) => string, judge: Judge): TurnGrader<Item> {
  return {
    async grade(item, sample) {
      const text = decode(sample.ids);
      const parsed = parseRefine(text);
      const answer = strictAnswer(parsed) ?? parsed.answerText;
      const { accuracy, extracted } = await judge(item, answer, text);
      return { accuracy, text, answer: extracted ?? answer };
    },
  };
}
