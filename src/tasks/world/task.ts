/** The shipped model's own world as a task: chains of sums and stories, made from a seed, held out from what the model was trained on. */
import type { Item } from "#kernel/item.ts";
import { visibleAnswer } from "#verifiers/answers/extract.ts";
import { extractNumber, numberVerifier, sameNumber } from "#verifiers/answers/number.ts";
import { withFirstWrongStep } from "#verifiers/answers/steps.ts";
import { optionalText, textField } from "../fields.ts";
import type { Task } from "../task.ts";
import { worldItems } from "./items.ts";
import { worldPrompts } from "./solutions.ts";

const verifier = withFirstWrongStep(numberVerifier());

export const worldTask: Task = {
  id: "world",
  title: "Small world",
  version: "world/1",
  answerKind: "number",
  source: { dataset: "world", split: "test", revision: "generated" },
  maxTokens: 192,
  generate: (count, seed) => worldItems(count, { split: "test", seed }),
  readRow(fields, index): Item {
    const row = { task: "world", fields, index };
    const id = optionalText(fields, "id") ?? `world-${index}`;
    return { id, question: textField(row, "question"), answer: textField(row, "answer") };
  },
  /** The few words the shipped model was taught; it knows no others. */
  ask: ({ question }) => [
    { role: "system", content: worldPrompts.plain },
    { role: "user", content: question },
  ],
  readAnswer: (completion) => extractNumber(visibleAnswer(completion)),
  sameAnswer: sameNumber,
  grader: () => verifier,
};
