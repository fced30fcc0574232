/** The turns of refinement after the fact: what is asked for feedback and for a new answer, and the history between them. */
import type { Message } from "#kernel/model.ts";
import { withTurn } from "./turns.ts";

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
