/**
 * A method is a program over a model, and its trace is the product: an async generator of these events that ends with an Outcome.
 * The same list is streamed, stored, filtered, tokenised and drawn; nothing returns bare text.
 */
import type { Message, Model, Usage } from "./model.ts";

export type TraceEvent =
  /** An answer to the question (first or revised). Attempts are numbered in the order they appear. */
  | { type: "attempt-end"; attempt: number; messages: readonly Message[]; text: string; usage: Usage }
  /** The model's words about an attempt. */
  | { type: "feedback-end"; attempt: number; messages: readonly Message[]; text: string; usage: Usage }
  /** Any other call of the model: a rewritten question, a hint, a checking program, a summary of differences. `role` names it. */
  | { type: "step-end"; role: string; attempt?: number; messages: readonly Message[]; text: string; usage: Usage }
  /** A verdict on an attempt by a judge, a verifier or a run of tests; `score` in [0, 1]. No `passed` where there is no verdict. */
  | { type: "check-end"; attempt: number; by: string; passed?: boolean; score?: number; text: string; usage: Usage }
  /** A choice among attempts, with the reason a reader can check. */
  | { type: "choice-end"; attempt: number; reason: string }
  /** An event of a method that this one is composed of; `branch` counts its runs. */
  | { type: "inner"; method: string; branch: number; event: TraceEvent }
  /** A call that failed; the method goes on or ends with its best answer so far. */
  | { type: "error"; message: string };

/**
 * `context-exceeded`: the conversation had grown past what the model takes in, and asking again would not change that. `tool-calls`: the
 * model asked for a tool instead of answering; the caller has to run it and ask again.
 */
export type EndReason = "done" | "budget-exhausted" | "context-exceeded" | "error" | "cancelled" | "tool-calls";

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
  mayCall?: ((spent: Usage) => boolean) | undefined;
  signal?: AbortSignal | undefined;
  tools?: MethodTools | undefined;
}

/** What a program printed and how it ended. */
export interface ExecutionReport {
  status: "ok" | "failed" | "timeout" | "memory" | "refused";
  /** Standard output and the end of standard error, shortened. */
  output: string;
}

export interface TestReport extends ExecutionReport {
  passed: boolean;
}

/** Help from outside of the model. Only `oracle` knows the reference answer. */
export interface MethodTools {
  /** The comparable answer in a completion, by the form of the task (number, option letter, LaTeX); undefined when there is none. */
  readAnswer?: ((text: string) => string | undefined) | undefined;
  /** Whether two answers that were read are the same one. */
  sameAnswer?: ((first: string, second: string) => boolean) | undefined;
  /** Runs the program in a completion against the tests that the question itself shows. */
  runVisibleTests?: ((completion: string, signal?: AbortSignal) => Promise<TestReport>) | undefined;
  /** Runs Python in isolation. */
  runPython?: ((source: string, signal?: AbortSignal) => Promise<ExecutionReport>) | undefined;
  /** A verifier or reward model: quality of a completion as an answer to the conversation, in [0, 1], and what asking it cost. */
  scoreCompletion?:
    | ((
        messages: readonly Message[],
        text: string,
        signal?: AbortSignal,
      ) => Promise<{ score: number; stepScores?: readonly number[]; usage: Usage }>)
    | undefined;
  /** Given to methods with `usesOracle` alone, and marked wherever their results are shown. */
  oracle?: {
    isRight: (completion: string, signal?: AbortSignal) => Promise<boolean>;
    runHiddenTests?: ((completion: string, signal?: AbortSignal) => Promise<TestReport>) | undefined;
  };
}

/** One inference-time method, options already bound. */
export interface Method {
  readonly id: string;
  /** True where the method looks at the reference answer or at hidden tests: an upper bound, no method one could use. */
  readonly usesOracle?: boolean | undefined;
  /**
   * For methods of one call with one sample, whose text may be shown while it arrives: `whole`, all of it is the answer; `tagged`, the
   * answer stands in the answer span, and what stands elsewhere is reasoning.
   */
  readonly liveAnswer?: "whole" | "tagged" | undefined;
  run(request: MethodRequest): AsyncGenerator<TraceEvent, Outcome>;
}

/** What a method cannot work without, beside a model. */
export type MethodNeed = "read-answer" | "visible-tests" | "python" | "scorer" | "oracle";

/** A method with the most calls it can make, so that methods composed of it can tell theirs. */
export interface BoundMethod {
  method: Method;
  maxCalls: number;
  /** Its own needs and those of the methods it is composed of. */
  needs?: readonly MethodNeed[];
}
