/**
 * JSON as servers really write it: with NaN and infinite numbers, which Python's encoder writes and JSON does not have (sglang#2955), and
 * with raw line breaks and tabs inside strings. A paid answer is not lost for one number beside it.
 */

/** What is no number is null; nothing inside a string is touched. Throws the SyntaxError of JSON.parse for what is no JSON all the same. */
export function parseLeniently(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const mended = mend(text);
    if (mended === text) throw error;
    return JSON.parse(mended);
  }
}

/** Longest first, so that a sign is taken with its word. */
const noNumber = /[-+]?(?:NaN|nan|Infinity|infinity|Inf|inf)\b/y;

const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f" };

function mend(text: string): string {
  const out: string[] = [];
  let copied = 0;
  const replace = (from: number, to: number, by: string) => {
    out.push(text.slice(copied, from), by);
    copied = to;
  };
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (isInString) {
      if (letter === "\\") at++;
      else if (letter === '"') isInString = false;
      else if (letter < " ") replace(at, at + 1, escapes[letter] ?? `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
    } else if (letter === '"') isInString = true;
    else if (/[-+NnIi]/.test(letter)) {
      noNumber.lastIndex = at;
      const found = noNumber.exec(text);
      if (found) {
        replace(at, at + found[0].length, "null");
        at += found[0].length - 1;
      }
    }
  }
  out.push(text.slice(copied));
  return out.join("");
}
