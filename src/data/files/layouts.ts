/**
 * Question and answer of a row, whatever its layout: columns of text, columns of messages, whole conversations (OpenAI, ShareGPT, TRL, verl).
 * The question is the user's turn with what stands before it; the answer is the last of the assistant. What is no such pair says why.
 */
import type { Message } from "#kernel/model.ts";
import { dropReasons, isDropped } from "../training-files/data-card.ts";
import { asKind, readMessages, type TrainingFormat } from "../training-files/datum.ts";
import { openAiChat, ownConversations, shareGpt } from "../training-files/formats-chat.ts";
import { trlPreference } from "../training-files/formats-trl.ts";
import { verl } from "../training-files/formats-verl.ts";
import type { Row } from "./rows.ts";

export interface QuestionAnswerText {
  question: string;
  answer: string;
}

/** Why a row is left out, in words that complete “because …”. */
export interface LeftOut {
  because: string;
}

export const severalTurns = "it has several turns, and a question is asked in one";

const layouts: readonly TrainingFormat[] = [ownConversations, verl, trlPreference, shareGpt, openAiChat];

/** The layout of whole conversations that the first rows are of; undefined where they have columns of their own. */
export function conversationLayout(rows: readonly Row[]): TrainingFormat | undefined {
  const first = rows.slice(0, 20);
  if (first.length === 0) return undefined;
  return layouts.find((format) => first.some(({ values }) => format.looksLike(values)));
}

export function pairOfRow(layout: TrainingFormat, values: Row["values"]): QuestionAnswerText | LeftOut {
  const read = layout.read(values, "row");
  const datum = isDropped(read) ? read : asKind(read, "conversation");
  if (isDropped(datum)) {
    const { dropped, detail } = datum;
    return { because: detail === undefined ? dropReasons[dropped] : `${dropReasons[dropped]} (${detail})` };
  }
  if (datum.kind !== "conversation") return { because: dropReasons.malformed };
  const { messages, weight } = datum.conversation;
  if (weight === 0) return { because: dropReasons["weight-zero"] };
  const end = messages.findLastIndex(({ role, trainable }) => role === "assistant" && trainable);
  const question = questionOfMessages(messages.slice(0, end));
  return typeof question === "string" ? { question, answer: messages[end].content.trim() } : question;
}

/** System message and question, one below the other. */
export function questionOfMessages(messages: readonly Message[]): string | LeftOut {
  if (messages.some(({ role }) => role === "assistant" || role === "tool")) return { because: severalTurns };
  return messages
    .map(({ content }) => content.trim())
    .filter((text) => text !== "")
    .join("\n\n");
}

/** Text of a question's or an answer's column that may hold messages; undefined for what holds neither. */
export function columnText(value: unknown, role: "question" | "answer"): string | LeftOut | undefined {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value.trim();
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const messages = readMessages(value);
  if (messages === undefined) return undefined;
  if (role === "question") return questionOfMessages(messages);
  return messages.findLast((message) => message.role === "assistant")?.content.trim() ?? "";
}
