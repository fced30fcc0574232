/**
 * GSM8K: word problems of grade school in two to eight steps. "Training Verifiers to Solve Math Word Problems", Cobbe et al., 2021,
 * arXiv 2110.14168. 1,319 test problems; a few labels are wrong. Examples are worked solutions of the training split.
 *
 *   Ann has 3 apples and buys twice as many. How many has she now?  →  She buys 3*2=6. 3+6=9.  #### 9
 */
import type { Item } from "#kernel/item.ts";
import { visibleAnswer } from "#verifiers/answers/extract.ts";
import { parseNumber, sameNumber } from "#verifiers/answers/number.ts";
import { readNumber, writtenNumberVerifier } from "#verifiers/answers/number-extract.ts";
import { answerRequests, asker } from "./asking.ts";
import { optionalText, rowError, type TaskRow, textField } from "./fields.ts";
import type { HubSource, Task } from "./task.ts";

const source = (split: string): HubSource => ({
  dataset: "openai/gsm8k",
  config: "main",
  split,
  revision: "740312add88f781978c0658806c59bc2815b9866",
  files: [`main/${split}-00000-of-00001.parquet`],
});

export const gsm8k: Task = {
  id: "gsm8k",
  title: "GSM8K",
  version: "gsm8k/2",
  answerKind: "number",
  source: source("test"),
  shots: { source: source("train"), usual: 8 },
  maxTokens: 1024,
  readRow: (fields, index) => readGsm8k({ task: "gsm8k", fields, index }),
  ask: asker(
    ({ question }) => `${question}\n\n${answerRequests.number}`,
    ({ steps = [], answer }) => [...steps, `The answer is ${answer}.`].join("\n"),
  ),
  readAnswer: (completion) => readNumber(visibleAnswer(completion))?.number,
  sameAnswer: sameNumber,
  grader: () => writtenNumberVerifier,
};

function readGsm8k(row: TaskRow): Item {
  const { fields, index } = row;
  const question = textField(row, "question").trim();
  const solution = textField(row, "answer");
  const mark = solution.lastIndexOf("####");
  const answer = solution.slice(mark < 0 ? 0 : mark + 4).trim();
  if (parseNumber(answer) === undefined) throw rowError(row, `the field "answer" does not end with "#### " and a number`);
  // <<48/2=24>> are marks for a calculator.
  const lines =
    mark < 0
      ? []
      : solution
          .slice(0, mark)
          .replace(/<<[^<>]*>>/g, "")
          .split("\n");
  const steps = lines.map((line) => line.trim()).filter((line) => line !== "");
  const count = steps.length;
  return {
    id: optionalText(fields, "id") ?? `gsm8k-${index}`,
    question,
    answer,
    ...(count > 0 ? { steps, group: count === 1 ? "1 step" : `${Math.min(count, 8)}${count >= 8 ? " or more" : ""} steps` } : {}),
  };
}
