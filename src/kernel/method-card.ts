/** What a method says of itself: for `midcourse methods`, for building it from a line of text, and for checking its cost. */
import type { Method } from "./trace.ts";

/** What a method cannot work without, beside a model. */
export type MethodNeed = "read-answer" | "visible-tests" | "python" | "scorer" | "oracle";

export type MethodKind = "plain" | "sampling" | "refinement" | "search" | "rewriting";

export interface MethodOption {
  /** `method`: another method, which this one is composed over. */
  type: "integer" | "number" | "boolean" | "text" | "choice" | "method";
  default: number | boolean | string | undefined;
  choices?: readonly string[];
  /** Smallest value of a number or integer; 0 when left out. */
  minimum?: number;
  /** Largest value of a number or integer. */
  maximum?: number;
  /** What it does, in one line. */
  description: string;
  /** The paper's value, where it has one, such as "4 (GSM8K), 3 (dialogue)". */
  paper?: string;
}

/** A method with the most calls it can make, so that methods composed of it can tell theirs. */
export interface BoundMethod {
  method: Method;
  maxCalls: number;
  /** Its own needs and those of the methods it is composed of. */
  needs?: readonly MethodNeed[];
}

export type MethodOptionValue = number | boolean | string | BoundMethod | undefined;
export type MethodOptionValues = Readonly<Record<string, MethodOptionValue>>;

export interface MethodCard {
  /** Name on the command line. */
  id: string;
  /** What it does, in one line. */
  summary: string;
  paper?: { title: string; authors: string; year: number; arxiv?: string };
  kind: MethodKind;
  needs: readonly MethodNeed[];
  /** Where they depend on the options: the needs in place of `needs`. Every option is set. */
  needsWith?(options: MethodOptionValues): readonly MethodNeed[];
  usesOracle?: boolean;
  options: Readonly<Record<string, MethodOption>>;
  /** Most calls of the model as a formula in the options' names, such as "1 + 2·rounds". */
  calls: string;
  /** The same as a number; every option is set. */
  maxCalls(options: MethodOptionValues): number;
  /** `id` names the method in results. Every option is set and of its type. */
  create(options: MethodOptionValues, id: string): Method;
}
