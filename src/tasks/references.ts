/** What an answer from a file is graded against: a reference that stands beside it, or an item as its benchmark publishes it. */
import type { Item } from "#kernel/item.ts";
import { isRecord } from "#kernel/values.ts";
import { readChoice } from "#verifiers/answers/choice.ts";
import { mathReference } from "#verifiers/math/extract.ts";
import { findTask } from "./catalogue.ts";
import { lettered } from "./choice-task.ts";
import { type Fields, optionalText, textList } from "./fields.ts";
import type { Task } from "./task.ts";

/** Kinds of answers by a benchmark that has them; the name of any benchmark is a kind as well. */
const kinds: Readonly<Record<string, string>> = {
  math: "math",
  number: "gsm8k",
  integer: "aime24",
  choice: "arc-challenge",
  drop: "drop",
  span: "drop",
  humaneval: "humaneval",
  program: "humaneval",
  summary: "xsum",
};

export const gradeKinds = Object.keys(kinds);

export function taskOfKind(kind: string): Task {
  const name = kind.trim().toLowerCase();
  return findTask(Object.hasOwn(kinds, name) ? kinds[name] : kind, gradeKinds);
}

/** The item of a line, with what it is to be reported as. Throws an error that says what the line lacks. */
export function itemOfLine(task: Task, fields: Fields, index: number): { item: Item; published: boolean } {
  if (fields.item !== undefined) return { item: publishedItem(task, fields.item, index), published: true };
  if (fields.gold === undefined || fields.gold === null) throw new Error('no "gold" and no "item"');
  if (task.answerKind === "program") throw new Error('programs need an "item" with task_id, prompt, entry_point and test');
  return { item: referenceItem(task, fields), published: false };
}

/** A benchmark's row, or an item as the run directory names its parts. */
function publishedItem(task: Task, value: unknown, index: number): Item {
  if (!isRecord(value)) throw new Error('"item" is no object');
  const { program } = value;
  if (isRecord(program) && typeof program.prompt === "string") {
    return task.readRow({ ...value, prompt: program.prompt, entry_point: program.entryPoint, test: program.tests }, index);
  }
  return task.readRow(value, index);
}

function referenceItem(task: Task, fields: Fields): Item {
  const references = referencesOf(fields.gold);
  const [gold, ...more] = references;
  if (gold === undefined) throw new Error('"gold" is neither text, a number, nor a list of them');
  const alternatives = [...more, ...(textList(fields.alternatives) ?? [])];
  const base = { id: "", question: optionalText(fields, "question") ?? "" };
  if (task.answerKind === "choice") return { ...base, ...choiceReference(fields, gold) };
  if (task.answerKind === "span") return { ...base, ...spanReference(gold, alternatives) };
  const read = readerOf(task);
  return { ...base, answer: read(gold), alternatives: alternatives.map(read) };
}

/** References are read as the task reads answers. */
function readerOf(task: Task): (gold: string) => string {
  if (task.answerKind === "math") return mathReference;
  if (task.answerKind !== "number" && task.answerKind !== "integer") return (gold) => gold;
  return (gold) => {
    const number = task.readAnswer(gold, { id: "", question: "", answer: "" });
    if (number === undefined) throw new Error(`"gold" holds no ${task.answerKind}: ${gold.slice(0, 60)}`);
    return number;
  };
}

/** `"x"`, `7`, `["x", "y"]` (as good as one another), `[["a", "b"], …]` (several spans each). */
function referencesOf(gold: unknown): string[] {
  const list = Array.isArray(gold) ? gold : [gold];
  return list.flatMap((each) => {
    if (typeof each === "string" || typeof each === "number") return [String(each)];
    const spans = textList(each);
    return spans === undefined || spans.length === 0 ? [] : [spans.join("\n")];
  });
}

/** Alternatives are parted by bars, as in DROP's `ref_text`. */
function spanReference(gold: string, alternatives: readonly string[]): Pick<Item, "answer" | "alternatives"> {
  const [answer = "", ...rest] = [gold, ...alternatives].flatMap((text) => text.split("|")).filter((text) => text.trim() !== "");
  if (answer === "") throw new Error('"gold" is empty');
  return { answer, ...(rest.length > 0 ? { alternatives: rest } : {}) };
}

function choiceReference(fields: Fields, gold: string): Pick<Item, "answer" | "choices"> {
  const options = optionsOf(fields.choices);
  if (options === undefined) {
    if (fields.choices !== undefined) throw new Error('"choices" is no list of texts');
    const letter = /^[A-Z]$/.test(gold.trim()) ? gold.trim() : readChoice(gold.trim())?.letter;
    if (letter === undefined) throw new Error(`"gold" is no letter, and there are no "choices": ${gold.slice(0, 60)}`);
    return { answer: letter };
  }
  const row = { task: "choice", fields, index: 0 };
  const { choices } = lettered(row, options.texts, "A", { labels: options.labels });
  const labelled = options.labels.indexOf(gold.trim());
  const letter = labelled >= 0 ? choices[labelled].letter : readChoice(gold, choices)?.letter;
  if (letter === undefined) throw new Error(`"gold" names none of the choices: ${gold.slice(0, 60)}`);
  return { answer: letter, choices };
}

/** `["x", …]`, `[{ label | letter, text }, …]`, `{ label: […], text: […] }` or `{ A: "x", … }`. */
function optionsOf(value: unknown): { labels: string[]; texts: string[] } | undefined {
  const plain = textList(value);
  if (plain) return { labels: [], texts: plain };
  const listed = Array.isArray(value) && value.every(isRecord) ? value : undefined;
  const columns = isRecord(value) ? value : undefined;
  const labels = textList(
    listed ? listed.map((each) => each.label ?? each.letter) : (columns?.label ?? (columns && Object.keys(columns))),
  );
  const texts = textList(listed ? listed.map((each) => each.text) : (columns?.text ?? (columns && Object.values(columns))));
  return labels && texts && labels.length === texts.length ? { labels, texts } : undefined;
}
