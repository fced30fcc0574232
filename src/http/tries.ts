/** Asking a server again: for how long, and after which failures. */
import type { IncomingHttpHeaders } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { MidcourseError } from "#kernel/errors.ts";

/** Throws the signal's reason where it ends the wait. */
export async function pause(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal }).catch((error) => {
    signal?.throwIfAborted();
    throw error;
  });
}

export interface Tries {
  /** Seconds before the second try, the third, and so on: there are as many further tries as waits. */
  waits: readonly number[];
  /** No wait is longer, in seconds, whatever the server asks for. */
  longestWait: number;
  signal: AbortSignal | undefined;
  /** Whether the same again may end otherwise. */
  isPassing: (error: unknown) => boolean;
}

/** Works until it succeeds or the tries are used up; where the server says how long to wait (retry-after), that goes before our own. */
export async function withTries<T>({ waits, longestWait, signal, isPassing }: Tries, work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= waits.length || signal?.aborted || !isPassing(error)) throw error;
      const asked = MidcourseError.isInstance(error) ? error.remote?.retryAfterSeconds : undefined;
      await pause(Math.min(longestWait, asked ?? waits[attempt]), signal);
    }
  }
}

/** `first`, doubled for each further try. */
export function doubling(first: number, tries: number): number[] {
  return Array.from({ length: tries }, (_, attempt) => first * 2 ** attempt);
}

/** The server is busy or broken: asked again, it may answer. */
export function isPassingStatus(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** The request was not taken on, so that it cost nothing. */
export function isRefusal(status: number): boolean {
  return (status >= 300 && status < 500) || status === 503 || status === 529;
}

/** How long the server asks us to wait, in seconds: it says so in seconds, as a date, or in OpenAI's milliseconds. */
export function retryAfter(headers: IncomingHttpHeaders, now: number = Date.now()): number | undefined {
  const milliseconds = Number(headers["retry-after-ms"] ?? Number.NaN);
  if (Number.isFinite(milliseconds) && milliseconds >= 0) return milliseconds / 1000;
  const said = headers["retry-after"];
  if (said === undefined || said.trim() === "") return undefined;
  const seconds = Number(said);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(said);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}
