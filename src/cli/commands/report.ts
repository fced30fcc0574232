/** `midcourse report`: evaluations side by side, or the training curves of several runs on one page. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { compareRuns } from "#evaluation/report/compare-runs.ts";
import { renderReport } from "#evaluation/report/report.ts";
import { renderTable } from "#evaluation/report/table.ts";
import { guarded } from "#files/file-failures.ts";
import { userError } from "#kernel/errors.ts";
import { isEvaluation, readEvaluation, reportData } from "#recipes/benchmark/folder.ts";
import { reportRuns } from "#recipes/quick-start/report.ts";

export async function report(runs: readonly string[], options: { out: string }): Promise<void> {
  const evaluations = runs.filter(isEvaluation);
  if (evaluations.length > 0 && evaluations.length < runs.length) {
    throw userError(
      "mixed-runs",
      `${runs.find((run) => !isEvaluation(run))} is no evaluation, and the others are`,
      "Give evaluations (midcourse eval) or training runs (midcourse start), not both.",
    );
  }
  const file = path.resolve(options.out);
  const { html, table } = evaluations.length > 0 ? evaluationReport(evaluations) : { html: reportRuns(runs), table: undefined };
  guarded(`write ${file}`, () => {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, html);
  });
  process.stdout.write(`${table === undefined ? "" : `\n${table}\n\n`}report   ${file}\n`);
}

function evaluationReport(folders: readonly string[]): { html: string; table: string } {
  const data = folders.map((folder) => reportData(readEvaluation(folder)));
  const width = process.stdout.columns ?? 110;
  const [first, ...others] = data;
  if (others.length > 0) return compareRuns(data, { width });
  return {
    html: renderReport(first!),
    table: renderTable(first!.results, { width, styled: process.stdout.isTTY === true }),
  };
}
