/** Results for a terminal: the methods over all tasks, then each task, with the resampling baseline beside every method. */

import { styleText } from "node:util";
import { type CallSpecs, checkCall, flag, most, thing } from "#kernel/call-options.ts";
import { counted } from "#kernel/numbers.ts";
import { dash, fixed, formatP, percent, percentSign, percentWithin, tokenCount, whole } from "#text/numbers.ts";
import { fittedLines, noRoomFor, type TextColumn, wrapText } from "#text/table.ts";
import type { Interval } from "../statistics/statistics.ts";
import type { MethodResult, OverallResult, Results, TaskResult } from "../summary/results.ts";
import {
  baselineText,
  costDifference,
  costPerRight,
  detectable,
  difference,
  failureCounts,
  marked,
  name,
  names,
  overBudgetNote,
  poolDoubt,
  poolTokens,
  share,
  tokens,
  withEnds,
} from "./cells.ts";
import { runNotes, temperatureWords } from "./run-notes.ts";
import { competitorsOn, competitorsOver, overallStanding, standingOut, taskStanding } from "./standing.ts";

export interface TableOptions {
  /** Columns of the terminal; 80 when left out. */
  width?: number;
  /** Bold and dim where they help the eye; false writes no control codes. */
  styled?: boolean;
}

/** The table says of which task, and has the intervals. On a terminal lines are broken by us, at spaces like any other. */
function besideTable(say: (words: { where: string; intervals: boolean }) => string): string {
  return say({ where: "", intervals: false }).replaceAll("\u00a0", " ");
}

const tableSpecs: CallSpecs<TableOptions> = {
  width: most("columns of the terminal", 1),
  styled: flag("bold and dim where they help the eye"),
};

export function renderTable(results: Results, options: TableOptions = {}): string {
  checkCall("renderTable", tableSpecs, options);
  const { width, bold, dim, layOut, lacking } = layoutOf(options);
  const notes = (texts: readonly string[]) => texts.flatMap((text) => (text === "" ? [] : wrapText(text, width, "  ").map(dim)));
  const blocks = results.tasks.map((task) => {
    const heading = `${task.task}${task.title === undefined ? "" : `: ${task.title}`}`;
    return [...wrapText(heading, width).map(bold), ...layOut(taskRows(task), taskColumns), ...notes(taskNotes(task))];
  });
  const byTask = new Set(lacking);
  lacking.clear();
  if (results.tasks.length > 1) {
    const table = layOut(overallRows(results), overallColumns(results));
    blocks.push([bold("over all tasks"), ...table, ...notes([besideTable((words) => overallStanding(results, words))])]);
  }
  if (results.tasks.length === 0) return "No answers were given.";
  const overall = [...lacking].filter((title) => !byTask.has(title)).map((title) => `${title} (over all tasks)`);
  const last = [
    ...legend(results, byTask),
    ...runNotes(results),
    ...noRoomFor([...byTask, ...overall], "The report and results.json have them."),
  ];
  return [...blocks.map((block) => block.join("\n")), notes(last).join("\n")].join("\n\n");
}

function layoutOf({ width = 80, styled = false }: TableOptions) {
  const style = (format: "bold" | "dim") => (text: string) =>
    styled ? styleText(format, text, { validateStream: false }) : text;
  const [bold, dim] = [style("bold"), style("dim")];
  /** What there was no room for. */
  const lacking = new Set<string>();
  /** The best rows bold; a list where the columns do not fit. */
  const layOut = <Row extends { best?: boolean }>(rows: readonly Row[], columns: readonly TextColumn<Row>[]) => {
    const { lines, isTable, leftOut } = fittedLines(rows, columns, width);
    for (const title of leftOut) lacking.add(title);
    if (!isTable) return lines;
    const [header, rule, ...others] = lines;
    return [dim(header), dim(rule), ...others.map((line, index) => (rows[index].best ? bold(line) : line))];
  };
  return { width, bold, dim, layOut, lacking };
}

interface MeasuredRow {
  method: MethodResult;
  best: boolean;
}

const measured = (title: string, short: string, cell: (method: MethodResult) => string): TextColumn<MeasuredRow> => ({
  title,
  short,
  rank: 0,
  cell: ({ method }) => cell(method),
});

const measurementColumns: readonly TextColumn<MeasuredRow>[] = [
  measured("method", "method", name),
  measured("accuracy (95 %)", "acc.", withInterval),
  measured("tokens per answer", "tokens", ({ tokensPerAnswer }) => whole(tokensPerAnswer)),
  measured("right→wrong", "r→w", ({ transitions, rightToWrong }) => (transitions ? percentSign(rightToWrong) : dash)),
  measured("wrong→right", "w→r", ({ transitions, wrongToRight }) => (transitions ? percentSign(wrongToRight) : dash)),
  measured("cost per correct", "cost", (method) => costPerRight(method, "tokens", whole)),
];

export interface MeasurementOptions extends TableOptions {
  /** What `midcourse eval` calls methods, by the names they have here, where those differ. */
  evalNames?: Readonly<Record<string, string>>;
}

const measurementSpecs: CallSpecs<MeasurementOptions> = {
  ...tableSpecs,
  evalNames: thing("what midcourse eval calls methods, by their names here"),
};

/** What a training came to, in short: each method's accuracy, tokens and transitions on the first task. */
export function renderMeasurement(results: Results, options: MeasurementOptions = {}): string {
  checkCall("renderMeasurement", measurementSpecs, options);
  const { width, dim, layOut } = layoutOf(options);
  const [task] = results.tasks;
  if (!task) return "No answers were given.";
  const best = standingOut(competitorsOn(task));
  const rows = task.methods.map((method) => ({ method, best: best.includes(method) }));
  const { evalNames = {} } = options;
  const renamed = task.methods.flatMap(({ id }) => (Object.hasOwn(evalNames, id) ? [`${id} is ${evalNames[id]}`] : []));
  const who = besideTable((words) => taskStanding(task, words));
  const notes = [
    ...(who === "" ? [] : [who]),
    `${counted(task.items, "item")}, ${temperatureWords(results)}. Right→wrong and wrong→right: shares of answers, from ${task.baseline} to the method.`,
    "Tokens are sampled ones, drafts and feedback included; cost per correct answer counts prompts too.",
    ...(renamed.length > 0 ? [`As midcourse eval calls them: ${renamed.join(", ")}.`] : []),
  ];
  return [...layOut(rows, measurementColumns), "", ...notes.flatMap((note) => wrapText(note, width).map(dim))].join("\n");
}

interface TaskRow {
  method?: MethodResult;
  task: TaskResult;
  oracle?: boolean;
  best?: boolean;
}

/** The methods, and under them what the whole resampling pool comes to. */
function taskRows(task: TaskResult): TaskRow[] {
  const best = standingOut(competitorsOn(task));
  const rows = task.methods.map((method): TaskRow => ({ method, task, oracle: method.oracle, best: best.includes(method) }));
  return task.pool && !task.methods.some(({ id }) => id === task.pool!.method) ? [...rows, { task }] : rows;
}

const ruleNames = { vote: "vote", single: "single answer", "best-of-n": "best-of-n" };

/** Cells of a method, and of the pool's own row. */
function column(
  title: string,
  short: string,
  rank: number,
  cell: (method: MethodResult) => string,
  shortCell: (method: MethodResult) => string = cell,
  ofPool: (task: TaskResult, short: boolean) => string = () => "",
): TextColumn<TaskRow> {
  return {
    title,
    short,
    rank,
    cell: ({ method, task }) => (method ? cell(method) : ofPool(task, false)),
    shortCell: ({ method, task }) => (method ? shortCell(method) : ofPool(task, true)),
  };
}

/** What narrow tables do not say in cells that are there. */
const differenceIntervals = "intervals of differences";
const promptTokens = "tokens with prompts";

function shortened<Row>(shortLacks: string, column: TextColumn<Row>): TextColumn<Row> {
  return { ...column, shortLacks };
}

const taskColumns: readonly TextColumn<TaskRow>[] = [
  column(
    "method",
    "method",
    0,
    name,
    name,
    ({ pool }) =>
      `(${pool!.floor ? "greedy or " : ""}${ruleNames[pool!.rule]}${pool!.rule === "single" ? "" : ` of ${pool!.samples}`})`,
  ),
  column("accuracy (95 %)", "acc.", 0, withInterval, withEnds, (task, short) =>
    (short ? withEnds : withInterval)(task.resamplingCurve.at(-1)!),
  ),
  shortened(
    differenceIntervals,
    column(
      "Δ plain (95 %)",
      "Δ plain",
      0,
      ({ versusBaseline }) => difference(versusBaseline),
      ({ versusBaseline }) => marked(versusBaseline),
    ),
  ),
  column("p Holm", "p Holm", 5, ({ versusBaseline }) => (versusBaseline ? formatP(versusBaseline.pHolm) : "")),
  column("resampling", "resampl.", 2, ({ resampling }) => baselineText(resampling?.generated)),
  shortened(
    differenceIntervals,
    column(
      "Δ resampling (95 %)",
      "Δ res.",
      0,
      ({ resampling }) => costDifference(resampling?.generated),
      ({ resampling }) => marked(resampling?.generated),
    ),
  ),
  shortened(
    promptTokens,
    column(
      "tokens",
      "tokens",
      0,
      tokens,
      (method) => (method.tokensPerAnswer === undefined ? "unknown" : tokenCount(method.tokensPerAnswer)),
      (task, isShort) => poolTokens(task, isShort),
    ),
  ),
  column("calls", "calls", 6, ({ callsPerAnswer }) => fixed(callsPerAnswer, 1)),
  column("cost/right", "cost/right", 4, (method) => costPerRight(method)),
  column("r→w", "r→w", 3, (method) => share(method, method.rightToWrong)),
  column("w→r", "w→r", 3, (method) => share(method, method.wrongToRight)),
];

function taskNotes(task: TaskResult): string[] {
  const reasons = Map.groupBy(
    task.methods.filter((method) => method.notComparable !== undefined && method.id !== task.pool?.method),
    (method) => method.notComparable!,
  );
  const failed = task.methods.filter((method) => method.failures > 0);
  const unsampled = failed.filter(({ failuresUnsampled = 0 }) => failuresUnsampled > 0);
  const unmetered = task.methods.filter((method) => method.unknownTokens > 0);
  const incomplete = task.methods.filter((method) => method.items < task.items);
  const unfound = task.methods.filter((method) => method.extractionFailures > 0.05);
  const blind = task.methods.flatMap((method) => method.versusBaseline?.minimumDetectableEffect ?? []);
  const last = task.resamplingCurve.at(-1);
  const measured = task.methods.filter(({ measures }) => measures !== undefined);
  const judged = task.methods.filter(({ gradingTokensPerAnswer }) => gradingTokensPerAnswer !== undefined);
  const early = task.methods.flatMap(({ id, answers, reasons }) =>
    ["budget-exhausted", "context-exceeded", "tool-calls"].flatMap((reason) =>
      reasons[reason] === undefined ? [] : [`${id} ${reasons[reason]} of ${answers} (${reason.replace("-", " ")})`],
    ),
  );
  const notes = [
    besideTable((words) => taskStanding(task, words)),
    `${counted(task.items, "item")}${task.clusters === undefined ? "" : ` in ${task.clusters} clusters`}${task.promptVersion === undefined ? "" : `, ${task.promptVersion}`}.` +
      (blind.length > 0 ? ` ${detectable(blind, task.baseline)}` : ""),
    ...[...reasons].map(([reason, methods]) => `not comparable: ${names(methods)}: ${reason}`),
    task.pool?.rule === "single" &&
      "Answers of this task cannot be voted on: resampling is a single plain answer, and more samples change nothing without a way to choose.",
    task.pool?.floor &&
      `resampling: the greedy plain answer, or ${task.pool.rule === "vote" ? "the vote of as many samples" : "a sample"} where that is better`,
    task.pool &&
      task.pool.itemsLeftOut > 0 &&
      `resampling: ${task.pool.itemsLeftOut} of ${task.pool.items + task.pool.itemsLeftOut} items left out, whose samples failed or whose tokens are unknown; Δ res. is over the others`,
    poolDoubt(task),
    overBudgetNote(task),
    early.length > 0 && `ended early, with the best answer so far: ${early.join(", ")}`,
    last &&
      `oracle: the right one of ${last.samples} plain samples, chosen by the reference answer, would be ${percent(last.passAtK)} (pass@${last.samples})`,
    failed.length > 0 && `failed: ${failed.map(failureCounts).join(", ")}; what they had by then is graded`,
    unsampled.length > 0 &&
      `left out of the means of tokens, failed before anything was sampled: ${unsampled.map(({ id, failuresUnsampled, answers }) => `${id} ${failuresUnsampled} of ${counted(answers, "answer")}`).join(", ")}`,
    unmetered.length > 0 &&
      `tokens unknown: ${unmetered.map((method) => `${method.id} ${method.unknownTokens} of ${counted(method.answers, "answer")}`).join(", ")}; means are over the others, where those are nine in ten or more`,
    incomplete.length > 0 &&
      `incomplete: ${incomplete.map((method) => `${method.id} has ${method.items} of ${counted(task.items, "item")}`).join(", ")}`,
    ...measured.map(({ id, measures }) => `${id} also: ${figures(measures!)}`),
    judged.length > 0 &&
      `the judge's own tokens an answer, not counted above: ${judged.map(({ id, gradingTokensPerAnswer }) => `${id} ${tokenCount(gradingTokensPerAnswer)}`).join(", ")}`,
    unfound.length > 0 &&
      `no answer found: ${unfound.map((method) => `${method.id} ${percent(method.extractionFailures)} %`).join(", ")}`,
  ];
  return notes.filter((note) => typeof note === "string");
}

/** Counts as they are, shares of one with three digits. */
function figures(measures: Readonly<Record<string, number>>): string {
  return Object.entries(measures)
    .map(([name, value]) => `${name} ${value.toFixed(3).replace(/\.000$/, "")}`)
    .join(", ");
}

interface OverallRow {
  result: OverallResult;
  results: Results;
  oracle?: boolean;
  best?: boolean;
}

function overallRows(results: Results): OverallRow[] {
  const best = standingOut(competitorsOver(results)).map(({ id }) => id);
  return results.overall.map((result) => ({ result, results, oracle: result.oracle, best: best.includes(result.id) }));
}

/** Rows methods, columns tasks and the mean over them, then tokens: the shape of PASR's Table 1. */
function overallColumns({ tasks }: Results): TextColumn<OverallRow>[] {
  const ofTask = (task: TaskResult): TextColumn<OverallRow> => ({
    title: task.task,
    short: task.task,
    rank: 3,
    cell: ({ result }) => {
      const method = task.methods.find(({ id }) => id === result.id);
      return method ? percent(method.accuracy) : dash;
    },
  });
  const plain = (
    title: string,
    short: string,
    rank: number,
    cell: (row: OverallResult) => string,
    shortCell = cell,
  ): TextColumn<OverallRow> => ({
    title,
    short,
    rank,
    cell: ({ result }) => cell(result),
    shortCell: ({ result }) => shortCell(result),
  });
  return [
    {
      title: "method",
      short: "method",
      rank: 0,
      cell: ({ result, results }) =>
        `${name(result)}${result.tasks < results.tasks.length ? ` (${result.tasks} of ${results.tasks.length} tasks)` : ""}`,
    },
    ...tasks.map(ofTask),
    plain(
      "average (95 %)",
      "avg.",
      0,
      ({ macro }) => withInterval(macro),
      ({ macro }) => withEnds(macro),
    ),
    shortened(
      differenceIntervals,
      plain(
        "Δ plain (95 %)",
        "Δ plain",
        0,
        ({ versusBaseline }) => difference(versusBaseline),
        ({ versusBaseline }) => marked(versusBaseline),
      ),
    ),
    shortened(
      differenceIntervals,
      plain(
        "Δ resampling (95 %)",
        "Δ res.",
        0,
        ({ versusResampling }) => difference(versusResampling),
        ({ versusResampling }) => marked(versusResampling),
      ),
    ),
    shortened(
      promptTokens,
      plain("tokens", "tokens", 1, tokens, ({ tokensPerAnswer }) =>
        tokensPerAnswer === undefined ? "unknown" : tokenCount(tokensPerAnswer),
      ),
    ),
  ];
}

/** Notes of columns that are shown. */
function legend(results: Results, lacking: ReadonlySet<string>): string[] {
  const { samples, seed, tasks, overall } = results;
  const [first, ...rest] = temperatureWords(results);
  const baseline = tasks[0]?.baseline ?? "vanilla";
  return [
    `${first.toUpperCase()}${rest.join("")}, ${counted(samples, "answer")} an item, seed ${seed}. Differences in points, paired by item; * where p < 0.05 after Holm's correction over the methods. Δ plain: from ${baseline}. Resampling: plain samples at the same sampled tokens as the method${lacking.has("resampling") ? "" : "; ≥ where the method costs more than the whole pool, < where it costs less than one sample"}.`,
    `Tokens: sampled ones of an answer, drafts and feedback included${lacking.has(promptTokens) ? "" : " / with every prompt"}.${lacking.has("r→w") ? "" : " r→w, w→r: shares of answers, in per cent."}`,
    ...(overall.some((row) => row.oracle) ? ["† looks at the reference answer: an upper bound, no method one could use."] : []),
  ];
}

function withInterval({ accuracy, interval }: { accuracy: number; interval: Interval }): string {
  return percentWithin(accuracy, interval);
}
