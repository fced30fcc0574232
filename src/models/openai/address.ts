/** Where an OpenAI-compatible server is, how it is spoken to, and which models it says it has. */

import { z } from "zod";
import type { HttpConnections } from "#http/connections.ts";
import { MidcourseError, userError } from "#kernel/errors.ts";
import { shortened } from "#kernel/options.ts";
import { keepSecret, keepSecretsOfAddress, keepSecretsOfHeaders } from "#kernel/secrets.ts";
import { jsonIn, withoutEndingSlashes } from "#kernel/values.ts";
import { httpFailure } from "./failure.ts";
import { briefly, type TimeLimits } from "./time-limits.ts";

export interface ServerAddress {
  /** Such as `http://127.0.0.1:8000/v1`. */
  baseUrl: string;
  apiKey?: string | undefined;
  /** Where the key came from, for advice. */
  keyVariable?: string | undefined;
  /** By lower-case name; over our own. Their values are as secret as the key. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** Checks an address as the user gave it. */
export function serverAddress(address: ServerAddress): ServerAddress {
  keepSecretsOfServer(address);
  // Consoles hand out the address of one call; what is below it is ours to add.
  const baseUrl = address.baseUrl
    .trim()
    .replace(/\/chat\/completions\/*(?=$|[?#])/, "")
    .replace(/\/+(?=$|\?)/, "");
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw userError(
      "bad-base-url",
      `“${address.baseUrl}” is not an address of a server`,
      "OPENAI_BASE_URL (or --base-url) has the form http://127.0.0.1:8000/v1.",
    );
  }
  if (address.apiKey !== undefined && !/^[\x21-\x7e]+$/.test(address.apiKey)) {
    throw userError(
      "bad-api-key",
      `The key in ${address.keyVariable ?? "OPENAI_API_KEY"} holds white space or other characters that no key has`,
      "Set it again, without quotes or line breaks.",
    );
  }
  for (const [name, value] of Object.entries(address.headers ?? {})) checkHeader(name, value);
  return { ...address, baseUrl };
}

/** These belong to the connection, and to each request alone. */
const notOfUsers = new Set([
  "connection",
  "content-length",
  "host",
  "transfer-encoding",
  "upgrade",
  "keep-alive",
  "te",
  "trailer",
]);

/** The value is never shown. */
function checkHeader(name: string, value: string): void {
  const advice = "Write --header 'name: value', such as --header 'api-key: …'.";
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(name))
    throw userError("bad-header", `“${shortened(name)}” is no name of a header`, advice);
  if (notOfUsers.has(name.toLowerCase())) {
    throw userError("bad-header", `The header ${name} belongs to the connection and cannot be given`, "Leave it out.");
  }
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
    throw userError(
      "bad-header",
      `The value of the header ${name} holds signs that no header can carry`,
      "Give it without line breaks.",
    );
  }
}

export function keepSecretsOfServer({ baseUrl, apiKey, keyVariable = "OPENAI_API_KEY", headers }: ServerAddress): void {
  keepSecret(apiKey, `the key in ${keyVariable}`);
  keepSecretsOfAddress(baseUrl, "the server's address");
  keepSecretsOfHeaders(headers);
}

/** A path below the base address, or, with `atRoot`, below the server itself. */
export function serverUrl(address: ServerAddress, path: string, atRoot = false): URL {
  if (atRoot) return new URL(`/${path}`, address.baseUrl);
  const url = new URL(address.baseUrl);
  url.pathname = `${withoutEndingSlashes(url.pathname)}/${path}`;
  return url;
}

/** From here on the key is a secret, so are a password in the address and what the headers of one's own say. */
export function serverHeaders(address: ServerAddress): Record<string, string> {
  keepSecretsOfServer(address);
  return {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "user-agent": "midcourse",
    ...(address.apiKey === undefined ? {} : { authorization: `Bearer ${address.apiKey}` }),
    ...address.headers,
  };
}

/** What to do where a model server does not answer. */
export const connectionAdvice = {
  unreachable: "Start the server, or set OPENAI_BASE_URL (or --base-url) to where it listens, such as http://127.0.0.1:8000/v1.",
  silent: "A slow server needs fewer requests at once (--concurrency) or a longer wait (--idle-seconds).",
  notBegun: "A slow server needs fewer requests at once (--concurrency) or a longer wait for the first piece (--first-seconds).",
  slow: "Ask for fewer tokens (--max-tokens), or allow a call more time (--total-seconds).",
};

const modelList = z.object({ data: z.array(z.looseObject({ id: z.string(), owned_by: z.string().nullish().catch(undefined) })) });

/** Names of the models the server says it has, in its order. */
export async function listModels(
  connections: HttpConnections,
  address: ServerAddress,
  signal?: AbortSignal | undefined,
  limits?: TimeLimits,
): Promise<string[]> {
  return (await readModelList(connections, address, signal, limits)).map(({ id }) => id);
}

export async function readModelList(
  connections: HttpConnections,
  address: ServerAddress,
  signal?: AbortSignal | undefined,
  limits: TimeLimits = {},
): Promise<{ id: string; ownedBy: string | undefined }[]> {
  const url = serverUrl(address, "models");
  const reply = await connections.request(url, {
    headers: serverHeaders(address),
    ...briefly(30, limits),
    maxBytes: 16 << 20,
    advice: connectionAdvice,
    signal,
  });
  if (reply.status !== 200) {
    throw httpFailure(reply.status, reply.headers, reply.body, {
      url: `${url.origin}${url.pathname}`,
      model: "",
      keyVariable: address.keyVariable ?? "OPENAI_API_KEY",
    });
  }
  const list = modelList.safeParse(jsonIn(reply.body));
  if (!list.success) {
    throw userError(
      "no-such-endpoint",
      `${url.origin}${url.pathname} does not list models as OpenAI's protocol does`,
      "OPENAI_BASE_URL (or --base-url) usually ends in /v1; check it, or name a model with --model.",
    );
  }
  return list.data.data.map(({ id, owned_by: ownedBy }) => ({ id, ownedBy: ownedBy ?? undefined }));
}

/** Nothing else will work either. */
export const endsEverything = new Set([
  "server-unreachable",
  "proxy-refused",
  "bad-proxy",
  "server-certificate",
  "server-scheme",
]);

/** The name of the server's model where it has just one. */
export async function onlyModel(
  connections: HttpConnections,
  address: ServerAddress,
  signal?: AbortSignal | undefined,
  limits?: TimeLimits,
): Promise<string> {
  const names = await listModels(connections, address, signal, limits).catch((error) => {
    if (!MidcourseError.isInstance(error) || endsEverything.has(error.code)) throw error;
    const what = `no model is named, and the server does not list its own: ${error.what}`;
    // A list that is not for everybody tells that the key is missing before it tells that the list is.
    const advice =
      error.code === "not-authorised"
        ? `${error.advice} Where the list alone is refused, name the model with --model.`
        : "Name one with --model; chats may work though the list does not.";
    throw userError("model-not-chosen", what, advice, error);
  });
  if (names.length === 1) return names[0];
  throw userError(
    "model-not-chosen",
    `${address.baseUrl} has ${names.length === 0 ? "no models" : `${names.length} models: ${shownNames(names)}`}`,
    "Choose one with --model.",
  );
}

/** Throws where the server's list does not have the model. */
export async function checkModel(
  model: string,
  connections: HttpConnections,
  address: ServerAddress,
  signal?: AbortSignal | undefined,
  limits?: TimeLimits,
): Promise<void> {
  // Chats may work though the list does not.
  const names = await listModels(connections, address, signal, limits).catch((error): string[] => {
    if (signal?.aborted || (MidcourseError.isInstance(error) && endsEverything.has(error.code))) throw error;
    return [];
  });
  if (names.length === 0 || names.includes(model)) return;
  throw userError(
    "model-unknown",
    `${address.baseUrl} has no model “${model}”`,
    `It has ${shownNames(names)}; choose with --model.`,
  );
}

/** The first ten, and how many more there are. */
export function shownNames(names: readonly string[]): string {
  return names.length > 10 ? `${names.slice(0, 10).join(", ")} and ${names.length - 10} more` : names.join(", ");
}
