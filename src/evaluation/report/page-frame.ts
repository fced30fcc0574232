/**
 * The frame of every report: one HTML page that holds everything it shows (data, script, styles, the plotting library) and loads nothing.
 * Answers are untrusted text: they travel as JSON and become text nodes, never markup.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { embedJson, embedSource, type Html, html, packed } from "./html.ts";

const pageFolder = path.join(import.meta.dirname, "../page");

/** Only what stands in the page may run or be shown. */
const contentPolicy =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

export interface PageSection {
  id: string;
  name: string;
  body: Html;
}

/** What follows on the one before it in the same list. */
export interface PagePiece {
  /** Of which list. */
  list: number;
  /** How many of the list stand before it. */
  first: number;
  content: unknown;
}

export interface ReportPage {
  title: string;
  /** One sentence below the title. */
  headline: string;
  /** Of each run its own, which stand apart. */
  facts: readonly (readonly { label: string; value: string }[])[];
  sections: readonly PageSection[];
  /** Read by the page's own script. */
  data: unknown;
  /** Packed data: what the script needs from the start, and what it unpacks when it is looked at. Made while the page is written. */
  indexes?: Iterable<unknown>;
  parts?: Iterable<PagePiece>;
  /** Files of `page/`, in the order of their imports; a page without any draws its figures itself and loads no library. */
  scripts: readonly string[];
  styles: readonly string[];
}

/** The page in pieces, in order; nothing of it is held longer than until the next is asked for. */
export function* renderPage(page: ReportPage): Generator<string> {
  const { title, headline, facts, sections, data, scripts, styles, indexes = [], parts = [] } = page;
  yield html`<!doctype html>
<html lang="en"${scripts.length === 0 ? html` data-ready="true"` : html``}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy}">
<title>${title} · Midcourse</title>
<style>${embedSource(styles.map(readPageFile).join("\n"))}</style>
</head>
<body>
<a class="skip" href="#results">Skip to the results</a>
<header>
<p class="product">Midcourse report</p>
<h1 dir="auto">${title}</h1>
<p class="headline">${headline}</p>
${facts.map(factList)}
<nav aria-label="Sections"><ul>${sections.map(({ id, name }) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
</header>
<main>
`.text;
  for (const { id, name, body } of sections) {
    yield html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${name}</h2>${body}</section>\n`.text;
  }
  yield html`</main>\n<script type="application/json" id="page-data">${embedJson(data)}</script>\n`.text;
  for (const index of indexes) yield html`<script type="application/octet-stream" data-index>${packed(index)}</script>\n`.text;
  if (scripts.length > 0) yield scriptsOf(scripts).text;
  // Behind the scripts: the page is drawn while they are still being read.
  for (const { list, first, content } of parts) {
    yield html`<script type="application/octet-stream" data-part="${list}" data-first="${first}">${packed(content)}</script>\n`
      .text;
  }
  yield "</body>\n</html>\n";
}

function scriptsOf(scripts: readonly string[]): Html {
  return html`<noscript><p>The figures and the answers need JavaScript; the tables do not.</p></noscript>
<script>${embedSource(readLibrary("d3", "d3.min.js"))}</script>
<script>${embedSource(readLibrary("@observablehq/plot", "plot.umd.min.js"))}</script>
<script>${embedSource(`(() => {\n"use strict";\n${scripts.map(readPageScript).join("\n")}\n})();`)}</script>
`;
}

function factList(facts: ReportPage["facts"][number]): Html {
  if (facts.length === 0) return html``;
  return html`<dl class="facts">${facts.map(({ label, value }) => html`<div><dt>${label}</dt><dd dir="auto">${value}</dd></div>`)}</dl>`;
}

function readPageFile(name: string): string {
  return readFileSync(path.join(pageFolder, name), "utf8");
}

/** One script of the page as part of the whole: imports and the word `export` go, since all of them share one scope. */
function readPageScript(name: string): string {
  return readPageFile(name)
    .replace(/^import\s[^;]*;$/gm, "")
    .replace(/^export (?=async|function|const|class)/gm, "");
}

/** A plotting library: beside the page's own files in the published package, which carries it; in a checkout, in its own package. */
function readLibrary(name: string, file: string): string {
  const carried = path.join(pageFolder, file);
  if (existsSync(carried)) return readFileSync(carried, "utf8");
  const entry = createRequire(import.meta.url).resolve(name);
  const folder = entry.slice(0, entry.lastIndexOf(path.join("node_modules", name)));
  return readFileSync(path.join(folder, "node_modules", name, "dist", file), "utf8");
}
