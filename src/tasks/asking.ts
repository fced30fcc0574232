/** How questions are put: what is asked for in each kind of answer, and worked examples as turns of the conversation before. */
import type { Item } from "#kernel/item.ts";
import type { Message } from "#kernel/model.ts";
import type { Task } from "./task.ts";

/** Each asks for one clear form, the one that `strictAccuracy` reads. */
export const answerRequests = {
  number:
    'Work through the problem step by step. End with a line that reads "The answer is N." where N is the number alone, without units.',
  math: "Work through the problem step by step and put the final answer in \\boxed{}.",
  integer: "Work through the problem step by step. The answer is a whole number from 0 to 999; put it in \\boxed{}.",
  span: 'Answer from the passage. End with a line that reads "Answer: " followed by the number, the date or the words from the passage, and nothing else.',
  program:
    "Complete the Python function below. Reply with the whole function, and everything it needs to run, in one fenced block of Python code.",
  summary: "Sum up the article in one sentence. Reply with that sentence alone.",
} as const;

export function choiceRequest(letters: readonly string[]): string {
  const last = letters.at(-1) ?? "";
  const list = `${letters.slice(0, -1).join(", ")} or ${last}`;
  return `Think it through, then end with a line that reads "The answer is X." where X is ${list}.`;
}

export function listChoices(choices: NonNullable<Item["choices"]>): string {
  return choices.map(({ letter, text }) => `${letter}) ${text}`).join("\n");
}

/** Question as the user's turn, worked answer as the assistant's; of examples with groups those of the item's group. */
export function asker(
  question: (item: Item) => string,
  workedAnswer: (item: Item) => string,
  options: { perGroup?: boolean } = {},
): Task["ask"] {
  return (item, shots): Message[] => {
    const own = options.perGroup ? shots.filter(({ group }) => group === item.group) : shots;
    return [
      ...own.flatMap((shot): Message[] => [
        { role: "user", content: question(shot) },
        { role: "assistant", content: workedAnswer(shot) },
      ]),
      { role: "user", content: question(item) },
    ];
  };
}
