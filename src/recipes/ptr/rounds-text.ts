/** The rounds before and after training as tables for a terminal. */

import { styleText } from "node:util";
import { counted } from "#kernel/numbers.ts";
import { fixed, percent, percentWithin, points, pointsWithin, whole } from "#text/numbers.ts";
import { fittedLines, noRoomFor, type TextColumn, wrapText } from "#text/table.ts";
import type { Gain, RoundFigures } from "./round-figures.ts";
import type { RoundsReport } from "./rounds.ts";

interface Row extends RoundFigures {
  items: number;
  /** After training minus before. */
  gained?: Gain;
}

const columns: readonly TextColumn<Row>[] = [
  { title: "round", short: "round", cell: ({ round }) => String(round), rank: 0 },
  {
    title: "accuracy (95 %)",
    short: "acc.",
    cell: ({ accuracy, interval }) => percentWithin(accuracy, interval),
    rank: 0,
  },
  {
    title: "minus round 1",
    short: "−r1",
    cell: ({ againstFirst }) => gainText(againstFirst),
    rank: 1,
  },
  {
    title: "minus before",
    short: "−bef.",
    cell: ({ gained }) => gainText(gained),
    shortCell: ({ gained }) => points(gained?.difference, ""),
    shortLacks: "intervals of differences from before",
    rank: 2,
  },
  {
    title: "answers",
    short: "answ.",
    cell: ({ answered, items }) => (answered === items ? "" : String(answered)),
    rank: 1,
  },
  { title: "w→r", short: "w→r", cell: ({ round, wrongToRight }) => (round === 1 ? "" : String(wrongToRight)), rank: 3 },
  { title: "r→w", short: "r→w", cell: ({ round, rightToWrong }) => (round === 1 ? "" : String(rightToWrong)), rank: 3 },
  { title: "tokens", short: "tok.", cell: ({ generated }) => whole(generated, ""), rank: 1 },
  { title: "with prompts", short: "all", cell: ({ all }) => whole(all, ""), rank: 4 },
  {
    title: "vote (samples)",
    short: "vote",
    cell: ({ vote }) => (vote === undefined ? "" : `${percent(vote.accuracy)} (${samplesOf(vote)})`),
    shortCell: ({ vote }) => (vote === undefined ? "" : percent(vote.accuracy)),
    shortLacks: "samples of a vote",
    rank: 2,
  },
  {
    title: "minus vote",
    short: "−vote",
    cell: ({ vote }) => gainText(vote?.gain),
    rank: 2,
  },
];

/** Lines joined by newlines, none longer than the width unless a single cell is. */
export function renderRounds(report: RoundsReport, options: { width: number; styled: boolean }): string {
  const { width, styled } = options;
  const bold = (text: string) => (styled ? styleText("bold", text, { validateStream: false }) : text);
  const { items, gains } = report;
  const before = report.before.figures.map((figures): Row => ({ ...figures, items }));
  const after = report.after.figures.map((figures, index): Row => ({ ...figures, items, gained: gains[index] }));
  const tables = [
    { title: "Before training", rows: before, ended: report.before.endedEarly },
    { title: "After training", rows: after, ended: report.after.endedEarly },
  ];
  const lacking = new Set<string>();
  const blocks = tables.map(({ title, rows, ended }) => {
    const { lines, leftOut } = fittedLines(rows, columns, width);
    for (const column of leftOut) lacking.add(column);
    return [bold(title), ...lines, ...endedLines(ended, items).flatMap((line) => wrapText(line, width))].join("\n");
  });
  return [
    ...blocks,
    [...notes(report, lacking), ...noRoomFor([...lacking], "results.json has them.")]
      .flatMap((note) => wrapText(note, width))
      .join("\n"),
  ].join("\n\n");
}

/** Of columns that are shown. */
function notes({ rounds, items, test, trainedOn, request, instruction }: RoundsReport, lacking: ReadonlySet<string>): string[] {
  const shown = (title: string, note: string) => (lacking.has(title) ? [] : [note]);
  const minus = [
    ...shown("minus round 1", "minus round 1 (−r1)"),
    ...shown("minus before", "minus the same round before training (−bef.)"),
    ...shown("minus vote", "minus the vote (−vote)"),
  ];
  const between = rounds === 1 ? "" : `, in one chat: “${request}” between the rounds`;
  return [
    `${counted(items, "problem")} (${test}), greedy${between}${instruction === null ? "" : `, under “${instruction}”`}.`,
    ...(minus.length > 0 ? [`Differences in points with 95 % intervals, paired: ${minus.join(", ")}.`] : []),
    ...shown("w→r", "w→r and r→w: wrong answers made right and right ones made wrong since the round before."),
    ...shown("tokens", "Tokens are sampled ones of all rounds so far."),
    ...shown("with prompts", "“all” has the prompts too."),
    ...shown(
      "vote (samples)",
      "Vote: as many plain sampled answers of the same model as those tokens pay for; < and > where they pay for less than one, or for more than were drawn.",
    ),
    ...(trainedOn > 0
      ? [
          `${trainedOn} of these problems ${trainedOn === 1 ? "stands" : "stand"} among the training examples, so that the figures after training flatter.`,
        ]
      : []),
  ];
}

function endedLines(ended: Readonly<Record<string, number>>, items: number): string[] {
  const reasons = Object.entries(ended).map(([reason, count]) => `${count} of ${items} (${reason})`);
  return reasons.length === 0
    ? []
    : [`Ended before the last round, so that the last answer stands, which may itself be cut: ${reasons.join(", ")}.`];
}

function samplesOf({ samples, outside }: NonNullable<RoundFigures["vote"]>): string {
  const sign = { below: "<", above: ">" };
  return `${outside === undefined ? "" : sign[outside]}${fixed(samples, 1)}`;
}

function gainText(gain: Gain | undefined): string {
  return gain === undefined ? "" : pointsWithin(gain.difference, gain.interval);
}
