/** A real HTTP server on loopback that plays a model server: what it answers is given as a function, and every request is kept. */
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface PlayedRequest {
  method: string;
  path: string;
  headers: http.IncomingHttpHeaders;
  /** Parsed; undefined where there was none. */
  body: Record<string, unknown> | undefined;
}

export interface PlayedReply {
  status?: number;
  headers?: Record<string, string> | undefined;
  /** Sent as JSON; a string or bytes are sent as they are. */
  body?: unknown;
  /** Sent one after another, as a stream of events. */
  events?: readonly string[];
  /** The connection breaks after what was given. */
  breaks?: boolean;
  /** The connection ends without an answer. */
  drops?: boolean;
  /** Nothing more is sent and the connection stays open. */
  hangs?: boolean;
}

export type Play = (request: PlayedRequest, number: number) => PlayedReply | Promise<PlayedReply>;

export interface ModelServer {
  /** Ends in /v1. */
  baseUrl: string;
  requests: PlayedRequest[];
  /** Requests to chat/completions alone. */
  chats: () => PlayedRequest[];
  close(): Promise<void>;
}

export async function playServer(play: Play): Promise<ModelServer> {
  const requests: PlayedRequest[] = [];
  const server = http.createServer((request, response) => {
    void read(request).then(async (body) => {
      const played = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body };
      requests.push(played);
      await answer(response, await play(played, requests.length - 1));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    chats: () => requests.filter(({ path }) => path === "/v1/chat/completions"),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(request: IncomingMessage): Promise<Record<string, unknown> | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? undefined : (JSON.parse(text) as Record<string, unknown>);
}

async function answer(response: ServerResponse, reply: PlayedReply): Promise<void> {
  const { status = 200, headers = {}, body, events, breaks, drops, hangs } = reply;
  if (drops) {
    response.destroy();
    return;
  }
  const raw = typeof body === "string" || body instanceof Uint8Array;
  const type = events ? "text/event-stream" : raw ? "text/plain" : "application/json";
  response.writeHead(status, { "content-type": type, ...headers });
  for (const event of events ?? []) await new Promise<void>((resolve) => response.write(event, () => resolve()));
  if (body !== undefined) {
    const bytes = raw ? body : JSON.stringify(body);
    await new Promise<void>((resolve) => response.write(bytes, () => resolve()));
  }
  if (hangs) {
    response.flushHeaders();
    return;
  }
  if (breaks) {
    response.flushHeaders();
    setImmediate(() => response.destroy());
  } else response.end();
}

/** A whole reply as OpenAI sends it. */
export function chatReply(texts: readonly string[], more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: texts.map((content, index) => ({
      index,
      message: { role: "assistant", content, refusal: null },
      logprobs: null,
      finish_reason: "stop",
    })),
    usage: { prompt_tokens: 10, completion_tokens: 3 * texts.length, total_tokens: 10 + 3 * texts.length },
    ...more,
  };
}

/** One event of a stream. */
export function chunk(value: unknown): string {
  return `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;
}

/** A stream of one sample as OpenAI sends it with `include_usage`. */
export function chatEvents(pieces: readonly string[], field = "content"): string[] {
  const base = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m" };
  return [
    chunk({ ...base, choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }], usage: null }),
    ...pieces.map((piece) =>
      chunk({ ...base, choices: [{ index: 0, delta: { [field]: piece }, logprobs: null, finish_reason: null }], usage: null }),
    ),
    chunk({ ...base, choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: null }),
    chunk({
      ...base,
      choices: [],
      usage: { prompt_tokens: 10, completion_tokens: pieces.length, total_tokens: 10 + pieces.length },
    }),
    chunk("[DONE]"),
  ];
}
