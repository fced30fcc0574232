/** Accuracy round by round of a model that refines in one chat, as PTR reports it. */

import type { AnswerPlan } from "#evaluation/answer-item.ts";
import type { EvaluationRecord } from "#evaluation/evaluation-record.ts";
import { evaluate } from "#evaluation/run.ts";
import { countTransitions } from "#evaluation/transitions.ts";
import type { Item } from "#kernel/item.ts";
import { refineRequest } from "#kernel/refine-request.ts";
import { ptrRounds } from "#methods/ptr-rounds.ts";

export interface RoundsPlan extends Pick<AnswerPlan, "model" | "verify" | "maxTokens" | "seed" | "ask" | "signal"> {
  items: readonly Item[];
  /** R; the paper reports 3 and tries 10. */
  rounds?: number;
  /** 0, greedy, when left out. */
  temperature?: number;
  /** System message of every call. */
  instruction?: string;
  /** What the training examples said between an attempt and the next. */
  request?: string;
}

export type RoundFigures = {
  round: number;
  /** Mean over all items; of a conversation that ended earlier, as at the model's context, the last answer stands. */
  accuracy: number;
  /** Items that had an answer of this round. */
  answered: number;
  /** Counts against the round before; 0 in round 1. */
  wrongToRight: number;
  rightToWrong: number;
};

export async function evaluateRounds(plan: RoundsPlan): Promise<RoundFigures[]> {
  const { rounds = 3, temperature = 0, instruction, request = refineRequest, ...rest } = plan;
  const method = ptrRounds({ rounds, refinePrompt: request, ...(instruction === undefined ? {} : { instruction }) });
  const { records } = await evaluate({ ...rest, methods: [method], temperature });
  plan.signal?.throwIfAborted();
  return roundFigures(records, rounds);
}

/** From records of `ptr-rounds`. */
export function roundFigures(
  records: readonly Pick<EvaluationRecord, "accuracy" | "attempts">[],
  rounds: number,
): RoundFigures[] {
  // A record of one attempt holds no list of attempts.
  const graded = records.map(({ accuracy, attempts }) => attempts?.map((attempt) => attempt.accuracy) ?? [accuracy]);
  const at = (round: number) => graded.map((accuracies) => accuracies[Math.min(round, accuracies.length) - 1] ?? 0);
  return Array.from({ length: rounds }, (_, index): RoundFigures => {
    const round = index + 1;
    const now = at(round);
    const before = at(Math.max(1, round - 1));
    const { wrongToRight, rightToWrong } = countTransitions(now.map((accuracy, item) => [before[item]!, accuracy] as const));
    return {
      round,
      accuracy: now.reduce((sum, accuracy) => sum + accuracy, 0) / Math.max(1, now.length),
      answered: graded.filter((accuracies) => accuracies.length >= round).length,
      wrongToRight,
      rightToWrong,
    };
  });
}
