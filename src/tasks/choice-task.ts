/** What all multiple-choice benchmarks share: options with letters, the key brought to a letter, one way to ask and to grade. */
import type { Item } from "#kernel/item.ts";
import { type Choices, choiceVerifier, letterAt, readChoice } from "#verifiers/answers/choice.ts";
import { visibleAnswer } from "#verifiers/answers/extract.ts";
import { asker, choiceRequest, listChoices } from "./asking.ts";
import { optionalText, rowError, type TaskRow, textField } from "./fields.ts";
import type { Task } from "./task.ts";

export type ChoiceTaskParts = Pick<Task, "id" | "title" | "version" | "source" | "readRow"> &
  Partial<Pick<Task, "chance" | "shots" | "shotsPerGroup" | "csvColumns" | "folder" | "maxTokens">> & {
    /** Said before the question, such as "Which ending …?". */
    lead?: string;
  };

export function choiceTask({ lead, ...parts }: ChoiceTaskParts): Task {
  const question = (item: Item) => {
    const choices = item.choices ?? [];
    const request = choiceRequest(choices.map(({ letter }) => letter));
    return `${lead === undefined ? "" : `${lead}\n\n`}${item.question}\n\n${listChoices(choices)}\n\n${request}`;
  };
  return {
    answerKind: "choice",
    chance: 0.25,
    maxTokens: 1024,
    ...parts,
    ask: asker(question, ({ answer }) => `The answer is ${answer}.`, { perGroup: parts.shotsPerGroup === true }),
    readAnswer: (completion, item) => readChoice(visibleAnswer(completion), item.choices)?.letter,
    sameAnswer: (first, second) => first === second,
    grader: () => choiceVerifier,
  };
}

/** A to ZZ. */
const mostOptions = 702;

/** Letters A, B, … (AA behind Z) for these options, and the key's letter: the key may be a letter, a label, or a place counted from `firstPlace`. */
export function lettered(
  row: TaskRow,
  texts: readonly string[],
  key: string,
  options: { labels?: readonly string[]; firstPlace?: 0 | 1 } = {},
): { choices: Choices; answer: string } {
  if (texts.length < 2 || texts.length > mostOptions)
    throw rowError(row, `${texts.length} options, where 2 to ${mostOptions} are possible`);
  const blank = texts.findIndex((text) => text.trim() === "");
  if (blank >= 0) throw rowError(row, `option ${blank + 1} is empty`);
  const choices = texts.map((text, index) => ({ letter: letterAt(index), text: text.trim() }));
  const place = placeOf(key.trim(), texts.length, options);
  if (place === undefined) throw rowError(row, `the key "${key}" names none of the ${texts.length} options`);
  return { choices, answer: letterAt(place) };
}

function placeOf(
  key: string,
  count: number,
  { labels, firstPlace = 1 }: { labels?: readonly string[]; firstPlace?: 0 | 1 },
): number | undefined {
  const labelled = labels?.indexOf(key) ?? -1;
  if (labelled >= 0) return labelled;
  const place = /^[A-Z]{1,2}$/.test(key) ? placeOfLetter(key) : /^\d{1,2}$/.test(key) ? Number(key) - firstPlace : -1;
  return place >= 0 && place < count ? place : undefined;
}

/** A is 0, AA is 26. */
function placeOfLetter(letter: string): number {
  return [...letter].reduce((sum, each) => sum * 26 + each.charCodeAt(0) - 64, 0) - 1;
}

const optionLine = /^\s*(?:\(?([A-J1-9])[).:]|option\s*([A-J1-9])\s*[):.])\s*(\S.*)$/i;

/**
 * Rows of two keys, question and answer, whose question ends with its options on lines of their own: "A. …", "(B) …", "1: …",
 * "Option1: …". An option goes on over the next lines until the next option begins, the last one as the others do until an empty line.
 * Undefined where the question holds no options.
 */
export function embeddedChoices(row: TaskRow): { question: string; choices: Choices; answer: string } | undefined {
  const whole = optionalText(row.fields, "question", "Question");
  const key = optionalText(row.fields, "answer", "Ground_truth", "answerKey");
  if (whole === undefined || key === undefined) return undefined;
  const lines = whole.split(/\r?\n/);
  // The options stand last: where a list of the question's own begins like them, theirs is the later one.
  const letters = lines.findLastIndex((line) => isOption(line, 0, "letter"));
  const kind = letters >= 1 ? "letter" : "number";
  const at = kind === "letter" ? letters : lines.findLastIndex((line) => isOption(line, 0, kind));
  if (at < 1) return undefined;
  const texts = optionTexts(lines.slice(at), kind);
  if (texts.length < 2) return undefined;
  // What stands before the question in a template ("Answer the following …") is not part of it, but cannot be told apart safely.
  const question = lines.slice(0, at).join("\n").trim();
  return { question, ...lettered(row, texts, /[A-Z]|\d/.exec(key)?.[0] ?? key) };
}

/** Lettered or numbered options; the texts of one kind may hold lists of the other. */
type OptionKind = "letter" | "number";

function optionTexts(lines: readonly string[], kind: OptionKind): string[] {
  const starts: number[] = [];
  for (const [index, line] of lines.entries()) if (isOption(line, starts.length, kind)) starts.push(index);
  const isWide = starts.some((start, place) => (starts[place + 1] ?? start + 1) > start + 1 && lines[start + 1]?.trim() !== "");
  return starts.map((start, place) => {
    const blank = lines.findIndex((line, index) => index > start && line.trim() === "");
    const last = isWide ? (blank < 0 ? lines.length : blank) : start + 1;
    const own = lines.slice(start, starts[place + 1] ?? last);
    return [optionLine.exec(own[0])?.[3], ...own.slice(1)].join("\n").trim();
  });
}

function isOption(line: string, place: number, kind: OptionKind): boolean {
  const match = optionLine.exec(line);
  const label = (match?.[1] ?? match?.[2])?.toUpperCase();
  return label === (kind === "letter" ? letterAt(place) : String(place + 1));
}

/** Where neither layout fits: says which fields are missing. */
export function requireChoices(row: TaskRow, ...names: string[]): never {
  textField(row, "question", "Question");
  throw rowError(row, `no options in ${names.map((name) => `"${name}"`).join(" or ")}, nor at the end of the question`);
}
