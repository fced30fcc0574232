/**
 * GPQA: questions by experts in biology, physics and chemistry that a search engine does not help with. "GPQA: A Graduate-Level
 * Google-Proof Q&A Benchmark", Rein et al., 2023, arXiv 2311.12022. 198 questions in `diamond`, 448 in `main`. Their owner asks readers
 * to agree not to publish them: the hub wants HF_TOKEN.
 *
 * The options of a question are shuffled by a seed of their own, made from the question's id: the same order in every run, place and order.
 */
import type { Item } from "#kernel/item.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { choiceTask, embeddedChoices, lettered } from "./choice-task.ts";
import { fingerprint, optionalText, type TaskRow, textField } from "./fields.ts";
import type { HubSource, Task } from "./task.ts";

export const gpqaDiamond = gpqa("gpqa", "diamond");
export const gpqaMain = gpqa("gpqa-main", "main");

function gpqa(id: string, config: string): Task {
  const source: HubSource = {
    dataset: "Idavidrein/gpqa",
    config: `gpqa_${config}`,
    split: "train",
    revision: "633f5ee89ab8ad4522a9f850766b73f62147ffdd",
    files: [`gpqa_${config}.csv`],
    gated: true,
  };
  return choiceTask({
    id,
    title: `GPQA ${config}`,
    version: `${id}/2`,
    source,
    maxTokens: 2048,
    readRow: (fields, index) => readGpqa({ task: id, fields, index }),
  });
}

function readGpqa(row: TaskRow): Item {
  const { fields, task, index } = row;
  const embedded = optionalText(fields, "Correct Answer") === undefined ? embeddedChoices(row) : undefined;
  if (embedded !== undefined) {
    // Files with several orders of one question: they are one cluster.
    const cluster = fingerprint(
      `${embedded.question}\n${embedded.choices
        .map(({ text }) => text)
        .sort()
        .join("\n")}`,
    );
    return { id: `${task}-${index}`, ...embedded, cluster };
  }
  const question = textField(row, "Question").trim();
  const right = textField(row, "Correct Answer");
  const texts = [right, ...[1, 2, 3].map((number) => textField(row, `Incorrect Answer ${number}`))];
  const id = optionalText(fields, "Record ID") ?? fingerprint(question);
  const order = new Random(deriveSeed(0, "gpqa", id)).shuffle([0, 1, 2, 3]);
  const group = optionalText(fields, "High-level domain");
  return {
    id,
    question,
    ...lettered(
      row,
      order.map((place) => texts[place] as string),
      String(order.indexOf(0)),
      { firstPlace: 0 },
    ),
    cluster: id,
    group,
  };
}
