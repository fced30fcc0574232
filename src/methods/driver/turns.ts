/** Going on with a conversation. */
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
