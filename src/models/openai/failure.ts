/** What a failed request to an OpenAI-compatible server means, and what to do about it. */
import type { IncomingHttpHeaders } from "node:http";
import { isRefusal, retryAfter } from "#http/tries.ts";
import { type MidcourseError, type RemoteDetails, remoteError, userError } from "#kernel/errors.ts";
import { jsonIn } from "#kernel/values.ts";

export interface FailureContext {
  /** Without a password or query. */
  url: string;
  model: string;
  /** Name of the environment variable that the key came from. */
  keyVariable: string;
}

/** Most of an error's body that is kept. */
const keptBody = 600;

/** For a status other than 2xx. Refusals (4xx, and 503: not taken on) cost nothing; what other failures cost is unknown. */
export function httpFailure(status: number, headers: IncomingHttpHeaders, body: string, context: FailureContext): MidcourseError {
  const said = errorText(body) ?? "";
  const code = errorCode(body);
  const remote: RemoteDetails = {
    status,
    body: shorten(body),
    retryAfterSeconds: retryAfter(headers),
    costsNothing: isRefusal(status) || undefined,
  };
  const what = `${context.url} answered ${status}${said === "" ? "" : `: ${shorten(said, 300)}`}`;
  if (code === "insufficient_quota" || status === 402) {
    return userError("no-credit", what, "Add credit to the account the key belongs to, or use another key.");
  }
  if (isContextExceeded(said, code)) {
    return userError(
      "context-exceeded",
      what,
      "Shorten the conversation, ask for fewer tokens, use fewer refinement rounds, or take a model with a longer context.",
    );
  }
  switch (status) {
    case 401:
    case 403:
      return userError(
        "not-authorised",
        what,
        `Set ${context.keyVariable} to a key that this server accepts; --api-key-env names another variable, --base-url another server.`,
      );
    case 404:
      return /model/i.test(said)
        ? userError(
            "model-unknown",
            what,
            `Choose a model that the server has with --model; it does not have “${context.model}”.`,
          )
        : userError("no-such-endpoint", what, "OPENAI_BASE_URL (or --base-url) usually ends in /v1; check it.");
    case 405:
      return userError("no-such-endpoint", what, "OPENAI_BASE_URL (or --base-url) usually ends in /v1; check it.");
    case 413:
      return userError("request-too-large", what, "Shorten the conversation.");
  }
  if (status >= 300 && status < 400) {
    return userError(
      "redirected",
      what,
      `Set OPENAI_BASE_URL (or --base-url) to where it leads: ${headers.location ?? "not said"}.`,
    );
  }
  // transformers serve, started with one model and asked for another.
  if (status === 400 && /\bpinned to\b/.test(said)) {
    return userError("model-unknown", what, "Name the model with --model as the server names it.");
  }
  if (code === "content_filter" || code === "content_policy_violation") return remoteError("content-filter", what, remote);
  if (status === 429) return remoteError("too-many-requests", what, remote);
  if (status >= 500) return remoteError("server-failed", what, remote);
  return remoteError("request-refused", what, remote, {
    advice: "The server does not take the request in this form; see what it says, and --no-probe or --extra-body.",
  });
}

/** For an error object inside a reply that said 200, or inside a stream. Part of the work may be done, so the cost is unknown. */
export function errorInReply(error: unknown, context: FailureContext): MidcourseError {
  const body = JSON.stringify({ error });
  const said = errorText(body) ?? "no reason given";
  const code = errorCode(body);
  if (isContextExceeded(said, code)) return httpFailure(400, {}, body, context);
  const number = Number(code);
  const status = Number.isInteger(number) && number >= 400 && number < 600 ? number : undefined;
  return remoteError("server-failed", `${context.url} failed while it answered: ${shorten(said, 300)}`, {
    status,
    body: shorten(body),
  });
}

/** The sentence in an error body: OpenAI's form, a bare string, FastAPI's `detail`, or a page's title. */
function errorText(body: string): string | undefined {
  const value = jsonIn(body);
  if (typeof value !== "object" || value === null)
    return body.trimStart().startsWith("<") ? pageTitle(body) : body.trim() || undefined;
  const { error, message, detail } = value as { error?: unknown; message?: unknown; detail?: unknown };
  for (const candidate of [(error as { message?: unknown } | null | undefined)?.message, error, message, detail]) {
    if (typeof candidate === "string") return candidate;
  }
  const rest = error ?? detail;
  return rest === undefined ? undefined : JSON.stringify(rest);
}

function errorCode(body: string): string | undefined {
  const error = (jsonIn(body) as { error?: { code?: unknown; type?: unknown } } | null | undefined)?.error;
  if (typeof error !== "object" || error === null) return undefined;
  const code = error.code ?? error.type;
  return code === undefined || code === null ? undefined : String(code === 400 && error.type ? error.type : code);
}

function pageTitle(html: string): string {
  const head = html.slice(0, 20_000);
  const start = head.search(/<title>/i);
  const end = start < 0 ? -1 : head.indexOf("<", start + 7);
  return end < 0 ? "a web page instead of JSON" : `a web page instead of JSON, titled “${head.slice(start + 7, end).trim()}”`;
}

function isContextExceeded(said: string, code: string | undefined): boolean {
  if (code === "context_length_exceeded" || code === "exceed_context_size_error") return true;
  return /maximum context|context (length|size|window)|(prompt|input)( length)? is too long|longer than the model/i.test(said);
}

function shorten(text: string, most = keptBody): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (${text.length} characters)`;
}
