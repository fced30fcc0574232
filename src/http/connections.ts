/**
 * HTTP requests over connections that are kept open: to model servers, the Hugging Face hub, MLflow, embeddings. Written on node:http
 * because `fetch` costs three times the processor time a request, which counts when hundreds are under way, and knows no proxy.
 */
import http, { type ClientRequest, type IncomingHttpHeaders } from "node:http";
import https from "node:https";
import { MidcourseError, remoteError, userError } from "#kernel/errors.ts";
import { shortened } from "#kernel/options.ts";
import { getOrMake } from "#kernel/values.ts";
import { type BodyOptions, broken, readBody, timerFor } from "./body.ts";
import {
  type Environment,
  type NamedProxy,
  protocolOf,
  proxyFor,
  proxyRefusal,
  TunnelAgent,
  type TunnelOptions,
  throughProxy,
  unreachableProxy,
} from "./proxy.ts";

export interface HttpReply {
  status: number;
  headers: IncomingHttpHeaders;
  /** Empty where `onHeader` named a taker of the body. */
  body: string;
}

export interface HttpOptions extends BodyOptions {
  /** POST where there is a body, else GET. */
  body?: string | undefined;
  headers: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
  /** The request fails when nothing of the body, or no news of it, is here by then. */
  firstSeconds?: number | undefined;
  /** The request fails when the whole answer is not here by then. */
  withinSeconds?: number | undefined;
  /** How many redirections are followed; none when left out, so that one is a reply like any other. */
  redirects?: number;
}

const kept = { keepAlive: true, maxFreeSockets: 1024, scheduling: "lifo" } as const;

/** Keeps connections open between requests; any number side by side, so whoever calls limits them. */
export class HttpConnections {
  readonly #agents = { http: new http.Agent(kept), https: new https.Agent(kept) };
  /** By the address of the proxy. */
  readonly #tunnels = new Map<string, TunnelAgent>();
  readonly #environment: Environment;

  /** `environment` names the proxy, where there is one. */
  constructor(environment: Environment = process.env) {
    this.#environment = environment;
  }

  /** Throws MidcourseErrors, or the signal's reason; an HTTP status of any kind is a reply, not a failure. */
  async request(url: URL, options: HttpOptions): Promise<HttpReply> {
    const { redirects = 0 } = options;
    if (redirects === 0) return this.#kept(url, options);
    const reply = await this.#kept(url, {
      ...options,
      onHeader: (status, headers) => (leadsTo(status, headers) ? undefined : options.onHeader?.(status, headers)),
    });
    const place = leadsTo(reply.status, reply.headers);
    if (place === undefined) return reply;
    const next = URL.parse(place, url.href);
    if (next === null || !isWeb(next)) {
      throw remoteError("server-misleads", `${url.origin} sends on to ${shortened(place)}, which is no web server`, {});
    }
    // A key is for the server it was given for alone, whatever the header that carries it is called.
    const plain = Object.entries(options.headers).filter(([name]) => /^(accept|content-type|user-agent)$/i.test(name));
    const headers = next.origin === url.origin ? options.headers : Object.fromEntries(plain);
    const body = [307, 308].includes(reply.status) ? options.body : undefined;
    return this.request(next, { ...options, headers, body, redirects: redirects - 1 });
  }

  async #kept(url: URL, options: HttpOptions): Promise<HttpReply> {
    try {
      return await this.#once(url, options);
    } catch (error) {
      // The server closed an idle connection in the moment that we took it: nothing was worked on.
      if (!(error instanceof StaleConnection)) throw error;
      return await this.#once(url, options, true);
    }
  }

  close(): void {
    for (const agent of [this.#agents.http, this.#agents.https, ...this.#tunnels.values()]) agent.destroy();
  }

  /** A fresh connection is kept by no one, and takes the same way: what a proxy dropped is asked through the proxy again. */
  #open(url: URL, proxy: NamedProxy | undefined, options: TunnelOptions, fresh: boolean): ClientRequest {
    const agentFor = ({ protocol }: URL) => (fresh ? false : protocol === "https:" ? this.#agents.https : this.#agents.http);
    if (proxy === undefined) return protocolOf(url).request(url, { ...options, agent: agentFor(url) });
    if (url.protocol === "http:") return throughProxy(url, proxy, { ...options, agent: agentFor(proxy.address) });
    const agent = fresh
      ? new TunnelAgent(proxy, {})
      : getOrMake(this.#tunnels, proxy.address.href, () => new TunnelAgent(proxy, kept));
    return https.request(url, { ...options, agent });
  }

  #once(url: URL, options: HttpOptions, fresh = false): Promise<HttpReply> {
    return new Promise((resolve, reject) => {
      const { signal, body, idleSeconds, firstSeconds, withinSeconds } = options;
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      if (!isWeb(url))
        throw userError("server-address", `${url.href} is no address of http or https`, options.advice?.unreachable);
      const proxy = proxyFor(url, this.#environment);
      const place = placeOf(url, proxy);
      const headers = body === undefined ? options.headers : { ...options.headers, "content-length": Buffer.byteLength(body) };
      const timeout = idleSeconds === undefined ? {} : { timeout: timerFor(idleSeconds) };
      const request = this.#open(
        url,
        proxy,
        { method: body === undefined ? "GET" : "POST", headers, until: signal, ...timeout },
        fresh,
      );
      const onAbort = () => fail(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      const settled = () => {
        clearTimeout(late);
        clearTimeout(unbegun);
        signal?.removeEventListener("abort", onAbort);
      };
      const fail = (error: unknown) => {
        settled();
        request.destroy();
        reject(signal?.aborted ? signal.reason : error);
      };
      const failAfter = (seconds: number | undefined, failure: (seconds: number) => MidcourseError) =>
        seconds === undefined ? undefined : setTimeout(() => fail(failure(seconds)), timerFor(seconds));
      const late = failAfter(withinSeconds, (seconds) => tooSlow(place, seconds, options));
      const unbegun = failAfter(firstSeconds, (seconds) => notBegun(place, seconds, options));
      let answered = false;
      request.on("timeout", () => fail(silent(place, options)));
      request.on("error", (error) =>
        fail(answered ? broken(place, error) : connectionFailure(url, proxy, error, request, options)),
      );
      request.on("response", (response) => {
        answered = true;
        const refusal = proxy && proxyRefusal(proxy, response);
        if (refusal) {
          fail(refusal);
          return;
        }
        readBody(place, response, options, () => clearTimeout(unbegun))
          .then((text) => {
            settled();
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
          })
          .catch(fail);
      });
      request.end(body);
    });
  }
}

/** Where a redirection leads. */
function leadsTo(status: number, headers: IncomingHttpHeaders): string | undefined {
  return [301, 302, 303, 307, 308].includes(status) ? headers.location : undefined;
}

function isWeb({ protocol }: URL): boolean {
  return protocol === "http:" || protocol === "https:";
}

/** What a failure names. */
function placeOf({ origin }: URL, proxy: NamedProxy | undefined): string {
  return proxy === undefined ? origin : `${origin} through ${proxy.name}`;
}

class StaleConnection extends Error {}

function connectionFailure(
  url: URL,
  proxy: NamedProxy | undefined,
  error: NodeJS.ErrnoException,
  request: ClientRequest,
  { advice }: HttpOptions,
): unknown {
  const code = error.code ?? "";
  if (MidcourseError.isInstance(error)) return error;
  if (request.reusedSocket && ["ECONNRESET", "EPIPE"].includes(code)) return new StaleConnection();
  if (["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN", "ECONNABORTED", "ETIMEDOUT"].includes(code)) {
    if (proxy !== undefined) return unreachableProxy(proxy, code, error);
    return userError("server-unreachable", `nothing answers at ${url.origin} (${code})`, advice?.unreachable, error);
  }
  const scheme = otherScheme(url, error);
  if (scheme !== undefined) {
    return userError(
      "server-scheme",
      `${placeOf(url, proxy)} does not speak ${url.protocol.slice(0, -1)} but ${scheme}`,
      `Write the address with ${scheme}://, if that is the right port.`,
      error,
    );
  }
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_VERIFY|EPROTO/.test(code)) {
    return userError(
      "server-certificate",
      `no secure connection to ${placeOf(url, proxy)}: ${error.message}`,
      "Check the address and whether it speaks https; NODE_EXTRA_CA_CERTS adds a certificate authority of your own.",
      error,
    );
  }
  return remoteError(
    "connection-lost",
    `the connection to ${placeOf(url, proxy)} was lost before an answer: ${error.message}`,
    {},
    { cause: error, advice: url.protocol === "http:" ? "If this server speaks https, write its address so." : undefined },
  );
}

/** The scheme that a server answers in where it is not the one it was asked in. */
function otherScheme(url: URL, error: NodeJS.ErrnoException & { rawPacket?: Uint8Array }): "http" | "https" | undefined {
  if (url.protocol === "https:") {
    const isPlain = /wrong.version.number|packet length too long|record layer failure|http request/i.test(error.message);
    return isPlain ? "http" : undefined;
  }
  // A record of TLS begins with its kind, an alert or a handshake, and the version.
  const [kind, version] = error.rawPacket ?? [];
  return (kind === 0x15 || kind === 0x16) && version === 3 ? "https" : undefined;
}

function silent(place: string, { idleSeconds, advice }: HttpOptions): MidcourseError {
  return remoteError("server-silent", `${place} sent nothing for ${idleSeconds} s`, {}, { advice: advice?.silent });
}

function notBegun(place: string, seconds: number, { advice }: HttpOptions): MidcourseError {
  return remoteError(
    "server-silent",
    `${place} began no answer within ${seconds} s`,
    {},
    { advice: advice?.notBegun ?? advice?.silent },
  );
}

function tooSlow(place: string, seconds: number, { advice }: HttpOptions): MidcourseError {
  return remoteError("server-slow", `${place} did not answer within ${seconds} s`, {}, { advice: advice?.slow });
}
