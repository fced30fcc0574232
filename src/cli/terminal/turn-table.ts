/** Both turns of a model before and after training, as lines of text. */
import type { TurnAccuracies } from "#recipes/score/evaluation.ts";

const columns: readonly { title: string; cell: (turns: TurnAccuracies) => string }[] = [
  { title: "turn 1", cell: ({ turn1 }) => percent(turn1) },
  { title: "turn 2", cell: ({ turn2 }) => percent(turn2) },
  { title: "Δ (95 %)", cell: ({ delta, deltaInterval: [low, high] }) => `${signed(delta)} (${signed(low)} … ${signed(high)})` },
  { title: "wrong→right", cell: ({ wrongToRight }) => `${percent(wrongToRight)} %` },
  { title: "right→wrong", cell: ({ rightToWrong }) => `${percent(rightToWrong)} %` },
];

/** One row for each model that was measured; what an absent one would say is not said. */
export function turnTable(models: Readonly<Record<string, TurnAccuracies | undefined>>): string[] {
  const rows = Object.entries(models).flatMap(([name, turns]) =>
    turns === undefined ? [] : [[name, ...columns.map(({ cell }) => cell(turns))]],
  );
  if (rows.length === 0) return [];
  const grid = [["", ...columns.map(({ title }) => title)], ...rows];
  const widths = grid[0].map((_, column) => Math.max(...grid.map((row) => row[column].length)));
  return grid.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join("  ")
      .trimEnd(),
  );
}

function percent(share: number): string {
  return (share * 100).toFixed(1);
}

function signed(share: number): string {
  const text = percent(Math.abs(share));
  return share < 0 && text !== "0.0" ? `−${text}` : share > 0 && text !== "0.0" ? `+${text}` : text;
}
