/** Embeddings from any endpoint that speaks OpenAI's `/v1/embeddings`, and the cosine of two texts, as PTR measures summaries (bge-m3). */

import { HttpConnections } from "#http/connections.ts";
import { doubling, isPassingStatus, retryAfter, withTries } from "#http/tries.ts";
import { type CallSpecs, checkCall, figure, secret, text, whole } from "#kernel/call-options.ts";
import { MidcourseError, messageOf, remoteError, userError } from "#kernel/errors.ts";
import { noUsage, type Usage } from "#kernel/model.ts";
import { keepSecret, keepSecretsOfAddress, struck } from "#kernel/secrets.ts";
import { withoutEndingSlashes } from "#kernel/values.ts";

export interface EmbeddingOptions {
  /** Such as `http://127.0.0.1:8000/v1`; EMBEDDINGS_BASE_URL, else OPENAI_BASE_URL, when left out. */
  baseUrl?: string;
  /** EMBEDDINGS_API_KEY, else OPENAI_API_KEY, when left out; none is sent when there is none. */
  apiKey?: string;
  /** `BAAI/bge-m3` when left out. */
  model?: string | undefined;
  /** Texts in one request; 32 when left out. */
  batchSize?: number;
  /** Further tries after 429, 5xx and broken connections; 4 when left out. */
  retries?: number;
  /** Longest wait for one reply; 60 when left out. */
  timeoutSeconds?: number;
  /** First wait between tries, doubled each time; 500 when left out. What the server asks for comes first, up to a minute. */
  backoffMilliseconds?: number;
}

const specs: CallSpecs<EmbeddingOptions> = {
  baseUrl: secret(text("where the embeddings server is")),
  apiKey: secret(text("its key")),
  model: text("the embeddings model"),
  batchSize: whole("texts in one request", 1),
  retries: whole("tries after the first"),
  timeoutSeconds: figure("longest wait for one reply", { above: 0 }),
  backoffMilliseconds: figure("first wait between tries"),
};

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
/** Seconds. */
const longestWait = 60;

export function embeddingClient(options: EmbeddingOptions = {}): EmbeddingClient {
  checkCall("embeddingClient", specs, options);
  const { model = "BAAI/bge-m3", batchSize = 32 } = options;
  const baseUrl = options.baseUrl ?? (process.env.EMBEDDINGS_BASE_URL || process.env.OPENAI_BASE_URL);
  const apiKey = options.apiKey ?? (process.env.EMBEDDINGS_API_KEY || process.env.OPENAI_API_KEY);
  if (!baseUrl || !URL.canParse(baseUrl) || !/^https?:/.test(baseUrl)) {
    const what = baseUrl ? `"${baseUrl}" is no address of an embeddings server.` : "No embeddings server is named.";
    throw userError("no-embeddings-server", what, "Set EMBEDDINGS_BASE_URL to one such as http://127.0.0.1:8000/v1.");
  }
  keepSecret(apiKey, "the key of the embeddings server");
  keepSecretsOfAddress(baseUrl, "the embeddings server's address");
  const url = `${withoutEndingSlashes(baseUrl)}/embeddings`;
  const connections = new HttpConnections();
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
        const reply = await post(connections, url, apiKey, { model, input, encoding_format: "float" }, options, signal);
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

/** One request, tried again where that may help; how many tries it took counts as calls. */
async function post(
  connections: HttpConnections,
  url: string,
  apiKey: string | undefined,
  body: unknown,
  options: EmbeddingOptions,
  signal: AbortSignal | undefined,
): Promise<{ body: unknown; tries: number }> {
  const { retries = 4, timeoutSeconds = 60, backoffMilliseconds = 500 } = options;
  const waits = doubling(backoffMilliseconds / 1000, retries);
  let tries = 0;
  const read = await withTries({ waits, longestWait, signal, isPassing }, async () => {
    tries++;
    const reply = await connections
      .request(new URL(url), {
        headers: { "content-type": "application/json", ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
        body: JSON.stringify(body),
        withinSeconds: timeoutSeconds,
        redirects: 10,
        signal,
      })
      .catch((cause) => {
        signal?.throwIfAborted();
        throw remoteError("embeddings-failed", `${url} cannot be reached: ${messageOf(cause)}.`, {}, { advice, cause });
      });
    const { status } = reply;
    if (status >= 200 && status < 300) return parse(reply.body, url);
    const details = { status, body: struck(reply.body).slice(0, 500), retryAfterSeconds: retryAfter(reply.headers) || undefined };
    throw remoteError("embeddings-failed", `${url} answered ${status}.`, details, { advice });
  });
  return { body: read, tries };
}

const advice = "Check that the embeddings server runs, knows the model and accepts the key.";

function isPassing(error: unknown): boolean {
  if (!MidcourseError.isInstance(error) || error.code !== "embeddings-failed") return false;
  const status = error.remote?.status;
  return status === undefined || isPassingStatus(status);
}

function parse(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw remoteError(
      "embeddings-unreadable",
      `${url} answered with something that is no JSON.`,
      { body: struck(text).slice(0, 500) },
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
    const shown = struck(JSON.stringify(body) ?? "").slice(0, 300);
    throw remoteError("embeddings-unreadable", `${url} did not answer with ${count} vectors of one size.`, { body: shown });
  }
  return vectors;
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
