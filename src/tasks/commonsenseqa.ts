/**
 * CommonsenseQA: everyday knowledge with five options. "CommonsenseQA: A Question Answering Challenge Targeting Commonsense Knowledge",
 * Talmor et al., 2019, arXiv 1811.00937. The answers of the test split are secret, so the 1,221 of the validation split are used.
 *
 *   Where would you keep milk cold?  A) oven  B) fridge  C) drawer  D) garden  E) desk  →  B
 */

import { isRecord } from "#kernel/values.ts";
import { examItem } from "./arc.ts";
import { choiceTask } from "./choice-task.ts";
import { type Fields, optionalText } from "./fields.ts";
import type { HubSource } from "./task.ts";

const source = (split: string): HubSource => ({
  dataset: "tau/commonsense_qa",
  split,
  revision: "94630fe30dad47192a8546eb75f094926d47e155",
  files: [`data/${split}-00000-of-00001.parquet`],
});

export const commonsenseQa = choiceTask({
  id: "commonsenseqa",
  title: "CommonsenseQA",
  version: "commonsenseqa/2",
  chance: 0.2,
  source: source("validation"),
  shots: { source: source("train"), usual: 7 },
  readRow(fields, index) {
    return { ...examItem({ task: "commonsenseqa", fields, index }), cluster: conceptOf(fields) };
  },
});

/** Questions were written in threes on one concept. */
function conceptOf(fields: Fields): string | undefined {
  return (
    optionalText(fields, "question_concept") ??
    (isRecord(fields.question) ? optionalText(fields.question, "question_concept") : undefined)
  );
}
