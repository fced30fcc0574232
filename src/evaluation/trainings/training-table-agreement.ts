/** Our order of the rows beside a published one: pair by pair where ours can tell, and Kendall's tau over all. */
import type { Interval } from "../statistics/statistics.ts";
import type { TableRow } from "./training-table.ts";
import { type Drawn, difference, estimate } from "./training-table-draws.ts";

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
