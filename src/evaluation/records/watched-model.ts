/** The model as one answer sees it: what its calls asked for in vain, and whether text came that no method reads, is kept for the record. */
import { MidcourseError } from "#kernel/errors.ts";
import type { Completion, GenerateOptions, Message, Model, NotHonoured } from "#kernel/model.ts";

/** Completions that held reasoning and no text: `cut` by the limit of tokens, or `whole`. */
export interface UnreadReasoning {
  whole: number;
  cut: number;
}

export class WatchedModel implements Model {
  readonly id: string;
  /** What to do about the last call that failed. */
  failureAdvice: string | undefined;
  readonly #model: Model;
  readonly #notHonoured = new Map<string, NotHonoured>();
  readonly #unread: UnreadReasoning = { whole: 0, cut: 0 };

  constructor(model: Model) {
    this.#model = model;
    this.id = model.id;
  }

  async generate(messages: readonly Message[], options: GenerateOptions): Promise<Completion[]> {
    const completions = await this.#model.generate(messages, options).catch((error) => {
      if (MidcourseError.isInstance(error)) this.failureAdvice = error.advice;
      throw error;
    });
    for (const { notHonoured = [], text, reasoning, finishReason } of completions) {
      for (const entry of notHonoured) this.#notHonoured.set(JSON.stringify(entry), entry);
      if (text.trim() !== "" || !reasoning?.trim() || finishReason === "tool-calls") continue;
      this.#unread[finishReason === "length" ? "cut" : "whole"]++;
    }
    return completions;
  }

  /** Undefined for none. */
  get notHonoured(): NotHonoured[] | undefined {
    return this.#notHonoured.size === 0 ? undefined : [...this.#notHonoured.values()];
  }

  get unreadReasoning(): UnreadReasoning | undefined {
    return this.#unread.whole + this.#unread.cut === 0 ? undefined : { ...this.#unread };
  }
}

/** What to do about it; undefined where there is nothing to do. */
export function unreadAdvice(unread: UnreadReasoning | undefined): string | undefined {
  if (unread === undefined) return undefined;
  const parts = [
    ...(unread.whole > 0 ? ["--reasoning-tags join puts the reasoning back into the text"] : []),
    ...(unread.cut > 0 ? ["--max-tokens gives room for more than reasoning"] : []),
  ];
  return `all of the text came as reasoning: ${parts.join("; ")}`;
}
