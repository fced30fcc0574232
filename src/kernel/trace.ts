/**
 * A method is a program over a model, and its trace is the product: an async generator of these events that ends with an Outcome.
 * The same list is streamed, stored, filtered, tokenised and drawn; nothing returns bare text.
 */
import type { Message, Model, Usage } from "./model.ts";

export type TraceEvent =
  /** An answer to the question (first or revised). */
  | { type: "attempt-end"; attempt: number; messages: readonly Message[]; text: string; usage: Usage }
  /** The model's words about an attempt. */
  | { type: "feedback-end"; attempt: number; messages: readonly Message[]; text: string; usage: Usage }
  /** A choice among attempts, with the reason a reader can check. */
  | { type: "choice-end"; attempt: number; reason: string }
  /** A call that failed; the method goes on or ends with its best answer so far. */
  | { type: "error"; message: string };

export type EndReason = "done" | "budget-exhausted" | "error" | "cancelled";

export interface Outcome {
  /** The final completion, tags and reasoning included. */
  text: string;
  /** The answer as the user sees it. */
  answer: string;
  reason: EndReason;
  /** Sum over every call made, failed ones included. */
  usage: Usage;
}

export interface MethodRequest {
  model: Model;
  /** The conversation so far, the question last; system messages of the user's own are kept by methods that add theirs. */
  messages: readonly Message[];
  temperature: number;
  maxTokens: number;
  seed: number;
  /** Asked before each call; false ends the method with its best answer so far. */
  mayCall?: (spent: Usage) => boolean;
  signal?: AbortSignal;
}

/** One inference-time method, options already bound. */
export interface Method {
  readonly id: string;
  run(request: MethodRequest): AsyncGenerator<TraceEvent, Outcome>;
}
