/** Standard input line by line. */

/** Longer lines are reported as bad and skipped, so that one broken file cannot fill the memory. */
export const longestLine = 64 * 1024 * 1024;

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
  for await (const chunk of input) {
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
