/** How long a server is waited for. */
import { type CallSpecs, seconds } from "#kernel/call-options.ts";

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

export const limitSpecs: CallSpecs<TimeLimits> = {
  idleSeconds: seconds("without any piece of an answer; Infinity sets no limit"),
  firstSeconds: seconds("until the first piece; Infinity sets no limit"),
  totalSeconds: seconds("until the whole answer is here; Infinity sets no limit"),
};

/** Limits of a question that a server answers without its model: `most` seconds, or less where less is allowed. */
export function briefly(most: number, { idleSeconds = most, firstSeconds = most, totalSeconds = most }: TimeLimits) {
  return { idleSeconds: Math.min(most, idleSeconds), withinSeconds: Math.min(most, firstSeconds, totalSeconds) };
}
