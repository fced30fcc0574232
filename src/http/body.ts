/** The body of a reply, as it comes: gathered or handed on in pieces, decoded, and ended by whoever reads it where the connection does not end. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { PassThrough, type Readable, type Transform } from "node:stream";
import zlib from "node:zlib";
import { MidcourseError, remoteError } from "#kernel/errors.ts";

/** Takes a body in pieces as they arrive; where it gives a promise, no more is read before that is settled. */
export type BodyTaker = (bytes: Uint8Array) => Promise<void> | TakenBody | void;

/** What a taker says of a body that tells its end itself, and may hold marks that only keep the connection open. */
export interface TakenBody {
  /** False where the bytes held nothing but such marks: the idle limit goes on. */
  isNews: boolean;
  /** The body has ended when nothing comes for so many seconds, 0 at once, whatever the connection does. */
  endsWithin?: number | undefined;
}

export interface BodyOptions {
  /** The request fails when the server sends nothing for so long, or nothing that its taker calls news. */
  idleSeconds?: number | undefined;
  /** A body that grows past this fails the request; any size will do when left out. */
  maxBytes?: number;
  /** Asked once the header is here: whoever takes the body, or nothing to have it gathered. */
  onHeader?: (status: number, headers: IncomingHttpHeaders) => BodyTaker | undefined;
  /** What the user is told to do where nothing answers, and where nothing comes. */
  advice?: { unreachable?: string; silent?: string; notBegun?: string; slow?: string };
}

/** Milliseconds; a longer timer would end at once. */
const longestTimer = 2 ** 31 - 1;

export function timerFor(seconds: number): number {
  return Math.min(seconds * 1000, longestTimer);
}

/** `place` is what failures name; `onBegin` is called with the first news of the body. */
export async function readBody(
  place: string,
  response: IncomingMessage,
  options: BodyOptions,
  onBegin: () => void,
): Promise<string> {
  const { maxBytes = Number.POSITIVE_INFINITY, idleSeconds } = options;
  const take = options.onHeader?.(response.statusCode ?? 0, response.headers);
  const chunks: Buffer[] = [];
  let size = 0;
  let taking: Promise<void> | undefined;
  let quiet: NodeJS.Timeout | undefined;
  let ending: NodeJS.Timeout | undefined;
  let isOver = false;
  await new Promise<void>((resolve, reject) => {
    // A connection that ends in the middle of a body shows as `aborted` or as a close without an end.
    const breaks = (cause?: unknown) => (ending === undefined ? reject(broken(place, cause)) : resolve());
    const heed = ({ isNews, endsWithin }: TakenBody) => {
      if (isNews) {
        onBegin();
        clearTimeout(quiet);
        quiet = undefined;
      } else if (idleSeconds !== undefined) {
        quiet ??= setTimeout(() => reject(onlyKeptOpen(place, options)), timerFor(idleSeconds));
      }
      if (endsWithin === 0) resolve();
      if (isNews || endsWithin === undefined) {
        clearTimeout(ending);
        ending = undefined;
      }
      if (endsWithin !== undefined) ending ??= setTimeout(resolve, timerFor(endsWithin));
    };
    response.on("aborted", () => breaks());
    response.on("error", breaks);
    const body = decoded(response);
    body.on("data", (chunk: Buffer) => {
      if (isOver) return;
      size += chunk.length;
      if (size > maxBytes) {
        reject(tooLarge(place, maxBytes));
        return;
      }
      if (!take) {
        onBegin();
        chunks.push(chunk);
        return;
      }
      try {
        const taken = take(chunk);
        if (taken !== undefined && "isNews" in taken) {
          heed(taken);
          return;
        }
        onBegin();
        if (taken === undefined) return;
        body.pause();
        taking = taken.then(() => void body.resume());
        taking.catch(reject);
      } catch (error) {
        reject(error);
      }
    });
    body.on("error", breaks);
    body.on("end", () => (response.complete ? resolve(taking) : breaks()));
    response.on("close", () => response.complete || breaks());
  }).finally(() => {
    isOver = true;
    clearTimeout(quiet);
    clearTimeout(ending);
  });
  if (!response.complete) letGo(response);
  return chunks.length === 1 ? chunks[0].toString("utf8") : Buffer.concat(chunks).toString("utf8");
}

/** Milliseconds that the end of a body may be behind its last news for the connection to be kept. */
const lingering = 1000;

/** A connection whose answer is here is kept when it ends as it should within a moment, and else closed; nobody waits for that. */
function letGo(response: IncomingMessage): void {
  const timer = setTimeout(() => response.destroy(), lingering).unref();
  response.once("close", () => clearTimeout(timer));
}

/**
 * We ask for no compression; some servers and proxies compress all the same, twice even. A body of no bytes is empty, whatever its header
 * says, and "deflate" comes with zlib's frame and without.
 */
function decoded(response: IncomingMessage): Readable {
  const named = (response.headers["content-encoding"] ?? "").split(",").map((each) => each.trim().toLowerCase());
  const decoding = named.flatMap((encoding) => decoders.get(encoding) ?? []).reverse();
  if (decoding.length === 0) return response;
  const body = new PassThrough();
  response.once("readable", () => {
    const first: Buffer | null = response.read();
    if (first === null) {
      body.end();
      return;
    }
    response.unshift(first);
    const stages = decoding.map((decoder) => decoder(first));
    for (const stage of stages) stage.on("error", (error) => body.destroy(error));
    [...stages, body].reduce<Readable>((from, to) => from.pipe(to), response);
  });
  return body;
}

/** From the first bytes that are received to what decodes them. */
const decoders: ReadonlyMap<string, (first: Buffer) => Transform> = new Map<string, (first: Buffer) => Transform>([
  ["gzip", () => zlib.createGunzip()],
  ["x-gzip", () => zlib.createGunzip()],
  ["deflate", ([byte]) => ((byte & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw())],
  ["br", () => zlib.createBrotliDecompress()],
  ["zstd", () => zlib.createZstdDecompress()],
]);

export function broken(place: string, cause?: unknown): MidcourseError {
  if (MidcourseError.isInstance(cause)) return cause;
  return remoteError("reply-broken", `the answer from ${place} broke off`, {}, { cause });
}

function onlyKeptOpen(place: string, { idleSeconds, advice }: BodyOptions): MidcourseError {
  const what = `${place} kept the connection open and sent nothing else for ${idleSeconds} s`;
  return remoteError("server-silent", what, {}, { advice: advice?.silent });
}

function tooLarge(place: string, maxBytes: number): MidcourseError {
  return remoteError("reply-too-large", `the answer from ${place} is larger than ${maxBytes} bytes`, {});
}
