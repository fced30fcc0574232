/**
 * What steers a screen in place of being written on it: control characters, which move the cursor, colour and clear, and the signs that turn
 * the direction of writing around. A model, a server or a file may say them; they are shown, or replaced, and never obeyed. One list of them.
 */

/** Beside every control character: separators of lines and paragraphs, and overrides, embeddings and isolates of direction. */
const steering = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/** Text of several lines: line breaks and tabs stay, whatever else steers is the sign for what cannot be shown. */
export function harmless(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(steering, (sign) => (sign === "\n" || sign === "\t" ? sign : "\ufffd"));
}

/** Text of one line, such as a table's cell: every sign that steers takes a column and says which it is, where there is a picture of it. */
export function onOneLine(text: string): string {
  return text.replace(steering, (sign) => {
    const code = sign.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? "\u2421" : "\ufffd";
  });
}
