/** Every format of training data by its name, and files of them: read, converted, written, with every row accounted for. */

import path from "node:path";
import { makeFolder, replaceFile } from "#files/durable.ts";
import { userError } from "#kernel/errors.ts";
import { struckValue } from "#kernel/secrets.ts";
import { parquetBytes } from "../files/parquet.ts";
import { type Row, readRows } from "../files/rows.ts";
import { type Dropped, DropTally, isDropped } from "./data-card.ts";
import { asKind, type Datum, idOf, type TrainingFormat, unsaidWeight, wrongKind } from "./datum.ts";
import { alpaca } from "./formats-alpaca.ts";
import { conversationOr, openAiChat, ownConversations, ownPairs, shareGpt } from "./formats-chat.ts";
import { trlPreference, trlPromptCompletion } from "./formats-trl.ts";
import { verl } from "./formats-verl.ts";
import { checkPtr, type PtrLimits, ptrConversation, ptrExampleOf, readPtr, writePtr } from "./ptr-layout.ts";

/** The layout of PTR's sample; rows that cannot be learned from are left out with their reason. */
export function ptrFormat(limits: PtrLimits = {}): TrainingFormat {
  return {
    name: "ptr",
    kind: "conversation",
    summary: "PTR's sample: question, output1 (attempt), output2 (final answer)",
    looksLike: ({ question, output1, output2 }) => [question, output1, output2].every((value) => typeof value === "string"),
    read(values, id) {
      const example = readPtr(values, typeof values.id === "string" && values.id !== "" ? values.id : id);
      const checked = isDropped(example) ? example : checkPtr(example, limits);
      return isDropped(checked) ? checked : conversationOr(ptrConversation(checked), values);
    },
    write(datum) {
      if (datum.kind !== "conversation") return wrongKind(datum, "ptr");
      const example = unsaidWeight(datum.conversation, "ptr") ?? ptrExampleOf(datum.conversation);
      return isDropped(example) ? example : { id: example.id, ...writePtr(example) };
    },
  };
}

/** `sharegpt` is also called `conversations`. */
export function trainingFormats(limits: PtrLimits = {}): TrainingFormat[] {
  // Where a row could be of several formats, the earlier one is taken.
  return [ownConversations, ownPairs, ptrFormat(limits), verl, trlPreference, trlPromptCompletion, shareGpt, openAiChat, alpaca];
}

export function formatNamed(name: string, limits: PtrLimits = {}): TrainingFormat {
  const formats = trainingFormats(limits);
  const found = formats.find((format) => format.name === (name === "conversations" ? "sharegpt" : name));
  if (found) return found;
  throw userError(
    "data-format",
    `“${name}” is no format of training data`,
    `Take one of ${formats.map((format) => format.name).join(", ")}.`,
  );
}

/** The format that the first rows are of. */
export function guessFormat(file: string, rows: readonly Row[], limits: PtrLimits = {}): TrainingFormat {
  const first = rows.slice(0, 20);
  const found = trainingFormats(limits).find(
    (format) => first.length > 0 && first.every(({ values }) => format.looksLike(values)),
  );
  if (found) return found;
  const columns = [...new Set(first.flatMap(({ values }) => Object.keys(values)))].join(", ");
  throw userError(
    "data-format",
    `${file} is of no known format of training data; its columns are: ${columns || "none"}`,
    "Name the format, such as --from openai.",
  );
}

export interface TrainingFile {
  format: TrainingFormat;
  data: Datum[];
  tally: DropTally;
  /** The line of each datum, and the rows that are none. */
  lines: number[];
  leftOut: { line: number; dropped: Dropped }[];
}

/** Reads a whole file. Rows that are no example are counted; a file without a single one is an error that names the first reason. */
export async function readTrainingFile(
  file: string,
  options: { format?: string | undefined; limits?: PtrLimits | undefined; rows?: readonly Row[] } = {},
): Promise<TrainingFile> {
  const rows = options.rows ?? (await readRows(file));
  if (rows.length === 0) throw userError("data-empty", `${file} is empty`, "Check the file.");
  const format =
    options.format === undefined ? guessFormat(file, rows, options.limits) : formatNamed(options.format, options.limits);
  const tally = new DropTally();
  const name = path.basename(file);
  const lines: number[] = [];
  const leftOut: TrainingFile["leftOut"] = [];
  const data = rows.flatMap(({ line, values }) => {
    const id = `${name}:${line}`;
    const read = format.read(values, id);
    if (isDropped(read)) leftOut.push({ line, dropped: read });
    else lines.push(line);
    return tally.take(id, read) ?? [];
  });
  if (data.length > 0) return { format, data, tally, lines, leftOut };
  const [first] = tally.dropped;
  throw userError(
    "data-empty",
    `none of the ${rows.length} rows of ${file} is an example of the format ${format.name}: ${first?.meaning} (${first?.examples[0]})`,
    "Check the file, or name another format with --from.",
  );
}

export interface Converted {
  rows: Record<string, unknown>[];
  tally: DropTally;
  /** Examples written without the weight they have. */
  weightsIgnored: number;
}

/** Rows of another format; what it cannot say is left out and counted. `ignoreWeights` writes an example without its weight, unless that is 0. */
export function convert(
  data: readonly Datum[],
  to: TrainingFormat,
  options: { ignoreWeights?: boolean | undefined } = {},
): Converted {
  const tally = new DropTally();
  let weightsIgnored = 0;
  const rows: Record<string, unknown>[] = [];
  const written = (datum: Datum): Record<string, unknown> | Dropped => {
    const same: Datum | Dropped = asKind(datum, to.kind);
    return isDropped(same) ? same : to.write(same, rows.length);
  };
  for (const datum of data) {
    let outcome = written(datum);
    if (options.ignoreWeights && outcome.dropped === "weighted" && datum.kind === "conversation") {
      const { weight: _, ...conversation } = datum.conversation;
      outcome = written({ kind: "conversation", conversation });
      if (!isDropped(outcome)) weightsIgnored++;
    }
    const row = tally.take(idOf(datum), outcome);
    if (row !== undefined) rows.push(row);
  }
  return { rows, tally, weightsIgnored };
}

/**
 * Parquet where the name ends in `.parquet`, one array where it ends in `.json`, else JSON lines. In one move: a crash leaves the old file
 * or the new one.
 */
export function writeRows(file: string, rows: readonly Record<string, unknown>[]): void {
  const layout = rowsLayout(file);
  makeFolder(path.dirname(file), `write ${file}`);
  if (layout === "parquet") {
    replaceFile(file, parquetBytes(struckValue(rows), path.basename(file)));
    return;
  }
  const lines = rows.map((row) => JSON.stringify(row));
  replaceFile(file, layout === "array" ? `[${lines.join(",\n")}]\n` : lines.map((line) => `${line}\n`).join(""));
}

/** How rows are laid out in a file of this name. Asked before long work, so that a name that cannot be written costs none. */
export function rowsLayout(file: string): "parquet" | "array" | "lines" {
  const layouts = { ".parquet": "parquet", ".json": "array", ".jsonl": "lines", ".ndjson": "lines" } as const;
  const extension = path.extname(file).toLowerCase();
  if (Object.hasOwn(layouts, extension)) return layouts[extension as keyof typeof layouts];
  throw userError(
    "data-format",
    `training data cannot be written as “${path.basename(file)}”`,
    "Give a file that ends in .jsonl, .json or .parquet.",
  );
}
