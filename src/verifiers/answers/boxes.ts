/**
 * What stands in the boxes of a text (`\boxed{…}`, `\fbox{…}`, and `boxed{…}` where the backslash was lost). References and answers are both
 * read by these functions. A box that the text denies ("not \boxed{41}") is no claim; a sign directly before a box belongs to it. Linear in
 * the text.
 */
import { blank, withoutDenied } from "./denials.ts";

interface Box {
  start: number;
  end: number;
  content: string;
  /** No answer is that long; what it holds is not looked at. */
  isTooLong?: boolean;
}

/** Longer boxes hold no answer; it also bounds the work where many boxes are never closed. */
const longest = 4096;
const mostBoxes = 32;

/** What the last box holds that is not denied; of boxes inside one another the innermost. `\boxed 5` holds 5; a box that is never closed or holds nothing is none. */
export function lastBoxed(text: string): string | undefined {
  return lastBox(text)?.content || undefined;
}

/** The same with the place where the box ends; the content is empty where every box is denied, or the last is too long for an answer. */
export function lastBox(text: string): { content: string; end: number } | undefined {
  const boxes = boxesIn(text);
  const last = boxes.findLast((box) => !isDenied(text, box));
  const end = boxes.at(-1)?.end;
  return last ? { content: innermost(last.content), end: last.end } : end === undefined ? undefined : { content: "", end };
}

const sentence =
  /^\s*\\(?:text|mbox|textbf|mathrm)\s?\{\s*[^{}]{0,60}\b(?:answer|result|value)\b[^{}]{0,40}\b(?:is|=|:)\s([^{}]{1,200})\}\s*$/;

/** A box may hold words and a box, then the inner one holds the answer; or a sentence that states it. */
function innermost(content: string): string {
  const inner = content.includes("box") ? (lastBoxed(content) ?? content.trim()) : content.trim();
  return (content.includes("{") ? sentence.exec(inner)?.[1] : undefined) ?? inner;
}

/**
 * What the last box holds, as it stands there; of several in a row, parted by "and", "or" or commas, all of them as a list. The same answer
 * boxed twice in a row is one answer, as it was written last. Empty where every box is denied, or the last is too long for an answer.
 */
export function lastBoxes(
  text: string,
  isSame: (first: string, second: string) => boolean,
): { content: string; end: number } | undefined {
  const all = boxesIn(text);
  const boxes = all.filter((box) => !isDenied(text, box));
  const last = boxes.at(-1);
  if (!last) return all.length > 0 ? { content: "", end: all[all.length - 1].end } : undefined;
  const row = [innermost(last.content)];
  for (let place = boxes.length - 1; place > 0; place--) {
    if (!connects(text.slice(boxes[place - 1].end, boxes[place].start))) break;
    const content = innermost(boxes[place - 1].content);
    if (!row.some((later) => isSame(content, later))) row.unshift(content);
  }
  const content = row.join(", ");
  return { content: content.length > longest ? "" : content, end: last.end };
}

/** "not $x = \boxed{5}$" denies the box; what else is denied before "=" or ":" is something else. */
const beforeSign = /^[\s\S]*[=:](?!\s{0,4}[=:])(?<!(?:\bnot|n['’]t|\bnever|\bbe)\s{0,4}\$?\s{0,4}[\w\\]{1,12}\s{0,4}=)/;

/** "…, which is wrong", ". This was a mistake" */
const takenBack =
  /^[\s$.,;)*]{0,8}(?:but |and )?(?:which|this|that|it) (?:is|was|turned out to be|proved(?: to be)?) (?:wrong|incorrect|false|mistaken|impossible|not (?:right|correct|possible)|an? (?:mistake|error))\b/i;

/** The sentence around the box says that it is not the answer. */
function isDenied(text: string, { start, end }: Box): boolean {
  const lead = /(?:^|[\s\S]*(?:[.!?]\s|\n))([\s\S]*)$/.exec(text.slice(Math.max(0, start - 120), start))?.[1] ?? "";
  const rest = text.slice(end, end + 80);
  if (takenBack.test(rest)) return true;
  const before = lead.replace(/\$+\s{0,8}$/, "").replace(beforeSign, "");
  // What stands behind the next box is said of that one.
  const after = rest.split(/\\(?:boxed|fbox)/, 1)[0].replace(/^\s{0,8}\$+/, "");
  return withoutDenied(`${before}X ${after}`)[before.length] === blank;
}

/** The boxes that hold something, in order, of very many the last. A box inside a box is part of it. */
function boxesIn(text: string): Box[] {
  const boxes: Box[] = [];
  // Most texts have none, and finding that out is much faster so.
  if (!text.includes("box")) return boxes;
  const starts = [...text.matchAll(/(?:\\(?:(?:begin)?boxed|fbox)|(?<![\\\p{L}])boxed(?=\s?\{))(?![a-zA-Z])/gu)];
  for (const { index } of starts.slice(-mostBoxes)) {
    if (index < (boxes.at(-1)?.end ?? 0)) continue;
    const box = boxAt(text, index);
    if (box && box.content.trim() !== "") boxes.push(withSign(text, box));
    else if (box?.isTooLong) boxes.push(box);
  }
  return boxes;
}

/** `-\boxed{42}` holds -42, but not where the sign stands behind something it is taken from. */
function withSign(text: string, box: Box): Box {
  const before = text.slice(Math.max(0, box.start - 8), box.start);
  if (!/(?:^|[^\p{L}\p{N})}\]\s-]\s?|\n|^\s|[\p{L}:]\s)[-−]$/u.test(before)) return box;
  const content = box.content.trim();
  return {
    ...box,
    content: /^[-−]/.test(content) ? content : /^[\p{L}\p{N}.\\{}]*$/u.test(content) ? `-${content}` : `-(${content})`,
  };
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
  for (let index = at; index < text.length; index++) {
    if (index - at > longest) return { start, end: index, content: "", isTooLong: true };
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
