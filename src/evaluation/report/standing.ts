/**
 * Who is ahead, and whether anybody is: said in one way by every table, headline and comparison. A tie is called a tie, also one that only the
 * printed digits show, and nobody is called the most accurate who is not clearly ahead of the plain answers.
 */
import { counted } from "#kernel/numbers.ts";
import { formatP, percent, percentTogether } from "#text/numbers.ts";
import type { Interval } from "../statistics/statistics.ts";
import type { Results, TaskResult } from "../summary/results.ts";

/** A method that competes. */
export interface Competitor {
  id: string;
  accuracy: number;
  interval: Interval;
  /** Against the baseline, p corrected. */
  versusBaseline?: { difference: number; pHolm: number } | undefined;
}

/** A verdict needs a corrected p below this. */
export const clearP = 0.05;

/** Means of the same answers, taken in another order, differ by rounding alone. */
const alike = 1e-9;

/** Those with the highest accuracy; several are tied. */
export function leadersOf<Row extends { accuracy: number }>(rows: readonly Row[]): Row[] {
  const highest = rows.reduce((most, { accuracy }) => (accuracy > most ? accuracy : most), Number.NEGATIVE_INFINITY);
  return rows.filter(({ accuracy }) => accuracy >= highest - alike);
}

/** Those that stand out: the leaders, unless everybody is one. Of a single row it says nothing that it leads. */
export function standingOut<Row extends { accuracy: number }>(rows: readonly Row[]): Row[] {
  const leaders = leadersOf(rows);
  return leaders.length < rows.length ? leaders : [];
}

/** Oracles look at the answer, and whoever has answered fewer items than others was asked something else. */
export function competitorsOn({ methods }: TaskResult): TaskResult["methods"] {
  const honest = methods.filter(({ oracle }) => !oracle);
  const most = honest.reduce((highest, { items }) => Math.max(highest, items), 0);
  return honest.filter(({ items }) => items === most);
}

export function competitorsOver({ tasks, overall }: Results): Competitor[] {
  const byTask = tasks.map((task) => new Set(competitorsOn(task).map(({ id }) => id)));
  return overall
    .filter(({ id }) => byTask.every((ids) => ids.has(id)))
    .map(({ id, macro, versusBaseline }) => ({ id, ...macro, versusBaseline }));
}

export interface StandingWords {
  /** Such as “on Small world” or “over 3 tasks”; empty under a table that says it. */
  where: string;
  baseline: string;
  /** Intervals beside accuracies; false where a table beside it has them. */
  intervals: boolean;
}

/** One sentence about all of them; empty for none. */
export function standing(competitors: readonly Competitor[], words: StandingWords): string {
  const rows = competitors.filter(({ accuracy }) => Number.isFinite(accuracy));
  if (rows.length === 0) return "";
  const leaders = leadersOf(rows);
  const [first] = leaders;
  const figure = (row: Competitor) => figureOf(row, words.intervals);
  if (rows.length === 1) return `${first.id}, the only method${spaced(words)}, has ${figure(first)}.`;
  if (leaders.length === rows.length) return allTied(leaders, words);
  const baseline = rows.find(({ id }) => id === words.baseline);
  if (leaders.length > 1) {
    const tied = `${listed(leaders.map(({ id }) => id))} are tied for the highest accuracy of ${rows.length} methods${spaced(words)}: ${shared(leaders, words)}`;
    if (baseline === undefined) return `${tied}.`;
    if (leaders.includes(baseline)) return `${tied}, so that none is ahead of ${baseline.id}.`;
    const apart = leaders.filter(({ versusBaseline }) => isClear(versusBaseline));
    const verdict = apart.length === leaders.length ? "clearly less than each" : apart.length === 0 ? "not clearly less" : "";
    return `${tied}; ${baseline.id} has ${figure(baseline)}${verdict === "" ? "" : `, ${verdict}`}.`;
  }
  return oneAhead(rows, first, baseline, words);
}

/** Of several one has more than every other: it is the most accurate where that is clear, and has the highest figure where it is not. */
function oneAhead(
  rows: readonly Competitor[],
  first: Competitor,
  baseline: Competitor | undefined,
  words: StandingWords,
): string {
  const { intervals } = words;
  // Against the plain answers; of these themselves against the best of the others.
  const [second] = leadersOf(rows.filter((row) => row !== first));
  const other = baseline === undefined || baseline === first ? second : baseline;
  const test = other === baseline ? first.versusBaseline : baseline === first ? other.versusBaseline : undefined;
  const claim = isClear(test) ? "is the most accurate" : "has the highest accuracy";
  const start = `${first.id} ${claim} of ${rows.length} methods${spaced(words)}: ${figureOf(first, intervals)}`;
  const tail =
    test === undefined ? "" : `, ${isClear(test) ? "clearly less" : "no clear difference"} (corrected p ${formatP(test.pHolm)})`;
  const close = rows.filter((row) => row !== first && row !== other && percent(row.accuracy) === percent(first.accuracy));
  const rounded =
    close.length === 0
      ? ""
      : `; ${listed(close.map(({ id }) => id))} ${close.length === 1 ? "has" : "have"} as much to the digit shown`;
  return `${start}; ${other.id} has ${figureOf(other, intervals)}${tail}${rounded}.`;
}

function allTied(rows: readonly Competitor[], words: StandingWords): string {
  const both = rows.length === 2;
  const all = both ? "Both methods" : `All ${rows.length} methods`;
  const [{ accuracy }] = rows;
  const within = words.intervals && haveOneInterval(rows) ? ` (95\u00a0% interval ${range(rows[0].interval)})` : "";
  if (accuracy <= alike)
    return `${both ? "Neither method" : `None of ${rows.length} methods`} answers anything right${spaced(words)}: ${percentTogether(0)}${within}.`;
  if (accuracy >= 1 - alike) return `${all} answer everything right${spaced(words)}: ${percentTogether(1)}${within}.`;
  return `${all} are tied${spaced(words)}: ${shared(rows, words)}, so that none is ahead.`;
}

/** The accuracy that they share, with their intervals where these are not one. */
function shared(rows: readonly Competitor[], { intervals }: StandingWords): string {
  const each = percentTogether(rows[0].accuracy);
  if (!intervals) return `${each} each`;
  return haveOneInterval(rows)
    ? `${each} each (95\u00a0% interval ${range(rows[0].interval)})`
    : `${each} each (95\u00a0% intervals ${listed(rows.map(({ interval }) => range(interval)))})`;
}

function spaced({ where }: StandingWords): string {
  return where === "" ? "" : ` ${where}`;
}

function haveOneInterval(rows: readonly Competitor[]): boolean {
  return new Set(rows.map(({ interval }) => range(interval))).size === 1;
}

function figureOf({ accuracy, interval }: Competitor, intervals: boolean): string {
  return intervals ? `${percentTogether(accuracy)} (95\u00a0% interval ${range(interval)})` : percentTogether(accuracy);
}

function range([low, high]: Interval): string {
  return `${percentTogether(low)} to ${percentTogether(high)}`;
}

export function isClear(test: { pHolm: number } | undefined): boolean {
  return test !== undefined && test.pHolm < clearP;
}

/** The methods of one task. */
export function taskStanding(task: TaskResult, words: Omit<StandingWords, "baseline">): string {
  return standing(competitorsOn(task), { baseline: task.baseline, ...words });
}

/** The methods over all tasks. */
export function overallStanding(results: Results, words: Omit<StandingWords, "baseline">): string {
  return standing(competitorsOver(results), { baseline: results.tasks[0]?.baseline ?? "", ...words });
}

/** Who did not compete, and why not; empty where all have answers of the same number of items. */
export function fewerItems({ methods, items }: TaskResult): string[] {
  const most = methods.reduce((highest, method) => Math.max(highest, method.items), 0);
  return methods
    .filter((method) => method.items < most)
    .map((method) => `${method.id} has ${method.items} of ${counted(items, "item")}`);
}

/** a, b and c. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
