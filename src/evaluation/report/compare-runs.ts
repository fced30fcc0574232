/** Several benchmark runs against each other: the same method on the same items of the same task, paired, with what cannot be compared. */
import { counted, mean } from "#kernel/numbers.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { dash, formatP, percent, points, pointsWithin, whole } from "#text/numbers.ts";
import { onOneLine } from "#text/signs.ts";
import { fittedLines, noRoomFor, type TextColumn, wrapText } from "#text/table.ts";
import { knownFields, recordKey } from "../records/evaluation-record.ts";
import type { SlimRecord } from "../records/slim-record.ts";
import { holm } from "../statistics/statistics.ts";
import { clusterName, itemMeans } from "../summary/method-figures.ts";
import { pairedDifference } from "../summary/paired-columns.ts";
import type { MethodResult, PairedResult } from "../summary/results.ts";
import { type Html, html } from "./html.ts";
import type { ReportData } from "./page-data.ts";
import type { PageSection } from "./page-frame.ts";
import { renderRuns } from "./report.ts";
import { pairCell, tableOf } from "./report-tables.ts";
import { isClear, listed } from "./standing.ts";

export interface RunPair {
  a: string;
  b: string;
  rows: RunPairRow[];
  /** Every record of one is a record of the other, to the second that it took. */
  isCopy: boolean;
}

export interface RunPairRow {
  task: string;
  method: string;
  first: RunSide;
  second: RunSide;
  /** The second run minus the first. */
  paired?: PairedResult;
  notComparable?: string;
}

/** What one of the two runs has of a row. */
export interface RunSide {
  /** On the items that both have, so that the two differ by the difference beside them; undefined where they have none in common. */
  accuracy: number | undefined;
  tokensPerAnswer: number | undefined;
  /** Items that the other run does not have. */
  leftOut: number;
}

export interface ComparisonOptions {
  /** Columns of the terminal; 80 when left out. */
  width?: number;
}

/** The first run is what the others are compared with. */
export function compareRuns(
  runs: readonly ReportData[],
  options: ComparisonOptions = {},
): { html: Iterable<string>; table: string } {
  const pairs = runs.slice(1).map((run) => pairRuns(runs[0], run));
  const section: PageSection = { id: "runs", name: "Runs compared", body: html`${pairs.map(pairTable)}` };
  return {
    html: renderRuns(runs, pairs.length > 0 ? [section] : []),
    table: pairs.map((pair) => pairText(pair, options.width ?? 80)).join("\n\n"),
  };
}

/** Every method that both runs have on a task, with p corrected over all of them. */
export function pairRuns(first: ReportData, second: ReportData): RunPair {
  const rows = first.results.tasks.flatMap((task) => {
    const other = second.results.tasks.find((candidate) => candidate.task === task.task);
    return task.methods.flatMap((method): RunPairRow[] => {
      const counterpart = other?.methods.find(({ id }) => id === method.id);
      if (!other || !counterpart) return [];
      const pair = pairMethod(first, second, task.task, method.id);
      const sides = { first: { ...pair.first, ...tokensOf(method) }, second: { ...pair.second, ...tokensOf(counterpart) } };
      const row = { task: task.task, method: method.id, ...sides };
      if (task.promptVersion === other.promptVersion)
        return [{ ...row, ...knownFields({ paired: pair.paired, notComparable: pair.notComparable }) }];
      const versions = [task, other].map(({ promptVersion }) => promptVersion ?? "without a version");
      return [{ ...row, notComparable: `prompt ${versions.join(" and ")}` }];
    });
  });
  const corrected = holm(rows.map((row) => [row, row.paired?.pValue]));
  for (const row of rows) if (row.paired) row.paired.pHolm = corrected.get(row)!;
  return { a: nameOf(first), b: nameOf(second), rows, isCopy: areSame(first.records, second.records) };
}

function tokensOf({ tokensPerAnswer }: MethodResult): Pick<RunSide, "tokensPerAnswer"> {
  return { tokensPerAnswer };
}

/** No two runs take the same time for every answer. */
function areSame(first: readonly SlimRecord[], second: readonly SlimRecord[]): boolean {
  if (first.length !== second.length || first.length === 0) return false;
  const own = new Map(first.map((record) => [recordKey(record), JSON.stringify(record)]));
  return second.every((record) => own.get(recordKey(record)) === JSON.stringify(record));
}

type PairedMethod = Pick<RunPairRow, "paired" | "notComparable"> & {
  [side in "first" | "second"]: Pick<RunSide, "accuracy" | "leftOut">;
};

function pairMethod(first: ReportData, second: ReportData, task: string, method: string): PairedMethod {
  const own = [first, second].map(({ records, results }) =>
    records.filter((record) => record.method === method && (record.task ?? results.tasks[0]?.task) === task),
  );
  const [before, after] = own.map((records) => itemMeans(records)) as [Map<string, number>, Map<string, number>];
  const shared = [...before.keys()].filter((item) => after.has(item)).sort();
  const [a, b] = [before, after].map((scores) => shared.map((item) => scores.get(item)!)) as [number[], number[]];
  const side = (scores: readonly number[], all: ReadonlyMap<string, number>) => ({
    accuracy: scores.length === 0 ? undefined : mean(scores),
    leftOut: all.size - scores.length,
  });
  const sides = { first: side(a, before), second: side(b, after) };
  if (shared.length < 2) return { ...sides, notComparable: shared.length === 0 ? "no item in common" : "one item in common" };
  const clusters = new Map(own.flat().map((record) => [record.item, clusterName(record)]));
  const clusterOf = (item: string) => clusters.get(item)!;
  const seed = deriveSeed(first.results.seed, "runs", task, method);
  const compared = pairedDifference(b, a, shared.map(clusterOf), seed);
  return { ...sides, paired: { ...compared, pHolm: compared.pValue } };
}

function nameOf({ title, results }: ReportData): string {
  return title ?? results.run;
}

/** What is to be said beside all rows: that the runs are one, which items only one of them has, and that nobody differs. */
function pairNotes({ a, b, rows, isCopy }: RunPair): string[] {
  const copy = isCopy
    ? [`The records of ${a} and ${b} are the same: one is a copy of the other, and there is nothing to compare.`]
    : [];
  const apart = rows.filter(({ first }) => first.accuracy === undefined);
  const none =
    rows.length > 0 && apart.length === rows.length
      ? [`${a} and ${b} answered none of the same items, so that nothing can be compared.`]
      : [];
  const partial = rows.filter(({ first, second }) => first.accuracy !== undefined && first.leftOut + second.leftOut > 0);
  const bySides = Map.groupBy(partial, ({ task, first, second }) => JSON.stringify([task, first.leftOut, second.leftOut]));
  const left = [...bySides.values()].map(([row, ...others]) => {
    const methods = [row, ...others].map(({ method }) => method);
    const parts = [
      ...(row.first.leftOut > 0 ? [`${counted(row.first.leftOut, "item")} of ${a}`] : []),
      ...(row.second.leftOut > 0 ? [`${counted(row.second.leftOut, "item")} of ${b}`] : []),
    ];
    return `Left out, as the other run has no answer: ${listed(parts)} (${row.task}: ${listed(methods)}). Accuracies are those of the items both have.`;
  });
  const tested = rows.filter(({ paired }) => paired !== undefined);
  const isLevel = !isCopy && tested.length > 0 && tested.every(({ paired }) => !isClear(paired));
  return [...copy, ...none, ...left, ...(isLevel ? [`No clear difference between ${a} and ${b}.`] : [])];
}

function pairTable(pair: RunPair): Html {
  const { a, b, rows } = pair;
  const items = ({ paired, first, second }: RunPairRow) => {
    const left = first.leftOut + second.leftOut;
    return html`${paired ? String(paired.items) : dash}${left === 0 ? html`` : html` <small>${left} left out</small>`}`;
  };
  const body = rows.map(
    (row) => html`<tr><th scope="row">${row.task}: ${row.method}</th>
<td>${percent(row.first.accuracy)}</td><td>${percent(row.second.accuracy)}</td>
<td>${row.paired ? pairCell(row.paired.difference, row.paired.interval, row.paired.pHolm) : html`– <small class="reason">not comparable: ${row.notComparable}</small>`}</td>
<td>${items(row)}</td>
<td>${whole(row.first.tokensPerAnswer)} <small>${whole(row.second.tokensPerAnswer)} in ${b}</small></td></tr>`,
  );
  const note =
    rows.length === 0
      ? `${a} and ${b} have no method on a task in common.`
      : `Accuracies on the items both have, and ${b} minus ${a}, in points, paired by item; p corrected for all rows by Holm's method.`;
  const more = pairNotes(pair).map((text) => html`<p class="note">${text}</p>`);
  return html`<p class="note">${note}</p>${more}${rows.length === 0 ? html`` : tableOf(`${b} against ${a}`, ["task and method", a, b, "difference", "items", "tokens"], body)}`;
}

const pairColumns = (a: string, b: string): TextColumn<RunPairRow>[] => [
  { title: "task", short: "task", rank: 0, cell: ({ task }) => task },
  { title: "method", short: "method", rank: 0, cell: ({ method }) => method },
  { title: onOneLine(a), short: "first", rank: 0, cell: ({ first }) => percent(first.accuracy) },
  { title: onOneLine(b), short: "second", rank: 0, cell: ({ second }) => percent(second.accuracy) },
  {
    title: "difference (95 %)",
    short: "diff.",
    rank: 0,
    cell: ({ paired }) => (paired ? pointsWithin(paired.difference, paired.interval) : dash),
    shortCell: ({ paired }) => (paired ? points(paired.difference) : dash),
    shortLacks: "intervals",
  },
  {
    title: "p Holm",
    short: "p Holm",
    rank: 1,
    cell: ({ paired }) => (paired ? formatP(paired.pHolm) : dash),
  },
  { title: "items", short: "items", rank: 2, cell: ({ paired }) => (paired ? String(paired.items) : dash) },
];

function pairText(pair: RunPair, width: number): string {
  const { a, b, rows } = pair;
  const heading = wrapText(onOneLine(`${b} against ${a}: difference in points, paired by item`), width);
  if (rows.length === 0) return [...heading, ...wrapText("They have no method on a task in common.", width)].join("\n");
  const { lines, leftOut } = fittedLines(rows, pairColumns(a, b), width);
  const reasons = rows.flatMap(({ task, method, notComparable }) =>
    notComparable === undefined ? [] : [`not comparable: ${task}, ${method}: ${notComparable}`],
  );
  const notes = [...reasons, ...pairNotes(pair), ...noRoomFor(leftOut, "The report has them.")];
  return [...heading, ...lines, ...notes.flatMap((note) => wrapText(onOneLine(note), width, "  "))].join("\n");
}
