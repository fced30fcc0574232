/**
 * The 256 printable characters that stand for the 256 bytes in byte-level vocabularies (the GPT-2 convention that `tokenizer.json` files
 * use): visible Latin-1 characters stand for themselves, the other bytes take the code points from U+0100 upwards, in order.
 */

function isVisible(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

function buildAlphabet(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isVisible(byte) ? byte : next++));
}

/** byteCharacters[b] is the character that stands for byte b. */
export const byteCharacters: readonly string[] = buildAlphabet();

const byteOfCharacter: ReadonlyMap<string, number> = new Map(byteCharacters.map((character, byte) => [character, byte]));

/** The bytes a vocabulary entry stands for, or undefined when it holds a character outside the alphabet. */
export function bytesOfEntry(entry: string): Uint8Array | undefined {
  const bytes = new Uint8Array(entry.length);
  for (let index = 0; index < entry.length; index++) {
    const byte = byteOfCharacter.get(entry[index]);
    if (byte === undefined) return undefined;
    bytes[index] = byte;
  }
  return bytes;
}

/** Writes bytes in the alphabet: the inverse of `bytesOfEntry`. */
export function entryOfBytes(bytes: Uint8Array): string {
  let entry = "";
  for (const byte of bytes) entry += byteCharacters[byte];
  return entry;
}
