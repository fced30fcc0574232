/**
 * Conversations to text by the checkpoint's own chat template. Rendering follows `transformers`: the same variables, no tools, no
 * documents; a template that refuses a conversation becomes an error that says so.
 */
import { Template } from "@huggingface/jinja";
import { messageOf, userError } from "#kernel/errors.ts";
import type { Message } from "#kernel/model.ts";

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
