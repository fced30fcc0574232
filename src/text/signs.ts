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

/** JSON for a screen or a pipe: whatever steers is written as its number, which means the same to whoever reads the JSON. */
export function harmlessJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, null, indent);
  return json.replace(steering, (sign) => (sign === "\n" ? sign : `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`));
}

/** Letters and pictures after which a joiner belongs to the script: Persian and Indic words, emoji made of several. */
const joining =
  "\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\ufe0f\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Nko}\\p{Script=Mongolian}" +
  "\\p{Script=Devanagari}\\p{Script=Bengali}\\p{Script=Gurmukhi}\\p{Script=Gujarati}\\p{Script=Oriya}\\p{Script=Tamil}\\p{Script=Telugu}" +
  "\\p{Script=Kannada}\\p{Script=Malayalam}\\p{Script=Sinhala}\\p{Script=Khmer}\\p{Script=Myanmar}";

/** What takes no room, or turns the direction around, where the script has no use for it. Line feeds and tabs are seen as what they are. */
const unseen = new RegExp(
  [
    "\\r(?!\\n)",
    "[\\p{Cc}--[\\t\\n\\r]]",
    "[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff9-\\ufffb]",
    `(?<![${joining}])[\\u200c\\u200d]`,
    "(?<![\\p{Emoji}\\p{S}\\p{P}\\p{Lo}])[\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}]",
    // The flags of England, Scotland and Wales are spelt in tags.
    "(?<!\\u{1f3f4}[\\u{e0020}-\\u{e007e}]{0,6})[\\u{e0000}-\\u{e007f}]",
  ].join("|"),
  "gv",
);

/**
 * Text of a page: every sign that would steer it or stand in it unseen is written out, as ‹U+202E›. What right-to-left scripts, joined
 * letters and emoji need stays, so that they read as they should.
 */
export function writtenOut(text: string): string {
  return text.replace(unseen, nameOf);
}

/** Where a place in a text stands once the text is written out. */
export function writtenOutPlaces(text: string): (place: number) => number {
  const found = Array.from(text.matchAll(unseen), ({ 0: sign, index }) => ({ index, longer: nameOf(sign).length - sign.length }));
  return (place) => found.reduce((sum, { index, longer }) => (index < place ? sum + longer : sum), place);
}

function nameOf(sign: string): string {
  return `‹U+${sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}›`;
}
