/**
 * The report of a training run. Its words and tables are written here; figures and the browser of answers are drawn by the page's own
 * script (`page/`).
 */

import { type Html, html } from "./report/report-html.ts";
import { type PageSection, renderPage } from "./report/report-page.ts";
import { findings, headline } from "./report/report-words.ts";
import { pageData, type ReportData } from "./report-data.ts";
import { comparisonsTable, resultsTable } from "./report-tables.ts";

/** The page's scripts in the order of their imports. */
const pageScripts = [
  "dom.js",
  "browse.js",
  "answer-parts.js",
  "figures.js",
  "cost-figure.js",
  "transition-figure.js",
  "training-figures.js",
  "answer-text.js",
  "answers.js",
  "main.js",
];

export function renderReport(data: ReportData): string {
  return renderPage({
    title: data.title ?? data.run,
    headline: headline(data.results),
    facts: data.facts ?? [],
    sections: sections(data),
    data: pageData(data),
    scripts: pageScripts,
    styles: ["page.css"],
  });
}

function sections(data: ReportData): PageSection[] {
  const { results, training = [], items = [], answers = [] } = data;
  const withTraining = training.some((history) => history.steps.length > 0);
  return [
    { id: "findings", name: "Findings", body: findingsList(data) },
    { id: "results", name: "Results", body: resultsOfAll(data) },
    { id: "cost", name: "Accuracy against tokens", body: html`<div id="cost-figure"></div>` },
    { id: "transitions", name: "What became of the answers", body: html`<div id="transition-figure"></div>` },
    ...(withTraining ? [{ id: "training", name: "Training", body: html`<div id="training-figures"></div>` }] : []),
    ...(results.comparisons.length > 0 ? [{ id: "comparisons", name: "Comparisons", body: comparisonsTable(results) }] : []),
    ...(items.length > 0 && answers.length > 0
      ? [{ id: "answers", name: "Answers", body: html`<div id="answer-browser"></div>` }]
      : []),
  ];
}

function findingsList({ results, training }: ReportData): Html {
  return html`<ul class="findings">${findings(results, training).map((finding) => html`<li>${finding}</li>`)}</ul>`;
}

function resultsOfAll({ results, methodNotes }: ReportData): Html {
  const others = (results.others ?? []).map(
    (other) =>
      html`<details><summary>At temperature ${other.temperature}</summary>${resultsTable(other, methodNotes)}${comparisonsTable(other)}</details>`,
  );
  return html`${resultsTable(results, methodNotes)}${others}`;
}
