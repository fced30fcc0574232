/** A table of trainings as GitHub Markdown. */
import { escapeMarkdown, markdownTable } from "#text/markdown.ts";
import type { TrainingTable } from "./training-table.ts";
import { missingLines, tableFindings, tableNotes } from "./training-table-findings.ts";
import { rowName, tablesOf, type WordCell } from "./training-table-words.ts";

export interface TableText {
  title: string;
  /** Sentences below the title. */
  intro?: readonly string[];
  /** Sentences beside the published numbers: their source, and what keeps them from being compared. */
  published?: readonly string[];
}

/** `level` of the title's heading, 2 when left out. Ends with a newline. */
export function trainingTableMarkdown(table: TrainingTable, text: TableText, level = 2): string {
  const heading = (depth: number, title: string) => `${"#".repeat(Math.min(6, level + depth))} ${escapeMarkdown(title)}`;
  const list = (lines: readonly string[]) =>
    lines.length > 0 ? [lines.map((line) => `- ${escapeMarkdown(line)}`).join("\n")] : [];
  const missing = missingLines(table);
  const blocks = [
    heading(0, text.title),
    ...(text.intro ?? []).map(escapeMarkdown),
    ...list(tableFindings(table)),
    ...tablesOf(table).flatMap((own) => [
      heading(1, own.title),
      ...(own.note === undefined ? [] : [escapeMarkdown(own.note)]),
      markdownTable(
        own.head.map(escapeMarkdown),
        own.rows.map((cells) => cells.map(cellText)),
      ),
    ]),
    ...(table.agreement.length > 0 ? (text.published ?? []).map(escapeMarkdown) : []),
    heading(1, "The rows"),
    ...list(table.rows.map((row) => `${rowName(row)}: ${row.what}`)),
    ...(missing.length > 0 ? [heading(1, "Missing"), ...list(missing)] : []),
    heading(1, "How to read the numbers"),
    ...list(tableNotes(table)),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function cellText({ text, small, strong }: WordCell): string {
  const main = strong ? `**${escapeMarkdown(text)}**` : escapeMarkdown(text);
  return small === undefined ? main : `${main}<br>${escapeMarkdown(small)}`;
}
