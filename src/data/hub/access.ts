/**
 * The way to the Hugging Face hub: where what comes from it is kept and whose access is used (the environment variables of Hugging Face's
 * own tools count), and requests that are tried again where that helps, with failures in the user's words.
 */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { homedir } from "node:os";
import path from "node:path";
import type { BodyTaker } from "#http/body.ts";
import { HttpConnections, type HttpReply } from "#http/connections.ts";
import { doubling, isPassingStatus, retryAfter, withTries } from "#http/tries.ts";
import { MidcourseError, messageOf, remoteError, userError } from "#kernel/errors.ts";
import { keepSecret, keepSecretsOfAddress, struck } from "#kernel/secrets.ts";
import { withoutEndingSlashes } from "#kernel/values.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Our own cache: `MIDCOURSE_CACHE`, else the system's place for caches. */
export function cacheFolderOf(environment: Environment): string {
  const own = environment.MIDCOURSE_CACHE;
  return own ? path.resolve(own) : path.join(systemCache(environment), "midcourse");
}

function systemCache(environment: Environment): string {
  if (environment.XDG_CACHE_HOME) return path.resolve(environment.XDG_CACHE_HOME);
  if (process.platform === "win32" && environment.LOCALAPPDATA) return environment.LOCALAPPDATA;
  return path.join(environment.HOME || homedir(), ".cache");
}

function huggingFaceHome(environment: Environment): string {
  return environment.HF_HOME ? path.resolve(environment.HF_HOME) : path.join(systemCache(environment), "huggingface");
}

/** A file of a dataset that another tool has fetched already; undefined when there is none. It is only read. */
export function inHuggingFaceCache(environment: Environment, dataset: string, commit: string, name: string): string | undefined {
  const hub = environment.HF_HUB_CACHE ? path.resolve(environment.HF_HUB_CACHE) : path.join(huggingFaceHome(environment), "hub");
  const file = path.join(hub, `datasets--${dataset.replaceAll("/", "--")}`, "snapshots", commit, ...name.split("/"));
  return existsSync(file) ? file : undefined;
}

/** `HF_TOKEN`, else the token that `hf auth login` has stored. */
export async function hubToken(environment: Environment): Promise<string | undefined> {
  const given = (environment.HF_TOKEN ?? environment.HUGGING_FACE_HUB_TOKEN)?.trim();
  const token = given || (await storedToken(environment));
  keepSecret(token, "HF_TOKEN");
  return token;
}

async function storedToken(environment: Environment): Promise<string | undefined> {
  try {
    const file = environment.HF_TOKEN_PATH || path.join(huggingFaceHome(environment), "token");
    return (await readFile(file, "utf8")).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Throws a user error where HF_ENDPOINT is no address that can be asked. */
export function hubEndpoint(environment: Environment): string {
  keepSecretsOfAddress(environment.HF_ENDPOINT, "HF_ENDPOINT");
  const named = withoutEndingSlashes(environment.HF_ENDPOINT?.trim() || "https://huggingface.co");
  if (!/^https?:$/.test(URL.parse(named)?.protocol ?? "")) {
    const host = named.replace(/^[a-z][a-z0-9+.-]*:(\/\/|$)/i, "") || "HOST";
    throw userError("hub-address", `HF_ENDPOINT=${named} is no address of a web server.`, `Write HF_ENDPOINT=https://${host}`);
  }
  return named;
}

export function isOffline(environment: Environment): boolean {
  const yes = (value: string | undefined) => value !== undefined && /^(1|true|yes|on)$/i.test(value.trim());
  return yes(environment.HF_HUB_OFFLINE) || yes(environment.HF_DATASETS_OFFLINE);
}

export interface HubAccess {
  endpoint: string;
  token: string | undefined;
  signal?: AbortSignal | undefined;
  /** First wait between tries, doubled each time. */
  firstWaitMilliseconds: number;
  /** A request that delivers nothing for so long is given up. */
  stallMilliseconds: number;
}

const furtherTries = 3;
/** Seconds. */
const longestWait = 30;
const otherwise = "Or give the file yourself with --data FILE.";
const connections = new HttpConnections();

/** What was asked of whom, for messages. */
export interface HubTarget {
  dataset: string;
  what: string;
}

/** What is done with an answer. */
export interface HubReading<T> {
  /** Takes the body of each try from its beginning, where it is too large to be gathered. */
  take?: () => BodyTaker;
  /** Throws a MidcourseError `hub-broken-file` where the same request should be made again. */
  read: (reply: HttpReply) => Promise<T> | T;
}

/**
 * Runs `read` on the answer to GET `url`, all of it again after a broken connection, 429 or 5xx. Throws user errors for what the user can
 * change, and a remote error when the hub keeps failing.
 */
export async function hubGet<T>(access: HubAccess, url: string, target: HubTarget, { take, read }: HubReading<T>): Promise<T> {
  const { signal, endpoint, firstWaitMilliseconds, stallMilliseconds } = access;
  // The token is for the hub alone, whatever its answers name.
  const token = new URL(url).origin === new URL(endpoint).origin ? access.token : undefined;
  const waits = doubling(firstWaitMilliseconds / 1000, furtherTries);
  return withTries({ waits, longestWait, signal, isPassing }, async () => {
    const reply = await connections
      .request(new URL(url), {
        headers: { "user-agent": "midcourse", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
        idleSeconds: stallMilliseconds / 1000,
        redirects: 10,
        signal,
        onHeader: (status: number, _headers: IncomingHttpHeaders) => (isOk(status) ? take?.() : undefined),
      })
      .catch((cause) => {
        signal?.throwIfAborted();
        throw MidcourseError.isInstance(cause) && !isOfConnection(cause) ? cause : unreachable(access, target, cause);
      });
    if (!isOk(reply.status)) throw refused(reply, access, target);
    return read(reply);
  });
}

const isOk = (status: number) => status >= 200 && status < 300;

function isPassing(error: unknown): boolean {
  if (!MidcourseError.isInstance(error)) return false;
  if (error.code === "hub-failed") return isPassingStatus(error.remote?.status ?? 0);
  return error.code === "hub-offline" || error.code === "hub-broken-file";
}

/** What the connection says, and not whoever takes the body. */
function isOfConnection({ code }: MidcourseError): boolean {
  return /^(server|connection|reply)-/.test(code);
}

function refused(
  { status, headers, body }: HttpReply,
  { endpoint, token }: HubAccess,
  { dataset, what }: HubTarget,
): MidcourseError {
  if (status === 401 || status === 403) {
    const known = token === undefined ? "HF_TOKEN is not set" : "the token given does not open it";
    return userError(
      "hub-gated",
      `${dataset} asks for an account and an agreement (status ${status}; ${known}).`,
      `Agree to its terms at ${endpoint}/datasets/${dataset}, set HF_TOKEN to a token of that account, and run again. ${otherwise}`,
    );
  }
  if (status === 404 || status === 410) {
    return userError("hub-missing", `${endpoint} has no ${what} of ${dataset} (status ${status}).`, otherwise);
  }
  return remoteError(
    "hub-failed",
    `${endpoint} answered status ${status} when asked for ${what} of ${dataset}.`,
    { status, body: struck(body).slice(0, 500), retryAfterSeconds: retryAfter(headers) || undefined },
    { advice: `Try again later. ${otherwise}` },
  );
}

function unreachable({ endpoint }: HubAccess, { dataset, what }: HubTarget, cause: unknown): MidcourseError {
  return userError(
    "hub-offline",
    `${what} of ${dataset} could not be fetched from ${endpoint}: ${messageOf(cause)}.`,
    `Check the connection (HF_ENDPOINT names a mirror). ${otherwise}`,
    cause,
  );
}
