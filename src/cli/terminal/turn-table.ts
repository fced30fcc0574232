/** Both turns of a model before and after training, as lines of text. */

import type { TurnAccuracies } from "#recipes/score/evaluation.ts";
import { percent, pointsWithin } from "#text/numbers.ts";
import { alignedRows } from "#text/table.ts";

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
