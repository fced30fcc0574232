/**
 * Failures that stand in a reply of status 200, or in the middle of a stream, in the forms in which servers write them: OpenAI's `error`, as an
 * object, a sentence or a list; `{"object":"error"}` of older vLLM and FastChat; FastAPI's `detail`; Anthropic's `{"type":"error"}`; Cloudflare's
 * `errors` with `success: false`; MiniMax's `base_resp`; Baidu's `error_code` and `error_msg`; DashScope's `code` and `message` with no answer
 * beside them; an event that is named `error` (Anthropic, Azure, LiteLLM), whatever it holds.
 */
import { type MidcourseError, remoteError } from "#kernel/errors.ts";
import type { Usage } from "#kernel/model.ts";
import { isRecord } from "#kernel/values.ts";
import { errorInReply, type FailureContext } from "./failure.ts";
import { serverWords } from "./server-words.ts";

/** What of a value tells a failure, for `failureOf`; undefined where it tells none. */
export function failureIn(value: unknown, event: string | undefined): unknown {
  if (event !== undefined && failureEvents.has(event)) return value;
  if (!isRecord(value)) return undefined;
  const said = [value.error, value.errors].find((said) => saysSomething(said));
  if (said !== undefined) return said;
  const { base_resp: base, error_msg: sentence, error_code: code } = value;
  if (isRecord(base) && typeof base.status_code === "number" && base.status_code !== 0) {
    return { code: base.status_code, message: base.status_msg };
  }
  if (saysSomething(sentence)) return { code, message: sentence };
  if (value.object === "error" || value.type === "error" || value.success === false || value.status === "error") return value;
  // Beside an answer a message is no failure, and one with a role is a turn of the conversation.
  const { choices, message, detail, msg, reason, error_message } = value;
  const isAnswer =
    (choices !== undefined && choices !== null) || (isRecord(message) && ("role" in message || "content" in message));
  return !isAnswer && [message, detail, msg, reason, error_message].some((said) => saysSomething(said)) ? value : undefined;
}

const failureEvents = new Set(["error", "exception", "failure"]);

/** Some servers send an `error` with every answer, which is empty, or says that there is none: code 0, “success”. */
function saysSomething(value: unknown, depth = 0): boolean {
  if (value === undefined || value === null || value === false || value === 0) return false;
  if (typeof value === "string") return !nothingWrong.test(value);
  return typeof value !== "object" || depth > 2 || Object.values(value).some((inner) => saysSomething(inner, depth + 1));
}

const nothingWrong = /^\s*(?:0|success(?:ful(?:ly)?)?|succeeded|ok|none|null|no error|成功)?\s*$/i;

/** What a failure says, in a word or a sentence. */
export function sentenceOf(said: unknown): string {
  const { error } = writable(said);
  return typeof error === "string" ? error : (serverWords(JSON.stringify({ error })).sentence ?? "error");
}

/** Lists inside lists a hundred thousand deep are read as JSON and cannot be written as such again. */
function writable(error: unknown): { error: unknown } {
  try {
    JSON.stringify(error);
    return { error };
  } catch {
    return { error: "no reason given" };
  }
}

/** What the same request would end in again. */
const lasting =
  /^(?:invalid_request(?:_error)?|bad_?request(?:_?error)?|invalid_argument|invalid_parameter|validation_error|invalid_api_key|authentication_error|unauthorized|unauthenticated|permission_(?:denied|error)|forbidden|not_found(?:_error)?|model_not_found|insufficient_(?:quota|balance)|billing_\w+|unsupported\w*)$/i;

/** `usage`: what the server told of the cost by then. */
export function failureOf(said: unknown, context: FailureContext, usage: Usage | undefined): MidcourseError {
  const error = errorInReply(writable(said).error, context);
  if (error.remote === undefined) return error;
  const isLasting = serverWords(error.remote.body ?? "").codes.some((code) => lasting.test(code)) || undefined;
  return remoteError(error.code, error.what, { ...error.remote, usage, isLasting }, { advice: error.advice, cause: error.cause });
}
