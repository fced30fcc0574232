/**
 * MMLU: 14,042 exam questions of 57 subjects with four options. "Measuring Massive Multitask Language Understanding", Hendrycks et al., 2021,
 * arXiv 2009.03300. Examples come from the subject's own five development questions. Some labels are wrong (about 6 % by a later audit).
 *
 *   Which planet is the largest?  A) Mars  B) Venus  C) Jupiter  D) Earth  →  C
 */
import type { Item } from "#kernel/item.ts";
import { choiceTask, embeddedChoices, lettered, requireChoices } from "./choice-task.ts";
import { optionalText, type TaskRow, textField, textList } from "./fields.ts";
import type { HubSource, Task } from "./task.ts";

export const mmlu = mmluOf("all");

/** All subjects, or one, such as `abstract_algebra`. */
export function mmluOf(subject: string): Task {
  const id = subject === "all" ? "mmlu" : `mmlu:${subject}`;
  const source = (split: string): HubSource => ({
    dataset: "cais/mmlu",
    config: subject,
    split,
    revision: "c30699e8356da336a370243923dbaf21066bb9fe",
    files: [`${subject}/${split}-00000-of-00001.parquet`],
  });
  const prefix = subject === "all" ? "" : subject;
  return choiceTask({
    id,
    title: subject === "all" ? "MMLU" : `MMLU, ${subject.replaceAll("_", " ")}`,
    version: "mmlu/2",
    source: source("test"),
    shots: { source: source("dev"), usual: 5 },
    shotsPerGroup: true,
    csvColumns: ["question", "A", "B", "C", "D", "answer"],
    folder: { items: `${prefix}_test`, shots: `${prefix}_dev` },
    readRow: (fields, index) => readMmlu({ task: id, fields, index }, subject),
  });
}

function readMmlu(row: TaskRow, asked: string): Item {
  const { fields, index } = row;
  const subject = optionalText(fields, "subject") ?? (asked === "all" ? undefined : asked);
  const rest = { id: `${subject ?? "mmlu"}-${index}`, group: subject };
  const columns = ["A", "B", "C", "D"].map((letter) => optionalText(fields, letter));
  const isCsv = columns.some((text) => text !== undefined);
  const texts = textList(fields.choices) ?? (isCsv ? ["A", "B", "C", "D"].map((letter) => textField(row, letter)) : undefined);
  if (texts === undefined) {
    const embedded = embeddedChoices(row);
    return embedded === undefined ? requireChoices(row, "choices", "A … D") : { ...rest, ...embedded };
  }
  const question = textField(row, "question", "Question").trim();
  return { ...rest, question, ...lettered(row, texts, textField(row, "answer"), { firstPlace: 0 }) };
}
