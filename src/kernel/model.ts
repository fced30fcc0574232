/** The vocabulary of talking to a language model: messages, completions, usage, and the interface every model implements. */

export interface Message {
  role: "system" | "user" | "assistant" | "tool";
  /** The text of the message. */
  content: string;
  /**
   * What the message holds beside its text (images, files, tool calls and results), in the form of whoever wrote it. Methods pass it on
   * untouched; a model that knows the form sends it, and one that does not refuses the message.
   */
  parts?: unknown;
}

/** Metered cost. A field that is absent or undefined is not known; unknown is never 0. */
export interface Usage {
  calls: number;
  /** Prompt tokens, those read from a cache included. */
  inputTokens: number | undefined;
  /** Sampled tokens, reasoning included. */
  outputTokens: number | undefined;
  /** The part of the input tokens that the server read from its cache. */
  cachedInputTokens?: number | undefined;
  /** The part of the output tokens that was reasoning. */
  reasoningTokens?: number | undefined;
  /** How the server counts reasoning, as far as its replies show it; absent where none had any. `reasoning-count.ts` decides by it. */
  reasoningCount?: ReasoningCount | undefined;
  /** Known where a price is. */
  dollars?: number | undefined;
  /** Sum over the calls; calls side by side count each. */
  milliseconds: number;
}

/** Servers tell reasoning as a part of the sampled tokens or beside them, and not each reply shows which. */
export interface ReasoningCount {
  /** Calls whose usage shows that the server's sampled tokens hold the reasoning, and that they do not. */
  inside: number;
  beside: number;
  /** Calls whose usage shows neither, and their reasoning tokens. */
  untold: number;
  untoldTokens: number;
  /** The part of `untoldTokens` that was added to `outputTokens`, because the server's other replies had shown by then that it is missing. */
  addedTokens: number;
  /** What `untoldTokens` cost as sampled tokens; known where a price is. */
  untoldDollars?: number | undefined;
}

/**
 * `content-filter`: the server withheld text. `tool-calls`: the model asks for a tool; `parts` holds what it asks. `other`: for a reason of
 * the server's own that is none of these; `finishSaid` holds its word.
 */
export type FinishReason = "stop" | "length" | "content-filter" | "tool-calls" | "error" | "other";

export interface TokenLogprob {
  token: string;
  /** Unknown where the server gave no number: some write NaN. */
  logprob: number | undefined;
  /** The likeliest tokens at this place, where they were asked for. */
  top?: readonly { token: string; logprob: number | undefined }[];
}

/** Something that was asked for and not honoured. */
export interface NotHonoured {
  /** Its name in a request of OpenAI's form: `temperature`, `top_p`, `top_k`, `max_tokens`, `seed`, `n`, `stop`, `logprobs`. */
  field: string;
  /** The value that was asked for; absent where it differs from call to call. */
  asked?: number | undefined;
  /** Why, such as “the server refused it”. */
  why: string;
  /** What was done in its place. */
  instead?: string | undefined;
}

export interface Completion {
  text: string;
  /** Reasoning that was told apart from the answer; not part of `text`. */
  reasoning?: string | undefined;
  finishReason: FinishReason;
  /** The server's own word for the end, where that was a failure or none that is known. */
  finishSaid?: string | undefined;
  usage: Usage;
  /** One entry a token, where asked for and given. */
  logprobs?: readonly TokenLogprob[] | undefined;
  /** What the completion holds beside text, tool calls above all, in the model's own form. */
  parts?: unknown;
  /** What its call asked for in vain. */
  notHonoured?: readonly NotHonoured[] | undefined;
}

/** A piece of a completion as it arrives. */
export interface CompletionDelta {
  /** Which of the n samples. */
  sample: number;
  text?: string | undefined;
  reasoning?: string | undefined;
}

/** Feedback, checks (verdicts, votes) and steps (questions, plans, programs) are on the way to an answer and are none. */
export interface CallPurpose {
  kind: "answer" | "feedback" | "check" | "step";
  /** The attempt it is or is about, counted from 0; of several samples the first one's. */
  attempt?: number | undefined;
  /** Of a step: what it is; of a check: who makes it. */
  role?: string | undefined;
}

/** No response format and no tools: the completion is on the way to an answer. */
export const isAside = ({ purpose }: Pick<GenerateOptions, "purpose">): boolean =>
  purpose !== undefined && purpose.kind !== "answer";

export interface GenerateOptions {
  /** Samples wanted. Sample j draws from `deriveSeed(seed, j)`. */
  n: number;
  temperature: number;
  maxTokens: number;
  seed: number;
  /** Draws from the likeliest tokens that have this share of the probability together, above 0 and at most 1. All when left out. */
  topP?: number | undefined;
  /** Draws from so many of the likeliest tokens; all for 0 or when left out. */
  topK?: number | undefined;
  /** Texts that end a completion; they are not part of it. */
  stop?: readonly string[] | undefined;
  /** Asks for log-probabilities, with this many alternatives a token; 0 asks for the sampled token's alone. */
  topLogprobs?: number | undefined;
  /** What the completion is for, where a method says it. Only an answer has the form that answers are asked for in. */
  purpose?: CallPurpose | undefined;
  signal?: AbortSignal | undefined;
  /** Called with pieces as they arrive, by models that stream; the completion returned at the end is the whole all the same. */
  onDelta?: ((delta: CompletionDelta) => void) | undefined;
}

/**
 * Something that answers one conversation with n completions. Callers run many conversations at once; an implementation may gather
 * calls that are waiting at the same time into one batch. The last message may be an assistant's: the completion then continues it.
 */
export interface Model {
  readonly id: string;
  generate(messages: readonly Message[], options: GenerateOptions): Promise<Completion[]>;
}

export const noUsage: Usage = Object.freeze({
  calls: 0,
  inputTokens: 0,
  outputTokens: 0,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  dollars: 0,
  milliseconds: 0,
});

export function addUsage(first: Usage, second: Usage): Usage {
  return {
    calls: first.calls + second.calls,
    inputTokens: sumKnown(first.inputTokens, second.inputTokens),
    outputTokens: sumKnown(first.outputTokens, second.outputTokens),
    cachedInputTokens: sumKnown(first.cachedInputTokens, second.cachedInputTokens),
    reasoningTokens: sumKnown(first.reasoningTokens, second.reasoningTokens),
    dollars: sumKnown(first.dollars, second.dollars),
    ...(first.reasoningCount || second.reasoningCount
      ? { reasoningCount: addCounts(first.reasoningCount, second.reasoningCount) }
      : {}),
    milliseconds: first.milliseconds + second.milliseconds,
  };
}

/** What all calls together show. */
export function addCounts(first: ReasoningCount | undefined, second: ReasoningCount | undefined): ReasoningCount | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return {
    inside: first.inside + second.inside,
    beside: first.beside + second.beside,
    untold: first.untold + second.untold,
    untoldTokens: first.untoldTokens + second.untoldTokens,
    addedTokens: first.addedTokens + second.addedTokens,
    ...(first.untoldDollars === undefined && second.untoldDollars === undefined
      ? {}
      : { untoldDollars: (first.untoldDollars ?? 0) + (second.untoldDollars ?? 0) }),
  };
}

function sumKnown(first: number | undefined, second: number | undefined): number | undefined {
  return first === undefined || second === undefined ? undefined : first + second;
}
