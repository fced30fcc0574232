/** Filters over training conversations. Each looks at one example after another, in order, and says why it leaves one out. */
import type { TrainingConversation } from "#kernel/conversation.ts";
import { counted, mean } from "#kernel/numbers.ts";
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
    return tokens > most ? { dropped: "too-long", detail: counted(tokens, "token") } : undefined;
  };
}

/** Characters of everything that is learned. */
export function answerCharacters(least: number, most = Number.POSITIVE_INFINITY): ExampleFilter {
  return ({ messages }) => {
    const characters = messages.reduce((sum, { trainable, content }) => sum + (trainable ? content.trim().length : 0), 0);
    if (!messages.some(({ trainable }) => trainable)) return { dropped: "nothing-trained" };
    if (characters < least) return { dropped: "answer-too-short", detail: counted(characters, "character") };
    return characters > most ? { dropped: "answer-too-long", detail: counted(characters, "character") } : undefined;
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

/**
 * Self-agreement of several samples of one answer, PTR's consistency filter: the sample that the others agree with most, and how far they
 * do. Pure: what two samples have in common is given as a function, the cosine of embeddings or the equality of their answers.
 */
export interface Agreement {
  /** Index of the sample that agrees most with the others; the earliest of equals. */
  chosen: number;
  /** Its mean agreement with the others, in the unit of `similarity`; undefined for fewer than two samples. */
  agreement: number | undefined;
}

/** `similarity` is symmetric and asked once for each pair of the `count` samples. */
export function agreementOf(count: number, similarity: (first: number, second: number) => number): Agreement {
  const sums = new Array<number>(count).fill(0);
  for (let first = 0; first < count; first++) {
    for (let second = first + 1; second < count; second++) {
      const value = similarity(first, second);
      sums[first] += value;
      sums[second] += value;
    }
  }
  let chosen = 0;
  for (const [index, sum] of sums.entries()) if (sum > sums[chosen]) chosen = index;
  return { chosen, agreement: count < 2 ? undefined : sums[chosen] / (count - 1) };
}

/** Similarity 1 where two samples give the same answer, else 0; a sample without an answer agrees with none. */
export function sameAnswers(
  answers: readonly (string | undefined)[],
  isSame: (first: string, second: string) => boolean,
): (first: number, second: number) => number {
  return (first, second) => {
    const [one, other] = [answers[first], answers[second]];
    return one !== undefined && other !== undefined && (one === other || isSame(one, other)) ? 1 : 0;
  };
}
