/**
 * What must stand in no file and on no screen: keys, passwords, tokens. Whoever reads one (an option, a variable of the environment, an
 * address) says so by `keepSecret`; what is written or shown goes through `struck`, which puts “[secret]” in its place, also where it is
 * written as in JSON, in an address or in base64. Where no secret occurs a text stays what it is.
 *
 * The list is one of the whole process: a secret of one model may come back in another's answer.
 */
import { Finder, type Form, isSecretName, looksSecret, type Place, shortestInside, writtenForms } from "./secret-forms.ts";
import { jsonIn } from "./values.ts";

const mark = "[secret]";

/** Shorter ones are struck where they were given alone: every text has them. */
const shortest = 4;
/** Keys that local servers are given for want of one, and words of the records themselves: they tell nothing, and striking them would. */
const openWords = new Set(
  (
    "empty none null true false undefined default dummy fake local localhost placeholder example test tests testing user username system " +
    "assistant tool tools developer token tokens key apikey api-key api_key no-key not-needed not-required anything nothing unused " +
    "sk-no-key-required no-key-required ollama vllm lmstudio lm-studio llama.cpp openai midcourse plain answer question content text " +
    "stop length error message model role name type kind split train validation temperature seed 0000 1234"
  ).split(" "),
);

const secrets = new Set<string>();
const forms = new Map<string, Form>();
let finder: Finder | undefined;
const weak = new Set<string>();

/** From now on the text is struck. `what` names it where it is too short for that: “the password in --base-url”. */
export function keepSecret(secret: string | undefined, what = "a secret"): void {
  const text = secret?.trim();
  if (!text || secrets.has(text)) return;
  if (openWords.has(text.toLowerCase())) return;
  if (text.length < shortest) {
    weak.add(what);
    return;
  }
  secrets.add(text);
  for (const form of writtenForms(text)) if (!forms.has(form.text)) forms.set(form.text, form);
  finder = undefined;
}

/**
 * Name and password of an address: the password is a secret, the name is one where it stands alone, and the pair is one. So are the parts of
 * its query that are named so: `?api_key=…`, `?sig=…`.
 */
export function keepSecretsOfAddress(address: string | undefined, what = "an address"): void {
  const [front = "", fragment = ""] = address?.split("#", 2) ?? [];
  const query = front.split("?").slice(1).join("?");
  for (const [name, value] of [query, fragment].flatMap((part) => [...new URLSearchParams(part)])) {
    const isSecret = isSecretName(name) || (secretInAddress.test(name) && value.length >= shortestInside);
    if (isSecret || looksSecret(value)) keepSecret(value, `${name} in ${what}`);
  }
  const found = address === undefined ? null : /^(?:[a-z][a-z0-9+.-]*:)?\/*([^/?#]*)@/i.exec(address.trimStart());
  if (found === null) return;
  const [, pair] = found;
  const colon = pair.indexOf(":");
  const name = decoded(colon < 0 ? pair : pair.slice(0, colon));
  const password = colon < 0 ? "" : decoded(pair.slice(colon + 1));
  keepSecret(pair, `the name and password in ${what}`);
  keepPair(name, password, what);
}

/** Names that mean anything elsewhere: Azure's `?code=` and `?sig=`. */
const secretInAddress = /^(?:code|sig|sas|sid|session(?:_?id)?|ticket)$/i;

/** As of Basic authorization. */
export function keepPair(name: string, password: string, what = "an address"): void {
  if (password === "") {
    keepSecret(name, `the name in ${what}`);
    return;
  }
  keepSecret(password, `the password in ${what}`);
  keepSecret(`${name}:${password}`, `the name and password in ${what}`);
  // Base64 of the pair says both, however short they are.
  const basic = Buffer.from(`${name}:${password}`).toString("base64").replace(/=+$/, "");
  if (basic.length >= shortestInside) addForm(basic);
  if (name.length >= shortestInside && !openWords.has(name.toLowerCase())) keepSecret(name);
}

/** Headers of a request. Those that every request has, or that name a version or a program, tell nothing. */
export function keepSecretsOfHeaders(headers: Readonly<Record<string, string>> | undefined): void {
  for (const [name, value] of Object.entries(headers ?? {})) {
    const isNamedSo = isSecretName(name);
    if (!isNamedSo && (openHeaders.test(name) || (value.length < shortestInside && !looksSecret(value)))) continue;
    keepSecret(value, `the header ${name}`);
    const [, scheme, rest] = /^(\w+)\s+(\S.*)$/.exec(value.trim()) ?? [];
    if (!isNamedSo || rest === undefined) continue;
    keepSecret(rest, `the header ${name}`);
    if (!/^basic$/i.test(scheme)) continue;
    const pair = Buffer.from(rest, "base64").toString("utf8");
    const colon = pair.indexOf(":");
    if (colon >= 0) keepPair(pair.slice(0, colon), pair.slice(colon + 1), `the header ${name}`);
  }
}

const openHeaders =
  /^(accept(-.*)?|content-type|user-agent|http-referer|referer|x-title|.*version|.*-beta|cache-control|connection|host|origin)$/i;

/** Texts in an object of settings that are secrets by their name, or by their look. Returns the object with those struck. */
export function keepSecretsOfFields<Value>(value: Value, what = "the fields"): Value {
  return masked(value, what, false) as Value;
}

function masked(value: unknown, what: string, isSecret: boolean): unknown {
  if (typeof value === "string") {
    if (value === "") return value;
    if (!(isSecret || looksSecret(value))) return maskedText(value, what);
    keepSecret(value, what);
    keepSecret(/^(?:bearer|basic|token)\s+(\S+)$/i.exec(value)?.[1], what);
    return mark;
  }
  if (Array.isArray(value)) return value.map((each) => masked(each, what, isSecret));
  if (typeof value !== "object" || value === null) return value;
  // Headers and variables of tools are lists of pairs with some servers: `{ name: "x-api-key", value: "…" }`.
  const pair = Object.entries(value).find(([name, each]) => /^(?:name|key|header)$/i.test(name) && typeof each === "string");
  const isOfSecret = (name: string) => isSecretName(name) && !(pair !== undefined && "value" in value && pair[0] === name);
  const isValue = (name: string) => pair !== undefined && /^value$/i.test(name) && isSecretName(pair[1] as string);
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      masked(each, `${name} in ${what}`, isSecret || isOfSecret(name) || isValue(name)),
    ]),
  );
}

/** An address may have a password or a key in it, and a text may be JSON: a tool's arguments. */
function maskedText(text: string, what: string): string {
  if (/^\s*[a-z][a-z0-9+.-]*:\/\//i.test(text)) keepSecretsOfAddress(text, `an address in ${what}`);
  else if (/^\s*[[{]/.test(text)) masked(jsonIn(text), what, false);
  else return text;
  return struck(text);
}

/** Variables of the environment that hold a secret by their name, and addresses with a password. */
export function keepSecretsOfEnvironment(environment: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || value === "") continue;
    if (/(^|_)(API_?KEY|ACCESS_KEY|SECRET_KEY|PRIVATE_KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE)$/i.test(name)) {
      // A file's place is none, nor is a number of something.
      if (!value.startsWith("/") && (value.trim().length >= shortestInside || namesOfOurs.has(name))) keepSecret(value, name);
    } else if (/(_URL|_URI|_ENDPOINT|_PROXY|_HOST)$/i.test(name)) keepSecretsOfAddress(value, name);
  }
}

const namesOfOurs = new Set(
  "OPENAI_API_KEY EMBEDDINGS_API_KEY HF_TOKEN HUGGING_FACE_HUB_TOKEN MLFLOW_TRACKING_PASSWORD MLFLOW_TRACKING_TOKEN".split(" "),
);

/** Secrets that are too short to be struck wherever they stand: where they came from. */
export function secretsTooWeak(): readonly string[] {
  return [...weak];
}

/** For tests: as in a new process. */
export function forgetSecrets(): void {
  secrets.clear();
  forms.clear();
  weak.clear();
  finder = undefined;
}

/** The text with “[secret]” for each secret. Takes time by the length of the text, however many secrets there are. */
export function struck(text: string): string {
  if (forms.size === 0 || text.length < shortest) return text;
  return replaced(text, places(text));
}

/** The same in every text of a value as JSON has it, names of fields included; the value itself where nothing is struck. */
export function struckValue<Value>(value: Value): Value {
  return forms.size === 0 ? value : (struckInside(value) as Value);
}

function struckInside(value: unknown): unknown {
  if (typeof value === "string") return struck(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map(struckInside);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === "function")
    return struckInside((value as { toJSON(): unknown }).toJSON());
  let isOther = false;
  const entries = Object.entries(value).map(([name, each]): [string, unknown] => {
    const entry: [string, unknown] = [struck(name), struckInside(each)];
    isOther ||= entry[0] !== name || entry[1] !== each;
    return entry;
  });
  return isOther ? Object.fromEntries(entries) : value;
}

/**
 * A file's whole text. JSON, and JSON by lines, stay what they are: a number that looks like a secret is a number, and what is put in is
 * put into texts.
 */
export function struckFile(text: string): string {
  if (forms.size === 0) return text;
  const found = places(text);
  if (found.length === 0) return text;
  const start = /^\s*([[{])/.exec(text);
  if (start === null) return replaced(text, found);
  const whole = reread(text, /^\s*[[{]\n( +|\t)/.exec(text)?.[1]);
  if (whole !== undefined) return whole;
  const lines = text.split("\n").map((line) => (line.trim() === "" ? line : reread(line)));
  if (lines.every((line) => line !== undefined)) return lines.join("\n");
  return replaced(text, found);
}

function reread(text: string, indent?: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const other = struckInside(value);
    return other === value ? text : JSON.stringify(other, null, indent) + (text.endsWith("\n") ? "\n" : "");
  } catch {
    return undefined;
  }
}

/** Pieces of a text as they arrive: a secret that is parted between two of them is struck all the same. */
export class StruckPieces {
  #held = "";

  /** What can be shown by now. */
  push(piece: string): string {
    if (forms.size === 0) return piece;
    const text = this.#held + piece;
    const { found, open } = finderNow().search(text, true);
    let end = text.length - open;
    for (let index = found.length - 1; index >= 0 && found[index].end > end - 1; index--) end = Math.min(end, found[index].start);
    this.#held = text.slice(end);
    return replaced(
      text.slice(0, end),
      found.filter((place) => place.end <= end),
    );
  }

  /** What was held back. */
  end(): string {
    const rest = struck(this.#held);
    this.#held = "";
    return rest;
  }
}

/** The same of a text that is written in pieces. */
export function* struckPieces(pieces: Iterable<string>): Generator<string> {
  const held = new StruckPieces();
  for (const piece of pieces) yield held.push(piece);
  yield held.end();
}

function places(text: string): Place[] {
  // The engine's own search is the fastest for a few, and mostly nothing is found.
  if (forms.size <= 64) {
    let isThere = false;
    for (const form of forms.keys()) isThere ||= text.includes(form);
    if (!isThere) return [];
  }
  return finderNow().search(text, false).found;
}

function replaced(text: string, found: readonly Place[]): string {
  if (found.length === 0) return text;
  let made = "";
  let from = 0;
  for (const { start, end } of found) {
    made += text.slice(from, start) + mark;
    from = end;
  }
  return made + text.slice(from);
}

function finderNow(): Finder {
  finder ??= new Finder([...forms.values()]);
  return finder;
}

function addForm(text: string): void {
  if (forms.has(text)) return;
  forms.set(text, { text, isWord: text.length < shortestInside });
  finder = undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
