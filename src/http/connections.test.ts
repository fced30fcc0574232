import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTlsLikeServer } from "node:net";
import zlib from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HttpConnections } from "./connections.ts";

let connections: HttpConnections;
const servers: Server[] = [];

beforeEach(() => {
  connections = new HttpConnections();
});
afterEach(() => {
  connections.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse, body: string) => void): Promise<string> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    answer(request, response, body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("redirections", () => {
  const told: { method: string | undefined; key: string | undefined; body: string }[] = [];
  beforeEach(() => void told.splice(0));
  const tell = (request: IncomingMessage, response: ServerResponse, body: string) => {
    told.push({ method: request.method, key: request.headers.authorization, body });
    response.end("here");
  };
  const headers = { authorization: "Bearer secret" };

  test("are replies where none is to be followed", async () => {
    const url = await serve((_, response) => response.writeHead(302, { location: "/there" }).end("moved"));
    expect(await connections.request(new URL(url), { headers })).toMatchObject({ status: 302, body: "moved" });
  });

  test("keep the key on the same server and drop it on another", async () => {
    const far = await serve(tell);
    const near = await serve((request, response, body) => {
      if (request.url === "/near") response.writeHead(307, { location: "/there" }).end();
      else if (request.url === "/far") response.writeHead(302, { location: `${far}/there` }).end();
      else tell(request, response, body);
    });
    expect((await connections.request(new URL(`${near}/near`), { headers, redirects: 2 })).body).toBe("here");
    expect((await connections.request(new URL(`${near}/far`), { headers, redirects: 2 })).body).toBe("here");
    expect(told.map(({ key }) => key)).toEqual(["Bearer secret", undefined]);
  });

  test("307 and 308 send the body again, others ask for what is there", async () => {
    const url = await serve((request, response, body) => {
      const status = Number(request.url?.slice(1));
      if (status > 0) response.writeHead(status, { location: "/" }).end();
      else tell(request, response, body);
    });
    for (const status of [301, 302, 303, 307, 308]) {
      await connections.request(new URL(`${url}/${status}`), { headers, body: "sent", redirects: 1 });
    }
    expect(told.map(({ method, body }) => `${method} ${body}`)).toEqual(["GET ", "GET ", "GET ", "POST sent", "POST sent"]);
  });

  test("end after as many as are allowed", async () => {
    const url = await serve((_, response) => response.writeHead(302, { location: "/" }).end());
    expect(await connections.request(new URL(url), { headers, redirects: 3 })).toMatchObject({ status: 302 });
  });
});

test("a redirection that leads to no web server is a failure of that server's", async () => {
  for (const location of ["ftp://127.0.0.1/x", "file:///etc/passwd", "http://"]) {
    const url = await serve((_, response) => response.writeHead(302, { location }).end());
    await expect(connections.request(new URL(url), { headers: {}, redirects: 3 })).rejects.toMatchObject({
      family: "remote",
      code: "server-misleads",
    });
  }
});

test("a compressed body is read in every way that servers write it, an empty one as empty, a cut one as broken off", async () => {
  const bodies: Record<string, [encoding: string, body: Buffer]> = {
    gzip: ["GZIP", zlib.gzipSync("hi")],
    twice: ["gzip, gzip", zlib.gzipSync(zlib.gzipSync("hi"))],
    mixed: ["br, identity, gzip", zlib.gzipSync(zlib.brotliCompressSync("hi"))],
    deflate: ["deflate", zlib.deflateSync("hi")],
    raw: ["deflate", zlib.deflateRawSync("hi")],
    empty: ["gzip", Buffer.alloc(0)],
    cut: ["gzip", zlib.gzipSync("hi".repeat(1000)).subarray(0, 20)],
    none: ["gzip", Buffer.from("plain")],
  };
  const url = await serve((request, response) => {
    const [encoding, body] = bodies[request.url?.slice(1) ?? ""];
    response.writeHead(200, { "content-encoding": encoding }).end(body);
  });
  const read = async (name: string) => (await connections.request(new URL(`${url}/${name}`), { headers: {} })).body;
  for (const name of ["gzip", "twice", "mixed", "deflate", "raw"]) expect(await read(name), name).toBe("hi");
  expect(await read("empty")).toBe("");
  for (const name of ["cut", "none"]) await expect(read(name), name).rejects.toMatchObject({ code: "reply-broken" });
});

test("an address that is not of the web is not asked", async () => {
  const asking = connections.request(new URL("ftp://127.0.0.1/"), { headers: {} });
  await expect(asking).rejects.toMatchObject({ family: "user", code: "server-address" });
});

test("a server that speaks the other of http and https is told with the scheme to write", async () => {
  const plain = await serve((_, response) => response.end("here"));
  const secure = connections.request(new URL(plain.replace("http:", "https:")), { headers: {} });
  await expect(secure).rejects.toMatchObject({
    family: "user",
    code: "server-scheme",
    what: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+ does not speak https but http$/),
    advice: expect.stringContaining("http://"),
  });
  // What a server of TLS answers to a request in plain text: an alert, or a hello of its own.
  for (const kind of [0x15, 0x16]) {
    const alert = Buffer.from([kind, 3, 1, 0, 2, 2, 70]);
    const server = createTlsLikeServer((socket) => socket.on("error", () => {}).once("data", () => socket.end(alert)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await expect(connections.request(new URL(`http://127.0.0.1:${port}/v1`), { headers: {} })).rejects.toMatchObject({
      code: "server-scheme",
      advice: expect.stringContaining("https://"),
    });
    server.close();
  }
});

test("a server that hangs up on plain http may speak https, and is told so", async () => {
  const server = createTlsLikeServer((socket) => socket.on("error", () => {}).once("data", () => socket.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await expect(connections.request(new URL(`http://127.0.0.1:${port}/v1`), { headers: {} })).rejects.toMatchObject({
    code: "connection-lost",
    advice: expect.stringContaining("https"),
  });
  server.close();
});

test("a wait longer than any timer is not a wait of nothing", async () => {
  const url = await serve((_, response) => void setTimeout(() => response.end("here"), 30));
  const reply = await connections.request(new URL(url), { headers: {}, withinSeconds: 3_000_000, idleSeconds: 3_000_000 });
  expect(reply.body).toBe("here");
});

test("an answer without a body is empty, whatever coding its header names", async () => {
  const url = await serve((_, response) => response.writeHead(204, { "content-encoding": "gzip" }).end());
  expect(await connections.request(new URL(url), { headers: {} })).toMatchObject({ status: 204, body: "" });
});

describe("a body that is taken", () => {
  const size = 4 << 20;

  test("waits for whoever takes it, piece by piece, to the last", async () => {
    const url = await serve((_, response) => response.end(Buffer.alloc(size, 7)));
    let taken = 0;
    let under = 0;
    const reply = await connections.request(new URL(url), {
      headers: {},
      onHeader: () => async (bytes) => {
        expect(++under).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        taken += bytes.length;
        under--;
      },
    });
    expect(reply).toMatchObject({ status: 200, body: "" });
    expect(taken).toBe(size);
  });

  test("fails the request where taking it fails, at once or later", async () => {
    const url = await serve((_, response) => response.end(Buffer.alloc(size)));
    const failing = (take: () => Promise<void> | void) =>
      connections.request(new URL(url), { headers: {}, onHeader: () => take });
    await expect(failing(() => Promise.reject(new Error("no room")))).rejects.toThrow("no room");
    await expect(
      failing(() => {
        throw new Error("no room here");
      }),
    ).rejects.toThrow("no room here");
  });

  test("is not taken from a redirection", async () => {
    const url = await serve((request, response) =>
      request.url === "/" ? response.writeHead(302, { location: "/there" }).end("moved") : response.end("here"),
    );
    let text = "";
    await connections.request(new URL(url), {
      headers: {},
      redirects: 1,
      onHeader: () => (bytes) => {
        text += Buffer.from(bytes).toString();
      },
    });
    expect(text).toBe("here");
  });
});

test("an answer that takes too long as a whole ends, though pieces of it keep coming", async () => {
  const url = await serve((_, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write("x"), 5);
    response.on("close", () => clearInterval(timer));
  });
  const waiting = connections.request(new URL(url), { headers: {}, withinSeconds: 0.05, idleSeconds: 10 });
  await expect(waiting).rejects.toMatchObject({ family: "remote", code: "server-slow" });
});

test("the advice is the caller's", async () => {
  const closed = await serve(() => {});
  await new Promise((resolve) => servers.pop()?.close(resolve));
  const advice = { unreachable: "Start it.", silent: "Wait longer." };
  await expect(connections.request(new URL(closed), { headers: {}, advice })).rejects.toMatchObject({
    code: "server-unreachable",
    advice: "Start it.",
  });
  const silent = await serve(() => {});
  await expect(connections.request(new URL(silent), { headers: {}, idleSeconds: 0.02, advice })).rejects.toMatchObject({
    code: "server-silent",
    advice: "Wait longer.",
  });
});
