/**
 * The report of one evaluation or several, of a model before and after its training too. Words and tables are written here and read without
 * a script; figures, the switch between tasks and the browser of items are drawn by the page's own (`page/main.js`).
 */

import { type Html, html } from "./html.ts";
import { type PageContent, pageContent, type ReportData } from "./page-data.ts";
import { type PagePiece, type PageSection, renderPage } from "./page-frame.ts";
import type { PageData } from "./page-shape.ts";
import { averagesTable, comparisonsTable, overviewTable, taskDetails, taskTable } from "./report-tables.ts";
import { temperatureWords } from "./run-notes.ts";
import { findings, headline } from "./words.ts";

/** The page's scripts in the order of their imports. */
const pageScripts = [
  "dom.js",
  "address.js",
  "packed.js",
  "virtual-list.js",
  "fold.js",
  "answer-parts.js",
  "figures.js",
  "cost-figure.js",
  "transition-figure.js",
  "pass-figure.js",
  "training-figures.js",
  "answer-text.js",
  "word-diff.js",
  "trace-view.js",
  "trace-search.js",
  "item-order.js",
  "item-detail.js",
  "item-browser.js",
  "main.js",
];

/** One self-contained page, in pieces to be written one after the other: all of it may be far larger than the memory. */
export function renderReport(data: ReportData): Iterable<string> {
  return renderRuns([data], []);
}

/** The same for several runs; `comparison` stands before what each run has to say by itself. */
export function renderRuns(runs: readonly ReportData[], comparison: readonly PageSection[]): Iterable<string> {
  const { data, tasks } = pageContent(runs);
  const [first] = runs;
  const title =
    runs.length === 1
      ? (first!.title ?? first!.results.run)
      : runs.map(({ title: name, results }) => name ?? results.run).join(" and ");
  return renderPage({
    title,
    headline: runs
      .map(({ results, subject, title }) => `${runs.length > 1 ? `${title ?? results.run}: ` : ""}${headline(results, subject)}`)
      .join(" "),
    facts: runs.map(factsOf),
    sections: sections(runs, comparison, data),
    data,
    indexes: tasks.map(({ index }) => index),
    parts: piecesOf(tasks),
    scripts: pageScripts,
    styles: ["page.css", "runs.css"],
  });
}

function* piecesOf(tasks: PageContent["tasks"]): Generator<PagePiece> {
  for (const [list, { parts }] of tasks.entries()) {
    let first = 0;
    for (const content of parts()) {
      yield { list, first, content };
      first += content.items.length;
    }
  }
}

function factsOf({ results, facts, title }: ReportData, _index: number, runs: readonly ReportData[]) {
  const { run, model, command, seed, samples, version, commit } = results;
  return [
    ...(runs.length > 1 ? [{ label: "run", value: title ?? run }] : []),
    ...(facts ?? [
      { label: "model", value: model },
      { label: "temperature", value: temperatureWords(results).replace(/^temperature /, "") },
      { label: "answers an item", value: String(samples) },
      { label: "seed", value: String(seed) },
      ...(version === undefined
        ? []
        : [{ label: "midcourse", value: commit === undefined ? version : `${version} (${commit.slice(0, 10)})` }]),
      ...(command === undefined ? [] : [{ label: "command", value: command }]),
    ]),
  ];
}

function sections(runs: readonly ReportData[], comparison: readonly PageSection[], shown: PageData): PageSection[] {
  const oracle = runs.some(({ results }) => results.overall.some((row) => row.oracle));
  return [
    ...comparison,
    { id: "findings", name: "Findings", body: html`${runs.map((run) => findingsOf(run, runs.length > 1))}` },
    {
      id: "results",
      name: "Methods over tasks",
      body: html`${runs.map((run) => html`${runHeading(run, runs.length > 1)}${overviewTable(run.results, run.methodNotes)}${averagesTable(run.results)}`)}
${oracle ? html`<p class="note">† looks at the reference answer: an upper bound, no method one could use.</p>` : html``}`,
    },
    ...(shown.training.some(({ steps }) => steps.length > 0)
      ? [{ id: "training", name: "Training", body: html`<div id="training-figures"></div>` }]
      : []),
    ...runs.flatMap((run) => run.sections ?? []),
    { id: "task", name: "One task", body: taskSection(runs) },
    ...(shown.browser.length > 0
      ? [
          {
            id: "items",
            name: "Items and traces",
            body: html`<div id="item-browser"><p class="note">All items and their traces stand in this page, packed; to show them it needs JavaScript.</p></div>`,
          },
        ]
      : []),
  ];
}

function runHeading({ results, title }: ReportData, several: boolean): Html {
  return several ? html`<h3>${title ?? results.run}</h3>` : html``;
}

function findingsOf(run: ReportData, several: boolean): Html {
  return html`${runHeading(run, several)}<ul class="findings">${findings(run.results, run).map((finding) => html`<li>${finding}</li>`)}</ul>`;
}

/** One panel a task and run; the script shows one at a time, and without it all stand below each other. */
function taskSection(runs: readonly ReportData[]): Html {
  const panels = runs.flatMap((run, index) =>
    run.results.tasks.map(
      (task) => html`<div class="task-panel" data-run="${index}" data-task="${task.task}">
<h3>${runs.length > 1 ? `${run.title ?? run.results.run}: ` : ""}${task.title ?? task.task}${task.promptVersion === undefined ? html`` : html` <small class="version">${task.promptVersion}</small>`}</h3>
${taskTable(task, run.methodNotes)}${comparisonsTable(task)}${otherTemperatures(run, task.task)}${taskDetails(task, run.results.times)}</div>`,
    ),
  );
  return html`<div id="task-choice"></div>${panels}
<h3>Accuracy against tokens</h3><div id="cost-figure"></div>
<h3>What became of the plain answers</h3><div id="transition-figure"></div>
<h3>If an oracle chose among the attempts</h3><div id="pass-figure"></div>`;
}

/** The same task, asked at other temperatures. */
function otherTemperatures({ results: { others = [] }, methodNotes }: ReportData, name: string): Html[] {
  return others.flatMap(({ temperature, tasks }) =>
    tasks
      .filter(({ task }) => task === name)
      .map(
        (task) =>
          html`<details><summary>At temperature ${temperature}</summary>${taskTable(task, methodNotes, temperature)}${comparisonsTable(task, temperature)}</details>`,
      ),
  );
}
