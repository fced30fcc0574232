/** How a run of a method ends: with what it chose and why, or, when a call did not happen, with the best it has. */
import type { CallResult } from "#kernel/call.ts";
import type { Usage } from "#kernel/model.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import type { EndReason, Outcome, TraceEvent } from "#kernel/trace.ts";

/** A call that was not made or failed, or an inner run that ended early. */
export type FailedCall = CallResult & { ok: false };

/** What a method ends with. */
export interface Ending {
  /** The attempt chosen; undefined when there is none. */
  chosen?: { attempt: number; text: string } | undefined;
  /** Why this one, for a reader; without it nothing is said of a choice. */
  why?: string | undefined;
  /** `done` when left out. */
  reason?: EndReason;
  /** Sum over every call of the run. */
  usage: Usage;
}

/** Says what was chosen, where something was, and returns the outcome. */
export function* endWith({ chosen, why, reason = "done", usage }: Ending): Generator<TraceEvent, Outcome> {
  if (!chosen) return { text: "", answer: "", reason, usage };
  if (why !== undefined) yield { type: "choice-end", attempt: chosen.attempt, reason: why };
  return { text: chosen.text, answer: parseRefine(chosen.text).answerText, reason, usage };
}

/** Ends because of a failed call, with the best so far or nothing; what failed becomes an event of its own. */
export function* endEarly(failed: FailedCall, { why, ...ending }: Omit<Ending, "reason">): Generator<TraceEvent, Outcome> {
  if (failed.reason === "error") yield { type: "error", message: failed.message };
  const reasons = [why, failed.message].filter((text) => text !== undefined).join("; ");
  return yield* endWith({ ...ending, why: reasons, reason: failed.reason });
}
