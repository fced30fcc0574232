/**
 * HellaSwag: which of four endings continues a scene? "HellaSwag: Can a Machine Really Finish Your Sentence?", Zellers et al., 2019,
 * arXiv 1905.07830. The answers of the test split are secret, so the 10,042 of the validation split are used. Published numbers mostly
 * compare the likelihoods of the endings; here a letter is asked for.
 *
 *   Washing hands: A woman turns on the tap. She  A) rinses her hands.  B) paints the wall. …  →  A
 */
import type { Item } from "#kernel/item.ts";
import { choiceTask, lettered } from "./choice-task.ts";
import { optionalText, rowError, type TaskRow, textField, textList } from "./fields.ts";
import type { HubSource } from "./task.ts";

const source = (split: string): HubSource => ({
  dataset: "Rowan/hellaswag",
  split,
  revision: "218ec52e09a7e7462a5400043bb9a69a41d06b76",
  files: [`data/${split}-00000-of-00001.parquet`],
});

export const hellaSwag = choiceTask({
  id: "hellaswag",
  title: "HellaSwag",
  version: "hellaswag/2",
  lead: "Which ending continues the text best?",
  source: source("validation"),
  shots: { source: source("train"), usual: 10 },
  readRow: (fields, index) => readHellaSwag({ task: "hellaswag", fields, index }),
});

function readHellaSwag(row: TaskRow): Item {
  const { fields, index } = row;
  const endings = textList(fields.endings) ?? textList(fields.choices);
  if (endings === undefined) throw rowError(row, 'no list of texts in "endings"');
  const activity = optionalText(fields, "activity_label");
  const context = optionalText(fields, "ctx", "query") ?? joinedContext(row);
  const withActivity = activity === undefined || fields.ctx === undefined ? context : `${activity}: ${context}`;
  return {
    id: optionalText(fields, "ind", "id") === undefined ? `hellaswag-${index}` : `${optionalText(fields, "ind", "id")}`,
    question: cleanText(withActivity),
    ...lettered(row, endings.map(cleanText), textField(row, "label", "gold"), { firstPlace: 0 }),
    group: activity,
    cluster: optionalText(fields, "source_id"),
  };
}

function joinedContext(row: TaskRow): string {
  const first = textField(row, "ctx_a", "ctx");
  const second = optionalText(row.fields, "ctx_b");
  return second === undefined ? first : `${first} ${second.charAt(0).toUpperCase()}${second.slice(1)}`;
}

/** The texts from WikiHow hold marks such as [title] and [substeps]. */
function cleanText(text: string): string {
  return text
    .trim()
    .replaceAll(" [title]", ". ")
    .replace(/\[[^\]]{0,100}\]/g, "")
    .replace(/ {2,}/g, " ")
    .trim();
}
