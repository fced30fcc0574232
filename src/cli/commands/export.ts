/** `midcourse export`: an evaluation in the formats of other tools. */
import path from "node:path";
import { exportInspect } from "#evaluation/export/export-inspect.ts";
import { exportLmEval } from "#evaluation/export/export-lm-eval.ts";
import { guarded } from "#files/file-failures.ts";
import { userError } from "#kernel/errors.ts";
import { isEvaluation, readEvaluation } from "#recipes/benchmark/folder.ts";
import { readRun } from "#record/run-directory.ts";

export async function exportRun(run: string, options: { format: "lm-eval" | "inspect"; out?: string }): Promise<void> {
  if (!isEvaluation(run))
    throw userError("no-evaluation", `${run} is no evaluation`, "Give the run directory of a midcourse eval.");
  const { results, index, itemsOf } = readEvaluation(run);
  const folder = options.out ?? path.join(run, options.format);
  const write = options.format === "inspect" ? exportInspect : exportLmEval;
  const date = new Date(readRun(run).configuration.created);
  const files = guarded(`write ${folder}`, () =>
    write({ folder, results, records: index.stream(), itemsOf: (task) => [...itemsOf(task).values()], date }),
  );
  for (const file of files) process.stdout.write(`${file}\n`);
}
