/** Several benchmark runs against each other: the same method on the same items of the same task, paired, with what cannot be compared. */
import { deriveSeed } from "#kernel/seed.ts";
import { dash, formatP, percent, points, pointsWithin, whole } from "#text/numbers.ts";
import { fittedLines, noRoomFor, type TextColumn, wrapText } from "#text/table.ts";
import { holm } from "../statistics/statistics.ts";
import { clusterName, itemMeans } from "../summary/method-figures.ts";
import { pairedDifference } from "../summary/paired-columns.ts";
import type { MethodResult, PairedResult } from "../summary/results.ts";
import { type Html, html } from "./html.ts";
import type { ReportData } from "./page-data.ts";
import type { PageSection } from "./page-frame.ts";
import { renderRuns } from "./report.ts";
import { pairCell, tableOf } from "./report-tables.ts";

export interface RunPair {
  a: string;
  b: string;
  rows: RunPairRow[];
}

export interface RunPairRow {
  task: string;
  method: string;
  first: MethodResult;
  second: MethodResult;
  /** The second run minus the first. */
  paired?: PairedResult;
  notComparable?: string;
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
      const row = { task: task.task, method: method.id, first: method, second: counterpart };
      if (task.promptVersion !== other.promptVersion)
        return [
          {
            ...row,
            notComparable: `prompt ${task.promptVersion ?? "without a version"} and ${other.promptVersion ?? "without a version"}`,
          },
        ];
      return [{ ...row, ...pairMethod(first, second, task.task, method.id) }];
    });
  });
  const corrected = holm(rows.map((row) => [row, row.paired?.pValue]));
  for (const row of rows) if (row.paired) row.paired.pHolm = corrected.get(row)!;
  return { a: nameOf(first), b: nameOf(second), rows };
}

function pairMethod(
  first: ReportData,
  second: ReportData,
  task: string,
  method: string,
): Pick<RunPairRow, "paired" | "notComparable"> {
  const own = [first, second].map(({ records, results }) =>
    records.filter((record) => record.method === method && (record.task ?? results.tasks[0]?.task) === task),
  );
  const [before, after] = own.map((records) => itemMeans(records)) as [Map<string, number>, Map<string, number>];
  const shared = [...before.keys()].filter((item) => after.has(item)).sort();
  if (shared.length < 2) return { notComparable: shared.length === 0 ? "no item in common" : "one item in common" };
  const clusters = new Map(own.flat().map((record) => [record.item, clusterName(record)]));
  const clusterOf = (item: string) => clusters.get(item)!;
  const seed = deriveSeed(first.results.seed, "runs", task, method);
  const [a, b] = [after, before].map((scores) => shared.map((item) => scores.get(item)!)) as [number[], number[]];
  const compared = pairedDifference(a, b, shared.map(clusterOf), seed);
  return { paired: { ...compared, pHolm: compared.pValue } };
}

function nameOf({ title, results }: ReportData): string {
  return title ?? results.run;
}

function pairTable({ a, b, rows }: RunPair): Html {
  const body = rows.map(
    ({ task, method, first, second, paired, notComparable }) => html`<tr><th scope="row">${task}: ${method}</th>
<td>${percent(first.accuracy)}</td><td>${percent(second.accuracy)}</td>
<td>${paired ? pairCell(paired.difference, paired.interval, paired.pHolm) : html`– <small class="reason">not comparable: ${notComparable}</small>`}</td>
<td>${paired ? String(paired.items) : dash}</td>
<td>${whole(first.tokensPerAnswer)} <small>${whole(second.tokensPerAnswer)} in ${b}</small></td></tr>`,
  );
  const note =
    rows.length === 0
      ? `${a} and ${b} have no method on a task in common.`
      : `${b} minus ${a} on the items both have, in points, paired by item; p corrected for all rows by Holm's method.`;
  return html`<p class="note">${note}</p>${rows.length === 0 ? html`` : tableOf(`${b} against ${a}`, ["task and method", a, b, "difference", "items", "tokens"], body)}`;
}

const pairColumns = (a: string, b: string): TextColumn<RunPairRow>[] => [
  { title: "task", short: "task", rank: 0, cell: ({ task }) => task },
  { title: "method", short: "method", rank: 0, cell: ({ method }) => method },
  { title: a, short: "first", rank: 0, cell: ({ first }) => percent(first.accuracy) },
  { title: b, short: "second", rank: 0, cell: ({ second }) => percent(second.accuracy) },
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

function pairText({ a, b, rows }: RunPair, width: number): string {
  const heading = wrapText(`${b} against ${a}: difference in points, paired by item`, width);
  if (rows.length === 0) return [...heading, ...wrapText("They have no method on a task in common.", width)].join("\n");
  const { lines, leftOut } = fittedLines(rows, pairColumns(a, b), width);
  const reasons = rows.flatMap(({ task, method, notComparable }) =>
    notComparable === undefined ? [] : [`not comparable: ${task}, ${method}: ${notComparable}`],
  );
  const notes = [...reasons, ...noRoomFor(leftOut, "The report has them.")];
  return [...heading, ...lines, ...notes.flatMap((note) => wrapText(note, width, "  "))].join("\n");
}
