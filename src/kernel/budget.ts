/**
 * What one answer may cost at most. It is asked before each call, so a method ends with its best answer so far instead of in the middle
 * of one; a single call may still overshoot by its own size. A cap on something whose spending is unknown allows no further call: an
 * unknown amount is not a small one.
 */

import { checkIsObject } from "./call-options.ts";
import type { Usage } from "./model.ts";
import { checkOptions, type OptionSpecs } from "./options.ts";

export interface Budget {
  /** Prompt and sampled tokens. */
  tokens?: number;
  /** Sampled tokens alone. */
  outputTokens?: number;
  calls?: number;
  dollars?: number;
  /** Wall time since the answer was begun. */
  seconds?: number;
}

const cap = { type: "number", maximum: Number.POSITIVE_INFINITY } as const;

const caps = {
  tokens: { ...cap, description: "most prompt and sampled tokens" },
  outputTokens: { ...cap, description: "most sampled tokens" },
  calls: { ...cap, description: "most calls of the model" },
  dollars: { ...cap, description: "most dollars" },
  seconds: { ...cap, description: "longest time since the answer was begun" },
} satisfies OptionSpecs & Record<keyof Budget, unknown>;

/** Throws a user error for a cap that does not exist, such as `token`, and for one that is no number from 0: it would cap nothing. */
export function checkBudget(budget: Budget): void {
  checkIsObject("budget", budget, Object.keys(caps));
  checkOptions("budget", caps, { ...budget });
}

/** For `MethodRequest.mayCall`; the clock starts now. Throws what `checkBudget` does. */
export function withinBudget(budget: Budget, now: () => number = () => performance.now()): (spent: Usage) => boolean {
  checkBudget(budget);
  const startedAt = now();
  return (spent) => isWithin(budget, spent, (now() - startedAt) / 1000);
}

/** Whether something may still be spent, `seconds` after the start. */
export function isWithin(budget: Budget, spent: Usage, seconds: number): boolean {
  const { inputTokens, outputTokens, calls, dollars } = spent;
  const tokens = inputTokens === undefined || outputTokens === undefined ? undefined : inputTokens + outputTokens;
  return (
    below(tokens, budget.tokens) &&
    below(outputTokens, budget.outputTokens) &&
    below(calls, budget.calls) &&
    below(dollars, budget.dollars) &&
    below(seconds, budget.seconds)
  );
}

function below(spent: number | undefined, cap: number | undefined): boolean {
  return cap === undefined || (spent !== undefined && spent < cap);
}
