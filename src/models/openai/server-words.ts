/**
 * What a server says in the body of a refusal: its own sentence, its codes and the field that it names, out of every form that servers
 * write them in. OpenAI and most others: `{ error: { message, type, code, param } }`; Gemini's compatible endpoint: the same in a list, with
 * `status` and `details`; FastAPI: `detail`, a text or pydantic's list of `{ loc, msg, type }`; Mistral: `message` that holds such a list;
 * Ollama, xAI and TGI: `error` as a text; Cohere and Bedrock: `message` alone; OpenRouter: the provider's own body as text in
 * `error.metadata.raw`; problem documents: `title` and `detail`; gateways: any of these as JSON inside a
 * text, or in a wrapper of their own; web servers: a page.
 */
import { isRecord, jsonIn } from "#kernel/values.ts";

export interface ServerWords {
  /** Undefined where the body says nothing. */
  sentence: string | undefined;
  /** Codes, types and states by whatever name, the innermost last. */
  codes: readonly string[];
  /** Fields that the server names as the cause, as paths: `seed`, `messages.1.reasoning_content`. */
  fields: readonly string[];
  /** Seconds to wait that stand in the body instead of a header. */
  retryAfterSeconds: number | undefined;
}

/** A larger body is no refusal of a request but something else; its beginning says what. */
const mostRead = 1 << 20;
const mostSentences = 6;
const deepest = 8;

export function serverWords(body: string): ServerWords {
  const text = body.length > mostRead ? body.slice(0, mostRead) : body;
  const reading: Reading = { codes: [], fields: [], waits: [] };
  const value = jsonIn(text);
  const sentences = typeof value === "object" && value !== null ? sentencesIn(value, reading, 0) : plainSentences(text, reading);
  return {
    sentence: joined(sentences),
    codes: reading.codes,
    fields: reading.fields,
    retryAfterSeconds: reading.waits.length === 0 ? undefined : Math.max(...reading.waits),
  };
}

interface Reading {
  codes: string[];
  fields: string[];
  waits: number[];
}

/** In the order in which they are the sentence that matters. */
const sentenceKeys = [
  "error",
  "errors",
  "title",
  "message",
  "msg",
  "detail",
  "reason",
  "error_message",
  "errormessage",
  "error_description",
  "description",
  "fault",
  "faultstring",
  "raw",
  "metadata",
  "reasons",
];
const codeKeys = new Set(["code", "type", "status", "error_type", "errortype", "error_code", "__type", "statuscode"]);
/** What has no sentence where one of these gave it. */
const lesserKeys = new Set(["description", "reason", "raw", "metadata", "reasons", "error_description"]);

function sentencesIn(value: unknown, reading: Reading, depth: number): string[] {
  if (depth > deepest) return [];
  if (typeof value === "string") return textSentences(value, reading, depth);
  if (Array.isArray(value)) return value.slice(0, mostSentences).flatMap((each) => sentencesIn(each, reading, depth + 1));
  if (!isRecord(value)) return [];
  const lower = new Map(Object.entries(value).map(([key, inner]) => [key.toLowerCase(), inner]));
  for (const [key, inner] of lower) {
    if (codeKeys.has(key) && (typeof inner === "string" || typeof inner === "number")) reading.codes.push(String(inner));
  }
  const param = lower.get("param");
  if (typeof param === "string" && param !== "") reading.fields.push(param);
  for (const detail of asList(lower.get("details"))) noteDetail(detail, reading);
  const place = lower.get("loc");
  if (Array.isArray(place)) return pydantic(place, lower, reading);
  const said: string[] = [];
  for (const key of sentenceKeys) {
    const inner = lower.get(key);
    // OpenRouter's own sentence says that a provider failed; the provider's stands inside.
    const isLesser = lesserKeys.has(key) && said.length > 0 && !/provider returned error/i.test(said[0]);
    if (inner === undefined || inner === null || isLesser) continue;
    said.push(...sentencesIn(inner, reading, depth + 1));
  }
  if (said.length === 0) said.push(...wrapped(value, reading, depth));
  if (said.length === 0 && depth > 0) said.push(...byField(value, reading));
  const provider = lower.get("provider_name");
  return typeof provider === "string" && said.length > 0 ? [`${provider}: ${said[0]}`, ...said.slice(1)] : said;
}

/** Keys under which nobody but a refusal speaks, and those under which a server repeats what it was sent. */
const speaking = ["error", "errors", "message", "msg", "detail", "fault", "faultstring", "error_message", "errormessage"];
const repeating = /^(?:request|input|body|payload|params|parameters|arguments|messages|tools|headers|ctx|context|details)$/;

/** What stands in wrappers of the server's own, by whatever name: `{ response: { error: … } }`. The first that says something counts. */
function wrapped(value: Readonly<Record<string, unknown>>, reading: Reading, depth: number): string[] {
  if (depth >= deepest) return [];
  for (const [key, inner] of Object.entries(value)) {
    if (!isRecord(inner) || repeating.test(key.toLowerCase())) continue;
    const speaks = Object.keys(inner).some((name) => speaking.includes(name.toLowerCase()));
    const said = speaks ? sentencesIn(inner, reading, depth + 1) : wrapped(inner, reading, depth + 1);
    if (said.length > 0) return said;
  }
  return [];
}

/** Faults under the names of the fields that they are of, as Rails, Django and ASP.NET write them. */
function byField(value: Readonly<Record<string, unknown>>, reading: Reading): string[] {
  return Object.entries(value)
    .slice(0, mostSentences)
    .flatMap(([field, faults]) => {
      const texts = (Array.isArray(faults) ? faults : [faults]).filter((fault) => typeof fault === "string" && fault !== "");
      if (texts.length === 0 || codeKeys.has(field.toLowerCase()) || /^(?:id|request_?id|object|param)$/i.test(field)) return [];
      reading.fields.push(field.toLowerCase());
      return [`${field}: ${texts.slice(0, mostSentences).join(", ")}`];
    });
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, 20) : [];
}

/** Google's: which field is meant, and when to come back. */
function noteDetail(detail: unknown, reading: Reading): void {
  if (!isRecord(detail)) return;
  const wait = /^(\d{1,6}(?:\.\d{1,9})?)s$/.exec(String(detail.retryDelay ?? ""));
  if (wait) reading.waits.push(Number(wait[1]));
  for (const violation of asList(detail.fieldViolations)) {
    if (isRecord(violation) && typeof violation.field === "string" && violation.field !== "")
      reading.fields.push(violation.field);
  }
}

/** One entry of pydantic's list of faults; the place begins with where the request was read from. */
function pydantic(place: readonly unknown[], entry: ReadonlyMap<string, unknown>, reading: Reading): string[] {
  const steps = place.filter((step) => typeof step === "string" || typeof step === "number").map(String);
  const path = (["body", "query"].includes(steps[0]) ? steps.slice(1) : steps).join(".");
  if (path !== "") reading.fields.push(path);
  const said = entry.get("msg") ?? entry.get("message");
  const words = typeof said === "string" ? said : String(entry.get("type") ?? "refused");
  return [path === "" ? words : `${path}: ${words}`];
}

function textSentences(text: string, reading: Reading, depth: number): string[] {
  const trimmed = text.trim();
  if (/^[[{]/.test(trimmed)) {
    const inner = jsonIn(trimmed);
    if (typeof inner === "object" && inner !== null) {
      const said = sentencesIn(inner, reading, depth + 1);
      if (said.length > 0) return said;
    }
  }
  return trimmed === "" ? [] : [trimmed];
}

/** A body that is no JSON: a page, JSON that breaks off, several lines of it, or plain words. */
function plainSentences(body: string, reading: Reading): string[] {
  const text = body.trim();
  if (text.startsWith("<")) return [pageTitle(text)];
  if (!/^[[{]/.test(text)) return text === "" ? [] : [text];
  const lines = text.split("\n").slice(0, 20);
  const first = lines.map((line) => jsonIn(line)).find((value) => typeof value === "object" && value !== null);
  if (first !== undefined) return sentencesIn(first, reading, 0);
  const begun = /"(?:message|msg|detail|error)"\s*:\s*"((?:[^"\\]|\\.){1,2000})/.exec(text.slice(0, 20_000));
  return [begun === null ? text : ((jsonIn(`"${begun[1]}"`) as string | undefined) ?? begun[1])];
}

function pageTitle(html: string): string {
  const head = html.slice(0, 20_000);
  const start = /<(?:title|h1)[^>]{0,200}>/i.exec(head);
  const from = start === null ? -1 : start.index + start[0].length;
  const end = start === null ? -1 : head.indexOf("<", from);
  const title = end < 0 ? "" : clean(head.slice(from, end));
  return title === "" ? "a web page instead of JSON" : `a web page instead of JSON, titled “${title}”`;
}

/** Each once, and none that another one holds. */
function joined(sentences: readonly string[]): string | undefined {
  const cleaned = [...new Set(sentences.map(clean))].filter((sentence) => sentence !== "");
  const own = cleaned.filter((sentence) => !cleaned.some((other) => other !== sentence && other.includes(sentence)));
  return own.length === 0 ? undefined : own.slice(0, mostSentences).join("; ");
}

/** On one line, without signs that a screen obeys. */
function clean(text: string): string {
  return text
    .slice(0, 20_000)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\s]+/gu, " ")
    .trim();
}
