/** The vocabulary of talking to a language model: messages, completions, usage, and the interface every model implements. */

export interface Message {
  role: "system" | "user" | "assistant";
  content: string;
}

/** Metered cost. A field is undefined when it is not known; unknown is never 0. */
export interface Usage {
  calls: number;
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  milliseconds: number;
}

export interface Completion {
  text: string;
  finishReason: "stop" | "length" | "error";
  usage: Usage;
}

export interface GenerateOptions {
  /** Samples wanted. Sample j draws from `deriveSeed(seed, j)`. */
  n: number;
  temperature: number;
  maxTokens: number;
  seed: number;
  topP?: number;
  signal?: AbortSignal;
}

/**
 * Something that answers one conversation with n completions. Callers run many conversations at once; an implementation may gather
 * calls that are waiting at the same time into one batch. The last message may be an assistant's: the completion then continues it.
 */
export interface Model {
  readonly id: string;
  generate(messages: readonly Message[], options: GenerateOptions): Promise<Completion[]>;
}

export const noUsage: Usage = Object.freeze({ calls: 0, inputTokens: 0, outputTokens: 0, milliseconds: 0 });

export function addUsage(first: Usage, second: Usage): Usage {
  return {
    calls: first.calls + second.calls,
    inputTokens: sumKnown(first.inputTokens, second.inputTokens),
    outputTokens: sumKnown(first.outputTokens, second.outputTokens),
    milliseconds: first.milliseconds + second.milliseconds,
  };
}

function sumKnown(first: number | undefined, second: number | undefined): number | undefined {
  return first === undefined || second === undefined ? undefined : first + second;
}
