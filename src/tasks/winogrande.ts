/**
 * WinoGrande: which of two things does the blank stand for? "WinoGrande: An Adversarial Winograd Schema Challenge at Scale", Sakaguchi
 * et al., 2020, arXiv 1907.10641. The answers of the test split are secret, so the 1,267 of the validation split are used. Sentences were
 * written as twins that differ in a word and in the answer; twins are one cluster.
 *
 *   The cup did not fit into the bag because the _ was too big.  A) cup  B) bag  →  A
 */
import type { Item } from "#kernel/item.ts";
import { choiceTask, embeddedChoices, lettered } from "./choice-task.ts";
import { fingerprint, optionalText, rowError, type TaskRow, textField } from "./fields.ts";
import type { HubSource } from "./task.ts";

const source = (split: string): HubSource => ({
  dataset: "allenai/winogrande",
  config: "winogrande_xl",
  split,
  revision: "01e74176c63542e6b0bcb004dcdea22d94fb67b5",
  files: [`winogrande_xl/${split}-00000-of-00001.parquet`],
});

export const winoGrande = choiceTask({
  id: "winogrande",
  title: "WinoGrande",
  version: "winogrande/2",
  chance: 0.5,
  lead: "Which option belongs in the blank (_)?",
  source: source("validation"),
  shots: { source: source("train"), usual: 5 },
  readRow: (fields, index) => readWinoGrande({ task: "winogrande", fields, index }),
});

function readWinoGrande(row: TaskRow): Item {
  const { fields, index } = row;
  const ownId = optionalText(fields, "qID", "id");
  const id = ownId ?? `winogrande-${index}`;
  if (optionalText(fields, "sentence") === undefined) {
    const embedded = embeddedChoices(row);
    if (embedded !== undefined) return { id, ...embedded };
  }
  const question = textField(row, "sentence").trim();
  if (!question.includes("_")) throw rowError(row, 'the field "sentence" has no blank (_)');
  const options = [textField(row, "option1"), textField(row, "option2")];
  return {
    id,
    question,
    ...lettered(row, options, textField(row, "answer")),
    cluster: ownId !== undefined && /-[12]$/.test(ownId) ? ownId.slice(0, -2) : twinName(question, options),
  };
}

/** The hub leaves the ids out: twins share their options and how they begin. */
function twinName(sentence: string, options: readonly string[]): string {
  return fingerprint(`${[...options].sort().join("|")}|${sentence.split(/\s+/).slice(0, 5).join(" ")}`);
}
