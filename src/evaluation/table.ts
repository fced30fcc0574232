/** The results as a table for a terminal: one row a method, fitted to the width; plain text where it is not a terminal. */
import { stripVTControlCharacters, styleText } from "node:util";
import type { MethodResult, Results } from "./results.ts";

export interface TableOptions {
  /** Columns of the terminal; 80 when left out. */
  width?: number;
  /** Bold and dim where they help the eye; false writes no control codes. */
  styled?: boolean;
}

interface Column {
  title: string;
  /** For narrow terminals. */
  short: string;
  cell: (method: MethodResult, results: Results) => string;
}

const columns: readonly Column[] = [
  { title: "method", short: "method", cell: (method) => method.id },
  { title: "accuracy (95 %)", short: "acc.", cell: accuracyCell },
  { title: "tokens per answer", short: "tokens", cell: (method) => whole(method.tokensPerAnswer) },
  { title: "right→wrong", short: "r→w", cell: (method, results) => shareOf(method, results, method.rightToWrong) },
  { title: "wrong→right", short: "w→r", cell: (method, results) => shareOf(method, results, method.wrongToRight) },
  { title: "cost per correct", short: "cost", cell: costCell },
];

/** Lines joined by newlines, none longer than the width unless a single cell is. */
export function renderTable(results: Results, options: TableOptions = {}): string {
  const { width = 80, styled = false } = options;
  const bold = (text: string) => (styled ? styleText("bold", text, { validateStream: false }) : text);
  const dim = (text: string) => (styled ? styleText("dim", text, { validateStream: false }) : text);
  const { methods, items, temperature, baseline } = results;
  const cells = methods.map((method) => columns.map((column) => column.cell(method, results)));
  const best = Math.max(...methods.map((method) => method.accuracy));
  const emphasise = (method: MethodResult, line: string) => (method.accuracy === best ? bold(line) : line);

  const grids = [columns.map((column) => column.title), columns.map((column) => column.short)].map((titles) => [
    titles,
    ...cells,
  ]);
  const fitting = grids.map((grid) => ({ grid, widths: columnWidths(grid) })).find(({ widths }) => lineLength(widths) <= width);
  const body = fitting
    ? [
        dim(alignRow(fitting.grid[0], fitting.widths)),
        dim(fitting.widths.map((columnWidth) => "-".repeat(columnWidth)).join("  ")),
        ...methods.map((method, index) => emphasise(method, alignRow(cells[index], fitting.widths))),
      ]
    : methods.flatMap((method, index) => [
        emphasise(method, method.id),
        ...columns.slice(1).map((column, at) => `  ${column.short.padEnd(6)}  ${cells[index][at + 1]}`),
      ]);
  const notes = [
    `${items} items, temperature ${temperature}. Right→wrong and wrong→right: shares of answers, from ${baseline} to the method.`,
    "Tokens are sampled ones, drafts and feedback included; cost per correct answer counts prompts too.",
  ];
  return [...body, "", ...notes.flatMap((note) => wrap(note, width).map(dim))].join("\n");
}

function accuracyCell({ accuracy, interval }: MethodResult): string {
  const [low, high] = interval;
  return `${percent(accuracy)} (${percent(low)}–${percent(high)})`;
}

function costCell({ costPerCorrect, tokensPerCorrect }: MethodResult): string {
  if (costPerCorrect !== undefined) return `$${costPerCorrect.toPrecision(3)}`;
  return tokensPerCorrect === undefined ? "–" : `${whole(tokensPerCorrect)} tokens`;
}

function shareOf(method: MethodResult, results: Results, share: number): string {
  return method.id === results.baseline ? "–" : `${percent(share)} %`;
}

function percent(share: number): string {
  return (share * 100).toFixed(1);
}

function whole(value: number | undefined): string {
  return value === undefined ? "–" : Math.round(value).toLocaleString("en-GB");
}

function columnWidths(grid: readonly (readonly string[])[]): number[] {
  return grid[0].map((_, column) => Math.max(...grid.map((row) => stripVTControlCharacters(row[column]).length)));
}

function lineLength(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + 2 * (widths.length - 1);
}

/** Names to the left, figures to the right. */
function alignRow(row: readonly string[], widths: readonly number[]): string {
  return row.map((cell, index) => (index === 0 ? cell.padEnd(widths[index]) : cell.padStart(widths[index]))).join("  ");
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
