/** `midcourse export`: an evaluation in the formats of other tools. */
import path from "node:path";
import { type Command, Option } from "commander";
import { guarded } from "#files/file-failures.ts";
import { userError } from "#kernel/errors.ts";

export function registerExport(program: Command): void {
  exportOptions(program).action(exportRun);
}

function exportOptions(program: Command) {
  return program
    .command("export")
    .description("an evaluation in the formats of other tools")
    .argument("<run>", "run directory of midcourse eval")
    .addOption(
      new Option("--format <name>", "lm-eval: samples and results of lm-evaluation-harness; inspect: logs of Inspect")
        .choices(["lm-eval", "inspect"])
        .default("lm-eval"),
    )
    .option("--out <folder>", "folder to write into (default: the format's name in the run directory)")
    .addHelpText("after", "\nExamples:\n  midcourse export runs/eval --format inspect --out logs\n");
}

async function exportRun(run: string, options: { format: "lm-eval" | "inspect"; out?: string }): Promise<void> {
  const [{ isEvaluation, readEvaluation }, { exportInspect }, { exportLmEval }, { readRun }] = await Promise.all([
    import("#recipes/benchmark/folder.ts"),
    import("#evaluation/export/inspect.ts"),
    import("#evaluation/export/lm-eval.ts"),
    import("#record/run-directory.ts"),
  ]);
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
