/**
 * The report: one HTML page that holds everything it shows (data, script, styles, the plotting library) and loads nothing. Its words and
 * tables are written here; figures and the browser of answers are drawn by the page's own script (`page/`). Answers are untrusted text:
 * they travel as JSON and become text nodes, never markup.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pageData, type ReportData } from "./report-data.ts";
import { embedJson, embedSource, type Html, html } from "./report-html.ts";
import { comparisonsTable, resultsTable } from "./report-tables.ts";
import { findings, headline } from "./report-words.ts";

const require = createRequire(import.meta.url);

/** The page's scripts in the order of their imports. */
const pageScripts = [
  "dom.js",
  "figures.js",
  "cost-figure.js",
  "transition-figure.js",
  "training-figures.js",
  "answer-text.js",
  "answers.js",
  "main.js",
];

/** Only what stands in the page may run or be shown. */
const contentPolicy =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

export function renderReport(data: ReportData): string {
  const { results } = data;
  const title = data.title ?? data.run;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy}">
<title>${title} · Midcourse</title>
<style>${embedSource(readPageFile("page.css"))}</style>
</head>
<body>
<a class="skip" href="#results">Skip to the results</a>
<header>
<p class="product">Midcourse report</p>
<h1>${title}</h1>
<p class="headline">${headline(results)}</p>
${facts(data)}
<nav aria-label="Sections"><ul>${sections(data).map(({ id, name }) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
</header>
<main>
${sections(data).map(({ id, name, body }) => html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${name}</h2>${body}</section>`)}
</main>
<noscript><p>The figures and the answers need JavaScript; the tables do not.</p></noscript>
<script type="application/json" id="page-data">${embedJson(pageData(data))}</script>
<script>${embedSource(readLibrary(require.resolve("d3"), "dist/d3.min.js"))}</script>
<script>${embedSource(readLibrary(require.resolve("@observablehq/plot"), "dist/plot.umd.min.js"))}</script>
<script type="module">${embedSource(pageScripts.map(readPageScript).join("\n"))}</script>
</body>
</html>
`;
  return page.text;
}

interface Section {
  id: string;
  name: string;
  body: Html;
}

function sections(data: ReportData): Section[] {
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

function facts({ facts = [] }: ReportData): Html {
  if (facts.length === 0) return html``;
  return html`<dl class="facts">${facts.map(({ label, value }) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`;
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

function readPageFile(name: string): string {
  return readFileSync(path.join(import.meta.dirname, "page", name), "utf8");
}

/** One script of the page as part of the whole: imports and the word `export` go, since all of them share one scope. */
function readPageScript(name: string): string {
  return readPageFile(name)
    .replace(/^import\s[^;]*;$/gm, "")
    .replace(/^export (?=function|const|class)/gm, "");
}

/** A file of the package that `entry` belongs to: the nearest folder above with that file in it. */
function readLibrary(entry: string, file: string): string {
  let folder = path.dirname(entry);
  while (!existsSync(path.join(folder, file)) && folder !== path.dirname(folder)) folder = path.dirname(folder);
  return readFileSync(path.join(folder, file), "utf8");
}
