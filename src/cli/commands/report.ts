/** `midcourse report`: evaluations side by side, or the training curves of several runs on one page. */
import path from "node:path";
import type { Command } from "commander";
import { makeFolder, replaceFile } from "#files/durable.ts";
import { userError } from "#kernel/errors.ts";
import { screen } from "../terminal/process.ts";

export function registerReport(program: Command): void {
  reportOptions(program).action(report);
}

function reportOptions(program: Command) {
  return program
    .command("report")
    .description("one page from several runs: evaluations side by side, or training curves together")
    .argument("<runs...>", "run directories of midcourse eval, or of midcourse train or start")
    .option("--out <file>", "file to write", "report.html")
    .addHelpText(
      "after",
      "\nExamples:\n  midcourse report runs/eval                     its table and page again\n  midcourse report runs/a runs/b --out ab.html   two evaluations, paired where their items are the same\n  midcourse report runs/pasr                     a training: curves, answers with their rewards, before and after\n  midcourse report runs/start runs/start-2       training curves of two seeds\n",
    );
}

async function report(runs: string[], options: { out: string }): Promise<void> {
  const { isEvaluation } = await import("#recipes/benchmark/folder.ts");
  const evaluations = runs.filter(isEvaluation);
  if (evaluations.length > 0 && evaluations.length < runs.length) {
    throw userError(
      "mixed-runs",
      `${runs.find((run) => !isEvaluation(run))} is no evaluation, and the others are`,
      "Give evaluations (midcourse eval) or trainings (midcourse train, midcourse start), not both.",
    );
  }
  const file = path.resolve(options.out);
  const { html, table } = evaluations.length > 0 ? await evaluationReport(evaluations) : await trainingReport(runs);
  makeFolder(path.dirname(file));
  replaceFile(file, html);
  process.stdout.write(`${table === undefined ? "" : `\n${table}\n\n`}report   ${file}\n`);
}

async function evaluationReport(folders: readonly string[]): Promise<{ html: Iterable<string>; table: string }> {
  const [{ readEvaluation, reportData }, { runNames }, { compareRuns }, { renderReport }, { renderTable }] = await Promise.all([
    import("#recipes/benchmark/folder.ts"),
    import("#recipes/shared/run-names.ts"),
    import("#evaluation/report/compare-runs.ts"),
    import("#evaluation/report/report.ts"),
    import("#evaluation/report/table.ts"),
  ]);
  const data = folders.map((folder) => reportData(readEvaluation(folder)));
  const [first, ...others] = data;
  for (const [index, title] of runNames(others.length > 0 ? folders : []).entries()) data[index].title = title;
  if (others.length > 0) return compareRuns(data, { width: screen().width });
  return { html: renderReport(first), table: renderTable(first.results, screen()) };
}

async function trainingReport(runs: readonly string[]): Promise<{ html: Iterable<string>; table: string | undefined }> {
  const { isTraining, trainingReport: ofTrainings } = await import("#recipes/training-report.ts");
  if (runs.some(isTraining)) return ofTrainings(runs, screen());
  const { reportRuns } = await import("#recipes/quick-start/report.ts");
  return { html: reportRuns(runs), table: undefined };
}
