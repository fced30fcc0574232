/** What a model is asked when it judges answers without knowing the right one, and how its reply is read. */
import type { Message } from "#kernel/model.ts";
import { readLabel, readScore } from "./verdict.ts";

/** One answer by itself, 0 to 10. */
export function askForScore(conversation: readonly Message[], answer: string): Message[] {
  return asking(
    conversation,
    [{ title: "answer", text: answer }],
    [
      "Judge this answer strictly. Check every step and every fact by yourself, and do not trust it because it sounds sure.",
      "Do not write an answer of your own. End with a line of this form, from 0 (certainly wrong) to 10 (certainly right): Score: <number>",
    ],
  );
}

/** Mean over the replies whose score can be read, in [0, 1]; undefined when there is none. */
export function readMeanScore(replies: readonly string[]): number | undefined {
  const scores = replies.map((reply) => readScore(reply, 0, 10)).filter((score) => score !== undefined);
  return scores.length === 0 ? undefined : scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

export function askForBetter(conversation: readonly Message[], first: string, second: string): Message[] {
  return asking(
    conversation,
    [
      { title: "answer A", text: first },
      { title: "answer B", text: second },
    ],
    [
      "Compare the two answers: check the steps of each by yourself and find where they part. Length and style do not matter.",
      "End with a line of this form: Better: A, or Better: B, or Better: neither",
    ],
  );
}

export function readBetter(reply: string): "A" | "B" | "neither" | undefined {
  return readLabel(reply, "Better", ["A", "B", "neither"]);
}

export function askForBest(conversation: readonly Message[], answers: readonly string[]): Message[] {
  return asking(
    conversation,
    answers.map((text, index) => ({ title: `answer ${index + 1}`, text })),
    [
      "Compare these answers: check the steps of each by yourself. Length, style and order do not matter.",
      "End with a line of this form, naming the number of the answer that is most likely right: Best: <number>",
    ],
  );
}

/** Index of the answer named, from 0; undefined when none is. */
export function readBest(reply: string, count: number): number | undefined {
  const names = Array.from({ length: count }, (_, index) => String(index + 1));
  const named = readLabel(reply, "Best", names);
  return named === undefined ? undefined : names.indexOf(named);
}

/**
 * The judge stands outside of the conversation it judges: it reads it as a quotation, so that neither the user's wishes about form nor the
 * answers' own words are instructions to it. Parts that are not text cannot be quoted; they go along with the message.
 */
export function asking(
  conversation: readonly Message[],
  answers: readonly { title: string; text: string }[],
  requests: readonly string[],
): Message[] {
  const turns = conversation.filter((message) => message.role !== "system");
  const only = turns.length === 1 ? turns[0] : undefined;
  const question = only ? only.content : turns.map(({ role, content }) => `${role}: ${content}`).join("\n\n");
  const parts = turns.findLast((message) => message.role === "user" && message.parts !== undefined)?.parts;
  const system = conversation.filter((message) => message.role === "system");
  const content = [
    quoted("question", question),
    ...answers.map(({ title, text }) => quoted(title, text)),
    requests.join(" "),
  ].join("\n\n");
  return [...system, { role: "user", content, ...(parts === undefined ? {} : { parts }) }];
}

function quoted(title: string, text: string): string {
  return `[${title}]\n${text}\n[end of ${title}]`;
}
