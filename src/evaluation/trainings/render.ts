/** A table of trainings as GitHub Markdown, as sections of a report which need no script, and as a page of such sections. */
import { escapeMarkdown, markdownTable } from "#text/markdown.ts";
import { type Html, html } from "../report/html.ts";
import { type PageSection, type ReportPage, renderPage } from "../report/page-frame.ts";
import { tableOf } from "../report/report-tables.ts";
import { costPlot } from "./plot.ts";
import type { TrainingTable } from "./table.ts";
import { labelOf, missingLines, rowName, tableFindings, tableNotes, tablesOf, type WordCell, type WordTable } from "./words.ts";

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

export interface TableSectionText extends TableText {
  /** Of the section in the page. */
  id: string;
}

export function trainingTableSection(table: TrainingTable, text: TableSectionText): PageSection {
  const missing = missingLines(table);
  const [accuracy, ...others] = tablesOf(table);
  const subject = labelOf(table, table.subject);
  return {
    id: text.id,
    name: text.title,
    body: html`${(text.intro ?? []).map((line) => html`<p>${line}</p>`)}
${bullets(tableFindings(table), "findings")}
${accuracy ? wordTable(accuracy, subject) : html``}
${missing.length > 0 ? html`<div style="margin-top: 1.6rem"><h3>Missing</h3>${bullets(missing, "findings")}</div>` : html``}
<div class="small-multiples" style="margin-top: 1.6rem">${plots(table)}</div>
${others.map((own) => wordTable(own, subject))}
${table.agreement.length > 0 ? (text.published ?? []).map((line) => html`<p class="note">${line}</p>`) : html``}
<details><summary>What the rows are, and how to read the numbers</summary>
<dl>${table.rows.map((row) => html`<dt><strong>${rowName(row)}</strong></dt><dd>${row.what}</dd>`)}</dl>
${bullets(tableNotes(table), "")}</details>`,
  };
}

/** The whole page; `data` travels along as JSON for whoever wants to read the numbers from it. */
export function trainingTableHtml(
  page: Omit<ReportPage, "scripts" | "styles" | "facts"> & { facts: ReportPage["facts"][number] },
): string {
  return [...renderPage({ ...page, facts: [page.facts], scripts: [], styles: ["page.css"] })].join("");
}

/** Trained-on domains, held-out ones, then all together, each as one drawing. */
function plots(table: TrainingTable): Html[] {
  const means = table.scopes.filter(({ kind }) => kind !== "domain");
  const group = (kind: "in-domain" | "held-out") =>
    means.filter((scope) => scope.kind === kind).length > 0
      ? means.filter((scope) => scope.kind === kind)
      : table.scopes.filter((scope) => scope.kind === "domain" && scope.heldOut === (kind === "held-out"));
  return [...group("in-domain"), ...group("held-out"), table.scopes.at(-1)!].flatMap((scope) => costPlot(table, scope) ?? []);
}

function wordTable({ title, note, head, rows }: WordTable, subject: string): Html {
  const body = rows.map(([name, ...cells]) => {
    const focus = name!.text === subject ? "focus" : "";
    return html`<tr class="${focus}"><th scope="row">${name!.text}</th>${cells.map((cell) => html`<td>${cellOf(cell)}</td>`)}</tr>`;
  });
  return html`<div style="margin-top: 1.6rem"><h3>${title}</h3>${note === undefined ? html`` : html`<p class="note">${note}</p>`}${tableOf(title, head, body)}</div>`;
}

function cellOf({ text, small, strong }: WordCell): Html {
  return html`${strong ? html`<strong>${text}</strong>` : html`${text}`}${small === undefined ? html`` : html` <small>${small}</small>`}`;
}

function bullets(lines: readonly string[], className: string): Html {
  return lines.length > 0 ? html`<ul class="${className}">${lines.map((line) => html`<li>${line}</li>`)}</ul>` : html``;
}
