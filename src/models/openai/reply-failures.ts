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

/** What a value says of a failure, as an error object of OpenAI's form, a list of them, or a sentence; undefined where it says of none. */
export function failureIn(value: unknown, event: string | undefined): unknown {
  if (event !== undefined && failureEvents.has(event)) return isRecord(value) ? (stated(value) ?? value) : value;
  if (!isRecord(value)) return undefined;
  const said = stated(value);
  if (said !== undefined) return said;
  if (value.object === "error" || value.type === "error" || value.success === false || value.status === "error")
    return flat(value);
  const { base_resp: base } = value;
  if (isRecord(base) && typeof base.status_code === "number" && base.status_code !== 0) {
    return { code: base.status_code, message: base.status_msg };
  }
  // Beside an answer a message is no failure.
  if (value.choices !== undefined && value.choices !== null) return undefined;
  return sentence(value) === undefined ? undefined : flat(value);
}

const failureEvents = new Set(["error", "exception", "failure"]);

/** What stands under a name of its own for failures. */
function stated(value: Readonly<Record<string, unknown>>): unknown {
  return [value.error, value.errors, isRecord(value.error_msg) ? undefined : value.error_msg && flat(value)].find(saysSomething);
}

/** Some servers send an empty `error` with every piece. */
function saysSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "" || value === 0) return false;
  return typeof value !== "object" || Object.values(value).some((inner) => inner !== null && inner !== undefined && inner !== "");
}

function sentence(value: Readonly<Record<string, unknown>>): string | undefined {
  const { message, detail, msg, error_msg, error_message, err, reason } = value;
  const found = [message, detail, msg, error_msg, error_message, err, reason].find(
    (each) => saysSomething(each) && !isAnswer(each),
  );
  return found === undefined ? undefined : typeof found === "string" ? found : JSON.stringify(found);
}

/** A message with a role is a turn of the conversation. */
function isAnswer(value: unknown): boolean {
  return isRecord(value) && ("role" in value || "content" in value);
}

function flat(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const code = value.code ?? value.error_code ?? value.status_code ?? value.statusCode ?? undefined;
  const type = value.type === "error" ? undefined : value.type;
  return {
    message: sentence(value) ?? JSON.stringify(value),
    ...(code === undefined ? {} : { code }),
    ...(type ? { type } : {}),
  };
}

/** What a failure says, in a word or a sentence. */
export function sentenceOf(said: unknown): string {
  const one = single(said);
  return isRecord(one) ? (sentence(one) ?? JSON.stringify(one)) : String(one);
}

/** `usage`: what the server told of the cost by then. */
export function failureOf(said: unknown, context: FailureContext, usage: Usage | undefined): MidcourseError {
  const error = errorInReply(single(said), context);
  if (usage === undefined || error.remote === undefined) return error;
  return remoteError(error.code, error.message, { ...error.remote, usage }, { advice: error.advice, cause: error.cause });
}

/** Of a list the first, which has the code, with the sentences of all. */
function single(said: unknown): unknown {
  if (!Array.isArray(said)) return said;
  const all = said.map((each) => (isRecord(each) && saysSomething(each.error) ? each.error : each)).filter(saysSomething);
  const [first] = all;
  if (all.length <= 1 || !isRecord(first)) return first ?? "no reason given";
  const sentences = all.flatMap((each) => (isRecord(each) ? (sentence(each) ?? []) : String(each)));
  return { ...first, message: sentences.join("; ") };
}
