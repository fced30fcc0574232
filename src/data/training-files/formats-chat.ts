/** Formats of whole conversations: our own, which keeps every mask; OpenAI's fine-tuning lines with weights; ShareGPT's turns. */
import type { CharacterRange, TrainingConversation, TrainingMessage } from "#kernel/conversation.ts";
import type { Message } from "#kernel/model.ts";
import type { PreferencePair } from "../sources/pairs.ts";
import { type Dropped, isDropped } from "./data-card.ts";
import {
  type Datum,
  holdsMoreThanText,
  isWeight,
  malformed,
  readId,
  readMessages,
  readWeight,
  type TrainingFormat,
  unsaidWeight,
  wrongKind,
} from "./datum.ts";

type Values = Readonly<Record<string, unknown>>;

/** `{"id", "messages": [{"role", "content", "trainable", "masked"?}], "weight"?}`: nothing is lost. */
export const ownConversations: TrainingFormat = {
  name: "midcourse",
  kind: "conversation",
  summary: "our own lines: messages with a trainable flag and masked character ranges, an optional weight",
  looksLike: ({ messages }) => Array.isArray(messages) && messages.some((entry) => "trainable" in Object(entry)),
  read(values, id) {
    const messages = readFlagged(values.messages);
    if (messages === undefined) return malformed("messages are not a list of role, content and trainable");
    return conversationOr({ id: readId(values, id), messages }, values);
  },
  write(datum) {
    if (datum.kind !== "conversation") return wrongKind(datum, "midcourse");
    const { id, messages, weight } = datum.conversation;
    if (weight === undefined) return { id, messages };
    return isWeight(weight) ? { id, messages, weight } : malformed(`the weight ${weight} is no number of 0 or above`);
  },
};

/** `{"id", "prompt": [messages], "chosen", "rejected", "chosenMasked"?, "rejectedMasked"?}`. */
export const ownPairs: TrainingFormat = {
  name: "midcourse-pairs",
  kind: "pair",
  summary: "our own lines: prompt messages, chosen and rejected text, masked character ranges",
  looksLike: ({ prompt, chosen, rejected }) =>
    Array.isArray(prompt) && typeof chosen === "string" && typeof rejected === "string",
  read(values, id) {
    const { chosen, rejected } = values;
    const prompt = readMessages(values.prompt);
    if (prompt === undefined || prompt.length === 0) return malformed("prompt is no list of messages");
    if (typeof chosen !== "string" || typeof rejected !== "string") return malformed("chosen and rejected are not both text");
    const pair: PreferencePair = { id: readId(values, id), prompt, chosen, rejected };
    for (const side of ["chosen", "rejected"] as const) {
      const masked = readRanges(values[`${side}Masked`], pair[side].length);
      if (masked === undefined) return malformed(`${side}Masked are no ranges of its text`);
      if (masked.length > 0) pair[`${side}Masked`] = masked;
    }
    return { kind: "pair", pair };
  },
  write: (datum) => (datum.kind === "pair" ? { ...datum.pair } : wrongKind(datum, "midcourse-pairs")),
};

/** `{"messages": [{"role", "content", "weight"?: 0 | 1}]}`: an assistant message of weight 0 is shown and not learned. */
export const openAiChat: TrainingFormat = {
  name: "openai",
  kind: "conversation",
  summary: "OpenAI's fine-tuning lines, also TRL's and verl's messages column: weight 0 on assistant messages not learned",
  looksLike: ({ messages }) => Array.isArray(messages) && !messages.some((entry) => "trainable" in Object(entry)),
  read(values, id) {
    const read = readMessages(values.messages);
    if (read === undefined) return malformed("messages are not a list of role and text");
    const weights = (values.messages as { weight?: unknown }[]).map(({ weight }) => weight ?? 1);
    if (weights.some((weight) => weight !== 0 && weight !== 1)) return malformed("a weight is neither 0 nor 1");
    const messages = read.map((message, index) => {
      return { ...message, trainable: message.role === "assistant" && weights[index] === 1 };
    });
    return conversationOr({ id: readId(values, id), messages }, values);
  },
  write(datum) {
    const conversation = plainConversation(datum, "openai");
    if (isDropped(conversation)) return conversation;
    const messages = conversation.messages.map(({ role, content, trainable }) => ({
      role,
      content,
      ...(role === "assistant" && !trainable ? { weight: 0 } : {}),
    }));
    return { id: conversation.id, messages };
  },
};

const shareGptNames: Readonly<Record<string, Message["role"]>> = {
  system: "system",
  human: "user",
  user: "user",
  gpt: "assistant",
  chatgpt: "assistant",
  assistant: "assistant",
  function_call: "assistant",
  model: "assistant",
  tool: "tool",
  tool_response: "tool",
  function: "tool",
  function_response: "tool",
  observation: "tool",
};
const shareGptName = { system: "system", user: "human", assistant: "gpt" } as const;

/**
 * `{"system"?, "conversations": [{"from": "human" | "gpt" | a tool, "value", "weight"?: 0 | 1}]}`, also with role and content: an answer of
 * weight 0 is shown and not learned. Written without weights, so that every answer has to be learned.
 */
export const shareGpt: TrainingFormat = {
  name: "sharegpt",
  kind: "conversation",
  summary: "ShareGPT's turns of human and gpt; every answer is learned",
  looksLike: ({ conversations }) => Array.isArray(conversations),
  read(values, id) {
    const { conversations, system } = values;
    if (!Array.isArray(conversations)) return malformed("conversations is no list");
    const messages: TrainingMessage[] = [];
    if (typeof system === "string" && system !== "") messages.push({ role: "system", content: system, trainable: false });
    for (const turn of conversations as unknown[]) {
      const { from: named, value: said, role: other, content, weight = 1 } = (turn ?? {}) as Record<string, unknown>;
      const [from, value] = [String(named ?? other).toLowerCase(), said ?? content];
      const role = Object.hasOwn(shareGptNames, from) ? shareGptNames[from] : undefined;
      if (role === undefined || typeof value !== "string")
        return malformed("a turn is not from human, gpt or a tool with a value");
      if (weight !== 0 && weight !== 1 && weight !== null) return malformed("a weight is neither 0 nor 1");
      messages.push({ role, content: value, trainable: role === "assistant" && weight !== 0 });
    }
    return conversationOr({ id: readId(values, id), messages }, values);
  },
  write(datum) {
    const conversation = plainConversation(datum, "sharegpt");
    if (isDropped(conversation)) return conversation;
    const { id, messages } = conversation;
    if (messages.some(({ role, trainable }) => role === "assistant" && !trainable)) {
      return { dropped: "not-representable", detail: "an assistant message is not learned" };
    }
    if (messages.some(({ role }) => role === "tool")) return { dropped: "not-representable", detail: "a tool speaks" };
    const conversations = messages.map(({ role, content }) => ({ from: shareGptName[role as "user"], value: content }));
    return { id, conversations };
  },
};

/** Conversations of weight 1 whose messages are learned whole or not at all. */
export function plainConversation(datum: Datum, format: string): TrainingConversation | Dropped {
  if (datum.kind !== "conversation") return wrongKind(datum, format);
  const weighted = unsaidWeight(datum.conversation, format);
  if (weighted) return weighted;
  const { messages } = datum.conversation;
  if (holdsMoreThanText(messages)) return { dropped: "not-representable", detail: "a message holds more than text" };
  if (messages.some(({ trainable, masked }) => trainable && masked !== undefined && masked.length > 0)) {
    return { dropped: "not-representable", detail: "a part of a learned message is masked" };
  }
  return datum.conversation;
}

/** With the weight that the row says: a column of that name means the same in every format of conversations. */
export function conversationOr(conversation: TrainingConversation, values: Values): Datum | Dropped {
  const { messages } = conversation;
  const weight = readWeight(values);
  if (isDropped(weight)) return weight;
  if (!messages.some(({ trainable }) => trainable)) return { dropped: "nothing-trained" };
  if (messages[0].role === "assistant") return malformed("the conversation begins with an answer");
  return { kind: "conversation", conversation: { ...conversation, ...weight } };
}

function readFlagged(value: unknown): TrainingMessage[] | undefined {
  const messages = readMessages(value);
  if (messages === undefined) return undefined;
  const result: TrainingMessage[] = [];
  for (const [index, entry] of (value as Values[]).entries()) {
    const { trainable, parts } = entry;
    const message = messages[index];
    const masked = readRanges(entry.masked, message.content.length);
    if (typeof trainable !== "boolean" || masked === undefined) return undefined;
    if (trainable && message.role !== "assistant") return undefined;
    result.push({
      ...message,
      ...(parts === undefined || parts === null ? {} : { parts }),
      trainable,
      ...(masked.length > 0 ? { masked } : {}),
    });
  }
  return result;
}

/** Ascending, disjoint, inside the text. An absent value is none; undefined says that they are not sound. */
function readRanges(value: unknown, length: number): CharacterRange[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return undefined;
  let from = 0;
  for (const range of value as unknown[]) {
    if (!Array.isArray(range) || range.length !== 2 || !range.every(Number.isSafeInteger)) return undefined;
    const [start, end] = range as [number, number];
    if (start < from || end < start || end > length) return undefined;
    from = end;
  }
  return value as CharacterRange[];
}
