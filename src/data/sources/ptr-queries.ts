/** Questions to make training data from: any file with a question column, cleaned of what is empty, too long or there already. */

import path from "node:path";
import { userError } from "#kernel/errors.ts";
import { counted } from "#kernel/numbers.ts";
import { type Row, readRows } from "../files/rows.ts";
import { questionKey } from "../filters/split.ts";
import { DropTally } from "../training-files/data-card.ts";
import { readMessages } from "../training-files/datum.ts";

export interface Query {
  id: string;
  question: string;
}

export interface QueryOptions {
  /** Name of the column; guessed when left out. */
  column?: string | undefined;
  /** Longer questions are left out. */
  maximumCharacters?: number | undefined;
  /** `questionKey` of questions that must not be trained on. */
  testQuestions?: ReadonlySet<string>;
}

/** A file that was read. */
export interface QuerySource {
  file: string;
  rows: readonly Row[];
}

const guesses = ["question", "problem", "query", "prompt", "instruction", "messages", "conversations", "input", "text"];

/** As `queriesFromFiles`, of one file. */
export function queriesFromRows(file: string, rows: readonly Row[], options: QueryOptions = {}) {
  return queriesFromFiles([{ file, rows }], options);
}

/**
 * The queries of all files, in their order: a question of an earlier file that comes again is a duplicate. The column is chosen for each file.
 * The last user message where the column holds a conversation; Alpaca's `input` is put below its `instruction`. Rows of the published
 * sample and of any question–answer file fit.
 */
export function queriesFromFiles(
  sources: readonly QuerySource[],
  options: QueryOptions = {},
): { queries: Query[]; tally: DropTally } {
  const { maximumCharacters = Number.POSITIVE_INFINITY, testQuestions = new Set() } = options;
  const tally = new DropTally();
  const seen = new Set<string>();
  const ids = new Set<string>();
  const queries: Query[] = [];
  const all = sources.flatMap(({ file, rows }) => {
    const column = chooseColumn(file, rows, options.column);
    return rows.map((row) => ({ ...row, column, file }));
  });
  for (const { line, values, column, file } of all) {
    const own = typeof values.id === "string" || typeof values.id === "number" ? String(values.id) : "";
    const id = freshId(ids, own, file, line);
    const question = questionIn(values, column);
    const key = questionKey(question ?? "") || question;
    if (question === undefined) tally.drop(id, { dropped: "malformed", detail: `${column} holds no text` });
    else if (question === "") tally.drop(id, { dropped: "question-empty" });
    else if (question.length > maximumCharacters)
      tally.drop(id, { dropped: "question-too-long", detail: counted(question.length, "character") });
    else if (testQuestions.has(questionKey(question))) tally.drop(id, { dropped: "asked-elsewhere" });
    else if (seen.has(key!)) tally.drop(id, { dropped: "duplicate" });
    else {
      seen.add(key!);
      ids.add(id);
      tally.keep();
      queries.push({ id, question });
    }
  }
  if (queries.length > 0) return { queries, tally };
  throw userError(
    "data-empty",
    `${sources.map(({ file }) => file).join(", ")} holds no question that can be used (${counted(all.length, "row")} read)`,
    "Check the file and the column.",
  );
}

/** The row's own where no query before it has it; else its place, with the folder where two files are called alike. */
function freshId(ids: ReadonlySet<string>, own: string, file: string, line: number): string {
  if (own !== "" && !ids.has(own)) return own;
  const place = `${path.basename(file)}:${line}`;
  return ids.has(place) ? `${file}:${line}` : place;
}

function chooseColumn(file: string, rows: readonly Row[], wanted: string | undefined): string {
  const present = [...new Set(rows.slice(0, 100).flatMap(({ values }) => Object.keys(values)))];
  if (wanted !== undefined && present.includes(wanted)) return wanted;
  const guessed = guesses.flatMap((guess) => present.find((name) => name.toLowerCase() === guess) ?? [])[0];
  if (wanted === undefined && guessed !== undefined) return guessed;
  throw userError(
    "data-column",
    wanted === undefined ? `${file}: no column looks like the question` : `${file} has no column “${wanted}”`,
    `Name it with --question; the file has: ${present.join(", ") || "none"}.`,
  );
}

function questionIn(values: Readonly<Record<string, unknown>>, column: string): string | undefined {
  const value = values[column];
  if (value === undefined || value === null) return "";
  const below = column === "instruction" && typeof values.input === "string" ? values.input.trim() : "";
  if (typeof value === "string") return below === "" ? value.trim() : `${value.trim()}\n\n${below}`;
  const turns = Array.isArray(value) ? (value as { from?: unknown; value?: unknown }[]) : [];
  const asked =
    readMessages(value)?.findLast(({ role }) => role === "user")?.content ??
    turns.findLast((turn) => turn?.from === "human" || turn?.from === "user")?.value;
  return typeof asked === "string" ? asked.trim() : undefined;
}

/** `questionKey` of every question in the files, so that none of them is trained on. */
export async function questionKeysOf(files: readonly string[]): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const file of files) {
    const { queries } = queriesFromRows(file, await readRows(file));
    for (const { question } of queries) keys.add(questionKey(question));
  }
  return keys;
}
