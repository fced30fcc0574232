/** Requests to the Hugging Face hub: tried again where that helps, ended when nothing arrives, and failures in the user's words. */
import { setTimeout as sleep } from "node:timers/promises";
import { MidcourseError, remoteError, userError } from "#kernel/errors.ts";

export interface HubAccess {
  endpoint: string;
  token: string | undefined;
  signal?: AbortSignal | undefined;
  /** First wait between tries, doubled each time. */
  firstWaitMilliseconds: number;
  /** A request that delivers nothing for so long is given up. */
  stallMilliseconds: number;
}

const tries = 4;
const longestWait = 30_000;
const otherwise = "Or give the file yourself with --data FILE.";

/** What was asked of whom, for messages. */
export interface HubTarget {
  dataset: string;
  what: string;
}

/**
 * Runs `read` on the answer to GET `url`, all of it again after a broken connection, 429 or 5xx. `read` calls `alive` whenever something
 * arrived. Throws user errors for what the user can change, and a remote error when the hub keeps failing.
 */
export async function hubGet<T>(
  access: HubAccess,
  url: string,
  target: HubTarget,
  read: (response: Response, alive: () => void) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const failure = await tryOnce(access, url, target, read);
    if ("value" in failure) return failure.value;
    if (!failure.again || attempt >= tries) throw failure.error;
    const wait = failure.waitMilliseconds ?? access.firstWaitMilliseconds * 2 ** (attempt - 1);
    await sleep(Math.min(wait, longestWait), undefined, access.signal ? { signal: access.signal } : {});
  }
}

type Try<T> = { value: T } | { error: Error; again: boolean; waitMilliseconds?: number };

async function tryOnce<T>(
  access: HubAccess,
  url: string,
  target: HubTarget,
  read: (response: Response, alive: () => void) => Promise<T>,
): Promise<Try<T>> {
  const stalled = new AbortController();
  const alarm = setTimeout(() => stalled.abort(new Error("nothing arrived for too long")), access.stallMilliseconds);
  try {
    access.signal?.throwIfAborted();
    const response = await fetch(url, {
      headers: { "user-agent": "midcourse", ...(access.token === undefined ? {} : { authorization: `Bearer ${access.token}` }) },
      signal: access.signal ? AbortSignal.any([access.signal, stalled.signal]) : stalled.signal,
    });
    if (response.ok) return { value: await read(response, () => alarm.refresh()) };
    return await refused(response, access, target);
  } catch (error) {
    if (access.signal?.aborted) throw access.signal.reason;
    if (MidcourseError.isInstance(error) && error.code !== "hub-broken-file") throw error;
    return { error: MidcourseError.isInstance(error) ? error : unreachable(access, target, error), again: true };
  } finally {
    clearTimeout(alarm);
  }
}

async function refused(response: Response, { endpoint, token }: HubAccess, { dataset, what }: HubTarget): Promise<Try<never>> {
  const { status } = response;
  const body = (await response.text().catch(() => "")).slice(0, 500);
  if (status === 401 || status === 403) {
    const known = token === undefined ? "HF_TOKEN is not set" : "the token given does not open it";
    const error = userError(
      "hub-gated",
      `${dataset} asks for an account and an agreement (status ${status}; ${known}).`,
      `Agree to its terms at ${endpoint}/datasets/${dataset}, set HF_TOKEN to a token of that account, and run again. ${otherwise}`,
    );
    return { error, again: false };
  }
  if (status === 404 || status === 410) {
    const error = userError("hub-missing", `${endpoint} has no ${what} of ${dataset} (status ${status}).`, otherwise);
    return { error, again: false };
  }
  const seconds = Number(response.headers.get("retry-after"));
  const error = remoteError(
    "hub-failed",
    `${endpoint} answered status ${status} when asked for ${what} of ${dataset}.`,
    { status, body, ...(seconds > 0 ? { retryAfterSeconds: seconds } : {}) },
    { advice: `Try again later. ${otherwise}` },
  );
  const again = status === 408 || status === 429 || status >= 500;
  return { error, again, ...(seconds > 0 ? { waitMilliseconds: seconds * 1000 } : {}) };
}

function unreachable({ endpoint }: HubAccess, { dataset, what }: HubTarget, cause: unknown): MidcourseError {
  const { message, cause: inner } = cause as Error & { cause?: { code?: string; message?: string } };
  return userError(
    "hub-offline",
    `${what} of ${dataset} could not be fetched from ${endpoint}: ${inner?.code ?? inner?.message ?? message}.`,
    `Check the connection (HF_ENDPOINT names a mirror). ${otherwise}`,
    cause,
  );
}
