/** How a model answers, is asked once more with the same fixed request, and answers again: what SCoRe (recipe.ts) is measured by. */
import type { EvaluationRecord } from "#evaluation/records/evaluation-record.ts";
import type { Interval } from "#evaluation/statistics/statistics.ts";
import { countTransitions, transitionShares } from "#evaluation/statistics/transitions.ts";
import { clusterName } from "#evaluation/summary/method-figures.ts";
import { pairedDifference } from "#evaluation/summary/paired-columns.ts";
import { mean } from "#kernel/numbers.ts";
import type { Method } from "#kernel/trace.ts";
import { ptrRounds } from "#methods/refinement/ptr-rounds.ts";
import { percent, pointsWithin } from "#text/numbers.ts";
import { alignedRows } from "#text/table.ts";
import type { RetryPrompts } from "./turns.ts";

/** Two turns, of which the second counts. */
export function twoTurns(id: string, { system, retry }: RetryPrompts): Method {
  return ptrRounds({ rounds: 2, id, instruction: system, refinePrompt: retry });
}

/** Accuracies and shares of all items in [0, 1]; `delta` is the second turn's accuracy less the first's, in [−1, 1]. */
export type TurnAccuracies = {
  items: number;
  turn1: number;
  turn2: number;
  delta: number;
  /** 95 %, items (or what they share) drawn with replacement. */
  deltaInterval: Interval;
  wrongToRight: number;
  rightToWrong: number;
};

/** From records of `twoTurns`. Where there was no second turn, as at the model's context, the first answer stands. */
export function turnAccuracies(
  records: readonly Pick<EvaluationRecord, "item" | "cluster" | "accuracy" | "attempts">[],
  seed: number,
): TurnAccuracies | undefined {
  if (records.length === 0) return undefined;
  const first = records.map(({ accuracy, attempts }) => attempts?.[0]?.accuracy ?? accuracy);
  const second = records.map(({ accuracy }) => accuracy);
  const { difference, interval } = pairedDifference(second, first, records.map(clusterName), seed);
  const { wrongToRight, rightToWrong } = transitionShares(
    countTransitions(first.map((accuracy, index) => [accuracy, second[index]])),
  );
  return {
    items: records.length,
    turn1: mean(first),
    turn2: mean(second),
    delta: difference,
    deltaInterval: interval,
    wrongToRight,
    rightToWrong,
  };
}

const columns: readonly { title: string; cell: (turns: TurnAccuracies) => string }[] = [
  { title: "turn 1", cell: ({ turn1 }) => percent(turn1) },
  { title: "turn 2", cell: ({ turn2 }) => percent(turn2) },
  { title: "Δ (95 %)", cell: ({ delta, deltaInterval }) => pointsWithin(delta, deltaInterval) },
  { title: "wrong→right", cell: ({ wrongToRight }) => `${percent(wrongToRight)} %` },
  { title: "right→wrong", cell: ({ rightToWrong }) => `${percent(rightToWrong)} %` },
];

/** One row for each model that was measured; what an absent one would say is not said. */
export function turnTable(models: Readonly<Record<string, TurnAccuracies | undefined>>): string[] {
  const rows = Object.entries(models).flatMap(([name, turns]) =>
    turns === undefined ? [] : [[name, ...columns.map(({ cell }) => cell(turns))]],
  );
  if (rows.length === 0) return [];
  return alignedRows([["", ...columns.map(({ title }) => title)], ...rows]);
}
