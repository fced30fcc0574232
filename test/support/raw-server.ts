/**
 * A real HTTP server on loopback whose replies are written byte by byte as a test says, with a client for it: for bodies under any content
 * type, connections that stay open, and pieces that come late.
 */
import http, { type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import { HttpConnections } from "#http/connections.ts";
import type { GenerateOptions, Message } from "#kernel/model.ts";
import { OpenAiModel, type OpenAiModelOptions } from "#models/openai/openai.ts";
import { carefulQuirks, serverQuirks } from "#models/openai/server-quirks.ts";

export const options: GenerateOptions = { n: 1, temperature: 0.7, maxTokens: 20, seed: 7 };
export const ask: Message[] = [{ role: "user", content: "How much is 2 + 2?" }];

const toClose: (() => Promise<void> | void)[] = [];

/** For `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const close of toClose.splice(0).reverse()) await close();
}

export type Answer = (response: ServerResponse, number: number) => void | Promise<void>;

export interface Served {
  model: OpenAiModel;
  /** Requests so far. */
  count: () => number;
  /** Connections that are open now. */
  openSockets: () => Promise<number>;
}

export async function serve(answer: Answer, more: Partial<OpenAiModelOptions> = {}): Promise<Served> {
  let count = 0;
  const server = http.createServer((request, response) => {
    request.resume().on("end", () => void answer(response, count++));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const connections = new HttpConnections();
  toClose.push(async () => {
    connections.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
  const quirks = carefulQuirks(serverQuirks.vllm);
  const openSockets = () => new Promise<number>((resolve) => server.getConnections((_, open) => resolve(open)));
  return { model: new OpenAiModel({ model: "m", address, connections, quirks, ...more }), count: () => count, openSockets };
}

/** A body under a content type, closed at its end. */
export function body(text: string | readonly string[], type: string | undefined = "text/event-stream"): Answer {
  return (response) => {
    response.writeHead(200, type === undefined || type === "" ? {} : { "content-type": type });
    response.end(typeof text === "string" ? text : text.join(""));
  };
}

/** The same, and the connection stays open. */
export function held(text: string | readonly string[], type = "text/event-stream"): Answer {
  return (response) => {
    response.writeHead(200, { "content-type": type });
    response.write(typeof text === "string" ? text : text.join(""));
  };
}

export const usage = { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 };
export const piece = (delta: object, more: object = {}) => ({ choices: [{ index: 0, delta, finish_reason: null, ...more }] });
export const closing = { choices: [], usage };
export const finish = (reason: unknown) => piece({}, { finish_reason: reason });

export async function answer(served: Served, more: Partial<GenerateOptions> = {}) {
  const [completion] = await served.model.generate(ask, { ...options, ...more });
  return completion;
}

export async function failure(served: Served, more: Partial<GenerateOptions> = {}) {
  return served.model.generate(ask, { ...options, ...more }).then(
    () => expect.fail("it answered"),
    (error) => error,
  );
}
