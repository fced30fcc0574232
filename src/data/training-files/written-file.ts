/** Training data on its way into a file: near-duplicates left out, written in the format asked for, every loss counted on a card. */

import { rmSync } from "node:fs";
import { replaceFile } from "#files/durable.ts";
import { userError } from "#kernel/errors.ts";
import { counted } from "#kernel/numbers.ts";
import { type NearDuplicateFilter, nearDuplicateFigures, withoutNearDuplicates } from "../filters/near-duplicates.ts";
import { type DataCard, DropTally, dataCard, dropReasons, weightFigures, writeCard } from "./data-card.ts";
import { type Datum, idOf, type TrainingFormat } from "./datum.ts";
import { type Converted, convert, formatNamed, readTrainingFile, rowsLayout, type TrainingFile, writeRows } from "./formats.ts";
import type { PtrLimits } from "./ptr-layout.ts";

export interface WrittenCard {
  card: DataCard;
  /** Where it stands, beside the data. */
  cardFile: string;
}

export interface RowsWanted {
  to: TrainingFormat;
  nearDuplicates?: NearDuplicateFilter | undefined;
  /** Writes weighted examples without their weight where the format holds none. */
  ignoreWeights?: boolean | undefined;
}

export interface PreparedRows extends Converted {
  /** What is left without near-duplicates, whether or not the format can say it. */
  data: readonly Datum[];
  repeats: DropTally;
  /** For the card; nothing where near-duplicates may stay. */
  figures: DataCard["figures"];
}

export function prepareRows(made: readonly Datum[], { to, nearDuplicates, ignoreWeights }: RowsWanted): PreparedRows {
  const repeats = new DropTally();
  const data = nearDuplicates ? withoutNearDuplicates(made, nearDuplicates, repeats) : made;
  const figures = nearDuplicates ? nearDuplicateFigures(nearDuplicates, made.length - data.length) : {};
  return { ...convert(data, to, { ignoreWeights }), data, repeats, figures };
}

export interface ConversionWanted extends Omit<RowsWanted, "to"> {
  /** Names of formats; the first is told by the columns when left out. */
  from?: string | undefined;
  to: string;
  /** Of PTR's layout. */
  limits: PtrLimits;
  out: string;
  /** Stop where anything would be left out, before the file is written. */
  strict?: boolean | undefined;
  command?: string | undefined;
}

/** One file of training data in another format. A file of which nothing can be written is an error that names the first reason. */
export async function convertFile(
  file: string,
  { from, limits, out, strict, command, ...wanted }: ConversionWanted,
): Promise<WrittenCard> {
  rowsLayout(out);
  const to = formatNamed(wanted.to, limits);
  const read = await readTrainingFile(file, { format: from, limits });
  const { rows, tally, weightsIgnored, data, repeats, figures } = prepareRows(read.data, { ...wanted, to });
  if (rows.length === 0) throw nothingFits(file, to.name, tally);
  const whole = new DropTally();
  for (const step of [read.tally, repeats, tally]) whole.addDropsOf(step);
  const leftOut = leftOutLines(file, read, whole);
  if (strict && leftOut.length > 0) throw strictly(leftOut);
  writeRows(out, rows);
  const leftOutFile = `${out}.left-out.jsonl`;
  if (leftOut.length > 0) replaceFile(leftOutFile, leftOut.map((row) => `${JSON.stringify(row)}\n`).join(""));
  else rmSync(leftOutFile, { force: true });
  whole.read += rows.length;
  whole.kept += rows.length;
  const conversations = data.flatMap((datum) => (datum.kind === "conversation" ? [datum.conversation] : []));
  const notes: string[] = [];
  if (leftOut.length > 0) notes.push(`${leftOutFile} names ${counted(leftOut.length, "row")} left out, with line and reason.`);
  if (to.name === "verl" && !/\.parquet$/i.test(out)) notes.push("verl reads Parquet: give a file that ends in .parquet.");
  if (weightsIgnored > 0)
    notes.push(
      `${counted(weightsIgnored, "example was", "examples were")} written without the weight ${weightsIgnored === 1 ? "it has" : "they have"}.`,
    );
  const card = dataCard(
    {
      title: `${file} as ${to.name}`,
      command,
      figures: { formats: { from: read.format.name, to: to.name }, ...figures, ...weightFigures(conversations) },
      notes,
    },
    whole,
  );
  return { card, cardFile: writeCard(out, card) };
}

/** Each row left out, with its line and the reason. */
function leftOutLines(file: string, { data, lines }: TrainingFile, { all }: DropTally) {
  const lineOf = new Map(data.map((datum, index) => [idOf(datum), lines[index]]));
  return all.map(({ id, dropped, detail }) => {
    const line = lineOf.get(id) ?? Number(id.slice(id.lastIndexOf(":") + 1));
    return { file, line, id, because: `${dropReasons[dropped]}${detail === undefined ? "" : ` (${detail})`}` };
  });
}

function strictly(rows: ReturnType<typeof leftOutLines>) {
  const some = rows.slice(0, 3).map(({ file, line, because }) => `${file}, line ${line}: ${because}`);
  return userError(
    "rows-left-out",
    `${counted(rows.length, "row")} would be left out: ${some.join("; ")}`,
    "Mend or remove them, or leave --strict out.",
  );
}

function nothingFits(file: string, format: string, { dropped: [first] }: DropTally) {
  return userError(
    "data-not-representable",
    `${file} cannot be written as ${format}: ${first?.meaning} (${first?.examples[0]})`,
    first?.reason === "weighted"
      ? "Take the format midcourse, which keeps weights, or go without them with --ignore-weights."
      : "Take a format that keeps masks, such as midcourse, openai or trl-prompt-completion.",
  );
}
