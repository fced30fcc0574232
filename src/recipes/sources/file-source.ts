/**
 * Question–answer files as a source of training problems: word problems whose numbers are placeholders (the model writes the equation), or
 * any questions with answers. What training may see is decided here: never a question of the test file, never the held-out tenth.
 */

import { basename } from "node:path";
import { type ColumnNames, lineOf, questionAnswersFromRows } from "#data/files/question-answer.ts";
import { namedFile, type Row, readRows } from "#data/files/rows.ts";
import { isWordProblemLayout, wordProblemsFromRows } from "#data/files/word-problem-file.ts";
import { questionKey, splitByQuestion } from "#data/filters/split.ts";
import type { JsonObject } from "#files/json-lines.ts";
import { userError } from "#kernel/errors.ts";
import type { Item, Verifier } from "#kernel/item.ts";
import { counted } from "#kernel/numbers.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { getOrMake } from "#kernel/values.ts";
import type { LeftOutRow } from "../shared/left-out.ts";
import { questionAnswerMaterial } from "./file-question-answers.ts";
import { consistentProblems, inLowerCase, wordProblemMaterial } from "./file-word-problems.ts";
import { type FileMaterial, linesText, type RowFault, type Source } from "./source.ts";
import { worldSource } from "./world-source.ts";

export interface FileSourceOptions {
  /** JSONL, JSON, CSV or TSV with named columns. */
  train: string;
  /** A file of the same layout to report on. Absent: the held-out tenth of the training file serves for that too. */
  test?: string | undefined;
  /** Which column is which; guessed from the names where left out. Word problem files are recognised by theirs. */
  columns?: ColumnNames;
  /** Word problems only: put numbers into the questions, new ones in every pass. */
  resample?: boolean;
  /** Word problems only: keep number0, number1 … in question and equation, as published results did. True unless `resample` is. */
  placeholders?: boolean;
  /** Word problems only: exchange names and things in supervised conversations, always the same for the same. True unless said. */
  vary?: boolean;
  /** Train on questions that the test file asks too. Only to repeat results that were published without leaving them out. */
  keepTestQuestions?: boolean;
  /** Seed of what is drawn once for the whole source; which questions are held out does not depend on it. */
  seed: number;
}

export interface FileSource extends Source {
  /** A rule, unless a judge is put into its place. */
  verify: Verifier;
  /** What a person should know about the files: rows left out and why, what is measured on. One sentence each. */
  notes: string[];
  /** Problems trained on, held out and tested on. */
  counts: { train: number; held: number; test: number };
}

/** Where questions come from, as a command names it. */
export interface SourceFiles {
  /** Question–answer file; the small world when left out. */
  data?: string | undefined;
  /** To measure on, before and after. */
  test?: string | undefined;
  /** Names of the columns. */
  question?: string | undefined;
  answer?: string | undefined;
  /** Word problems get new numbers in every pass. */
  resample?: boolean | undefined;
}

export async function openSource(
  { data, test, question, answer, resample = false, seed }: SourceFiles & { seed: number },
  onNote: (text: string) => void,
): Promise<Source> {
  if (data === undefined) return worldSource;
  const source = await fileSource({ train: data, test, columns: { question, answer }, resample, seed });
  source.notes.forEach(onNote);
  return source;
}

/** Throws a user error naming file and line where a file cannot be understood. */
export async function fileSource(options: FileSourceOptions): Promise<FileSource> {
  const { train, test } = options;
  const rows = await readRows(train);
  const identity = {
    data: await namedFile(train),
    test: test === undefined ? null : await namedFile(test),
    ...columnsNamed(options),
  };
  const testRows = test === undefined ? undefined : await readRows(test);
  // Named columns ask for the general layout, whatever the file looks like.
  const hasEquations = options.columns?.question === undefined && isWordProblemLayout(rows);
  if (testRows !== undefined && hasEquations !== (options.columns?.question === undefined && isWordProblemLayout(testRows))) {
    throw userError(
      "data-layout",
      `Only one of ${train} and ${test} is in the word problem layout (columns Question, Numbers, Equation, Answer).`,
      "Give two files of the same layout, or name the question and answer columns.",
    );
  }
  const source = hasEquations ? equations(options, rows, testRows) : answers(options, rows, testRows);
  return { ...source, identity };
}

/** Nothing where they are told from their names. */
function columnsNamed({ columns = {} }: FileSourceOptions): { columns?: JsonObject } {
  const named = Object.fromEntries(Object.entries(columns).filter(([, name]) => name !== undefined));
  return Object.keys(named).length === 0 ? {} : { columns: named };
}

function equations(options: FileSourceOptions, rows: readonly Row[], testRows: readonly Row[] | undefined): FileSource {
  const placeholders = options.placeholders ?? options.resample !== true;
  if (placeholders && options.resample === true) {
    throw userError(
      "data-resample",
      "New numbers change nothing while placeholders are kept.",
      "Ask for one of the two: re-sampled numbers, or placeholders.",
    );
  }
  const { train, test } = options;
  const { usable, wrong, notes } = consistentProblems(train, inLowerCase(wordProblemsFromRows(train, rows)));
  const tested = testRows && inLowerCase(wordProblemsFromRows(test!, testRows));
  const material = wordProblemMaterial({ placeholders, resample: options.resample === true, vary: options.vary !== false });
  const because = "the equation does not give the answer";
  const leftOut = wrong.map(({ id }): LeftOutRow => ({ file: train, line: lineOfId(id), id, use: "training", because }));
  return build(options, material, usable, tested, { notes, leftOut });
}

function answers(options: FileSourceOptions, rows: readonly Row[], testRows: readonly Row[] | undefined): FileSource {
  if (options.resample === true) {
    throw userError(
      "data-resample",
      `${options.train} is no word problem file, so its numbers cannot be re-sampled.`,
      "Leave re-sampling out, or give a file with the columns Question, Numbers, Equation and Answer.",
    );
  }
  const { train, test, columns = {} } = options;
  const trained = questionAnswersFromRows(train, rows, columns, true);
  const tested = testRows && questionAnswersFromRows(test!, testRows, columns, true);
  const notes = [...skippedNotes(train, trained.leftOut), ...(tested ? skippedNotes(test!, tested.leftOut) : [])];
  const leftOut = [...leftOutRows(train, "training", trained.leftOut), ...leftOutRows(test, "measuring", tested?.leftOut)];
  return build(options, questionAnswerMaterial(trained.items), trained.items, tested?.items, { notes, leftOut });
}

/** The same for every layout: split, streams and samples. */
function build<P extends { id: string }>(
  options: FileSourceOptions,
  material: FileMaterial<P>,
  usable: readonly P[],
  tested: readonly P[] | undefined,
  earlier: { notes: readonly string[]; leftOut: readonly LeftOutRow[] },
): FileSource {
  const { train, test, keepTestQuestions } = options;
  const testQuestions = new Set((tested ?? []).map((problem) => questionKey(material.questionOf(problem))));
  const split = splitByQuestion(train, usable, material.questionOf, keepTestQuestions ? new Set() : testQuestions);
  const notes = [...earlier.notes, ...splitNotes(options, split, usable, testQuestions, material.questionOf)];
  const asked = split.overlap.map(
    (problem): LeftOutRow => ({
      ...placeOf(train, problem),
      use: "training",
      because: `${test} asks the same question`,
    }),
  );
  const parts = { train: split.train, held: split.held, test: tested ?? split.held };
  return { ...ofParts(options, material, parts), notes, leftOut: [...earlier.leftOut, ...asked] };
}

/** Problems by what they are used for; the held-out ones may be those that are measured on. */
interface Parts<P> {
  train: readonly P[];
  held: readonly P[];
  test: readonly P[];
}

function ofParts<P extends { id: string }>(
  options: FileSourceOptions,
  material: FileMaterial<P>,
  parts: Parts<P>,
): Omit<FileSource, "notes"> {
  const { train, test } = options;
  const items = (problems: readonly P[]) => problems.map((problem) => material.item(problem));
  return {
    name: test === undefined ? basename(train) : `${basename(train)} → ${basename(test)}`,
    prompts: material.prompts,
    counts: { train: parts.train.length, held: parts.held.length, test: parts.test.length },
    conversations: (seed) => material.conversations(parts.train, seed),
    problems: (seed) => material.problems(parts.train, seed),
    heldConversations: (count, seed) =>
      takeStream(material.conversations(parts.held, deriveSeed(seed, "held")), Math.min(count, parts.held.length)),
    validation: (count, seed) => some(items(parts.held), count, seed),
    test: (count, seed) => some(items(parts.test), count, seed),
    verify: material.verify,
    maxTokens: material.maxTokens,
    fitting: (faultOf) => withoutFaults(options, material, parts, faultOf),
  };
}

/** Conversations looked at of each problem: under both prompts, most times. */
const conversationsLookedAt = 4;

function withoutFaults<P extends { id: string }>(
  options: FileSourceOptions,
  material: FileMaterial<P>,
  parts: Parts<P>,
  faultOf: RowFault,
): { source: Source; leftOut: LeftOutRow[] } {
  const { train, test = train } = options;
  const leftOut: LeftOutRow[] = [];
  const without = (problems: readonly P[], file: string, use: LeftOutRow["use"]) =>
    problems.filter((problem) => {
      const conversations = () => takeStream(material.conversations([problem], options.seed), conversationsLookedAt);
      const because = faultOf(material.item(problem), use, conversations);
      if (because !== undefined) leftOut.push({ ...placeOf(file, problem), use, because });
      return because === undefined;
    });
  const kept = {
    train: without(parts.train, train, "training"),
    held: without(parts.held, train, "validation"),
    test: parts.test === parts.held ? [] : without(parts.test, test, "measuring"),
  };
  if (parts.test === parts.held) kept.test = kept.held;
  for (const [use, file] of [
    ["train", train],
    ["test", test],
  ] as const)
    if (kept[use].length === 0 && parts[use].length > 0) throw noneLeft(file, parts[use].length, use, leftOut);
  return { source: ofParts(options, material, kept), leftOut };
}

function noneLeft(file: string, count: number, use: "train" | "test", leftOut: readonly LeftOutRow[]) {
  const first = leftOut.find((row) => row.file === file);
  return userError(
    "data-empty",
    `none of ${counted(count, "question")} of ${file} is left to ${use === "train" ? "train on" : "measure on"}, because ${first?.because} (line ${first?.line})`,
    "Give shorter questions, or a model with a longer context.",
  );
}

function placeOf(file: string, problem: { id: string }): Pick<LeftOutRow, "file" | "line" | "id"> {
  return { file, line: lineOf(problem) ?? lineOfId(problem.id), id: problem.id };
}

/** Of ids that are made of the file's name and the line. */
function lineOfId(id: string): number | undefined {
  const line = Number(id.slice(id.lastIndexOf(":") + 1));
  return Number.isSafeInteger(line) ? line : undefined;
}

function leftOutRows(
  file: string | undefined,
  use: LeftOutRow["use"],
  rows: readonly { line: number; because: string }[] = [],
): LeftOutRow[] {
  return rows.map((row) => ({ file: file!, use, ...row }));
}

/** All of them in the order of the file, or a random choice when fewer are wanted. */
function some(items: readonly Item[], count: number, seed: number): readonly Item[] {
  return count >= items.length ? items : new Random(deriveSeed(seed, "choose")).shuffle(items).slice(0, count);
}

function takeStream<T>(stream: (index: number) => T, count: number): T[] {
  return Array.from({ length: count }, (_, index) => stream(index));
}

function splitNotes<P>(
  { train, test, keepTestQuestions }: FileSourceOptions,
  { train: kept, held, overlap }: { train: readonly P[]; held: readonly P[]; overlap: readonly P[] },
  usable: readonly P[],
  testQuestions: ReadonlySet<string>,
  questionOf: (problem: P) => string,
): string[] {
  const notes = [`${train}: ${counted(kept.length, "problem")} to train on, ${held.length} held out for validation`];
  if (test === undefined) notes.push("no test file: the held-out problems are measured on as well, so they serve twice");
  if (overlap.length > 0) {
    notes.push(
      `${counted(overlap.length, "problem")} of ${train} ${overlap.length === 1 ? "is" : "are"} left out, because ${test} asks the same questions`,
    );
  } else if (keepTestQuestions) {
    const same = usable.filter((problem) => testQuestions.has(questionKey(questionOf(problem)))).length;
    if (same > 0)
      notes.push(
        `${counted(same, "problem")} of ${train} with questions of ${test} ${same === 1 ? "is" : "are"} trained on all the same, as was asked`,
      );
  }
  return notes;
}

function skippedNotes(path: string, rows: readonly { line: number; because: string }[]): string[] {
  const reasons = new Map<string, number[]>();
  for (const { line, because } of rows) getOrMake(reasons, because.replace(/ \(.*\)$/, ""), () => []).push(line);
  return [...reasons].map(
    ([why, lines]) => `${path}: ${counted(lines.length, "row is", "rows are")} left out, because ${why} (${linesText(lines)})`,
  );
}
