/** The results as a table for a terminal: one row a method, fitted to the width; plain text where it is not a terminal. */
import { styleText } from "node:util";
import { dash, dollars, percent, percentWithin, whole } from "#text/numbers.ts";
import { fitTable, listRows, type TextColumn, wrapText } from "#text/table.ts";
import type { MethodResult, Results } from "./results.ts";

export interface TableOptions {
  /** Columns of the terminal; 80 when left out. */
  width?: number;
  /** Bold and dim where they help the eye; false writes no control codes. */
  styled?: boolean;
}

const columns: readonly Column[] = [
  { title: "method", short: "method", cell: ({ id }) => id },
  { title: "accuracy (95 %)", short: "acc.", cell: ({ accuracy, interval }) => percentWithin(accuracy, interval) },
  { title: "tokens per answer", short: "tokens", cell: ({ tokensPerAnswer }) => whole(tokensPerAnswer) },
  { title: "right→wrong", short: "r→w", cell: (method, results) => shareOf(method, results, method.rightToWrong) },
  { title: "wrong→right", short: "w→r", cell: (method, results) => shareOf(method, results, method.wrongToRight) },
  { title: "cost per correct", short: "cost", cell: costCell },
];

interface Column {
  title: string;
  /** For narrow terminals. */
  short: string;
  cell: (method: MethodResult, results: Results) => string;
}

/** Lines joined by newlines, none longer than the width unless a single cell is. */
export function renderTable(results: Results, options: TableOptions = {}): string {
  const { width = 80, styled = false } = options;
  const bold = (text: string) => (styled ? styleText("bold", text, { validateStream: false }) : text);
  const dim = (text: string) => (styled ? styleText("dim", text, { validateStream: false }) : text);
  const { methods, items, temperature, baseline } = results;
  const best = Math.max(...methods.map((method) => method.accuracy));
  const own = columns.map(
    ({ title, short, cell }): TextColumn<MethodResult> => ({ title, short, rank: 0, cell: (method) => cell(method, results) }),
  );
  const fitted = fitTable(methods, own, width);
  const body = fitted
    ? [
        dim(fitted.header),
        dim(fitted.rule),
        ...methods.map(({ accuracy }, index) => (accuracy === best ? bold(fitted.rows[index]) : fitted.rows[index])),
      ]
    : listRows(methods, own, width);
  const notes = [
    `${items} items, temperature ${temperature}. Right→wrong and wrong→right: shares of answers, from ${baseline} to the method.`,
    "Tokens are sampled ones, drafts and feedback included; cost per correct answer counts prompts too.",
  ];
  return [...body, "", ...notes.flatMap((note) => wrapText(note, width).map(dim))].join("\n");
}

function costCell({ costPerCorrect, tokensPerCorrect }: MethodResult): string {
  if (costPerCorrect !== undefined) return dollars(costPerCorrect);
  return tokensPerCorrect === undefined ? dash : `${whole(tokensPerCorrect)} tokens`;
}

function shareOf(method: MethodResult, results: Results, share: number): string {
  return method.id === results.baseline ? dash : `${percent(share)} %`;
}
