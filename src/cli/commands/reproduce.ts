/** `midcourse reproduce pasr-table-1`: makes the table, or what is missing of it, and writes it down. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { RowResult, TrainingTable } from "#evaluation/trainings/training-table.ts";
import { replaceFile } from "#files/durable.ts";
import { guarded } from "#files/file-failures.ts";
import { userError } from "#kernel/errors.ts";
import { shippedModel } from "#models/shipped-model.ts";
import { fastTableOnePlan, fullTableOnePlan, type TableOnePlan } from "#recipes/table-one/plan.ts";
import { reportTableOne, type TableOneFacts, tableOneHtml, tableOneMarkdown } from "#recipes/table-one/report.ts";
import { codeVersions, runTableOne, seedsIn } from "#recipes/table-one/table-one.ts";
import { dash, fixed, percent, percentWithin, points } from "#text/numbers.ts";
import { fitTable, type TextColumn } from "#text/table.ts";
import { interruptSignal } from "../terminal/interrupt.ts";
import { packageVersion, shownCommand } from "../terminal/package-version.ts";
import { Progress } from "../terminal/progress.ts";
import { judgeTableOne } from "./reproduce-judge.ts";

export interface ReproduceOptions {
  seeds: number;
  out: string;
  markdown?: string;
  model?: string;
  judge?: string;
  judged: number;
  fast?: boolean;
  threads?: number;
  json?: boolean;
}

export async function reproduceTableOne(options: ReproduceOptions): Promise<void> {
  if (options.seeds < 1) throw userError("seeds", "a table of no seeds is empty", "Give --seeds 1 or more.");
  const model = path.relative(process.cwd(), options.model ?? shippedModel) || ".";
  const plan: TableOnePlan = { ...(options.fast ? fastTableOnePlan : fullTableOnePlan), model };
  const signal = interruptSignal();
  const progress = new Progress();
  let unit = "";
  const failures = await runTableOne({
    folder: options.out,
    plan,
    seeds: options.seeds,
    code: codeVersion(),
    threads: options.threads,
    signal,
    onUnit: (name, done, total) => {
      unit = `${done + 1}/${total} ${name}`;
    },
    onWaiting: () => progress.update({ label: "Another process has the rest", done: 0, total: 1 }),
    onTraining: (_name, { stepsDone, steps }) => progress.update({ label: `${unit}: train`, done: stepsDone, total: steps }),
    onEvaluation: (_name, { done, total }) => progress.update({ label: `${unit}: answer`, done, total }),
  }).finally(() => progress.finish());

  const seeds = Math.max(options.seeds, seedsIn(options.out));
  const facts: TableOneFacts = {
    folder: options.out,
    plan,
    seeds,
    command: shownCommand(),
    code: codeVersions(options.out),
    failures,
    isFast: options.fast === true,
  };
  let written = write(options, facts);
  if (options.judge !== undefined) {
    // The table stands by now, whatever becomes of the judge.
    const judgements = await judgeTableOne(options.judge, options, plan, seeds, signal);
    written = write(options, { ...facts, judgements });
  }
  const { report, results, page, markdown } = written;
  const lines = [
    ...failures.map(({ name, message }) => `not done: ${name}: ${message}`),
    `table    ${markdown}`,
    `report   ${page}`,
  ];
  process.stdout.write(options.json ? results : `\n${textTable(report.table)}\n\n${lines.join("\n")}\n`);
}

function write(options: ReproduceOptions, facts: TableOneFacts) {
  const report = reportTableOne(facts);
  const results = `${JSON.stringify({ ...facts, ...report }, null, 2)}\n`;
  const put = (file: string, content: string) => {
    guarded(`write ${file}`, () => {
      mkdirSync(path.dirname(file), { recursive: true });
      replaceFile(file, content);
    });
    return file;
  };
  put(path.join(options.out, "results.json"), results);
  const page = put(path.join(options.out, "report.html"), tableOneHtml(facts, report));
  const markdown = put(markdownFile(options), tableOneMarkdown(facts, report));
  return { report, results, page, markdown };
}

/** The page of the documentation is not for the numbers of a smoke. */
function markdownFile({ markdown, fast, out }: ReproduceOptions): string {
  return markdown ?? (fast ? path.join(out, "table-1.md") : "docs/table-1.md");
}

/** Version of the package, and the commit where it runs from a checkout of its own. */
function codeVersion(): string {
  const version = packageVersion();
  try {
    const here = {
      cwd: import.meta.dirname,
      encoding: "utf8" as const,
      stdio: ["ignore", "pipe", "ignore"] as ["ignore", "pipe", "ignore"],
    };
    return `${version}, commit ${execFileSync("git", ["rev-parse", "--short", "HEAD"], here).trim()}`;
  } catch {
    return version;
  }
}

function textTable({ rows, scopes, subject }: TrainingTable): string {
  const figures = (row: RowResult, scope: string) => row.figures.find((each) => each.scope === scope);
  const columns: TextColumn<RowResult>[] = [
    { title: "row", short: "row", cell: ({ label }) => label, rank: 0 },
    ...scopes.map(({ id, label, kind }): TextColumn<RowResult> => {
      const cell = (row: RowResult) =>
        figures(row, id) ? percentWithin(figures(row, id)!.accuracy, figures(row, id)!.interval) : dash;
      const shortCell = (row: RowResult) => (figures(row, id) ? percent(figures(row, id)!.accuracy) : dash);
      return { title: label, short: label, cell, shortCell, rank: kind === "overall" ? 0 : kind === "domain" ? 2 : 1 };
    }),
    { title: "tokens", short: "tokens", cell: (row) => fixed(figures(row, scopes.at(-1)!.id)?.generated, 0), rank: 1 },
    {
      title: `${subject} −`,
      short: `${subject} −`,
      cell: (row) => {
        const gain = figures(row, scopes.at(-1)!.id)?.subjectGain;
        return gain ? points(gain.difference) : "";
      },
      rank: 1,
    },
  ];
  const fitted = fitTable(rows, columns, process.stdout.columns ?? 140);
  return fitted ? [fitted.header, fitted.rule, ...fitted.rows].join("\n") : rows.map(({ label }) => label).join("\n");
}
