/** `midcourse report`: the training curves of several runs on one page, with the first run's table and answers. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { reportRuns } from "#recipes/run-report.ts";

export async function report(runs: readonly string[], options: { out: string }): Promise<void> {
  const page = reportRuns(runs);
  const file = path.resolve(options.out);
  writeFileSync(file, page);
  process.stdout.write(`report   ${file}\n`);
}
