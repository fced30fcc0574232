/**
 * The report of one or several benchmark runs. Words and tables are written here and read without a script; figures, the switch between
 * tasks and the browser of items are drawn by the page's own (`page/benchmark-main.js`).
 */
import { type BenchmarkReportData, benchmarkPageData } from "./benchmark-page-data.ts";
import { averagesTable, overviewTable, taskDetails, taskTable } from "./benchmark-report-tables.ts";
import { benchmarkFindings, benchmarkHeadline } from "./benchmark-words.ts";
import { type Html, html } from "./report-html.ts";
import { type PageSection, renderPage } from "./report-page.ts";

/** The page's scripts in the order of their imports. */
const pageScripts = [
  "dom.js",
  "browse.js",
  "answer-parts.js",
  "figures.js",
  "cost-figure.js",
  "transition-figure.js",
  "pass-figure.js",
  "word-diff.js",
  "trace-view.js",
  "item-browser.js",
  "benchmark-main.js",
];

/** One self-contained page. */
export function benchmarkReport(data: BenchmarkReportData): string {
  return benchmarkPage([data], []);
}

/** The same for several runs; `comparison` stands before what each run has to say by itself. */
export function benchmarkPage(runs: readonly BenchmarkReportData[], comparison: readonly PageSection[]): string {
  const pageData = benchmarkPageData(runs);
  const [first] = runs;
  const title =
    runs.length === 1
      ? (first!.title ?? first!.results.run)
      : runs.map(({ title: name, results }) => name ?? results.run).join(" and ");
  return renderPage({
    title,
    headline: runs.map(({ results }) => `${runs.length > 1 ? `${results.run}: ` : ""}${benchmarkHeadline(results)}`).join(" "),
    facts: runs.flatMap(factsOf),
    sections: sections(runs, comparison, pageData.browser.length > 0),
    data: pageData,
    scripts: pageScripts,
    styles: ["page.css", "benchmark.css"],
  });
}

function factsOf({ results }: BenchmarkReportData, _index: number, runs: readonly BenchmarkReportData[]) {
  const { run, model, command, seed, temperature, samples, version, commit } = results;
  return [
    ...(runs.length > 1 ? [{ label: "run", value: run }] : []),
    { label: "model", value: model },
    { label: "temperature", value: String(temperature) },
    { label: "answers an item", value: String(samples) },
    { label: "seed", value: String(seed) },
    { label: "midcourse", value: commit === undefined ? version : `${version} (${commit.slice(0, 10)})` },
    { label: "command", value: command },
  ];
}

function sections(runs: readonly BenchmarkReportData[], comparison: readonly PageSection[], withBrowser: boolean): PageSection[] {
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
    { id: "task", name: "One task", body: taskSection(runs) },
    ...(withBrowser ? [{ id: "items", name: "Items and traces", body: html`<div id="item-browser"></div>` }] : []),
  ];
}

function runHeading({ results, title }: BenchmarkReportData, several: boolean): Html {
  return several ? html`<h3>${title ?? results.run}</h3>` : html``;
}

function findingsOf(run: BenchmarkReportData, several: boolean): Html {
  return html`${runHeading(run, several)}<ul class="findings">${benchmarkFindings(run.results).map((finding) => html`<li>${finding}</li>`)}</ul>`;
}

/** One panel a task and run; the script shows one at a time, and without it all stand below each other. */
function taskSection(runs: readonly BenchmarkReportData[]): Html {
  const panels = runs.flatMap((run, index) =>
    run.results.tasks.map(
      (task) => html`<div class="task-panel" data-run="${index}" data-task="${task.task}">
<h3>${runs.length > 1 ? `${run.title ?? run.results.run}: ` : ""}${task.title ?? task.task}${task.promptVersion === undefined ? html`` : html` <small class="version">${task.promptVersion}</small>`}</h3>
${taskTable(task, run.methodNotes)}${taskDetails(task, run.results.times)}</div>`,
    ),
  );
  return html`<div id="task-choice"></div>${panels}
<h3>Accuracy against tokens</h3><div id="cost-figure"></div>
<h3>What became of the plain answers</h3><div id="transition-figure"></div>
<h3>If an oracle chose among the attempts</h3><div id="pass-figure"></div>`;
}
