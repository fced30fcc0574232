/** Standard input line by line, packed by gzip or not. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { messageOf, userError } from "#kernel/errors.ts";

/** Longer lines are reported as bad and skipped, so that one broken file cannot fill the memory. */
export const longestLine = 64 * 1024 * 1024;

/** The pieces themselves, or what they hold where they begin as every gzip file does. Throws a user error for one that is cut off or damaged. */
async function* unpacked(input: AsyncIterable<string | Uint8Array>): AsyncGenerator<string | Uint8Array> {
  const pieces = input[Symbol.asyncIterator]();
  let first = await pieces.next();
  // The two bytes that tell may come in two pieces.
  while (!first.done && first.value.length < 2) {
    const more = await pieces.next();
    if (more.done) break;
    first = { done: false, value: joined(first.value, more.value) };
  }
  async function* all() {
    if (!first.done) yield first.value;
    yield* { [Symbol.asyncIterator]: () => pieces };
  }
  const isPacked = !first.done && typeof first.value !== "string" && first.value[0] === 0x1f && first.value[1] === 0x8b;
  if (!isPacked) return yield* all();
  const plain = createGunzip();
  // A failure of either side ends the other, and is thrown where the pieces are read.
  const feeding = pipeline(Readable.from(all()), plain).catch(() => undefined);
  try {
    yield* plain as AsyncIterable<Uint8Array>;
    await feeding;
  } catch (cause) {
    if (!String((cause as NodeJS.ErrnoException).code).startsWith("Z_")) throw cause;
    const why = `the packed input cannot be unpacked: ${messageOf(cause)}`;
    throw userError("data-packed", why, "It may be cut off; fetch it again, or unpack it with gunzip first.", cause);
  }
}

function joined(first: string | Uint8Array, second: string | Uint8Array): string | Uint8Array {
  return typeof first === "string" && typeof second === "string"
    ? first + second
    : Buffer.concat([Buffer.from(first as Uint8Array), Buffer.from(second as Uint8Array)]);
}

/** Numbered lines of a stream; a line that is too long has no text. Each character is looked at once, however long its line is. */
export async function* numberedLines(
  input: AsyncIterable<string | Uint8Array>,
): AsyncGenerator<{ number: number; text: string | undefined }> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let parts: string[] = [];
  let length = 0;
  let number = 1;
  const keep = (piece: string) => {
    length += piece.length;
    if (length <= longestLine) parts.push(piece);
    else parts = [];
  };
  const take = () => {
    const joined = length <= longestLine ? parts.join("") : undefined;
    const line = { number, text: number === 1 ? joined?.replace(/^\ufeff/, "") : joined };
    parts = [];
    length = 0;
    number += 1;
    return line;
  };
  for await (const chunk of unpacked(input)) {
    const text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
      keep(text.slice(from, at));
      yield take();
      from = at + 1;
    }
    keep(text.slice(from));
  }
  keep(decoder.decode());
  yield take();
}
