/**
 * Conversations to text by the checkpoint's own chat template. Rendering follows `transformers`: the same variables, no tools, no
 * documents; a template that refuses a conversation becomes an error that says so.
 */
import { Template } from "@huggingface/jinja";
import { messageOf, userError } from "#kernel/errors.ts";
import type { Message } from "#kernel/model.ts";
import type { TextIds, TokenText } from "./token-text.ts";

const roles = new Set(["system", "user", "assistant"]);

export class ChatTemplate {
  readonly #template: Template;
  readonly #variables: Record<string, unknown>;
  readonly #file: string;

  constructor(source: string, variables: Record<string, unknown>, file: string) {
    this.#variables = variables;
    this.#file = file;
    try {
      this.#template = new Template(source);
    } catch (cause) {
      throw userError(
        "template-invalid",
        `${file}: the chat template does not parse: ${messageOf(cause)}`,
        "Correct the template, or take it from the model's original checkpoint.",
        cause,
      );
    }
  }

  render(messages: readonly Message[], addGenerationPrompt: boolean): string {
    checkMessages(messages);
    try {
      return this.#template.render({
        tools: null,
        documents: null,
        ...this.#variables,
        messages: messages.map(({ role, content }) => ({ role, content })),
        add_generation_prompt: addGenerationPrompt,
      });
    } catch (cause) {
      throw userError(
        "template-refused",
        `${this.#file}: the chat template refused the conversation (${messages.map((message) => message.role).join(", ")}): ${messageOf(cause)}`,
        "Give the conversation in the order of roles this model was made for; some models take no system message.",
        cause,
      );
    }
  }
}

function checkMessages(messages: readonly Message[]): void {
  if (messages.length === 0) {
    throw userError(
      "conversation-empty",
      "The conversation has no messages",
      "Give at least one message with a role and its content.",
    );
  }
  for (const [index, message] of messages.entries()) {
    if (!roles.has(message.role)) {
      throw userError(
        "unknown-role",
        `Message ${index} has the role ${JSON.stringify(message.role)}`,
        "Use system, user or assistant.",
      );
    }
    if (typeof message.content !== "string") {
      throw userError(
        "content-not-text",
        `Message ${index} (${message.role}) has no text content`,
        "Give its content as a string.",
      );
    }
  }
}

/** The special token the template writes right after an assistant's words; undefined where it writes other text first, or none. */
export function findEndOfTurn(template: ChatTemplate, ids: TextIds, text: TokenText): number | undefined {
  const words = "a1b2c3";
  let rendered: string;
  try {
    rendered = template.render(
      [
        { role: "user", content: "a" },
        { role: "assistant", content: words },
      ],
      false,
    );
  } catch {
    // A template that refuses this small conversation tells nothing; the end of sequence ends the turn then.
    return undefined;
  }
  for (const id of ids.encode(rendered.slice(rendered.lastIndexOf(words) + words.length))) {
    if (ids.isSpecial(id)) return id;
    if (text.pieces([id], () => false)[0].trim() !== "") return undefined;
  }
  return undefined;
}

/**
 * What `whole` says after the turn that `prompt` opened, `content` filled and `end` closed; undefined where it shows that turn otherwise.
 * Templates may trim the content or put white space in front of it (Llama 2 does both): the ids keep it as it was written.
 */
export function textAfterTurn(prompt: string, content: string, end: string, whole: string): string | undefined {
  if (!whole.startsWith(prompt)) return undefined;
  const shownTurn = whole.slice(prompt.length);
  for (const rest of [shownTurn, shownTurn.trimStart()]) {
    for (const shown of [content, content.trimEnd(), content.trimStart(), content.trim()]) {
      if (!rest.startsWith(shown)) continue;
      const afterContent = rest.slice(shown.length).trimStart();
      if (afterContent.startsWith(end)) return afterContent.slice(end.length);
    }
  }
  return undefined;
}
