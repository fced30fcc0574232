/** Question–answer files as items: which column is which is guessed from its name or said by the caller; worked answers (`#### n`) are split. */

import { basename } from "node:path";
import { userError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
import { counted } from "#kernel/numbers.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { withoutTags } from "#kernel/refine-tags.ts";
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
}

const guesses: Required<{ [key in keyof ColumnNames]: readonly string[] }> = {
  question: ["question", "problem", "prompt", "query", "input", "instruction"],
  answer: ["answer", "final_answer", "reference", "target", "label", "output", "response"],
  id: ["id", "unique_id", "qid", "task_id"],
  group: ["group", "category", "subject", "type", "difficulty", "level"],
  solution: ["solution", "rationale", "explanation"],
};

/** Reads a file of questions and answers. Throws a user error naming file and line (or column) when it cannot be understood. */
export async function readQuestionAnswerFile(path: string, options: { columns?: ColumnNames } = {}): Promise<QuestionAnswerFile> {
  return questionAnswersFromRows(path, await readRows(path), options.columns ?? {});
}

export function questionAnswersFromRows(path: string, rows: readonly Row[], wanted: ColumnNames): QuestionAnswerFile {
  const columns = chooseColumns(path, rows, wanted);
  const file: QuestionAnswerFile = { items: [], columns, skipped: { emptyQuestion: [], emptyAnswer: [], brokenFormat: [] } };
  const ids = new Map<string, number>();
  for (const row of rows) {
    const question = textOf(path, row, columns.question);
    const rawAnswer = textOf(path, row, columns.answer);
    if (question === "") file.skipped.emptyQuestion.push(row.line);
    else if (rawAnswer === "") file.skipped.emptyAnswer.push(row.line);
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
      const item = toItem(id, question, rawAnswer, row, columns, path);
      if (item === undefined) file.skipped.brokenFormat.push(row.line);
      else file.items.push(item);
    }
  }
  if (file.items.length === 0)
    throw userError(
      "data-empty",
      `${path} holds no question with an answer (${counted(rows.length, "row")} read).`,
      "Check the column names.",
    );
  return file;
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

function chooseColumns(
  path: string,
  rows: readonly Row[],
  wanted: ColumnNames,
): ColumnNames & { question: string; answer: string } {
  const present = [...new Set(rows.slice(0, 100).flatMap((row) => Object.keys(row.values)))];
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
      const found = present.find((name) => name.toLowerCase() === guess);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const [question, answer] = [choose("question"), choose("answer") ?? choose("solution")];
  if (question === undefined || answer === undefined) {
    const missing = question === undefined ? "question" : "answer";
    throw userError(
      "data-column",
      `${path}: no column looks like the ${missing}; it has: ${present.join(", ") || "none"}.`,
      `Name it, for example --columns ${missing}=${present[0] ?? "NAME"}.`,
    );
  }
  const solution = choose("solution");
  return { question, answer, id: choose("id"), group: choose("group"), solution: solution === answer ? undefined : solution };
}

function textOf(path: string, row: Row, column: string): string {
  const value = row.values[column];
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value.trim();
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw userError(
    "data-value",
    `${path}, line ${row.line}: "${column}" holds ${Array.isArray(value) ? "a list" : "an object"}, not text or a number.`,
    "Name another column, or turn the value into text.",
  );
}
