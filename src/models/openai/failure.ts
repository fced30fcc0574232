/** What a failed request to an OpenAI-compatible server means, and what to do about it. */

import type { IncomingHttpHeaders } from "node:http";
import { isRefusal, retryAfter } from "#http/tries.ts";
import { type MidcourseError, type RemoteDetails, remoteError, userError } from "#kernel/errors.ts";
import { struck } from "#kernel/secrets.ts";
import { withoutEndingSlashes } from "#kernel/values.ts";
import { isContextExceeded } from "./context-overflow.ts";
import { type ServerWords, serverWords } from "./server-words.ts";

export interface FailureContext {
  /** Without a password or query. */
  url: string;
  model: string;
  /** Name of the environment variable that the key came from. */
  keyVariable: string;
}

/** What a server said in refusing a request, whole: the error keeps its beginning. */
export interface Refusal {
  status: number | undefined;
  /** The error's. */
  code: string;
  words: ServerWords;
}

const heard = new WeakMap<object, Refusal>();

/** Of an error that is an answer of the server's. */
export function refusalIn(error: unknown): Refusal | undefined {
  return typeof error === "object" && error !== null ? heard.get(error) : undefined;
}

/** Most of an error's body that is kept. */
const keptBody = 600;

const checkAddress = "OPENAI_BASE_URL (or --base-url) usually ends in /v1; check it.";

/** For a status other than 2xx. Refusals (4xx, and 503: not taken on) cost nothing; what other failures cost is unknown. */
export function httpFailure(status: number, headers: IncomingHttpHeaders, body: string, context: FailureContext): MidcourseError {
  const words = serverWords(body);
  return heardOf(statusFailure(status, headers, body, words, context), status, words);
}

function heardOf(error: MidcourseError, status: number | undefined, words: ServerWords): MidcourseError {
  heard.set(error, { status, code: error.code, words });
  return error;
}

function statusFailure(
  status: number,
  headers: IncomingHttpHeaders,
  body: string,
  words: ServerWords,
  context: FailureContext,
): MidcourseError {
  const { sentence: said = "", codes } = words;
  const remote: RemoteDetails = {
    status,
    body: shorten(body),
    retryAfterSeconds: retryAfter(headers) ?? words.retryAfterSeconds ?? waitInWords(status, said),
    costsNothing: isRefusal(status) || undefined,
  };
  const what = `${context.url} answered ${status}${said === "" ? "" : `: ${shorten(said, 300)}`}`;
  if (wantsHttps.test(said)) {
    const secure = context.url.replace(/^http:/, "https:");
    return userError(
      "server-scheme",
      what,
      `This server speaks https: set OPENAI_BASE_URL (or --base-url) to ${baseOf(secure)}.`,
    );
  }
  if (status === 402 || isOutOfCredit(status, words)) {
    return userError("no-credit", what, "Add credit to the account the key belongs to, or use another key.");
  }
  if (isContextExceeded(said, codes)) {
    return userError(
      "context-exceeded",
      what,
      "Shorten the conversation, ask for fewer tokens, use fewer refinement rounds, or take a model with a longer context.",
    );
  }
  if (isModeration(status, words)) return remoteError("content-filter", what, remote);
  switch (status) {
    case 401:
      return userError(
        "not-authorised",
        what,
        `Set ${context.keyVariable} to a key that this server accepts; --api-key-env names another variable, --header another header, --base-url another server.`,
      );
    case 403:
      return userError(
        "not-authorised",
        what,
        `The server knows who asks and does not allow it. Where it is the key: ${context.keyVariable} holds it, --api-key-env names another variable; where it is the model: --model names another.`,
      );
    case 404:
      return /model|deployment/i.test(said)
        ? userError(
            "model-unknown",
            what,
            `Choose a model that the server has with --model; it does not have “${context.model}”.`,
          )
        : userError("no-such-endpoint", what, checkAddress);
    case 405:
      return userError("no-such-endpoint", what, checkAddress);
    case 413:
      return userError("request-too-large", what, "Shorten the conversation.");
  }
  if (status >= 300 && status < 400) return redirected(what, headers.location, context);
  // transformers serve, started with one model and asked for another.
  if (status === 400 && /\bpinned to\b/.test(said)) {
    return userError("model-unknown", what, "Name the model with --model as the server names it.");
  }
  if (status === 429) return remoteError("too-many-requests", what, remote);
  if (status >= 500) return remoteError("server-failed", what, { ...remote, isLasting: isLasting(status, said) || undefined });
  return remoteError("request-refused", what, remote, { advice: refusalAdvice(said) });
}

/** For an error object inside a reply that said 200, or inside a stream. Part of the work may be done, so the cost is unknown. */
export function errorInReply(error: unknown, context: FailureContext): MidcourseError {
  const body = JSON.stringify({ error });
  const words = serverWords(body);
  const { sentence: said = "no reason given", codes } = words;
  if (isContextExceeded(said, codes)) return httpFailure(400, {}, body, context);
  const status = codes.map(Number).find((number) => Number.isInteger(number) && number >= 400 && number < 600);
  const what = `${context.url} failed while it answered: ${shorten(said, 300)}`;
  return heardOf(remoteError("server-failed", what, { status, body: shorten(body) }), status, words);
}

/** The address below which chats are asked for, which is what the user gives. */
function baseOf(url: string): string {
  return url.replace(/\/(?:chat\/completions|models)\/?(?=$|[?#])/, "");
}

function redirected(what: string, location: string | undefined, context: FailureContext): MidcourseError {
  const place = location === undefined ? null : URL.parse(location, context.url);
  if (place === null) return userError("redirected", what, `The server does not say where it leads. ${checkAddress}`);
  place.username = "";
  place.password = "";
  const isPage = !/\/chat\/completions\/?$/.test(place.pathname) && !/\/models\/?$/.test(place.pathname);
  const base = withoutEndingSlashes(baseOf(place.href));
  return userError(
    "redirected",
    what,
    isPage
      ? `It leads to ${base}, which may be a page to log in at and no model server. ${checkAddress}`
      : `Set OPENAI_BASE_URL (or --base-url) to ${base}, where it leads.`,
  );
}

/** Go, nginx, Apache, Caddy, asked in plain http at a port for https. */
const wantsHttps =
  /HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS port|speaking plain HTTP to an SSL-enabled server|This combination of host and port requires TLS/i;

/** A spent account is not waited for. Google says “quota” of a minute's too; it then says when to come back, or that a resource is exhausted. */
function isOutOfCredit(status: number, { sentence = "", codes, retryAfterSeconds }: ServerWords): boolean {
  if (
    codes.some((code) =>
      /^(?:insufficient_quota|insufficient_balance|billing_not_active|billing_hard_limit_reached)$/i.test(code),
    )
  )
    return true;
  if (![400, 403, 429].includes(status)) return false;
  if (retryAfterSeconds !== undefined || codes.includes("RESOURCE_EXHAUSTED")) return false;
  return /insufficient (?:balance|credits?|funds|quota)|credit balance is too low|used all available credits|(?:out of|no (?:more )?) ?credits?\b|exceeded your current quota, please check your plan and billing|account is (?:in arrears|suspended|overdue)|\bArrearage\b/i.test(
    sentence,
  );
}

/** The content is what is refused, not the key. */
function isModeration(status: number, { sentence = "", codes }: ServerWords): boolean {
  const code =
    /^(?:content_filter|content_policy_violation|content_blocked|moderation_blocked|ResponsibleAIPolicyViolation|data_inspection_failed|DataInspectionFailed|SAFETY|sensitive)$/i;
  if (status < 400 || status >= 500 || status === 401 || status === 429) return false;
  if (codes.some((each) => code.test(each))) return true;
  return /requires moderation|\bmoderation\b|(?:input|prompt|content|text|message|request|output)\b.{0,40}\b(?:was|is|were|been|being) (?:flagged|blocked|filtered)|flagged (?:as|for|by)|content (?:management )?polic|content.?filter|inappropriate content|(?:sensitive|harmful|unsafe) content|violat\w+ (?:our |the )?(?:usage|safety|content)|usage guidelines|data inspection/i.test(
    sentence,
  );
}

/** Gateways that fail over a request, not over their work: it would fail again. */
function isLasting(status: number, said: string): boolean {
  if (status === 501 || status === 505) return true;
  return /UnsupportedParams|BadRequestError|InvalidRequestError|unexpected keyword argument|does not support parameters/.test(
    said,
  );
}

/** “Please try again in 1m2.5s”: OpenAI and Groq write it where no header says it. */
function waitInWords(status: number, said: string): number | undefined {
  const wait =
    status === 429 ? /(?:try again|retry) (?:in|after) (?:(\d{1,3})m)?(\d{1,6}(?:\.\d{1,6})?)(ms|s\b| ?sec)/i.exec(said) : null;
  if (wait === null) return undefined;
  return Number(wait[1] ?? 0) * 60 + Number(wait[2]) / (wait[3] === "ms" ? 1000 : 1);
}

function refusalAdvice(said: string): string {
  if (/max_(?:completion_|new_|output_)?tokens|maxOutputTokens/.test(said)) {
    const isTooFew = /\b(?:below|minimum|at least|too (?:small|low|few)|greater than)\b|>=/i.test(said);
    return `Ask for ${isTooFew ? "more" : "fewer"} tokens an answer with --max-tokens.`;
  }
  return "The server does not take the request in this form. --omit FIELD sends it without a field, --extra-body with another value.";
}

/** Struck before it is cut: half a key is one that nothing knows again. */
function shorten(told: string, most = keptBody): string {
  const text = struck(told);
  return text.length <= most ? text : `${text.slice(0, most)}… (${text.length} characters)`;
}
