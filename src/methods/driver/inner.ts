/** Running one method inside another: one meter, one budget, and every event of the inner run in the outer trace. */
import type { Caller } from "#kernel/call.ts";
import { addUsage, type Message } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, MethodTools, Outcome, TraceEvent } from "#kernel/trace.ts";

export interface InnerRun {
  method: Method;
  /** Counts the inner runs of this trace, from 0. */
  branch: number;
  /** The outer request's own when left out. */
  messages?: readonly Message[];
  temperature?: number;
  /** `branchSeed` of the outer seed and the branch when left out. */
  seed?: number;
}

/**
 * Yields the inner run's events wrapped as `inner` and returns its outcome, whose usage is added to the caller's. The budget is asked with
 * what both have spent. The oracle is handed on only to an inner method that says it uses one.
 *
 * The usage inside wrapped events is that of the inner calls. An outer method states the whole again where it uses the result (its
 * `attempt-end` carries `outcome.usage`), so that a sum over a trace's own events, wrapped ones left out, is what the run has cost.
 */
export async function* runInner(request: MethodRequest, caller: Caller, inner: InnerRun): AsyncGenerator<TraceEvent, Outcome> {
  const { method, branch, messages = request.messages, temperature = request.temperature } = inner;
  const { mayCall, tools, ...others } = request;
  const spentBefore = caller.spent;
  const run = method.run({
    ...others,
    messages,
    temperature,
    seed: inner.seed ?? branchSeed(request.seed, branch),
    mayCall: mayCall && ((spent) => mayCall(addUsage(spentBefore, spent))),
    tools: tools && toolsOf(method, tools),
  });
  let ended = false;
  try {
    for (;;) {
      const next = await run.next();
      if (next.done) {
        ended = true;
        caller.spent = addUsage(spentBefore, next.value.usage);
        return next.value;
      }
      yield { type: "inner", method: method.id, branch, event: next.value };
    }
  } finally {
    // A reader who leaves the outer trace leaves the inner one, too.
    if (!ended) await run.return(undefined as never);
  }
}

/** Branch 0 draws what the method alone would draw, so that at equal settings it is that method's answer, word for word. */
export function branchSeed(seed: number, branch: number): number {
  return branch === 0 ? seed : deriveSeed(seed, "branch", branch);
}

function toolsOf(method: Method, { oracle, ...others }: MethodTools): MethodTools {
  return method.usesOracle && oracle ? { ...others, oracle } : others;
}
