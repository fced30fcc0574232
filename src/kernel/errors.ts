/**
 * The three families of failure. `user`: the person can fix it, so it is printed without a stack and says what to type.
 * `remote`: another program failed us. `bug`: our own mistake, printed with its stack. In a batch a failure is a recorded
 * value; these classes are for what ends a command.
 */

import type { Usage } from "./model.ts";
import { struck, struckValue } from "./secrets.ts";

export type ErrorFamily = "user" | "remote" | "bug";

const brand = Symbol.for("midcourse.error");

/** What another program said when it failed us. */
export interface RemoteDetails {
  /** HTTP status. */
  status?: number | undefined;
  /** The answer's body, shortened. */
  body?: string | undefined;
  /** How long the server asks us to wait. */
  retryAfterSeconds?: number | undefined;
  /** The request was refused before it was worked on, so that it cost no tokens. What any other failed request cost is unknown. */
  costsNothing?: boolean | undefined;
  /** What it cost, where the server told it beside the failure. */
  usage?: Usage | undefined;
  /** Asked again, the server would answer the same. */
  isLasting?: boolean | undefined;
}

export class MidcourseError extends Error {
  readonly [brand] = true;
  readonly family: ErrorFamily;
  /** Stable, machine-readable name such as `checkpoint-missing-tensor`. */
  readonly code: string;
  /** What happened, without the advice: for those who say it on a line of its own, or build another sentence of it. */
  readonly what: string;
  /** What to do about it, in one sentence. */
  readonly advice: string | undefined;
  /** For the family `remote`. */
  readonly remote: RemoteDetails | undefined;

  constructor(
    family: ErrorFamily,
    code: string,
    what: string,
    options: { advice?: string | undefined; cause?: unknown; remote?: RemoteDetails } = {},
  ) {
    // Servers quote what they were sent, the key included.
    what = struck(what);
    const { advice } = struckValue({ advice: options.advice });
    // Whoever logs the message alone is told what to do as well.
    super(
      advice === undefined ? what : `${what} → ${advice}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "MidcourseError";
    this.family = family;
    this.code = code;
    this.what = what;
    this.advice = advice;
    this.remote = struckValue(options.remote);
  }

  /** True across package copies and realms, where `instanceof` fails. */
  static isInstance(value: unknown): value is MidcourseError {
    return typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[brand] === true;
  }
}

export function userError(code: string, message: string, advice?: string, cause?: unknown): MidcourseError {
  return new MidcourseError("user", code, message, { advice, cause });
}

export function remoteError(
  code: string,
  message: string,
  remote: RemoteDetails,
  options: { advice?: string | undefined; cause?: unknown } = {},
): MidcourseError {
  return new MidcourseError("remote", code, message, { ...options, remote });
}

export function bugError(code: string, message: string, cause?: unknown): MidcourseError {
  return new MidcourseError("bug", code, message, { cause });
}

/** What was thrown, in words; of an error of ours without its advice, which is about the moment it was thrown in. */
export function messageOf(error: unknown): string {
  // Another copy of the package may be an older one.
  if (MidcourseError.isInstance(error)) return error.what ?? error.message;
  return error instanceof Error ? error.message : String(error);
}
