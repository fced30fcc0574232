/** Failures of AI SDK models as errors of ours, and ours as the SDK's, so that both sides know what may be tried again. */
import { AISDKError, APICallError } from "@ai-sdk/provider";
import { isRefusal, retryAfter } from "#http/tries.ts";
import { MidcourseError, type RemoteDetails, remoteError, userError } from "#kernel/errors.ts";
import { struck } from "#kernel/secrets.ts";

const keptBody = 600;

/** What an AI SDK model threw. Errors of ours pass through. */
export function failureOf(error: unknown, modelId: string): MidcourseError {
  if (MidcourseError.isInstance(error)) return error;
  if (APICallError.isInstance(error)) return callFailure(error, modelId);
  const said = messageOf(error);
  if (AISDKError.isInstance(error) && usersOwn.has(error.name)) {
    const advice = "The model's provider says what is missing or what it cannot do; see its page in the AI SDK's documentation.";
    return userError("model-refused", `${modelId}: ${said}`, advice, error);
  }
  return remoteError("model-failed", `${modelId} failed: ${said}`, {}, { cause: error });
}

/** Parts of a stream may hold anything as their error. */
function messageOf(error: unknown): string {
  if (typeof error === "string") return error;
  const { message } = (error ?? {}) as { message?: unknown };
  return typeof message === "string" ? message : beginning(JSON.stringify(error) ?? String(error));
}

/** Struck before it is cut: half a key is one that nothing knows again. */
function beginning(text: string): string {
  return struck(text).slice(0, keptBody);
}

const usersOwn = new Set([
  "AI_LoadAPIKeyError",
  "AI_LoadSettingError",
  "AI_InvalidPromptError",
  "AI_InvalidArgumentError",
  "AI_NoSuchModelError",
  "AI_UnsupportedFunctionalityError",
]);

function callFailure(error: APICallError, modelId: string): MidcourseError {
  const { statusCode: status, responseHeaders, responseBody } = error;
  const remote: RemoteDetails = {
    status,
    body: responseBody === undefined ? undefined : beginning(responseBody),
    retryAfterSeconds: retryAfter(responseHeaders ?? {}),
    costsNothing: (status !== undefined && isRefusal(status)) || undefined,
  };
  const what = `${modelId} answered ${status ?? "with an error"}: ${error.message}`;
  if (status === 401 || status === 403) {
    return userError("not-authorised", what, "Give the model's provider a key that the server accepts.", error);
  }
  if (status === 404) return userError("model-unknown", what, "Check the model's name and the provider's address.", error);
  const code = status === 429 ? "too-many-requests" : status !== undefined && status < 500 ? "request-refused" : "server-failed";
  return remoteError(code, what, remote, { cause: error });
}

/** For callers on the SDK's side: the SDK's own error where there was one, so that its tries again and handlers work as with any model. */
export function sdkFailure(error: unknown): unknown {
  if (!MidcourseError.isInstance(error)) return error;
  if (AISDKError.isInstance(error.cause)) return error.cause;
  if (error.family !== "remote") return error;
  const { status, body, retryAfterSeconds } = error.remote ?? {};
  return new APICallError({
    message: error.message,
    url: "",
    requestBodyValues: undefined,
    cause: error,
    isRetryable: status === undefined || status >= 500 || [408, 409, 425, 429].includes(status),
    ...(status === undefined ? {} : { statusCode: status }),
    ...(body === undefined ? {} : { responseBody: body }),
    ...(retryAfterSeconds === undefined ? {} : { responseHeaders: { "retry-after": String(retryAfterSeconds) } }),
  });
}
