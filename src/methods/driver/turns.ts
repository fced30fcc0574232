/** Going on with a conversation: what is asked for feedback and for a new answer, and the history between them. */
import type { Message } from "#kernel/model.ts";

/**
 * The conversation with the model's reply at its end. Where the conversation ends in the beginning of an answer, the reply continues that
 * message: two messages of the assistant in a row are refused by many chat templates.
 */
export function withReply(messages: readonly Message[], reply: string): Message[] {
  const last = messages.at(-1);
  if (last?.role !== "assistant") return [...messages, { role: "assistant", content: reply }];
  return [...messages.slice(0, -1), { ...last, content: last.content + reply }];
}

/** The conversation with the model's reply and the user's next request. */
export function withTurn(messages: readonly Message[], reply: string, request: string): Message[] {
  return [...withReply(messages, reply), { role: "user", content: request }];
}

/** The conversation with a note at the end of the last question, two lines below it; what else that message holds stays. */
export function withNote(messages: readonly Message[], note: string): Message[] {
  const place = messages.findLastIndex((message) => message.role === "user");
  if (place < 0) return [...messages, { role: "user", content: note }];
  return messages.map((message, index) => (index === place ? { ...message, content: `${message.content}\n\n${note}` } : message));
}

export interface RefinedAttempt {
  text: string;
  /** The model's words about it, where it was asked. */
  feedback?: string | undefined;
}

export interface RefinePrompts {
  feedbackPrompt: string;
  refinePrompt: string;
}

/** The question, one attempt and the request for feedback on it. */
export function askForFeedback(question: readonly Message[], attempt: string, prompts: RefinePrompts): Message[] {
  return withTurn(question, attempt, prompts.feedbackPrompt);
}

/** The question, every attempt with its feedback, oldest first, and the request for a better one. Each attempt has its feedback. */
export function askForRefinement(
  question: readonly Message[],
  history: readonly RefinedAttempt[],
  { feedbackPrompt, refinePrompt }: RefinePrompts,
): Message[] {
  return history.reduce(
    (messages, { text, feedback = "" }) => withTurn(withTurn(messages, text, feedbackPrompt), feedback, refinePrompt),
    [...question],
  );
}

/** The question, every attempt, and after each the same request. */
export function askForReview(question: readonly Message[], history: readonly RefinedAttempt[], reviewPrompt: string): Message[] {
  return history.reduce((messages, { text }) => withTurn(messages, text, reviewPrompt), [...question]);
}

/** True when one line of the feedback is the agreed phrase and nothing else. */
export function saysAllRight(feedback: string): boolean {
  return feedback.split("\n").some((line) => line.length < 200 && /^\W*everything is right\W*$/i.test(line));
}

/** Reads the last "n/10" of a feedback; undefined when there is none or it is more than 10. */
export function readOutOfTen(feedback: string): number | undefined {
  const found = [...feedback.matchAll(/(?<![\d.])(\d{1,3}(?:\.\d{1,6})?)\s{0,3}\/\s{0,3}10\b/g)].at(-1);
  const score = found ? Number(found[1]) : undefined;
  return score !== undefined && score <= 10 ? score : undefined;
}

export const defaultFeedbackPrompt = [
  "Review the answer above. Go through it step by step, name the first step that is wrong or unclear, quote it, and say how to correct it.",
  "Do not write a new answer. Give the answer a score from 0/10 to 10/10.",
  "If nothing needs to change, write this line and nothing else: EVERYTHING IS RIGHT",
].join(" ");

export const defaultRefinePrompt =
  "Write the improved answer in full, in the same form as the first, making the corrections the review asks for and keeping what was right.";

export const defaultReviewPrompt = [
  "Review the answer above step by step, then write the improved answer in full, in the same form as the first.",
  "If nothing needs to change, write this line and nothing else: EVERYTHING IS RIGHT",
].join(" ");
