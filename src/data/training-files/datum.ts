/** One row of training data in any of its three kinds, and what can be made of one kind in another. */
import type { TrainingConversation, TrainingMessage } from "#kernel/conversation.ts";
import type { Message } from "#kernel/model.ts";
import type { PreferencePair } from "../sources/pairs.ts";
import type { Dropped } from "./data-card.ts";

/** A question whose answer is graded, as reinforcement learning takes them. */
export interface GradedQuestion {
  id: string;
  messages: readonly Message[];
  /** The reference answer. */
  answer: string;
  /** The benchmark or file it is from; verl chooses the reward by it. */
  source: string;
  /** What it takes, such as `math`. */
  ability?: string;
}

export type Datum =
  /** A weight that is no number, is below 0 or without end is refused by readers and writers. */
  | { kind: "conversation"; conversation: TrainingConversation }
  | { kind: "pair"; pair: PreferencePair }
  | { kind: "question"; question: GradedQuestion };

export type DatumKind = Datum["kind"];

export function idOf(datum: Datum): string {
  if (datum.kind === "conversation") return datum.conversation.id;
  return datum.kind === "pair" ? datum.pair.id : datum.question.id;
}

/** How a set of training data is laid out in rows. */
export interface TrainingFormat {
  name: string;
  kind: DatumKind;
  /** What the format is, in one line. */
  summary: string;
  /** Whether a row may be of this format, by the names and types of its columns. */
  looksLike(values: Readonly<Record<string, unknown>>): boolean;
  /** `id` is for rows that bring none. */
  read(values: Readonly<Record<string, unknown>>, id: string): Datum | Dropped;
  /** Refuses what would lose a mask, a message or a weight: data that trains on other tokens than was said is worse than none. `place` is that of the row, from 0. */
  write(datum: Datum, place?: number): Record<string, unknown> | Dropped;
}

/**
 * The datum as another kind. A pair as conversation is its chosen answer; a conversation as pair sets its learned answer against the attempt
 * before it that is shown and not learned, both after the question; a learned answer becomes a question's reference.
 */
export function asKind(datum: Datum, kind: DatumKind): Datum | Dropped {
  if (datum.kind === kind) return datum;
  if (datum.kind === "pair") {
    if (kind === "question") return { dropped: "not-representable", detail: "a pair holds no reference answer" };
    return { kind: "conversation", conversation: chosenOf(datum.pair) };
  }
  if (datum.kind === "question") {
    if (kind === "pair") return { dropped: "no-rejected-answer" };
    const { id, messages, answer } = datum.question;
    return { kind: "conversation", conversation: { id, messages: [...messages.map(shown), learned(answer)] } };
  }
  const weighted = unsaidWeight(datum.conversation, `a ${kind}`);
  if (weighted) return weighted;
  return kind === "pair" ? pairOf(datum.conversation) : questionOf(datum.conversation);
}

/** Those that can be said as conversations. */
export function conversationsOf(data: readonly Datum[]): TrainingConversation[] {
  return data.flatMap((datum) => {
    const same = asKind(datum, "conversation");
    return "kind" in same && same.kind === "conversation" ? [same.conversation] : [];
  });
}

/** What becomes of an example's weight where nothing can say it; undefined where it says nothing, as 1 does. */
export function unsaidWeight({ weight = 1 }: TrainingConversation, where: string): Dropped | undefined {
  if (weight === 1) return undefined;
  // Without the example is what weight 0 means.
  return weight === 0 ? { dropped: "weight-zero" } : { dropped: "weighted", detail: `${where} holds no weight ${weight}` };
}

/** The `weight` of a row, as number or as text of one (CSV); none where it is absent or null. */
export function readWeight({ weight }: Readonly<Record<string, unknown>>): Pick<TrainingConversation, "weight"> | Dropped {
  if (weight === undefined || weight === null || weight === "") return {};
  const value = typeof weight === "string" && weight.trim() !== "" ? Number(weight) : weight;
  return isWeight(value) ? { weight: value } : malformed(`the weight ${JSON.stringify(weight)} is no number of 0 or above`);
}

export function isWeight(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function chosenOf({ id, prompt, chosen, chosenMasked }: PreferencePair): TrainingConversation {
  return { id, messages: [...prompt.map(shown), { ...learned(chosen), ...(chosenMasked ? { masked: chosenMasked } : {}) }] };
}

function pairOf({ id, messages }: TrainingConversation): Datum | Dropped {
  const answer = messages.at(-1);
  if (!answer?.trainable) return { dropped: "nothing-trained" };
  const rejected = messages.slice(0, -1).findLast(({ role, trainable }) => role === "assistant" && !trainable);
  const start = messages.findIndex(({ role }) => role === "assistant");
  if (rejected === undefined || start === 0 || rejected.content === answer.content) return { dropped: "no-rejected-answer" };
  const prompt = messages.slice(0, start).map(asMessage);
  const masked = answer.masked ? { chosenMasked: answer.masked } : {};
  return { kind: "pair", pair: { id, prompt, chosen: answer.content, rejected: rejected.content, ...masked } };
}

function questionOf({ id, messages }: TrainingConversation): Datum | Dropped {
  const answer = messages.at(-1);
  if (!answer?.trainable || messages.length < 2) return { dropped: "nothing-trained" };
  return {
    kind: "question",
    question: { id, messages: messages.slice(0, -1).map(asMessage), answer: answer.content, source: "midcourse" },
  };
}

export function shown(message: Message): TrainingMessage {
  return { ...message, trainable: false };
}

export function answered(content: string): Message {
  return { role: "assistant", content };
}

export function learned(content: string): TrainingMessage {
  return { ...answered(content), trainable: true };
}

/** Without what training says of it. */
export function asMessage({ trainable: _, masked: __, ...message }: TrainingMessage): Message {
  return message;
}

const roles: readonly unknown[] = ["system", "user", "assistant", "tool"] satisfies Message["role"][];

/** Messages of role and text; undefined for anything else, messages with parts included. */
export function readMessages(value: unknown): Message[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const messages: Message[] = [];
  for (const entry of value as unknown[]) {
    const { role, content } = (entry ?? {}) as Record<string, unknown>;
    if (!roles.includes(role) || typeof content !== "string") return undefined;
    messages.push({ role: role as Message["role"], content });
  }
  return messages;
}

export function readId({ id }: Readonly<Record<string, unknown>>, otherwise: string): string {
  return (typeof id === "string" && id !== "") || typeof id === "number" ? String(id) : otherwise;
}

export function malformed(detail: string): Dropped {
  return { dropped: "malformed", detail };
}

export function wrongKind(datum: Datum, format: string): Dropped {
  return { dropped: "not-representable", detail: `${format} holds no ${datum.kind}s` };
}

/** Messages that are more than role and text have no place in formats of text. */
export function holdsMoreThanText(messages: readonly Message[]): boolean {
  return messages.some(({ parts }) => parts !== undefined && parts !== null);
}
