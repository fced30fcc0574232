/**
 * Published averages of PASR ("A Stitch in Time Saves Nine: Proactive Self-Refinement for Language Models", Han et al., arXiv 2508.12903),
 * by row id. Rows and models that are not here are not known here; nothing was filled in.
 */
import type { TableRow } from "./training-table.ts";

export const paperSource = "PASR (Han et al., arXiv 2508.12903), Table 1: averages over ten tasks in per cent.";

export const paperAblationSource =
  "PASR (Han et al., arXiv 2508.12903), section 3.4 and Table 2: averages as points away from PASR's own.";

/** What keeps the published numbers from being compared with others one by one. */
export const paperCaution =
  "The paper's baseline rows are its own runs of those methods on other data (its SCoRe row is preference tuning, for instance), at " +
  "another scale and on other tasks. Only the order of the rows can be set beside ours, not the numbers.";

/** Table 1, column by base model. */
export const paperAverages: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  base: { "Qwen2.5-7B": 55.9, "Qwen3-8B": 60.9 },
  ptr: { "Qwen2.5-7B": 61.6, "Qwen3-8B": 54.5, "Qwen2.5-14B": 62.7 },
  score: { "Qwen2.5-7B": 48.2, "Qwen3-8B": 64.0, "Qwen2.5-14B": 70.5 },
  star: { "Qwen2.5-7B": 49.7, "Qwen3-8B": 38.7, "Qwen2.5-14B": 66.8 },
  isc: { "Qwen2.5-7B": 43.7, "Qwen3-8B": 38.6, "Qwen2.5-14B": 62.8 },
  rise: { "Qwen2.5-7B": 57.7, "Qwen3-8B": 59.2 },
  pasr: { "Qwen2.5-7B": 61.7, "Qwen3-8B": 69.1 },
};

/** Table 2: what is lost without the group of plain answers, and without any comparison. */
export const paperAblation: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  pasr: { "Table 2": 0 },
  "pasr-single-reference": { "Table 2": -4.5 },
  "pasr-any-refinement": { "Table 2": -5.5 },
};

/** The rows with what is published of them; what a row brings itself stays. */
export function withPublished<Row extends TableRow>(
  rows: readonly Row[],
  published: Readonly<Record<string, Readonly<Record<string, number>>>> = paperAverages,
): Row[] {
  return rows.map((row) => (row.paper || !published[row.id] ? row : { ...row, paper: { ...published[row.id] } }));
}
