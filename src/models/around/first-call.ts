/**
 * The first call alone: where a server was asked nothing before, a wrong key or name is found out by one request, and not by as many as run at
 * once. The others wait for it a few seconds and share its refusal unasked; what is paid for already is never given up.
 */
import type { CallPolicy } from "./retry.ts";

/** A wrong key is refused at once; an answer may take long, and is not waited for. */
const longestWaitMilliseconds = 5000;

/** `isLasting`: an error that every other call would end in as well. */
export function firstAlone(
  inner: CallPolicy,
  isLasting: (error: unknown) => boolean,
  waitMilliseconds = longestWaitMilliseconds,
): CallPolicy {
  let works = false;
  /** The call that runs alone: what it was refused with, or undefined. */
  let trial: Promise<unknown> | undefined;
  return async (call, signal) => {
    if (trial !== undefined) {
      const refusal = await within(trial, waitMilliseconds, signal);
      if (refusal !== undefined) throw refusal;
    }
    if (works || trial !== undefined) return inner(call, signal);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    trial = promise;
    try {
      const completions = await inner(call, signal);
      works = true;
      return completions;
    } catch (error) {
      if (isLasting(error)) resolve(error);
      throw error;
    } finally {
      trial = undefined;
      resolve(undefined);
    }
  };
}

async function within(trial: Promise<unknown>, milliseconds: number, signal: AbortSignal | undefined): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const stop = () => resolve(undefined);
  const timer = setTimeout(stop, milliseconds);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([trial, promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    signal?.throwIfAborted();
  }
}
