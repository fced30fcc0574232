/**
 * What a method hands over while it answers: its events and its outcome, looked at once before anything is made of them. Methods may be a
 * user's own, and a slip in one must cost the one answer and not the run.
 */
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { MidcourseError, messageOf } from "#kernel/errors.ts";
import type { Usage } from "#kernel/model.ts";
import type { EndReason, Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import { isRecord } from "#kernel/values.ts";

/** A mistake of a method's author, and where it was made as far as that is known. */
export interface MethodSlip {
  method: string;
  message: string;
  /** File, line and column. */
  place?: string | undefined;
}

/** The outcome; every event is looked at and passed on first. `isKept` says that events have to be written down as JSON. */
export async function drain(
  method: Method,
  request: MethodRequest,
  isKept: boolean,
  onEvent: (event: TraceEvent) => void,
): Promise<Outcome> {
  const run = method.run(request);
  if (typeof run?.next !== "function") throw slip(method.id, `gave no events to go through: ${shown(run)}`);
  for (;;) {
    const next = await run.next();
    if (next.done) return checkedOutcome(method.id, next.value);
    onEvent(checkedEvent(method.id, next.value, isKept));
  }
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isAmount: Check = (value) => typeof value === "number" && Number.isFinite(value) && value >= 0;
const isNumber: Check = (value) => typeof value === "number" && Number.isFinite(value);
const isAttempt: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isFlag: Check = (value) => typeof value === "boolean";
const isMessage: Check = (value) => isRecord(value) && isText(value.role) && isText(value.content);
const isConversation: Check = (value) => Array.isArray(value) && value.every(isMessage);
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

const usageFields: Record<keyof Usage, Check> = {
  calls: isAmount,
  inputTokens: maybe(isAmount),
  outputTokens: maybe(isAmount),
  cachedInputTokens: maybe(isAmount),
  reasoningTokens: maybe(isAmount),
  reasoningCount: maybe(isRecord),
  dollars: maybe(isAmount),
  milliseconds: maybe(isAmount),
};
const isUsage: Check = (value) => wrongField(value, usageFields) === undefined;

const call = { text: isText, usage: isUsage, messages: isConversation };
const eventFields: Record<TraceEvent["type"], Readonly<Record<string, Check>>> = {
  "attempt-end": { attempt: isAttempt, ...call },
  "feedback-end": { attempt: isAttempt, ...call },
  "step-end": { role: isText, attempt: maybe(isAttempt), ...call },
  "check-end": {
    ...{ attempt: isAttempt, by: isText, text: isText, usage: isUsage },
    ...{ passed: maybe(isFlag), score: maybe(isNumber) },
  },
  "choice-end": { attempt: isAttempt, reason: isText },
  inner: { method: isText, branch: isAttempt, event: (value) => wrongEvent(value) === undefined },
  error: { message: isText },
};

const endReasons: Record<EndReason, true> = {
  done: true,
  "budget-exhausted": true,
  "context-exceeded": true,
  error: true,
  cancelled: true,
  "tool-calls": true,
};
const outcomeFields: Record<keyof Outcome, Check> = {
  text: isText,
  answer: isText,
  reason: (value) => typeof value === "string" && Object.hasOwn(endReasons, value),
  usage: isUsage,
};

/** The event, if it is one; `isKept` says that it has to be written down as JSON. Throws a bug that names the method. */
function checkedEvent(method: string, event: unknown, isKept: boolean): TraceEvent {
  const wrong = wrongEvent(event) ?? (isKept ? unwritable(event) : undefined);
  if (wrong !== undefined) throw slip(method, `handed over what is no event: ${wrong}`);
  return event as TraceEvent;
}

/** The outcome, if it is one. Throws a bug that names the method. */
function checkedOutcome(method: string, outcome: unknown): Outcome {
  const wrong = isRecord(outcome) ? wrongField(outcome, outcomeFields) : `${shown(outcome)} is none`;
  if (wrong !== undefined) throw slip(method, `ended without an outcome: ${wrong}`);
  return outcome as Outcome;
}

/** Undefined where it was no mistake in the method: what a user, a server or another program did wrong says so of itself. */
export function slipOf(method: string, thrown: unknown): MethodSlip | undefined {
  if (MidcourseError.isInstance(thrown)) {
    return thrown.family === "bug" ? { method, message: thrown.message } : undefined;
  }
  return { method, message: thrownWords(thrown), place: placeOf(thrown) };
}

/** What was thrown, in words that are never none. */
export function thrownWords(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `threw ${shown(thrown)}, which is no error`;
  return messageOf(thrown) || thrown.name;
}

function slip(method: string, message: string): MidcourseError {
  return new MidcourseError("bug", "method-slip", `${method} ${message}`);
}

function wrongEvent(event: unknown): string | undefined {
  if (!isRecord(event)) return shown(event);
  const fields = Object.hasOwn(eventFields, String(event.type)) ? eventFields[event.type as TraceEvent["type"]] : undefined;
  if (fields === undefined) return `its type is ${shown(event.type)}`;
  const wrong = wrongField(event, fields);
  return wrong && `in ${event.type}, ${wrong}`;
}

function wrongField(value: unknown, fields: Readonly<Record<string, Check>>): string | undefined {
  if (!isRecord(value)) return shown(value);
  for (const name of Object.keys(fields)) {
    if (fields[name](value[name])) continue;
    const inside = name === "usage" && isRecord(value.usage) ? wrongField(value.usage, usageFields) : undefined;
    return inside === undefined ? `${name} is ${shown(value[name])}` : `usage.${inside}`;
  }
  return undefined;
}

function unwritable(event: unknown): string | undefined {
  try {
    JSON.stringify(event);
    return undefined;
  } catch (error) {
    return `it cannot be written as JSON (${messageOf(error).split("\n")[0]})`;
  }
}

/** Short, and whatever the value is. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  return typeof value === "function" ? "a function" : typeof value === "bigint" ? `${value}n` : String(value);
}

/** Characters. The message stands in the stack too, and may hold what a model wrote. */
const longestPlace = 1000;

/** The first line of the method's stack outside of this package, where its author stands; else the first one. */
function placeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || thrown.stack === undefined) return undefined;
  const lines = thrown.stack
    .split("\n")
    .flatMap((line) => (line.length < longestPlace && /^ +at (?:.* \()?(.*:\d+:\d+)\)?$/.exec(line)?.[1]) || []);
  // What stands below has called the method.
  const end = lines.findIndex((line) => line.startsWith(import.meta.url));
  const own = `${pathToFileURL(path.resolve(import.meta.dirname, "..", ".."))}/`;
  const outside = (end < 0 ? lines : lines.slice(0, end)).find((line) => line.startsWith("file:") && !line.startsWith(own));
  const place = outside ?? lines.find((line) => line.includes("/"));
  return place?.startsWith("file:") ? placeInFile(place) : place;
}

function placeInFile(place: string): string {
  const [, address, position] = /^(.*?)(:\d+:\d+)$/.exec(place)!;
  return `${fileURLToPath(address)}${position}`;
}
