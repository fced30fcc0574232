/**
 * AIME 2024: the 30 problems of the American Invitational Mathematics Examination I and II of 2024, whose answers are integers from 0 to
 * 999. Answers are compared as integers: 033 is 33. Thirty items leave an interval of some fifteen points either way, so one
 * usually samples every answer many times; reasoning models need far more tokens than the default here.
 *
 *   Find the remainder when 7^2024 is divided by 100.  →  \boxed{1}
 */
import type { Item } from "#kernel/item.ts";
import { integerGrader } from "#verifiers/math/graders.ts";
import { answerRequests, asker } from "./asking.ts";
import { optionalText, rowError, type TaskRow } from "./fields.ts";
import { integerIn, readProblem } from "./math.ts";
import type { Task } from "./task.ts";

export const aime24: Task = {
  id: "aime24",
  title: "AIME 2024",
  version: "aime24/2",
  answerKind: "integer",
  source: {
    dataset: "HuggingFaceH4/aime_2024",
    split: "train",
    revision: "2fe88a2f1091d5048c0f36abc874fb997b3dd99a",
    files: ["data/train-00000-of-00001.parquet"],
  },
  maxTokens: 8192,
  readRow: (fields, index) => readAime({ task: "aime24", fields, index }),
  ask: asker(
    ({ question }) => `${question}\n\n${answerRequests.integer}`,
    ({ steps, answer }) => steps?.join("\n") ?? `The answer is $\\boxed{${answer}}$.`,
  ),
  readAnswer: integerIn,
  sameAnswer: (first, second) => first === second,
  grader: () => integerGrader,
};

function readAime(row: TaskRow): Item {
  const { group: _, ...item } = readProblem(row);
  if (!/^\d{1,3}$/.test(item.answer)) throw rowError(row, `the answer "${item.answer.slice(0, 40)}" is no integer from 0 to 999`);
  const exam = /AIME_(I{1,2})\b/.exec(optionalText(row.fields, "url", "id", "ID")?.replaceAll("_Problems", " ") ?? "")?.[1];
  return { ...item, answer: String(Number(item.answer)), group: exam === undefined ? undefined : `AIME ${exam}` };
}
