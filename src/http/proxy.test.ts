/** Through proxies on loopback: plain ones, and ones that open tunnels to a server with TLS. */
import { execFile } from "node:child_process";
import http, { type IncomingMessage, type RequestListener } from "node:http";
import https from "node:https";
import net, { type AddressInfo, type Socket } from "node:net";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HttpConnections } from "./connections.ts";
import { type Environment, proxyFor } from "./proxy.ts";

/** Of far.example, made for this file alone and trusted by nobody. */
const pem = (kind: string, text: string) => `-----BEGIN ${kind}-----\n${text}\n-----END ${kind}-----`;
const cert = pem(
  "CERTIFICATE",
  `MIIBnDCCAUGgAwIBAgIUY/OVCqK+FM8GR1jL6sPS9HRz4hQwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLZmFyLmV4YW1wbGUwIBcNMjYxMjAxMDA0NjU2WhgPMjEyNjEx
MDcwMDQ2NTZaMBYxFDASBgNVBAMMC2Zhci5leGFtcGxlMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEhx1bywi7Iz+lhYd23TbZLmdOHd5symv1QRfs7VCyG54CUWcV
loYLU11mMb3lNue19GxVQk3SfshHkvxXbnCXUKNrMGkwHQYDVR0OBBYEFNczP7AO
eaJBkMczMR8FguTDsc+EMB8GA1UdIwQYMBaAFNczP7AOeaJBkMczMR8FguTDsc+E
MA8GA1UdEwEB/wQFMAMBAf8wFgYDVR0RBA8wDYILZmFyLmV4YW1wbGUwCgYIKoZI
zj0EAwIDSQAwRgIhAOP+zzupVpMOVIyzWExGgSLhtGMTnbvj4moLzx8FYgYzAiEA
ss4P5EL/joF/sxa+blWRmIeONN17XrWreO9oYX+89yE=`,
);
const key = pem(
  "PRIVATE KEY",
  `MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgdL2lYeRz0lTb3fmp
Zs8G1m9NJIC7gUiLC3rwJvP8nQ+hRANCAASHHVvLCLsjP6WFh3bdNtkuZ04d3mzK
a/VBF+ztULIbngJRZxWWhgtTXWYxveU257X0bFVCTdJ+yEeS/FducJdQ`,
);

const servers: net.Server[] = [];
const sockets = new Set<Socket>();
let connections: HttpConnections | undefined;

beforeEach(() => {
  // The certificate is nobody's; what is tested is the way.
  vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
});
afterEach(() => {
  vi.unstubAllEnvs();
  connections?.close();
  connections = undefined;
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function listen<Server extends net.Server>(server: Server): Promise<number> {
  server.on("connection", (socket) => sockets.add(socket.on("error", () => {}).on("close", () => sockets.delete(socket))));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

interface PlayedProxy {
  address: string;
  /** First lines and credentials of what it was asked. */
  asked: string[];
}

/** Answers what it is asked plainly by `answer`; every tunnel leads to `port`, or is refused with a status. */
async function playProxy({
  answer,
  port,
  refuse,
}: {
  answer?: RequestListener;
  port?: number;
  refuse?: number;
}): Promise<PlayedProxy> {
  const asked: string[] = [];
  const note = ({ method, url, headers }: IncomingMessage) =>
    asked.push([method, url, headers.host, headers["proxy-authorization"]].filter((word) => word !== undefined).join(" "));
  const proxy = http.createServer((request, response) => {
    note(request);
    answer?.(request, response);
  });
  proxy.on("connect", (request, socket, head) => {
    note(request);
    socket.on("error", () => {});
    if (refuse !== undefined) {
      socket.end(`HTTP/1.1 ${refuse} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const far = net.connect(port ?? 0, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      far.write(head);
      far.pipe(socket).pipe(far);
    });
    far.on("error", () => socket.destroy());
  });
  return { address: `http://127.0.0.1:${await listen(proxy)}`, asked };
}

function through(environment: Environment): HttpConnections {
  connections = new HttpConnections(environment);
  return connections;
}

const ask = (url: string, environment: Environment, headers: Record<string, string> = {}) =>
  through(environment).request(new URL(url), { headers, body: "{}" });

describe("http", () => {
  test("is asked of the proxy whole, with the credentials of each for each", async () => {
    let key: string | undefined;
    const { address, asked } = await playProxy({
      answer: (request, response) => {
        key = request.headers.authorization;
        response.end("from afar");
      },
    });
    const withWord = address.replace("//", "//me:p%40ss@");
    const reply = await ask("http://far.example:8000/v1/chat?x=1", { HTTP_PROXY: withWord }, { authorization: "Bearer key" });
    expect(reply).toMatchObject({ status: 200, body: "from afar" });
    const basic = `Basic ${Buffer.from("me:p@ss").toString("base64")}`;
    expect(asked).toEqual([`POST http://far.example:8000/v1/chat?x=1 far.example:8000 ${basic}`]);
    expect(key).toBe("Bearer key");
  });

  test("a kept connection that the proxy drops is asked again, through the proxy", async () => {
    const { address, asked } = await playProxy({
      answer: (request, response) => {
        response.end("here");
        // Closes when the next request comes, as a proxy that has just given an idle connection up.
        request.socket.once("data", () => request.socket.resetAndDestroy());
      },
    });
    const own = through({ http_proxy: address });
    for (let index = 0; index < 3; index++) {
      const reply = await own.request(new URL("http://far.example/v1"), { headers: {} });
      expect(reply.body).toBe("here");
    }
    expect(asked.length).toBeGreaterThanOrEqual(3);
  });
});

describe("https", () => {
  const secure = async (answer: RequestListener) => await listen(https.createServer({ cert, key }, answer));

  test("goes through one tunnel for as long as it is open", async () => {
    const port = await secure((request, response) => response.end(`${request.method} ${request.url} of ${request.headers.host}`));
    const { address, asked } = await playProxy({ port });
    const own = through({ HTTPS_PROXY: address.replace("//", "//me:word@") });
    for (let index = 0; index < 3; index++) {
      const reply = await own.request(new URL("https://far.example/v1?x"), { headers: {}, body: "{}" });
      expect(reply).toMatchObject({ status: 200, body: "POST /v1?x of far.example" });
    }
    expect(asked).toEqual([`CONNECT far.example:443 far.example:443 Basic ${Buffer.from("me:word").toString("base64")}`]);
  });

  test("a tunnel that broke is opened again, through the proxy", async () => {
    const port = await secure((request, response) => {
      response.end("here");
      request.socket.once("data", () => {
        for (const socket of sockets) socket.resetAndDestroy();
      });
    });
    const { address, asked } = await playProxy({ port });
    const own = through({ HTTPS_PROXY: address });
    for (let index = 0; index < 2; index++) {
      expect((await own.request(new URL("https://far.example/"), { headers: {} })).body).toBe("here");
    }
    expect(asked).toEqual(Array(2).fill("CONNECT far.example:443 far.example:443"));
  });

  test("a certificate that is not trusted is told with the way it came", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "1");
    const { address } = await playProxy({ port: await secure((_, response) => response.end()) });
    await expect(ask("https://far.example/", { HTTPS_PROXY: address })).rejects.toMatchObject({
      code: "server-certificate",
      message: expect.stringContaining(`https://far.example through the proxy ${address} (from HTTPS_PROXY)`),
    });
  });

  test("a request that is given up while the proxy is silent leaves nothing open", async () => {
    const port = await listen(net.createServer((socket) => socket.resume()));
    const own = through({ HTTPS_PROXY: `127.0.0.1:${port}` });
    const waiting = own.request(new URL("https://far.example/"), { headers: {}, idleSeconds: 0.1 });
    await expect(waiting).rejects.toMatchObject({ message: expect.stringContaining(`127.0.0.1:${port} (from HTTPS_PROXY)`) });
    const aborted = own.request(new URL("https://far.example/"), { headers: {}, signal: AbortSignal.timeout(50) });
    await expect(aborted).rejects.toMatchObject({ name: "TimeoutError" });
    await vi.waitFor(() => expect(sockets.size).toBe(0));
  });
});

describe("failures name the proxy and never its password", () => {
  test.each(["http", "https"])("%s: nothing there", async (scheme) => {
    const variable = `${scheme.toUpperCase()}_PROXY`;
    const port = await listen(net.createServer());
    servers.pop()?.close();
    const failure = ask(`${scheme}://far.example/`, { [variable]: `http://me:secret@127.0.0.1:${port}` });
    const error = await failure.catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      code: "server-unreachable",
      what: `the proxy http://127.0.0.1:${port} (from ${variable}) does not answer (ECONNREFUSED)`,
    });
    expect(JSON.stringify(error)).not.toContain("secret");
  });

  test.each(["http", "https"])("%s: 407", async (scheme) => {
    const { address } = await playProxy({ answer: (_, response) => response.writeHead(407).end("who?"), refuse: 407 });
    const failure = ask(`${scheme}://far.example/`, { ALL_PROXY: address.replace("//", "//me:secret@") });
    await expect(failure).rejects.toMatchObject({
      family: "user",
      code: "proxy-refused",
      what: `the proxy ${address} (from ALL_PROXY) asks for a name and a password, or for others (407)`,
    });
  });

  test.each([
    [403, "proxy-refused"],
    [503, "server-unreachable"],
  ])("no tunnel: %d", async (status, code) => {
    const { address } = await playProxy({ refuse: status });
    await expect(ask("https://far.example/", { HTTPS_PROXY: address })).rejects.toMatchObject({
      code,
      what: `the proxy ${address} (from HTTPS_PROXY) opens no connection to far.example:443: ${status} No`,
    });
  });

  test.each(["socks5://me:secret@127.0.0.1:1080", "http://", "http://[::1"])("%s cannot be used", async (text) => {
    const error = await ask("https://far.example/", { HTTPS_PROXY: text }).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: "bad-proxy", message: expect.stringMatching(/^HTTPS_PROXY names /) });
    expect(JSON.stringify([(error as Error).message, error])).not.toContain("secret");
  });
});

test.each<[string, string, boolean]>([
  ["https://far.example/", "", true],
  ["https://far.example/", "*", false],
  ["https://far.example/", "other.example, far.example", false],
  ["https://a.far.example/", "far.example", false],
  ["https://a.far.example/", ".far.example", false],
  ["https://a.far.example/", "*.far.example", false],
  ["https://nofar.example/", "far.example", true],
  ["https://FAR.example/", "Far.Example", false],
  ["https://far.example/", "far.example:443", false],
  ["https://far.example/", "far.example:8443", true],
  ["https://far.example:8443/", "far.example:8443", false],
  ["http://10.1.2.3/", "10.0.0.0/8", false],
  ["http://11.1.2.3/", "10.0.0.0/8", true],
  ["http://10.1.2.3/", "10.1.2.1-10.1.2.9", false],
  ["http://10.1.2.10/", "10.1.2.1-10.1.2.9", true],
  ["http://far.example/", "10.0.0.0/8,10.1.2.1-10.1.2.9,10.0.0.0/33,10.9.9.9-10.1.1.1", true],
  ["http://10.1.2.3/", "10.0.0.0/33,fd00::/8", true],
  ["http://10.1.2.3/", "10.9.9.9-10.1.1.1", true],
  ["http://10.1.2.3/", "10.1.2.3", false],
  ["http://10.1.2.3/", "2.3", true],
  ["http://[fd00::1]/", "fd00::/8", false],
  ["http://[fd00::1]/", "[fd00::1]", false],
  ["http://[fd00::1]/", "fd00::1", false],
  ["http://[fd00::1]:81/", "[fd00::1]:80", true],
  ["http://localhost:8000/", "", false],
  ["http://127.0.0.1:8000/", "", false],
  ["https://[::1]/", "", false],
  ["https://127.9.9.9/", "", false],
  ["https://LOCALHOST./", "", false],
  ["https://models.localhost/", "", false],
  ["http://[::ffff:127.0.0.1]/", "", false],
  ["http://0.0.0.0:8000/", "", false],
  ["http://[::]:8000/", "", false],
  ["http://127.example/", "", true],
  ["http://mylocalhost/", "", true],
  ["http://[::ffff:10.1.2.3]/", "", true],
])("%s with NO_PROXY=%s goes through the proxy: %s", (url, exceptions, expected) => {
  const environment = { HTTP_PROXY: "proxy:3128", HTTPS_PROXY: "proxy:3128", NO_PROXY: exceptions };
  expect(proxyFor(new URL(url), environment) !== undefined).toBe(expected);
});

test("small letters go before capital ones, the scheme's own before the one for all, and what is empty names nothing", () => {
  const named = (environment: Environment) => proxyFor(new URL("https://far.example/"), environment)?.name;
  expect(named({ HTTPS_PROXY: "a:1", https_proxy: "b:2", ALL_PROXY: "c:3" })).toBe("the proxy http://b:2 (from https_proxy)");
  expect(named({ HTTPS_PROXY: "https://me:word@a:1", all_proxy: "c:3" })).toBe("the proxy https://a:1 (from HTTPS_PROXY)");
  expect(named({ https_proxy: "", HTTP_PROXY: "d:4" })).toBeUndefined();
});

// Agents of Node that know proxies exist from 24.5 on; the lowest promised one has none.
const lowest = process.env.MIDCOURSE_LOWEST_NODE;
test.skipIf(lowest === undefined)("on the lowest Node the same (skipped without MIDCOURSE_LOWEST_NODE)", async () => {
  const port = await listen(https.createServer({ cert, key }, (_, response) => response.end("through the tunnel")));
  const { address, asked } = await playProxy({ port, answer: (_, response) => response.end("from the proxy") });
  const script = `import { HttpConnections } from ${JSON.stringify(new URL("./connections.ts", import.meta.url))};
const connections = new HttpConnections();
for (const url of ["http://far.example/", "https://far.example/"]) console.log((await connections.request(new URL(url), { headers: {} })).body);`;
  const env = { ...process.env, HTTP_PROXY: address, HTTPS_PROXY: address, NODE_NO_WARNINGS: "1" };
  const { stdout } = await promisify(execFile)(lowest!, ["--input-type=module", "--eval", script], { env });
  expect(stdout).toBe("from the proxy\nthrough the tunnel\n");
  expect(asked).toEqual(["GET http://far.example/ far.example", "CONNECT far.example:443 far.example:443"]);
});
