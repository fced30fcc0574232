/** Filters over training conversations. Each looks at one example after another, in order, and says why it leaves one out. */
import type { TrainingConversation } from "#kernel/conversation.ts";
import { mean } from "#kernel/numbers.ts";
import type { Dropped } from "../training-files/data-card.ts";
import { questionKey } from "./split.ts";

/** Undefined keeps the example. */
export type ExampleFilter = (conversation: TrainingConversation) => Dropped | undefined;

/** What an example asks: its user messages up to the first thing the assistant says. */
export function questionOf({ messages }: TrainingConversation): string {
  const end = messages.findIndex(({ role }) => role === "assistant");
  return messages
    .slice(0, end < 0 ? undefined : end)
    .flatMap(({ role, content }) => (role === "user" ? [content] : []))
    .join("\n");
}

/** Leaves out what was seen before; questions and learned texts that differ in case, spacing or punctuation alone count as the same. */
export function withoutDuplicates(by: "question-and-answer" | "question" = "question-and-answer"): ExampleFilter {
  const seen = new Set<string>();
  return (conversation) => {
    const learned = conversation.messages.filter(({ trainable }) => trainable).map(({ content }) => distinctKey(content));
    const key = JSON.stringify([distinctKey(questionOf(conversation)), ...(by === "question" ? [] : learned)]);
    if (seen.has(key)) return { dropped: "duplicate" };
    seen.add(key);
    return undefined;
  };
}

/** Texts of signs alone, such as formulas, are told apart by the signs. */
function distinctKey(text: string): string {
  return questionKey(text) || text.trim();
}

/** Leaves out questions of a test set. Give `questionKey` of each. */
export function notAskedIn(questions: ReadonlySet<string>): ExampleFilter {
  return (conversation) => {
    const key = questionKey(questionOf(conversation));
    return key !== "" && questions.has(key) ? { dropped: "asked-elsewhere" } : undefined;
  };
}

/** Leaves out what no model of this context could be trained on; `count` says how many tokens an example has. */
export function atMostTokens(most: number, count: (conversation: TrainingConversation) => number): ExampleFilter {
  return (conversation) => {
    const tokens = count(conversation);
    return tokens > most ? { dropped: "too-long", detail: `${tokens} tokens` } : undefined;
  };
}

/** Characters of everything that is learned. */
export function answerCharacters(least: number, most = Number.POSITIVE_INFINITY): ExampleFilter {
  return ({ messages }) => {
    const characters = messages.reduce((sum, { trainable, content }) => sum + (trainable ? content.trim().length : 0), 0);
    if (!messages.some(({ trainable }) => trainable)) return { dropped: "nothing-trained" };
    if (characters < least) return { dropped: "answer-too-short", detail: `${characters} characters` };
    return characters > most ? { dropped: "answer-too-long", detail: `${characters} characters` } : undefined;
  };
}

/** The first filter that leaves the example out decides. */
export function allOf(...filters: readonly ExampleFilter[]): ExampleFilter {
  return (conversation) => {
    for (const filter of filters) {
      const dropped = filter(conversation);
      if (dropped) return dropped;
    }
    return undefined;
  };
}

/** Questions of which a share of the answers in [low, high] is right: neither hopeless nor solved (S²R: [0.1, 0.7]). */
export function passRateWindow(low: number, high: number): (accuracies: readonly number[]) => Dropped | undefined {
  return (accuracies) => {
    const rate = mean(accuracies);
    return rate >= low && rate <= high ? undefined : { dropped: "pass-rate", detail: rate.toFixed(3) };
  };
}

/**
 * Cuts the larger class so that the two differ by at most the ratio (1: equally many), keeping the earliest of each; verdicts that are
 * nearly all of one kind teach the kind and not the judging (SPOC). Returns which of the examples stay.
 */
export function balanced<T>(examples: readonly T[], isFirstClass: (example: T) => boolean, ratio = 1): Set<T> {
  const first = examples.filter(isFirstClass);
  const second = examples.filter((example) => !isFirstClass(example));
  const most = Math.ceil(Math.min(first.length, second.length) * ratio);
  return new Set([...first.slice(0, most), ...second.slice(0, most)]);
}
