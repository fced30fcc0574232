/** Reading the fields of a benchmark's row: the first name that is there counts, and what is missing is named with its row. */
import { type MidcourseError, userError } from "#kernel/errors.ts";
import { deriveSeed } from "#kernel/seed.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** One row of one task. `index` is zero-based. */
export interface TaskRow {
  task: string;
  fields: Fields;
  index: number;
}

export function rowError({ task, index }: TaskRow, problem: string): MidcourseError {
  return userError(
    "task-row",
    `${task}, row ${index + 1}: ${problem}.`,
    `Check that the file holds ${task} as its authors or the hub publish it.`,
  );
}

/** The text of the first of these fields that holds one; numbers are taken as text. Missing or blank is an error. */
export function textField(row: TaskRow, ...names: string[]): string {
  const text = optionalText(row.fields, ...names);
  if (text !== undefined) return text;
  const present = names.find((name) => row.fields[name] !== undefined && row.fields[name] !== null);
  throw rowError(
    row,
    present === undefined
      ? `no field ${names.map((name) => `"${name}"`).join(" or ")}`
      : `the field "${present}" ${typeof row.fields[present] === "string" ? "is empty" : "holds no text"}`,
  );
}

/** The same where a field may be left out; kept as it stands, spaces at the ends included. */
export function optionalText(fields: Fields, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = fields[name];
    if (typeof value === "string" && value.trim() !== "") return value;
    if (typeof value === "bigint" || (typeof value === "number" && Number.isFinite(value))) return String(value);
  }
  return undefined;
}

export function textList(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const texts = value.map((each) => (typeof each === "number" ? String(each) : each));
  return texts.every((each): each is string => typeof each === "string") ? texts : undefined;
}

/** A short name for a long text, the same everywhere. */
export function fingerprint(text: string): string {
  return [1, 2].map((seed) => deriveSeed(seed, text).toString(36).padStart(7, "0")).join("");
}
