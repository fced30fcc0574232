/**
 * The AI SDK's prompt as messages and back. A message that holds more than plain text keeps its original in `parts` and goes out as it came
 * in: images, files, tool calls and results, and what providers attach to them.
 */
import type { LanguageModelV4Message, LanguageModelV4Prompt } from "@ai-sdk/provider";
import { userError } from "#kernel/errors.ts";
import type { Message } from "#kernel/model.ts";

/** Set on the reasoning parts that tell a method's progress, so that they are known when the conversation comes back. */
export const progressMark = { midcourse: { progress: true } } as const;

export function messagesOf(prompt: LanguageModelV4Prompt): Message[] {
  return prompt.map((original) => {
    const message = withoutProgress(original);
    const content = textOf(message);
    return isPlain(message) ? { role: message.role, content } : { role: message.role, content, parts: message };
  });
}

/** Throws a user error for parts of another form. Text that was changed on the way takes the place of the original's text. */
export function promptOf(messages: readonly Message[]): LanguageModelV4Prompt {
  if (messages.length === 0) {
    throw userError("empty-conversation", "A conversation needs at least one message", "Give a message of the user.");
  }
  return messages.map((message) => {
    const { role, content, parts } = message;
    if (parts === undefined || parts === null) return plainMessage(role, content);
    if (!isOriginal(parts, role)) {
      throw userError(
        "unknown-message-parts",
        `The parts of a message of the ${role} are not in the AI SDK's form`,
        "Give the AI SDK's own message ({ role, content: [ … ] }) in `parts`.",
      );
    }
    return textOf(parts) === content ? parts : withText(parts, content);
  });
}

function plainMessage(role: Message["role"], content: string): LanguageModelV4Message {
  if (role === "system") return { role, content };
  if (role === "tool") {
    throw userError(
      "unknown-message-parts",
      "A message of a tool cannot be sent as text alone",
      "Give the AI SDK's tool message, with the id of the call it answers, in `parts`.",
    );
  }
  return { role, content: [{ type: "text", text: content }] };
}

/** The text a method reads: text parts, and the results that tools gave. */
function textOf(message: LanguageModelV4Message): string {
  if (message.role === "system") return message.content;
  if (message.role === "tool") {
    return message.content.map((part) => (part.type === "tool-result" ? resultText(part.output) : "")).join("\n");
  }
  const texts = message.content.flatMap((part) => (part.type === "text" ? [part.text] : []));
  // An assistant's text parts are pieces of one text; a user's are passages of their own.
  return texts.join(message.role === "assistant" ? "" : "\n");
}

type ToolOutput = Extract<
  Extract<LanguageModelV4Message, { role: "tool" }>["content"][number],
  { type: "tool-result" }
>["output"];

function resultText(output: ToolOutput): string {
  switch (output.type) {
    case "text":
    case "error-text":
      return output.value;
    case "json":
    case "error-json":
      return JSON.stringify(output.value);
    case "content":
      return output.value.map((part) => (part.type === "text" ? part.text : "")).join("\n");
    default:
      return output.reason ?? "";
  }
}

function isPlain(message: LanguageModelV4Message): boolean {
  if (message.providerOptions !== undefined) return false;
  if (message.role === "system") return true;
  if (message.role === "tool") return false;
  const [first, ...others] = message.content;
  return first?.type === "text" && first.providerOptions === undefined && others.length === 0;
}

function isOriginal(parts: unknown, role: Message["role"]): parts is LanguageModelV4Message {
  if (typeof parts !== "object" || parts === null) return false;
  const { role: own, content } = parts as { role?: unknown; content?: unknown };
  return own === role && (Array.isArray(content) || (role === "system" && typeof content === "string"));
}

/** The original with other words: what is not text stays where it was. */
function withText(original: LanguageModelV4Message, text: string): LanguageModelV4Message {
  if (original.role === "system") return { ...original, content: text };
  if (original.role === "tool") {
    throw userError(
      "unknown-message-parts",
      "The text of a tool's message was changed, and its result cannot be",
      "Use a method that leaves messages of tools as they are.",
    );
  }
  const first = original.content.findIndex((part) => part.type === "text");
  const kept = original.content.filter((part, index) => part.type !== "text" || index === first);
  const words = { type: "text", text } as const;
  const content = first < 0 ? [words, ...kept] : kept.map((part) => (part.type === "text" ? { ...part, text } : part));
  return { ...original, content } as LanguageModelV4Message;
}

/** Progress was told to a person; the model never said it, so it is not part of what the model is asked. */
function withoutProgress(message: LanguageModelV4Message): LanguageModelV4Message {
  if (message.role !== "assistant") return message;
  const own = message.content.filter((part) => part.type !== "reasoning" || part.providerOptions?.midcourse?.progress !== true);
  return own.length === message.content.length ? message : { ...message, content: own };
}
