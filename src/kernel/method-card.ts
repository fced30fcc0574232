/** What a method says of itself: for `midcourse methods`, for building it from a line of text, and for checking its cost. */
import type { OptionSpecs, OptionValue } from "./options.ts";
import type { Method, MethodNeed } from "./trace.ts";

export type MethodKind = "plain" | "sampling" | "refinement" | "search" | "rewriting";

export type MethodOptionValue = OptionValue | undefined;
export type MethodOptionValues = Readonly<Record<string, MethodOptionValue>>;

export interface MethodPaper {
  title: string;
  authors: string;
  year: number;
  arxiv?: string;
}

export type MethodStatus = "stable" | "experimental";

export interface MethodCard {
  /** Name on the command line. */
  id: string;
  /** What it does, in one line. */
  summary: string;
  paper?: MethodPaper | undefined;
  kind: MethodKind;
  /** `stable`: prompts, options and results stay from one version to the next. `experimental`: they may still change. */
  status: MethodStatus;
  needs: readonly MethodNeed[];
  /** Where they depend on the options: the needs in place of `needs`. Every option is set. */
  needsWith?: ((options: MethodOptionValues) => readonly MethodNeed[]) | undefined;
  usesOracle?: boolean | undefined;
  options: OptionSpecs;
  /** Most calls of the model as a formula in the options' names, such as "1 + 2·rounds". */
  calls: string;
  /** The same as a number; every option is set. */
  maxCalls(options: MethodOptionValues): number;
  /** `id` names the method in results. Options that are left out take their defaults; beside the card's there may be a program's own. */
  create(options: Readonly<Record<string, unknown>>, id: string): Method;
}
