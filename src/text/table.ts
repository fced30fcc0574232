/**
 * Rows of text laid out by the columns they take on a screen: a Chinese character or an emoji takes two, an accent of its own and a code
 * of colour none. Fitted to a terminal: the widest form that fits, else one without its least needed columns, else a list.
 */
import stringWidth from "string-width";
import { onOneLine } from "./signs.ts";

/** Which side a column keeps to. */
export type Side = "left" | "right";

export interface TextColumn<Row> {
  title: string;
  /** For narrow terminals. */
  short: string;
  cell: (row: Row) => string;
  /** Shorter cell for narrow terminals; the long one when left out. */
  shortCell?: (row: Row) => string;
  /** What the shorter cell does not say. */
  shortLacks?: string;
  /** Left out first where the highest; 0 is never left out. */
  rank: number;
}

export interface FittedTable {
  header: string;
  rule: string;
  rows: string[];
  /** Titles of the columns for which there was no room, and what shorter cells do not say. */
  leftOut: string[];
}

/** Rows one below the other, each column as wide as its widest cell; names to the left and figures to the right when `sides` is left out. */
export function alignedRows(rows: readonly (readonly string[])[], sides: (column: number) => Side = nameFirst): string[] {
  const lines = rows.map((row) => row.map(onOneLine));
  const widths = (lines[0] ?? []).map((_, column) => widestOf(lines.map((row) => row[column])));
  return lines.map((row) => layOut(row, widths, sides));
}

/** Not by one call with all of them: of hundreds of thousands it fails. */
function widestOf(cells: readonly string[]): number {
  return cells.reduce((widest, cell) => Math.max(widest, displayWidth(cell)), 0);
}

function layOut(cells: readonly string[], widths: readonly number[], sides: (column: number) => Side): string {
  return cells
    .map((cell, column) => pad(cell, widths[column], sides(column)))
    .join("  ")
    .trimEnd();
}

function nameFirst(column: number): Side {
  return column === 0 ? "left" : "right";
}

/** Undefined when not even the columns of rank 0 fit. */
export function fitTable<Row>(rows: readonly Row[], columns: readonly TextColumn<Row>[], width: number): FittedTable | undefined {
  const ranks = [...new Set(columns.map(({ rank }) => rank))].sort((first, second) => second - first);
  const limits = [Number.POSITIVE_INFINITY, ...ranks.slice(0, -1)];
  const forms = [{ limit: Number.POSITIVE_INFINITY, isShort: false }, ...limits.map((limit) => ({ limit, isShort: true }))];
  // A column in which no row has anything to say takes no room.
  const speaking = columns.filter(({ rank, cell }) => rank === 0 || rows.some((row) => cell(row) !== ""));
  for (const { limit, isShort } of forms) {
    const used = speaking
      .filter(({ rank }) => rank < limit)
      .map(({ title, short, cell, shortCell = cell }) =>
        isShort
          ? { title: short, values: rows.map((row) => onOneLine(shortCell(row))) }
          : { title, values: rows.map((row) => onOneLine(cell(row))) },
      );
    const widths = used.map(({ title, values }) => widestOf([title, ...values]));
    if (widths.reduce((sum, value) => sum + value, 2 * (widths.length - 1)) > width) continue;
    const line = (cells: readonly string[]) => layOut(cells, widths, nameFirst);
    return {
      header: line(used.map(({ title }) => title)),
      rule: widths.map((columnWidth) => "-".repeat(columnWidth)).join("  "),
      rows: rows.map((_, row) => line(used.map(({ values }) => values[row]))),
      leftOut: [
        ...speaking.filter(({ rank }) => rank >= limit).map(({ title }) => title),
        ...(isShort ? lackedBy(speaking.filter(({ rank }) => rank < limit)) : []),
      ],
    };
  }
  return undefined;
}

function lackedBy<Row>(columns: readonly TextColumn<Row>[]): string[] {
  return [...new Set(columns.flatMap(({ shortLacks }) => shortLacks ?? []))];
}

/** The table where it fits, a list where it does not, and what there was no room for. */
export function fittedLines<Row>(
  rows: readonly Row[],
  columns: readonly TextColumn<Row>[],
  width: number,
): { lines: string[]; isTable: boolean; leftOut: string[] } {
  const fitted = fitTable(rows, columns, width);
  if (!fitted) return { lines: listRows(rows, columns, width), isTable: false, leftOut: lackedBy(columns) };
  return { lines: [fitted.header, fitted.rule, ...fitted.rows], isTable: true, leftOut: fitted.leftOut };
}

/** What stands under a table that lacks columns; `have` says where they are, such as “The report has them.” Empty where none is lacking. */
export function noRoomFor(titles: readonly string[], have: string): string[] {
  return titles.length === 0 ? [] : [`No room at this width for: ${titles.join(", ")}. ${have}`];
}

/** One block a row, one line a figure. */
export function listRows<Row>(rows: readonly Row[], columns: readonly TextColumn<Row>[], width: number): string[] {
  const [name, ...others] = columns;
  return rows.flatMap((row) => [
    onOneLine(name.cell(row)),
    ...others.flatMap(({ short, cell, shortCell }) => {
      const value = onOneLine((shortCell ?? cell)(row));
      return value === "" ? [] : wrapText(`  ${short}: ${value}`, width);
    }),
  ]);
}

/** Broken between words; lines after the first are indented, and no line is wider unless a single word is. */
export function wrapText(text: string, width: number, indent = ""): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && displayWidth(last) + 1 + displayWidth(word) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(lines.length === 0 ? word : `${indent}${word}`);
  }
  return lines;
}

/** Columns of a screen. */
export function displayWidth(text: string): number {
  return stringWidth(text);
}

export function pad(text: string, width: number, side: Side): string {
  const space = " ".repeat(Math.max(0, width - displayWidth(text)));
  return side === "left" ? text + space : space + text;
}
