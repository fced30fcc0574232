/** Our order of the rows beside a published one: pair by pair where ours can tell, and Kendall's tau over all. */
import type { Interval } from "../statistics/statistics.ts";
import { type Drawn, difference, estimate } from "./draws.ts";
import type { TableRow } from "./input.ts";

/**
 * `not separable`: the interval of our paired difference holds 0. `tied in the paper`: both have the same published average, so there is no
 * order to agree with.
 */
export type PairVerdict = "agree" | "disagree" | "not separable" | "tied in the paper";

export interface AgreementPair {
  first: string;
  second: string;
  /** First − second: published, in points; and ours, as a share, with its interval. */
  published: number;
  difference: number;
  interval: Interval;
  verdict: PairVerdict;
}

export interface Agreement {
  /** Which published column. */
  column: string;
  /** Rows with a published average and an own one. */
  rows: string[];
  pairs: AgreementPair[];
  counts: { [verdict in PairVerdict]: number };
  /** Kendall's tau-b of the two orders; absent with fewer than two rows, or where either order is one tie. */
  tau?: number;
}

export function agreements(rows: readonly TableRow[], drawnOf: (row: string) => Drawn | undefined): Agreement[] {
  const columns = [...new Set(rows.flatMap(({ paper }) => Object.keys(paper ?? {})))];
  const drawn = new Map(rows.map(({ id }) => [id, drawnOf(id)]));
  return columns.map((column): Agreement => {
    const both = rows.flatMap(({ id, paper }) => {
      const published = paper?.[column];
      const own = drawn.get(id);
      return published !== undefined && Number.isFinite(published) && own ? [{ id, published, own }] : [];
    });
    const pairs = both.flatMap((first, index) =>
      both.slice(index + 1).map((second): AgreementPair => {
        const { value, interval } = estimate(difference(first.own, second.own), -1);
        const published = first.published - second.published;
        return {
          first: first.id,
          second: second.id,
          published,
          difference: value,
          interval,
          verdict: judge(published, interval),
        };
      }),
    );
    const counts = { agree: 0, disagree: 0, "not separable": 0, "tied in the paper": 0 };
    for (const { verdict } of pairs) counts[verdict]++;
    const tau = kendallTau(
      both.map(({ published }) => published),
      both.map(({ own }) => estimate(own, 0).value),
    );
    return { column, rows: both.map(({ id }) => id), pairs, counts, ...(tau === undefined ? {} : { tau }) };
  });
}

function judge(published: number, [low, high]: Interval): PairVerdict {
  if (published === 0) return "tied in the paper";
  if (low <= 0 && high >= 0) return "not separable";
  return low > 0 === published > 0 ? "agree" : "disagree";
}

/** Kendall's tau-b: +1 for the same order, −1 for the reverse, ties taken out of both. */
export function kendallTau(first: readonly number[], second: readonly number[]): number | undefined {
  let sum = 0;
  const untied = [0, 0];
  for (let later = 1; later < first.length; later++) {
    for (let earlier = 0; earlier < later; earlier++) {
      const signs = [first, second].map((values) => signOf(values[later] - values[earlier]));
      sum += signs[0] * signs[1];
      for (const [index, sign] of signs.entries()) untied[index] += Math.abs(sign);
    }
  }
  return untied[0] * untied[1] > 0 ? sum / Math.sqrt(untied[0] * untied[1]) : undefined;
}

/** Means of the same answers may differ by rounding. */
function signOf(value: number): number {
  return Math.abs(value) < 1e-9 ? 0 : Math.sign(value);
}

/*
 * Published averages of PASR ("A Stitch in Time Saves Nine: Proactive Self-Refinement for Language Models", Han et al., arXiv 2508.12903),
 * by row id. Rows and models that are not here are not known here; nothing was filled in.
 */

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
