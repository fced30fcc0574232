import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { Item } from "#kernel/item.ts";
import type { Model } from "#kernel/model.ts";
import { cosine, embeddingClient } from "./similarity.ts";
import { summaryGrader } from "./summary.ts";

interface Request {
  path: string;
  key: string | undefined;
  body: { model: string; input: string[] };
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server on the loopback interface; `answer` gets the number of the request, from 0. */
async function serve(
  answer: (request: Request, response: ServerResponse, index: number) => void,
): Promise<{ baseUrl: string; requests: Request[] }> {
  const requests: Request[] = [];
  const server = createServer(async (incoming: IncomingMessage, response) => {
    let text = "";
    for await (const chunk of incoming) text += chunk;
    const request = { path: incoming.url ?? "", key: incoming.headers.authorization, body: JSON.parse(text) };
    answer(request, response, requests.push(request) - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`, requests };
}

/** Letters counted: alike texts have alike vectors. */
const letters = (text: string) => [..."abcdefghijklmnopqrstuvwxyz "].map((letter) => text.split(letter).length - 1);

function embedAll({ body }: Request, response: ServerResponse): void {
  // In the wrong order, as servers may.
  const data = body.input.map((text, index) => ({ index, embedding: letters(text) })).reverse();
  response.end(JSON.stringify({ data, usage: { prompt_tokens: body.input.length, total_tokens: body.input.length } }));
}

test("batches, order, model, key and usage", async () => {
  const { baseUrl, requests } = await serve(embedAll);
  const client = embeddingClient({ baseUrl, apiKey: "secret", batchSize: 2 });
  const { vectors, usage } = await client.embed(["a", "bb", "ccc", "", "e"]);
  expect(vectors).toEqual(["a", "bb", "ccc", " ", "e"].map(letters));
  expect(requests.map((request) => request.body.input.length)).toEqual([2, 2, 1]);
  expect(requests[0]).toMatchObject({ path: "/v1/embeddings", key: "Bearer secret", body: { model: "BAAI/bge-m3" } });
  expect(usage).toMatchObject({ calls: 3, inputTokens: 5 });
  expect((await client.embed([])).vectors).toEqual([]);
});

test("huge texts are cut and broken ones mended", async () => {
  const { baseUrl, requests } = await serve(embedAll);
  await embeddingClient({ baseUrl }).embed(["x".repeat(1_000_000), "\ud800"]);
  expect(requests[0].body.input[0].length).toBe(30_000);
  expect(requests[0].body.input[1]).toBe("\ufffd");
});

test("429, 5xx and broken connections are tried again, as long as the server asks for", async () => {
  const { baseUrl, requests } = await serve((request, response, index) => {
    if (index === 0) response.writeHead(429, { "retry-after": "0.001" }).end("slow down");
    // Closed, so that the next request has a connection of its own: one that was idle and broke would be no try.
    else if (index === 1) response.writeHead(503, { connection: "close" }).end();
    else if (index === 2) response.destroy();
    else embedAll(request, response);
  });
  const { usage } = await embeddingClient({ baseUrl, backoffMilliseconds: 1 }).embed(["a"]);
  expect(requests).toHaveLength(4);
  expect(usage.calls).toBe(4);
});

test("what cannot be mended is a remote error that says what the server said", async () => {
  const failing = await serve((_, response) => response.writeHead(500).end("out of memory"));
  const wanting = embeddingClient({ baseUrl: failing.baseUrl, retries: 1, backoffMilliseconds: 1 });
  await expect(wanting.embed(["a"])).rejects.toMatchObject({ family: "remote", remote: { status: 500, body: "out of memory" } });
  expect(failing.requests).toHaveLength(2);
  const refusing = await serve((_, response) => response.writeHead(401).end("no"));
  await expect(embeddingClient({ baseUrl: refusing.baseUrl }).embed(["a"])).rejects.toMatchObject({ remote: { status: 401 } });
  expect(refusing.requests).toHaveLength(1);
  for (const body of [
    "",
    "<html>",
    "null",
    "[]",
    "{}",
    '{"data":[]}',
    '{"data":[{"embedding":"x"}]}',
    '{"data":[{"embedding":[null]}]}',
    '{"data":[{"embedding":[]}]}',
    '{"data":[null]}',
  ]) {
    const odd = await serve((_, response) => response.end(body));
    await expect(embeddingClient({ baseUrl: odd.baseUrl }).embed(["a"]), body).rejects.toMatchObject({
      code: "embeddings-unreadable",
    });
  }
  const silent = await serve(() => {});
  const impatient = embeddingClient({ baseUrl: silent.baseUrl, timeoutSeconds: 0.05, retries: 0 });
  await expect(impatient.embed(["a"])).rejects.toMatchObject({ code: "embeddings-failed" });
  await expect(embeddingClient({ baseUrl: "http://127.0.0.1:1/v1", retries: 0 }).embed(["a"])).rejects.toMatchObject({
    family: "remote",
  });
  expect(() => embeddingClient({ baseUrl: "no address" })).toThrowError(/no address/);
});

test("aborting ends a request and a wait", async () => {
  const silent = await serve(() => {});
  const controller = new AbortController();
  const waiting = embeddingClient({ baseUrl: silent.baseUrl }).embed(["a"], controller.signal);
  setTimeout(() => controller.abort(new Error("off")), 20);
  await expect(waiting).rejects.toThrow("off");
  const busy = await serve((_, response) => response.writeHead(429, { "retry-after": "60" }).end());
  const second = new AbortController();
  const pausing = embeddingClient({ baseUrl: busy.baseUrl }).embed(["a"], second.signal);
  setTimeout(() => second.abort(new Error("off again")), 50);
  await expect(pausing).rejects.toThrow("off again");
});

test("cosine", () => {
  expect(cosine([1, 0], [1, 0])).toBe(1);
  expect(cosine([1, 0], [0, 1])).toBe(0);
  expect(cosine([1, 2], [-1, -2])).toBeCloseTo(-1, 12);
  expect(cosine([3, 4], [4, 3])).toBeCloseTo(0.96, 12);
  expect(cosine([0, 0], [1, 1])).toBe(0);
  expect(cosine([], [])).toBe(0);
});

const item: Item = { id: "x", question: "A long text.", answer: "The cat sat on the mat.", alternatives: ["A cat was sitting."] };
const summary = "The cat sat on a mat.";

test("summaries: ROUGE alone, then the cosine, then the judge decides", async () => {
  const alone = await summaryGrader()(item, summary, summary);
  expect(alone).toMatchObject({ status: "rouge", measures: { rougeL: expect.closeTo(10 / 12, 12) } });
  expect(alone.accuracy).toBe(alone.measures!.rougeL);
  expect(alone).not.toHaveProperty("usage");

  const { baseUrl } = await serve(embedAll);
  const embed = embeddingClient({ baseUrl });
  const near = await summaryGrader({ embed })(item, summary, summary);
  expect(near).toMatchObject({ status: "cosine", usage: { calls: 1, inputTokens: 3 } });
  expect(near.accuracy).toBeCloseTo(cosine(letters(summary), letters(item.answer)), 12);

  const model: Model = {
    id: "judge",
    generate: async () => [
      { text: "SCORE: 0.25", finishReason: "stop", usage: { calls: 1, inputTokens: 7, outputTokens: 1, milliseconds: 0 } },
    ],
  };
  const judged = await summaryGrader({ embed, judge: { model } })(item, summary, summary);
  expect(judged).toMatchObject({ accuracy: 0.25, status: "judged", usage: { calls: 2, inputTokens: 10 } });
  expect(judged.measures).toMatchObject({ cosine: near.measures!.cosine, rougeL: alone.measures!.rougeL, judge1: 0.25 });
});

test("a summary that cannot be measured is not a bad summary silently", async () => {
  const { baseUrl } = await serve((_, response) => response.writeHead(500).end());
  const embed = embeddingClient({ baseUrl, retries: 0 });
  const score = await summaryGrader({ embed })(item, summary, summary);
  expect(score).toMatchObject({ accuracy: 0, status: "embedding-failed", usage: { inputTokens: undefined } });
  expect(score.measures!.rougeL).toBeGreaterThan(0.5);
  expect(await summaryGrader({ embed })(item, "", " ")).toMatchObject({ accuracy: 0, status: "no-answer" });
});
