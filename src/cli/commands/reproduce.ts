/** `midcourse reproduce pasr-table-1`: makes the table, or what is missing of it, and writes it down. */
import { execFileSync } from "node:child_process";
import path from "node:path";
import type { Command } from "commander";
import type { RowResult, TrainingTable } from "#evaluation/trainings/table.ts";
import { dash, fixed, percent, percentWithin, points } from "#text/numbers.ts";
import { harmless, harmlessJson } from "#text/signs.ts";
import { fittedLines, noRoomFor, type TextColumn, wrapText } from "#text/table.ts";
import { wholeNumber } from "../options/option-numbers.ts";
import { interruptSignal, packageVersion, shownCommand } from "../terminal/process.ts";
import { Progress } from "../terminal/progress.ts";
import { serverLines } from "../terminal/waiting.ts";

export function registerReproduce(program: Command): void {
  tableOneOptions(program.command("reproduce").description("tables of papers, run again in miniature")).action(reproduce);
}

function tableOneOptions(command: Command) {
  return command
    .command("pasr-table-1")
    .description(
      "PASR beside every baseline it names, on one small base, the same questions and test problems (arXiv 2508.12903)",
    )
    .option("--seeds <number>", "seeds 1 to this one; more can be asked for later", wholeNumber, 3)
    .option("--out <folder>", "run directory; the same command goes on where it stopped", "runs/table-1")
    .option("--markdown <file>", "where the page goes (default: table-1.md in the run directory)")
    .option("--model <folder>", "checkpoint folder that the base is made from (default: the shipped model)")
    .option("--judge <model>", "a server's model that says of what kind refinements are, beside the rule")
    .option("--judged <number>", "refinements of each row that it is asked about", wholeNumber, 100)
    .option("--fast", "a smoke of the same code in less than ten minutes; proves nothing")
    .option("--threads <number>", "cores to use (default: all, up to 8)", wholeNumber)
    .option("--json", "print the figures as JSON")
    .addHelpText(
      "after",
      `
On two cores the base takes about seven minutes and every seed about twenty. A second process with the same command shares the
work: with one core each (--threads 1) two are faster than one with two. What is finished stays finished; --seeds 5 on a finished
table of three adds two.

Examples:
  midcourse reproduce pasr-table-1 --seeds 1
  midcourse reproduce pasr-table-1 --seeds 3 --threads 1        in two terminals
  midcourse reproduce pasr-table-1 --fast --out runs/table-smoke
`,
    );
}

type TableOneOptions = ReturnType<ReturnType<typeof tableOneOptions>["opts"]>;

async function reproduce(options: TableOneOptions): Promise<void> {
  const { seeds, out: folder, fast: isFast = false, judge } = options;
  const markdownFile = options.markdown ?? path.join(folder, "table-1.md");
  const signal = interruptSignal();
  const progress = new Progress();
  const { reproduceTableOne } = await import("#recipes/table-one/reproduce.ts");
  let unit = "";
  const { failures, report, results, page } = await reproduceTableOne(
    {
      folder,
      seeds,
      model: options.model,
      isFast,
      markdownFile,
      judge: judge === undefined ? undefined : { model: judge, sample: options.judged, ...serverLines() },
    },
    {
      command: shownCommand(),
      code: codeVersion(),
      threads: options.threads,
      signal,
      onUnit: (name, done, total) => {
        unit = `${done + 1}/${total} ${name}`;
      },
      onWaiting: () => progress.update({ label: "Another process has the rest", done: 0, total: 1 }),
      onTraining: (_name, { stepsDone, steps }) => progress.update({ label: `${unit}: train`, done: stepsDone, total: steps }),
      onEvaluation: (_name, { done, total }) => progress.update({ label: `${unit}: answer`, done, total }),
    },
  ).finally(() => progress.finish());
  const lines = [
    ...failures.map(({ name, message }) => `not done: ${name}: ${message}`),
    `table    ${markdownFile}`,
    `report   ${page}`,
  ];
  process.stderr.write(failures.length === 0 ? progress.nothingDone() : "");
  process.stdout.write(
    options.json
      ? `${harmlessJson(JSON.parse(results), 2)}\n`
      : harmless(`\n${textTable(report.table)}\n\n${lines.join("\n")}\n`),
  );
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
  const whole = (row: RowResult) => row.figures.find((each) => each.scope === scopes.at(-1)?.id);
  const gainOf = `${subject} −`;
  const columns: TextColumn<RowResult>[] = [
    { title: "row", short: "row", cell: ({ label }) => label, rank: 0 },
    ...scopes.map(({ id, label, kind }): TextColumn<RowResult> => {
      const cell = (row: RowResult) => {
        const found = figures(row, id);
        return found ? percentWithin(found.accuracy, found.interval) : dash;
      };
      const shortCell = (row: RowResult) => percent(figures(row, id)?.accuracy);
      return {
        title: label,
        short: label,
        cell,
        shortCell,
        shortLacks: "intervals",
        rank: kind === "overall" ? 0 : kind === "domain" ? 2 : 1,
      };
    }),
    { title: "tokens", short: "tokens", cell: (row) => fixed(whole(row)?.generated, 0), rank: 1 },
    { title: gainOf, short: gainOf, cell: (row) => points(whole(row)?.subjectGain?.difference, ""), rank: 1 },
  ];
  const width = process.stdout.columns ?? 140;
  const { lines, leftOut } = fittedLines(rows, columns, width);
  const notes = noRoomFor(leftOut, "The page has them.").flatMap((note) => wrapText(note, width, "  "));
  return [...lines, ...notes].join("\n");
}
