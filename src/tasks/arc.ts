/**
 * ARC, the AI2 Reasoning Challenge: science questions of school exams. "Think you have Solved Question Answering?", Clark et al., 2018,
 * arXiv 1803.05457. Test: 2,376 easy and 1,172 challenge questions; some have three or five options, some are keyed 1 to 4.
 *
 *   Which of these is a liquid at room temperature?  A) iron  B) water  C) salt  D) wood  →  B
 */
import type { Item } from "#kernel/item.ts";
import { isRecord } from "#kernel/values.ts";
import { choiceTask, embeddedChoices, lettered, requireChoices } from "./choice-task.ts";
import { type Fields, optionalText, type TaskRow, textField, textList } from "./fields.ts";
import type { HubSource, Task } from "./task.ts";

export const arcEasy = arc("arc-easy", "ARC-Easy");
export const arcChallenge = arc("arc-challenge", "ARC-Challenge");

function arc(id: string, config: string): Task {
  const source = (split: string): HubSource => ({
    dataset: "allenai/ai2_arc",
    config,
    split,
    revision: "210d026faf9955653af8916fad021475a3f00453",
    files: [`${config}/${split}-00000-of-00001.parquet`],
  });
  return choiceTask({
    id,
    title: `ARC ${config.slice(4)}`,
    version: `${id}/2`,
    source: source("test"),
    shots: { source: source("train"), usual: 25 },
    readRow: (fields, index) => examItem({ task: id, fields, index }, config.slice(4).toLowerCase()),
  });
}

/** The layouts of ARC and CommonsenseQA: nested under the question, or flat as on the hub. */
export function examItem(row: TaskRow, group?: string): Item {
  const { fields, index, task } = row;
  const rest = { id: optionalText(fields, "id") ?? `${task}-${index}`, group };
  const { stem, options } = parts(fields);
  if (options === undefined) {
    const embedded = embeddedChoices(row);
    return embedded === undefined ? requireChoices(row, "choices", "question.choices") : { ...rest, ...embedded };
  }
  const question = stem?.trim() || textField(row, "question");
  return { ...rest, question, ...lettered(row, options.texts, textField(row, "answerKey"), { labels: options.labels }) };
}

function parts(fields: Fields): { stem: string | undefined; options: Options | undefined } {
  const nested = isRecord(fields.question) ? fields.question : undefined;
  const options = optionsOf(nested?.choices ?? fields.choices);
  const stem = nested === undefined ? fields.question : nested.stem;
  return { stem: typeof stem === "string" ? stem : undefined, options };
}

interface Options {
  labels: string[];
  texts: string[];
}

/** Either `[{ label, text }, …]` or `{ label: […], text: […] }`. */
function optionsOf(choices: unknown): Options | undefined {
  const list = Array.isArray(choices) && choices.every(isRecord) ? choices : undefined;
  const labels = textList(list ? list.map(({ label }) => label) : isRecord(choices) ? choices.label : undefined);
  const texts = textList(list ? list.map(({ text }) => text) : isRecord(choices) ? choices.text : undefined);
  return labels && texts && labels.length === texts.length ? { labels, texts } : undefined;
}
