/** What stands in the boxes of a text (`\boxed{…}`, `\fbox{…}`). References and answers are both read by these functions. Linear in the text. */

interface Box {
  start: number;
  end: number;
  content: string;
}

/** Longer boxes hold no answer; it also bounds the work where many boxes are never closed. */
const longest = 4096;
const mostBoxes = 32;

/** What the last box holds; of boxes inside one another the innermost. `\boxed 5` holds 5; a box that is never closed or holds nothing is none. */
export function lastBoxed(text: string): string | undefined {
  const content = boxesIn(text).at(-1)?.content;
  return content === undefined ? undefined : (lastBoxed(content) ?? content.trim());
}

/**
 * What the last box holds, as it stands there; of several in a row, parted by "and", "or" or commas, all of them as a list. The same answer
 * boxed twice in a row is one answer, as it was written last.
 */
export function lastBoxes(
  text: string,
  isSame: (first: string, second: string) => boolean,
): { content: string; end: number } | undefined {
  const boxes = boxesIn(text);
  const last = boxes.at(-1);
  if (!last) return undefined;
  const row = [last.content.trim()];
  for (let place = boxes.length - 1; place > 0; place--) {
    if (!connects(text.slice(boxes[place - 1].end, boxes[place].start))) break;
    const content = boxes[place - 1].content.trim();
    if (!row.some((later) => isSame(content, later))) row.unshift(content);
  }
  const content = row.join(", ");
  return content.length > longest ? undefined : { content, end: last.end };
}

/** The boxes that hold something, in order, of very many the last. A box inside a box is part of it. */
function boxesIn(text: string): Box[] {
  const boxes: Box[] = [];
  // Most texts have none, and finding that out is much faster so.
  if (!text.includes("box")) return boxes;
  for (const { index } of [...text.matchAll(/\\(?:(?:begin)?boxed|fbox)(?![a-zA-Z])/g)].slice(-mostBoxes)) {
    if (index < (boxes.at(-1)?.end ?? 0)) continue;
    const box = boxAt(text, index);
    if (box && box.content.trim() !== "") boxes.push(box);
  }
  return boxes;
}

function boxAt(text: string, start: number): Box | undefined {
  let at = start + 1;
  while (/[a-z]/.test(text[at] ?? "")) at++;
  while (/\s/.test(text[at] ?? "")) at++;
  if (text[at] !== "{") {
    const bare = /^[^\s$\\{}]{1,40}|^\\[a-zA-Z]+\{[^{}]{0,200}\}(?:\{[^{}]{0,200}\})?/.exec(text.slice(at, at + 500));
    return bare ? { start, end: at + bare[0].length, content: bare[0] } : undefined;
  }
  let depth = 0;
  for (let index = at; index < text.length && index - at <= longest; index++) {
    if (text[index] === "\\") index++;
    else if (text[index] === "{") depth++;
    else if (text[index] === "}" && --depth === 0) return { start, end: index + 1, content: text.slice(at + 1, index) };
  }
  return undefined;
}

/** Only a connecting word or sign, and perhaps the next name ("y_2 ="), stands between two boxes or two formulas. */
export function connects(between: string): boolean {
  if (between.length > 80) return false;
  const noun = between.length < 40 ? /^[\s$}]*[a-z]{2,12}(?=,?\s+(?:and|or)\b)/.exec(between) : null;
  const words = between
    .slice(noun?.[0].length ?? 0)
    .replace(/\\(?:quad|qquad|text|mathrm|textbf|[,;:! ()[\]])|[$\s{}*]/g, "")
    .replace(/(?:[a-zA-Z](?:_?\d+)?)=$/, "");
  return /^[.]?(?:,|;|and|or|,and|,or)?$/i.test(words);
}
