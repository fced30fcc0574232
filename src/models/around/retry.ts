/**
 * What stands around each call of a model: policies wrap one another, and any model. The one here tries a failed call again: it waits
 * longer each time, or as long as the server says (retry-after). What failed tries cost is added to the answer's usage: nothing where the
 * server refused the request, unknown where it may have worked on it.
 */

import { pause } from "#http/tries.ts";
import { costing, failedCallUsage } from "#kernel/call.ts";
import { type CallSpecs, callback, checkCall, figure, most, seedOption } from "#kernel/call-options.ts";
import { MidcourseError } from "#kernel/errors.ts";
import { addUsage, type Completion, type GenerateOptions, type Message, type Model, noUsage, type Usage } from "#kernel/model.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";

export interface RetryOptions {
  /** Tries after the first. 5 when left out. */
  retries?: number | undefined;
  /** Wait before the second try; doubles with each, up to `longestDelaySeconds`. 1 when left out. */
  firstDelaySeconds?: number | undefined;
  /** 60 when left out. */
  longestDelaySeconds?: number | undefined;
  /** A server that asks for a longer wait than this is given up on. 300 when left out. */
  longestRetryAfterSeconds?: number | undefined;
  /** Waits are spread by up to a half, so that calls which failed together do not come back together. */
  seed?: number | undefined;
  onRetry?: ((retry: { error: MidcourseError; attempt: number; delaySeconds: number }) => void) | undefined;
}

const specs: CallSpecs<RetryOptions> = {
  retries: most("tries after the first"),
  firstDelaySeconds: figure("wait before the second try in seconds", { maximum: Number.POSITIVE_INFINITY }),
  longestDelaySeconds: figure("longest wait between tries in seconds", { maximum: Number.POSITIVE_INFINITY }),
  longestRetryAfterSeconds: figure("longest wait that a server may ask for in seconds", { maximum: Number.POSITIVE_INFINITY }),
  seed: seedOption,
  onRetry: callback("told of each further try"),
};

export function retrying(options: RetryOptions = {}, inner: CallPolicy = callDirectly): CallPolicy {
  checkCall("retrying", specs, options);
  const { retries = 5, longestRetryAfterSeconds = 300 } = options;
  let calls = 0;
  let answered = false;
  return async (call, signal) => {
    const random = new Random(deriveSeed(options.seed ?? 0, "retry", calls++));
    let lost: Usage = noUsage;
    for (let attempt = 0; ; attempt++) {
      try {
        const completions = await inner(call, signal);
        answered = true;
        return withLost(completions, lost);
      } catch (error) {
        if (signal?.aborted) throw error;
        if (attempt >= retries || !isWorthRetrying(error, answered)) throw costing(error, [lost]);
        const asked = error.remote?.retryAfterSeconds;
        if (asked !== undefined && asked > longestRetryAfterSeconds) throw costing(error, [lost]);
        const delaySeconds = Math.max(asked ?? 0, delay(attempt, options) * (0.5 + 0.5 * random.uniform()));
        // A refusal is not a call of the model.
        const cost = failedCallUsage(error);
        if (cost.outputTokens !== 0) lost = addUsage(lost, cost);
        options.onRetry?.({ error, attempt, delaySeconds });
        await pause(delaySeconds, signal);
      }
    }
  };
}

function delay(attempt: number, { firstDelaySeconds = 1, longestDelaySeconds = 60 }: RetryOptions): number {
  return Math.min(longestDelaySeconds, firstDelaySeconds * 2 ** Math.min(attempt, 30));
}

/** A server that answered before and is gone now may come back; one that never answered is a mistake to be told at once. */
function isWorthRetrying(error: unknown, answered: boolean): error is MidcourseError {
  if (!MidcourseError.isInstance(error)) return false;
  if (error.code === "server-unreachable") return answered;
  if (error.family !== "remote" || error.remote?.isLasting || notWorthRetrying.has(error.code)) return false;
  const status = error.remote?.status;
  return status === undefined || status >= 500 || [408, 409, 425, 429].includes(status);
}

/** The same again would end the same, or, after pieces were handed on, would be seen twice. */
const notWorthRetrying = new Set(["stream-broken-midway", "reply-too-large", "content-filter", "too-few-samples", "server-slow"]);

function withLost(completions: Completion[], lost: Usage): Completion[] {
  const [first, ...others] = completions;
  if (lost.calls === 0 || first === undefined) return completions;
  return [{ ...first, usage: addUsage(first.usage, lost) }, ...others];
}

/** Runs a call, now or later, once or more often. A call may be started again only after it failed. */
export type CallPolicy = (call: () => Promise<Completion[]>, signal?: AbortSignal) => Promise<Completion[]>;

export const callDirectly: CallPolicy = (call) => call();

/** A model under a policy, for models that are not given theirs when they are made. */
export function withPolicy<Inner extends Model>(model: Inner, policy: CallPolicy): Model {
  return {
    id: model.id,
    generate: (messages: readonly Message[], options: GenerateOptions) =>
      policy(() => model.generate(messages, options), options.signal),
  };
}
