/** Question–answer files as items: which column is which is guessed from its name or said by the caller; worked answers (`#### n`) are split. */

import { basename } from "node:path";
import { userError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
import { counted } from "#kernel/numbers.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { withoutTags } from "#kernel/refine-tags.ts";
import { dropReasons } from "../training-files/data-card.ts";
import type { TrainingFormat } from "../training-files/datum.ts";
import { instructionWith } from "./instruction.ts";
import { columnText, conversationLayout, type LeftOut, pairOfRow, type QuestionAnswerText } from "./layouts.ts";
import { type Row, readRows } from "./rows.ts";

export interface ColumnNames {
  question?: string | undefined;
  answer?: string | undefined;
  /** Optional: item ids, categories, worked solutions. */
  id?: string | undefined;
  group?: string | undefined;
  solution?: string | undefined;
}

export interface QuestionAnswerItem extends Item {
  /** The worked solution as the file has it, where it has one. */
  solution?: string | undefined;
  /** The whole completion, where the file's answers are written in the think and answer format already. */
  completion?: string;
}

export interface QuestionAnswerFile {
  items: QuestionAnswerItem[];
  columns: ColumnNames & { question: string; answer: string };
  /** Rows left out, with the lines they stand on. */
  skipped: {
    emptyQuestion: number[];
    emptyAnswer: number[];
    /** The answer or the solution holds think, refine or answer tags that do not keep the format. */
    brokenFormat: number[];
  };
  /** All rows left out, with the reason in words that complete “because …”. */
  leftOut: { line: number; because: string }[];
}

/** Names in the order they are taken, whatever their case; those of one line are as likely, so that two of them are not guessed between. */
const guesses: Required<{ [key in keyof ColumnNames]: readonly string[] }> = {
  question: ["question", "problem query exercise question_text problem_text", "prompt", "instruction", "input", "user", "text"],
  answer: [
    "answer",
    "final_answer result expected_answer ground_truth correct_answer gold answer_text",
    "reference target label solution_answer",
    "output",
    "response completion assistant",
  ],
  id: ["id", "unique_id", "qid", "task_id"],
  group: ["group", "category", "subject", "type", "difficulty", "level"],
  solution: ["solution", "rationale", "explanation"],
};

/** Reads a file of questions and answers. Throws a user error naming file and line (or column) when it cannot be understood. */
export async function readQuestionAnswerFile(path: string, options: { columns?: ColumnNames } = {}): Promise<QuestionAnswerFile> {
  return questionAnswersFromRows(path, await readRows(path), options.columns ?? {});
}

/** `flags`: the user may name columns by --question and --answer; where not, advice is to rename them. */
export function questionAnswersFromRows(
  path: string,
  rows: readonly Row[],
  wanted: ColumnNames,
  flags = false,
): QuestionAnswerFile {
  const { columns, layout } = chooseColumns(path, rows, wanted, flags);
  const file: QuestionAnswerFile = {
    items: [],
    columns,
    skipped: { emptyQuestion: [], emptyAnswer: [], brokenFormat: [] },
    leftOut: [],
  };
  const leave = (line: number, because: string, lines?: number[]) => {
    lines?.push(line);
    file.leftOut.push({ line, because });
  };
  const ids = new Map<string, number>();
  for (const row of rows) {
    const pair = layout === undefined ? pairInColumns(path, row, columns) : pairOfRow(layout, row.values);
    if ("because" in pair) leave(row.line, pair.because);
    else if (pair.question === "") leave(row.line, "there is no question", file.skipped.emptyQuestion);
    else if (pair.answer === "") leave(row.line, "there is no answer", file.skipped.emptyAnswer);
    else if (isWeightless(row)) leave(row.line, dropReasons["weight-zero"]);
    else {
      const id = (columns.id && textOf(path, row, columns.id)) || `${basename(path)}:${row.line}`;
      const earlier = ids.get(id);
      if (earlier !== undefined)
        throw userError(
          "data-duplicate-id",
          `${path}, line ${row.line}: the id "${id}" stands on line ${earlier} already.`,
          "Ids must differ.",
        );
      ids.set(id, row.line);
      const item = toItem(id, pair.question, pair.answer, row, columns, path);
      if (item === undefined) leave(row.line, brokenFormat, file.skipped.brokenFormat);
      else file.items.push(item);
      if (item !== undefined) lineOfItem.set(item, row.line);
    }
  }
  if (file.items.length > 0) return file;
  const [first] = file.leftOut;
  throw userError(
    "data-empty",
    `${path} holds no question with an answer (${counted(rows.length, "row")} read${first === undefined ? "" : `; line ${first.line} is left out, because ${first.because}`}).`,
    "Check the column names.",
  );
}

const brokenFormat = "tags of think, refine or answer break the format";

const lineOfItem = new WeakMap<object, number>();

/** The line of its file on which an item read here stands. */
export function lineOf(item: object): number | undefined {
  return lineOfItem.get(item);
}

function isWeightless({ values }: Row): boolean {
  return values.weight === 0 || values.weight === "0";
}

function pairInColumns(path: string, row: Row, columns: QuestionAnswerFile["columns"]): QuestionAnswerText | LeftOut {
  const text = (role: "question" | "answer") => {
    const found = columnText(row.values[columns[role]], role);
    if (found === undefined) throw wrongValue(path, row, columns[role]);
    return found;
  };
  const [question, answer] = [text("question"), text("answer")];
  if (typeof question !== "string") return question;
  if (typeof answer !== "string") return answer;
  const isInstruction = columns.question.toLowerCase() === "instruction";
  return { question: isInstruction ? instructionWith(question, row.values) : question, answer };
}

function toItem(
  id: string,
  question: string,
  rawAnswer: string,
  row: Row,
  columns: ColumnNames,
  path: string,
): QuestionAnswerItem | undefined {
  const group = columns.group && textOf(path, row, columns.group);
  const common = { id, question, ...(group ? { group } : {}) };
  const parsed = parseRefine(rawAnswer);
  if (parsed.ok && parsed.answerText !== "") return { ...common, answer: parsed.answerText, completion: rawAnswer };

  const worked = splitWorkedAnswer(rawAnswer);
  const solution = worked?.solution ?? ((columns.solution && textOf(path, row, columns.solution)) || undefined);
  if ([rawAnswer, solution ?? ""].some((text) => withoutTags(text) !== text)) return undefined;
  return {
    ...common,
    answer: worked?.answer ?? rawAnswer,
    ...(worked && worked.steps.length > 0 ? { steps: worked.steps } : {}),
    ...(solution === undefined ? {} : { solution }),
  };
}

/** GSM8K's layout: lines of work with `<<48/2=24>>` annotations, then `#### 72`. Undefined when the text is not of that layout. */
export function splitWorkedAnswer(text: string): { answer: string; solution: string; steps: string[] } | undefined {
  const mark = text.lastIndexOf("####");
  const answer = mark < 0 ? "" : text.slice(mark + 4).trim();
  if (answer === "" || answer.includes("\n")) return undefined;
  const work = text.slice(0, mark).trimEnd();
  const steps = [...work.matchAll(/<<([^<>]*=[^<>]*)>>/g)].map((match) => match[1].replaceAll(" ", ""));
  return { answer: answer.replaceAll(",", ""), solution: work.replace(/<<[^<>]*>>/g, ""), steps };
}

interface Chosen {
  columns: QuestionAnswerFile["columns"];
  /** Of files whose rows are whole conversations. */
  layout?: TrainingFormat | undefined;
}

function chooseColumns(path: string, rows: readonly Row[], wanted: ColumnNames, flags: boolean): Chosen {
  const present = [...new Set(rows.slice(0, 100).flatMap((row) => Object.keys(row.values)))];
  const advice = (role: string, names: readonly string[]) =>
    flags && (role === "question" || role === "answer")
      ? `Name it: ${names.map((name) => `--${role} ${JSON.stringify(name)}`).join(" or ")}.`
      : `Call the one that is meant “${role}”: ${names.join(" or ")}.`;
  const choose = (role: keyof ColumnNames): string | undefined => {
    const named = wanted[role];
    if (named !== undefined) {
      if (present.includes(named)) return named;
      throw userError(
        "data-column",
        `${path} has no column "${named}" for the ${role}.`,
        `It has: ${present.join(", ") || "none"}.`,
      );
    }
    for (const guess of guesses[role]) {
      const names = guess.split(" ");
      const found = present.filter((name) => names.includes(name.trim().toLowerCase()));
      if (found.length > 1 && (role === "question" || role === "answer")) {
        const several = `${path}: several columns could be the ${role}: ${found.join(", ")}.`;
        throw userError("data-column", several, advice(role, found));
      }
      if (found.length > 0) return found[0];
    }
    return undefined;
  };
  const isNamed = wanted.question !== undefined || wanted.answer !== undefined;
  const layout = isNamed ? undefined : conversationLayout(rows);
  const isGuessable = (role: "question" | "answer") =>
    present.some((name) => guesses[role].some((guess) => guess.split(" ").includes(name.trim().toLowerCase())));
  // Whole conversations, unless columns beside them say it more plainly.
  if (layout !== undefined && !(isGuessable("question") && (isGuessable("answer") || present.includes("solution"))))
    return { columns: { question: "", answer: "", id: choose("id"), group: choose("group") }, layout };
  const [question, answer] = [choose("question"), choose("answer") ?? choose("solution")];
  if (question === undefined || answer === undefined) {
    const missing = question === undefined ? "question" : "answer";
    const other = question ?? answer;
    const candidates = present.filter((name) => name !== other && !/(^|_)(id|index|no|nr|number)$/i.test(name)).slice(0, 4);
    throw userError(
      "data-column",
      `${path}: no column looks like the ${missing}; it has: ${present.join(", ") || "none"}.`,
      candidates.length === 0 ? `Give a file with a column “${missing}”.` : advice(missing, candidates),
    );
  }
  const solution = choose("solution");
  const columns = {
    question,
    answer,
    id: choose("id"),
    group: choose("group"),
    solution: solution === answer ? undefined : solution,
  };
  return { columns };
}

function textOf(path: string, row: Row, column: string): string {
  const value = row.values[column];
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value.trim();
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw wrongValue(path, row, column);
}

function wrongValue(path: string, row: Row, column: string) {
  const kind = Array.isArray(row.values[column]) ? "a list" : "an object";
  return userError(
    "data-value",
    `${path}, line ${row.line}: "${column}" holds ${kind}, not text or a number.`,
    "Name another column, or turn the value into text.",
  );
}
