/** Rows of text fitted to a terminal: the widest form that fits, else one without its least needed columns, else a list. */
import { stripVTControlCharacters } from "node:util";

export interface TextColumn<Row> {
  title: string;
  /** For narrow terminals. */
  short: string;
  cell: (row: Row) => string;
  /** Shorter cell for narrow terminals; the long one when left out. */
  shortCell?: (row: Row) => string;
  /** Left out first where the highest; 0 is never left out. */
  rank: number;
}

export interface FittedTable {
  header: string;
  rule: string;
  rows: string[];
}

/** Undefined when not even the columns of rank 0 fit. */
export function fitTable<Row>(rows: readonly Row[], columns: readonly TextColumn<Row>[], width: number): FittedTable | undefined {
  const long = columns.map(({ title, cell, rank }) => ({ title, cell, rank }));
  const short = columns.map(({ short: title, cell, shortCell, rank }) => ({ title, cell: shortCell ?? cell, rank }));
  const ranks = [...new Set(columns.map(({ rank }) => rank))].sort((first, second) => second - first);
  const forms = [long, short, ...ranks.slice(0, -1).map((limit) => short.filter(({ rank }) => rank < limit))];
  for (const form of forms) {
    // A column in which no row has anything to say takes no room.
    const cells = form.map(({ title, cell, rank }) => ({ title, rank, values: rows.map((row) => cell(row)) }));
    const used = cells.filter(({ rank, values }) => rank === 0 || values.some((value) => value !== ""));
    const widths = used.map(({ title, values }) => Math.max(...[title, ...values].map(visibleLength)));
    if (widths.reduce((sum, value) => sum + value, 2 * (widths.length - 1)) > width) continue;
    const line = (values: readonly string[]) =>
      values
        .map((value, at) => pad(value, widths[at], at === 0))
        .join("  ")
        .trimEnd();
    return {
      header: line(used.map(({ title }) => title)),
      rule: widths.map((columnWidth) => "-".repeat(columnWidth)).join("  "),
      rows: rows.map((_, row) => line(used.map(({ values }) => values[row]))),
    };
  }
  return undefined;
}

/** One block a row, one line a figure. */
export function listRows<Row>(rows: readonly Row[], columns: readonly TextColumn<Row>[], width: number): string[] {
  const [name, ...others] = columns;
  return rows.flatMap((row) => [
    name!.cell(row),
    ...others.flatMap(({ short, cell, shortCell }) => {
      const value = (shortCell ?? cell)(row);
      return value === "" ? [] : wrapText(`  ${short}: ${value}`, width);
    }),
  ]);
}

export function wrapText(text: string, width: number, indent = ""): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(lines.length === 0 ? word : `${indent}${word}`);
  }
  return lines;
}

function visibleLength(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** Names to the left, figures to the right. */
function pad(text: string, width: number, left: boolean): string {
  const space = " ".repeat(Math.max(0, width - visibleLength(text)));
  return left ? text + space : space + text;
}
