/**
 * The proxy that the environment names, on every Node alike (its own agents know one from 24.5 on): HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and
 * NO_PROXY, in small letters first. What is asked by http is asked of the proxy whole; for https the proxy opens a tunnel.
 */
import http, { type ClientRequest } from "node:http";
import https from "node:https";
import { BlockList, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { urlToHttpOptions } from "node:url";
import { type MidcourseError, userError } from "#kernel/errors.ts";
import { keepSecretsOfAddress } from "#kernel/secrets.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface NamedProxy {
  address: URL;
  /** “the proxy http://proxy:3128 (from HTTPS_PROXY)”, without its password. */
  name: string;
  variable: string;
}

/** The proxy that an address is asked through; undefined where none is named for it. Throws a user error for one that cannot be used. */
export function proxyFor(url: URL, environment: Environment): NamedProxy | undefined {
  const variables = [url.protocol === "https:" ? "https_proxy" : "http_proxy", "all_proxy"];
  const variable = variables.flatMap((name) => [name, name.toUpperCase()]).find((name) => environment[name]?.trim());
  if (variable === undefined || isLoopback(url) || isExcepted(url, environment.no_proxy ?? environment.NO_PROXY ?? "")) {
    return undefined;
  }
  const text = (environment[variable] ?? "").trim();
  keepSecretsOfAddress(text, variable);
  const address = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (address === null || !["http:", "https:"].includes(address.protocol)) {
    throw userError(
      "bad-proxy",
      `${variable} names ${address === null ? "no address" : `a proxy of the kind ${address.protocol}//, which is not known here`}`,
      `Write ${variable}=http://HOST:PORT, or leave ${url.hostname} out of it by NO_PROXY=${url.hostname}.`,
    );
  }
  return { address, name: `the proxy ${address.origin} (from ${variable})`, variable };
}

/** This machine is never asked through a proxy, by none of its names: no other machine answers to them. */
function isLoopback({ hostname }: URL): boolean {
  const host = bare(hostname);
  if (isIP(host) === 0) return /^(.*\.)?localhost\.?$/.test(host);
  return thisMachine.check(host, kindOf(host));
}

/** Addresses of IPv4 written as ones of IPv6 are found as well. */
const thisMachine = new BlockList();
thisMachine.addSubnet("127.0.0.0", 8);
for (const address of ["0.0.0.0", "::1", "::"]) thisMachine.addAddress(address, kindOf(address));

function kindOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

/** Entries stand between commas or spaces: `*`, a host with all below it, `host:port`, an address, a range of them: 10.0.0.0/8, 10.0.0.1-10.0.0.9. */
function isExcepted(url: URL, exceptions: string): boolean {
  const host = bare(url.hostname);
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return exceptions
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === "*") return true;
      const range = /^(.+)\/(\d+)$|^([\d.]+)-([\d.]+)$/.exec(entry);
      if (range) return isWithin(host, range);
      const [, name, onlyPort] = /^(\[.*\]|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(entry) ?? [];
      if (!name || (onlyPort !== undefined && onlyPort !== port)) return false;
      const domain = bare(name.replace(/^\*?\./, ""));
      return host === domain || (isIP(host) === 0 && host.endsWith(`.${domain}`));
    });
}

function isWithin(host: string, [, network, bits, first, last]: RegExpExecArray): boolean {
  if (isIP(host) === 0) return false;
  const list = new BlockList();
  try {
    if (network === undefined) list.addRange(first, last);
    else list.addSubnet(bare(network), Number(bits), kindOf(bare(network)));
  } catch {
    // No range excepts nothing.
    return false;
  }
  return list.check(host, kindOf(host));
}

/** Without the brackets of IPv6. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

/** The request of a whole address, for what is asked by http. */
export function throughProxy(url: URL, { address }: NamedProxy, options: http.RequestOptions): ClientRequest {
  const headers = { ...(options.headers as http.OutgoingHttpHeaders), host: url.host, ...credentials(address) };
  const target = { path: `${url.origin}${url.pathname}${url.search}`, auth: urlToHttpOptions(url).auth };
  return protocolOf(address).request({ ...urlToHttpOptions(address), ...options, ...target, headers });
}

export function protocolOf({ protocol }: URL): typeof http | typeof https {
  return protocol === "https:" ? https : http;
}

function credentials({ username, password }: URL): { "proxy-authorization"?: string } {
  if (username === "" && password === "") return {};
  const [name, word] = [username, password].map(decoded);
  return { "proxy-authorization": `Basic ${Buffer.from(`${name}:${word}`).toString("base64")}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Longest wait for a proxy to open a tunnel, milliseconds. */
const longestOpening = 120_000;

export interface TunnelOptions extends https.RequestOptions {
  /** No tunnel is waited for after its abort. The `signal` of a request does not reach those who connect. */
  until?: AbortSignal | undefined;
}

/** Keeps connections to https servers, each through a tunnel that the proxy opened. */
export class TunnelAgent extends https.Agent {
  readonly #proxy: NamedProxy;
  readonly #opening = new Set<ClientRequest>();

  constructor(proxy: NamedProxy, options: https.AgentOptions) {
    super(options);
    this.#proxy = proxy;
  }

  override createConnection(
    options: TunnelOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const done = callback as (error: Error | null, stream?: Duplex) => void;
    const { address } = this.#proxy;
    const host = String(options.host);
    const target = `${host.includes(":") ? `[${host}]` : host}:${options.port}`;
    const request = protocolOf(address).request({
      ...urlToHttpOptions(address),
      auth: undefined,
      method: "CONNECT",
      path: target,
      headers: { host: target, ...credentials(address) },
      agent: false,
      timeout: Math.min(options.timeout ?? longestOpening, longestOpening),
    });
    this.#opening.add(request);
    const fail = (error: Error) => {
      request.destroy();
      done(error);
    };
    const { until } = options;
    const onAbort = () => request.destroy();
    until?.addEventListener("abort", onAbort, { once: true });
    request.on("close", () => {
      this.#opening.delete(request);
      until?.removeEventListener("abort", onAbort);
    });
    request.on("timeout", () => fail(unreachableProxy(this.#proxy, "it says nothing")));
    request.on("error", (error: NodeJS.ErrnoException) =>
      fail(unreachableProxy(this.#proxy, error.code ?? error.message, error)),
    );
    request.on("response", (response) => fail(refusedTunnel(this.#proxy, target, response)));
    request.on("connect", (response, socket: Socket, head) => {
      request.setTimeout(0);
      const { statusCode = 0 } = response;
      if (statusCode < 200 || statusCode > 299) {
        socket.destroy();
        done(refusedTunnel(this.#proxy, target, response));
        return;
      }
      if (head.length > 0) socket.unshift(head);
      // Lets the class below speak TLS over the tunnel.
      done(null, super.createConnection({ ...options, socket } as https.RequestOptions) as Duplex);
    });
    request.end();
    return undefined;
  }

  override destroy(): void {
    for (const request of this.#opening) request.destroy();
    super.destroy();
  }
}

export function unreachableProxy({ name, variable }: NamedProxy, why: string, cause?: unknown): MidcourseError {
  const advice = `Is ${variable} right? NO_PROXY=HOST,… names what is asked without it.`;
  return userError("server-unreachable", `${name} does not answer (${why})`, advice, cause);
}

type Answer = Pick<http.IncomingMessage, "statusCode" | "statusMessage">;

/** What a proxy's own refusal means; undefined for an answer that is not one. */
export function proxyRefusal({ name, variable }: NamedProxy, { statusCode }: Answer): MidcourseError | undefined {
  if (statusCode !== 407) return undefined;
  const advice = `Write them into ${variable}: http://NAME:PASSWORD@HOST:PORT, signs in them as %40 and the like.`;
  return userError("proxy-refused", `${name} asks for a name and a password, or for others (407)`, advice);
}

function refusedTunnel(proxy: NamedProxy, target: string, answer: Answer): MidcourseError {
  const { statusCode = 0, statusMessage = "" } = answer;
  const code = statusCode >= 500 ? "server-unreachable" : "proxy-refused";
  const sentence = `${proxy.name} opens no connection to ${target}: ${`${statusCode} ${statusMessage}`.trim()}`;
  return proxyRefusal(proxy, answer) ?? userError(code, sentence, "Whoever runs the proxy decides what it lets through.");
}
