/** Embeddings from any endpoint that speaks OpenAI's `/v1/embeddings`, and the cosine of two texts, as PTR measures summaries (bge-m3). */
import { remoteError, userError } from "#kernel/errors.ts";
import type { Usage } from "#kernel/model.ts";
import { noUsage } from "#kernel/model.ts";

export interface EmbeddingOptions {
  /** Such as `http://127.0.0.1:8000/v1`; EMBEDDINGS_BASE_URL, else OPENAI_BASE_URL, when left out. */
  baseUrl?: string;
  /** EMBEDDINGS_API_KEY, else OPENAI_API_KEY, when left out; none is sent when there is none. */
  apiKey?: string;
  /** `BAAI/bge-m3` when left out. */
  model?: string;
  /** Texts in one request; 32 when left out. */
  batchSize?: number;
  /** Further tries after 429, 5xx and broken connections; 4 when left out. */
  retries?: number;
  /** Longest wait for one reply; 60 when left out. */
  timeoutSeconds?: number;
  /** First wait between tries, doubled each time; 500 when left out. What the server asks for comes first, up to a minute. */
  backoffMilliseconds?: number;
}

export interface Embedded {
  /** One vector a text, in order. */
  vectors: readonly (readonly number[])[];
  /** Tokens as the server counts them, unknown where it does not. */
  usage: Usage;
}

export interface EmbeddingClient {
  readonly model: string;
  /** Rejects with a remote error that names status and body, or when aborted. An empty text is sent as a space: servers refuse empty ones. */
  embed(texts: readonly string[], signal?: AbortSignal): Promise<Embedded>;
}

/** Characters; servers cut at their own limit in tokens, and this keeps requests to a size that every server takes. */
const longestText = 30_000;
const longestWait = 60_000;

export function embeddingClient(options: EmbeddingOptions = {}): EmbeddingClient {
  const { model = "BAAI/bge-m3", batchSize = 32 } = options;
  const baseUrl = options.baseUrl ?? (process.env.EMBEDDINGS_BASE_URL || process.env.OPENAI_BASE_URL);
  const apiKey = options.apiKey ?? (process.env.EMBEDDINGS_API_KEY || process.env.OPENAI_API_KEY);
  if (!baseUrl || !URL.canParse(baseUrl) || !/^https?:/.test(baseUrl)) {
    const what = baseUrl ? `"${baseUrl}" is no address of an embeddings server.` : "No embeddings server is named.";
    throw userError("no-embeddings-server", what, "Set EMBEDDINGS_BASE_URL to one such as http://127.0.0.1:8000/v1.");
  }
  const url = `${baseUrl.replace(/\/+$/, "")}/embeddings`;
  return {
    model,
    async embed(texts, signal) {
      const vectors: (readonly number[])[] = [];
      let tokens: number | undefined = 0;
      let milliseconds = 0;
      let calls = 0;
      for (let start = 0; start < texts.length; start += Math.max(1, batchSize)) {
        const input = texts
          .slice(start, start + Math.max(1, batchSize))
          .map((text) => text.slice(0, longestText).toWellFormed() || " ");
        const startedAt = performance.now();
        const reply = await post(url, apiKey, { model, input, encoding_format: "float" }, options, signal);
        milliseconds += performance.now() - startedAt;
        calls += reply.tries;
        vectors.push(...readVectors(reply.body, input.length, url));
        const counted = (reply.body as { usage?: { prompt_tokens?: unknown } }).usage?.prompt_tokens;
        tokens = tokens === undefined || typeof counted !== "number" ? undefined : tokens + counted;
      }
      return { vectors, usage: { ...noUsage, calls, inputTokens: tokens, dollars: calls === 0 ? 0 : undefined, milliseconds } };
    },
  };
}

async function post(
  url: string,
  apiKey: string | undefined,
  body: unknown,
  options: EmbeddingOptions,
  signal: AbortSignal | undefined,
): Promise<{ body: unknown; tries: number }> {
  const { retries = 4, timeoutSeconds = 60, backoffMilliseconds = 500 } = options;
  for (let tries = 1; ; tries++) {
    signal?.throwIfAborted();
    const limit = AbortSignal.timeout(timeoutSeconds * 1000);
    let failure: { message: string; status?: number; body?: string; wait?: number; cause?: unknown };
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
        body: JSON.stringify(body),
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
      const text = await response.text();
      if (response.ok) return { body: parse(text, url), tries };
      const { status } = response;
      failure = { message: `${url} answered ${status}.`, status, body: text.slice(0, 500) };
      const asked = Number(response.headers.get("retry-after"));
      if (asked > 0) failure.wait = asked * 1000;
      if (status !== 429 && status !== 408 && status < 500) throw toError(failure);
    } catch (cause) {
      signal?.throwIfAborted();
      // Ours already: a status that no further try can change, or a reply that is no JSON.
      if ((cause as { family?: string }).family === "remote") throw cause;
      failure = { message: `${url} cannot be reached: ${reasonOf(cause)}.`, cause };
    }
    if (tries > retries) throw toError(failure);
    await pause(Math.min(failure.wait ?? backoffMilliseconds * 2 ** (tries - 1), longestWait), signal);
  }
}

function toError({
  message,
  status,
  body,
  wait,
  cause,
}: {
  message: string;
  status?: number;
  body?: string;
  wait?: number;
  cause?: unknown;
}) {
  const details = {
    ...(status === undefined ? {} : { status }),
    ...(body === undefined ? {} : { body }),
    ...(wait === undefined ? {} : { retryAfterSeconds: wait / 1000 }),
  };
  const advice = "Check that the embeddings server runs, knows the model and accepts the key.";
  return remoteError("embeddings-failed", message, details, { advice, cause });
}

function reasonOf(cause: unknown): string {
  const error = cause as { message?: string; cause?: { message?: string; code?: string } };
  return error.cause?.code ?? error.cause?.message ?? error.message ?? String(cause);
}

function parse(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw remoteError(
      "embeddings-unreadable",
      `${url} answered with something that is no JSON.`,
      { body: text.slice(0, 500) },
      { cause },
    );
  }
}

function readVectors(body: unknown, count: number, url: string): number[][] {
  const data = (body as { data?: unknown } | null)?.data;
  const rows = Array.isArray(data) ? (data as { index?: unknown; embedding?: unknown }[]) : [];
  const vectors: number[][] = [];
  rows.forEach((row, place) => {
    // Servers may answer out of order.
    const index = typeof row?.index === "number" ? row.index : place;
    const isVector = Array.isArray(row?.embedding) && row.embedding.every((value) => Number.isFinite(value));
    if (isVector && index >= 0 && index < count) vectors[index] = row.embedding as number[];
  });
  const size = vectors[0]?.length ?? 0;
  const isWhole = size > 0 && Array.from({ length: count }, (_, index) => vectors[index]?.length === size).every(Boolean);
  if (!isWhole) {
    const shown = JSON.stringify(body)?.slice(0, 300) ?? "";
    throw remoteError("embeddings-unreadable", `${url} did not answer with ${count} vectors of one size.`, { body: shown });
  }
  return vectors;
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** In [-1, 1]; 0 when either vector is zero. */
export function cosine(first: readonly number[], second: readonly number[]): number {
  let product = 0;
  let firstSquare = 0;
  let secondSquare = 0;
  for (let index = 0; index < Math.min(first.length, second.length); index++) {
    product += first[index] * second[index];
    firstSquare += first[index] ** 2;
    secondSquare += second[index] ** 2;
  }
  const size = Math.sqrt(firstSquare) * Math.sqrt(secondSquare);
  return size === 0 ? 0 : Math.max(-1, Math.min(1, product / size));
}
