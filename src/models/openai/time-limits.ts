/** How long a server is waited for. */
import { userError } from "#kernel/errors.ts";

/** Seconds; for each request by itself. */
export interface TimeLimits {
  /** Without any piece of an answer; marks that keep a connection open are none. 600 when left out, 120 for test requests. */
  idleSeconds?: number | undefined;
  /** Until the first piece. As long as `idleSeconds` when left out. */
  firstSeconds?: number | undefined;
  /** Until the whole answer is here. 7200 when left out, 600 for test requests. */
  totalSeconds?: number | undefined;
}

export const callLimits = { idleSeconds: 600, totalSeconds: 7200 };

export const testLimits = { idleSeconds: 120, totalSeconds: 600 };

/** Throws user errors for what is no limit: a timer would end at once. */
export function checkLimits({ idleSeconds, firstSeconds, totalSeconds }: TimeLimits): void {
  for (const [name, seconds] of Object.entries({ idleSeconds, firstSeconds, totalSeconds })) {
    if (seconds === undefined || seconds > 0) continue;
    throw userError("bad-option", `${name} is ${seconds}`, "It must be a number of seconds above 0; Infinity sets no limit.");
  }
}

/** Limits of a question that a server answers without its model: `most` seconds, or less where less is allowed. */
export function briefly(most: number, { idleSeconds = most, firstSeconds = most, totalSeconds = most }: TimeLimits) {
  return { idleSeconds: Math.min(most, idleSeconds), withinSeconds: Math.min(most, firstSeconds, totalSeconds) };
}
