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

const optionLine = /^\s*(?:\(?([A-J])[).:]|option\s*([A-J1-9])\s*[):.])\s*(\S.*)$/i;

/**
 * Rows of two keys, question and answer, whose question ends with its options on lines of their own: "A. …", "(B) …", "Option1: …".
 * Undefined where the question holds no options.
 */
export function embeddedChoices(row: TaskRow): { question: string; choices: Choices; answer: string } | undefined {
  const whole = optionalText(row.fields, "question", "Question");
  const key = optionalText(row.fields, "answer", "Ground_truth", "answerKey");
  if (whole === undefined || key === undefined) return undefined;
  const lines = whole.split(/\r?\n/);
  const at = lines.findIndex((line) => isOption(line, 0));
  if (at < 1) return undefined;
  const texts: string[] = [];
  for (const line of lines.slice(at)) {
    const match = optionLine.exec(line);
    if (match !== null && isOption(line, texts.length)) texts.push(match[3] as string);
    else if (line.trim() !== "") break;
  }
  if (texts.length < 2) return undefined;
  // What stands before the question in a template ("Answer the following …") is not part of it, but cannot be told apart safely.
  const question = lines.slice(0, at).join("\n").trim();
  return { question, ...lettered(row, texts, /[A-Z]|\d/.exec(key)?.[0] ?? key) };
}

function isOption(line: string, place: number): boolean {
  const match = optionLine.exec(line);
  const label = (match?.[1] ?? match?.[2])?.toUpperCase();
  return label === letterAt(place) || label === String(place + 1);
}

/** Where neither layout fits: says which fields are missing. */
export function requireChoices(row: TaskRow, ...names: string[]): never {
  textField(row, "question", "Question");
  throw rowError(row, `no options in ${names.map((name) => `"${name}"`).join(" or ")}, nor at the end of the question`);
}
