/**
 * DROP: questions on a passage that need counting, comparing and adding. "DROP: A Reading Comprehension Benchmark Requiring Discrete
 * Reasoning Over Paragraphs", Dua et al., 2019, arXiv 1903.00161. The test answers are secret, so the validation split is used. Answers
 * of further annotators are as good as the first; questions on one passage are one cluster. Accuracy is F1 (see verifiers/answers/span).
 *
 *   Passage: The Lions scored 3, then 7. Question: How many points in all?  →  10
 */
import type { Item } from "#kernel/item.ts";
import { isRecord } from "#kernel/values.ts";
import { visibleAnswer } from "#verifiers/answers/extract.ts";
import { readSpan, sameSpan, spanVerifier } from "#verifiers/answers/span.ts";
import { answerRequests, asker } from "./asking.ts";
import { type Fields, fingerprint, optionalText, rowError, type TaskRow, textField, textList } from "./fields.ts";
import type { HubSource, Task } from "./task.ts";

const source = (split: string): HubSource => ({
  dataset: "EleutherAI/drop",
  split,
  revision: "619386fc7ffe6dace3cc6d3483c69b164ebf6bf3",
  files: [`drop_${split}.parquet`],
});

export const drop: Task = {
  id: "drop",
  title: "DROP",
  version: "drop/2",
  answerKind: "span",
  source: source("validation"),
  shots: { source: source("train"), usual: 3 },
  maxTokens: 512,
  readRow: (fields, index) => readDrop({ task: "drop", fields, index }),
  ask: asker(
    ({ question }) => `${question}\n\n${answerRequests.span}`,
    ({ answer }) => `Answer: ${answer.replaceAll("\n", ", ")}`,
  ),
  readAnswer: (completion) => readSpan(visibleAnswer(completion))?.span,
  sameAnswer: sameSpan,
  grader: () => spanVerifier,
};

function readDrop(row: TaskRow): Item {
  const { fields, index } = row;
  const { passage, question } = passageAndQuestion(row);
  const references = [...new Set(referenceTexts(row))];
  const [answer, ...alternatives] = references;
  if (answer === undefined) throw rowError(row, "no answer");
  return {
    id: optionalText(fields, "query_id", "id") ?? `drop-${index}`,
    question: passage === undefined ? question : `Passage: ${passage}\n\nQuestion: ${question}`,
    answer,
    ...(alternatives.length > 0 ? { alternatives } : {}),
    group: /^[-\d.,]+$/.test(answer) ? "number" : answer.includes("\n") ? "spans" : "span",
    cluster: passage === undefined ? undefined : fingerprint(passage),
  };
}

const questionMark = "Here is the question:";

function passageAndQuestion(row: TaskRow): { passage?: string; question: string } {
  const question = textField(row, "question").trim();
  const passage = optionalText(row.fields, "passage")?.trim();
  if (passage !== undefined) return { passage, question };
  const at = question.lastIndexOf(questionMark);
  if (at < 0) return { question };
  return { passage: question.slice(0, at).trim(), question: question.slice(at + questionMark.length).trim() };
}

/** Every reference as a text; several spans of one reference on lines of their own. */
function referenceTexts(row: TaskRow): string[] {
  const { fields } = row;
  const { answer, answers_spans: flat } = fields;
  if (isRecord(answer)) {
    return [answer, ...structs(fields.validated_answers)].map(referenceText).filter((text) => text !== "");
  }
  if (isRecord(flat)) return (textList(flat.spans) ?? []).map(oneLine).filter((text) => text !== "");
  const listed = optionalText(fields, "ref_text")?.split("|") ?? [];
  return [textField(row, "answer"), ...listed].map(oneLine).filter((text) => text !== "");
}

/** A list of records, stored as such or as a record of lists. */
function structs(value: unknown): Fields[] {
  if (Array.isArray(value)) return value.filter(isRecord);
  if (!isRecord(value)) return [];
  const length = Math.max(0, ...Object.values(value).map((column) => (Array.isArray(column) ? column.length : 0)));
  return Array.from({ length }, (_, place) => atPlace(value, place));
}

function atPlace(columns: Fields, place: number): Fields {
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [
      name,
      Array.isArray(column) ? column[place] : isRecord(column) ? atPlace(column, place) : column,
    ]),
  );
}

function referenceText(answer: Fields): string {
  const number = optionalText(answer, "number");
  if (number !== undefined) return oneLine(number);
  const spans = (textList(answer.spans) ?? []).map(oneLine).filter((text) => text !== "");
  if (spans.length > 0) return spans.join("\n");
  const date = isRecord(answer.date) ? answer.date : {};
  return oneLine(["day", "month", "year"].map((part) => optionalText(date, part) ?? "").join(" "));
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();
