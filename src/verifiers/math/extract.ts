/** The mathematical answer in a completion. Linear in the completion's length, whatever it holds. */
import { parseRefine } from "#kernel/refine-grammar.ts";
import { connects, lastBoxes } from "../answers/boxes.ts";
import { visibleAnswer } from "../answers/extract.ts";
import { isName } from "./forms.ts";
import { canonicalLatex } from "./notation.ts";
import { sameNumbers } from "./numbers.ts";

export interface MathExtraction {
  /** In the form that was asked for: the last \boxed, or the answer span. */
  strict?: string | undefined;
  /** By any clear statement of an answer. */
  flexible?: string | undefined;
}

/** Longest answer that is cut out; longer ones could not be compared. */
const longest = 4096;
/** Plain statements are looked for at the end of the text only. */
const tail = 8000;

export function extractMath(completion: string): MathExtraction {
  const visible = visibleAnswer(completion).trim();
  if (visible === "") return {};
  const boxed = lastBoxes(visible, sameAnswer);
  const asked = boxed?.content ?? (visible.length <= longest && parseRefine(completion).ok ? visible : undefined);
  const flexible = (boxed ? restated(visible.slice(boxed.end)) : undefined) ?? boxed?.content ?? stated(visible.slice(-tail));
  return { strict: asked || undefined, flexible: flexible || undefined };
}

/**
 * The reference in a text, read as answers are where the text states it: in a box, in an answer span, or by "the answer is". Any other text
 * is the reference itself.
 */
export function mathReference(text: string): string {
  const { strict, flexible = text } = extractMath(text);
  return strict !== undefined || text.search(clause) >= 0 ? flexible : text;
}

/** The same text or the same plain number: "15\frac{39}{40} or \frac{639}{40}". */
function sameAnswer(first: string, second: string): boolean {
  return first === second || sameNumbers(canonicalLatex(first) ?? "", canonicalLatex(second) ?? "") === true;
}

/** "The final answer is 7" behind the last box: the box held a result on the way. */
function restated(rest: string): string | undefined {
  const last = [...rest.slice(-tail).matchAll(/final answer(?:\*\*)?[^\S\n]{0,3}(?:is|:)[*:\s]{0,8}/gi)].at(-1);
  const found = last && answerIn(rest.slice(-tail).slice(last.index + last[0].length));
  return found !== undefined && /\d/.test(found) ? found : undefined;
}

const clause =
  /(?:\banswers?(?:\*\*)?[^\S\n]{0,3}(?:is|are|was|=|:)|####|\banswers?(?=[^\S\n]{0,3}(?:\$|\\\(|\\\[)))[*:\s]{0,8}/gi;
const formula = /\$\$([^$]{1,2000})\$\$|\$([^$\n]{1,1000})\$|\\\(([\s\S]{1,2000}?)\\\)|\\\[([\s\S]{1,2000}?)\\\]/g;
const number = /(?<![A-Za-z\d.])[-−]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+|(?=\.\d))(?:[.,]\d+)?(?:\s?\/\s?\d+)?(?:\s?\\?%)?/g;

function stated(text: string): string | undefined {
  const last = [...text.matchAll(clause)].at(-1);
  if (last) {
    const found = answerIn(text.slice(last.index + last[0].length));
    if (found !== undefined) return found;
  }
  if (isBare(text)) return text;
  const finalLine = text.slice(text.lastIndexOf("\n") + 1).trim();
  if (isBare(finalLine) && !/[$\]]/.test(finalLine)) return finalLine;
  return (
    lastFormula(finalLine) ??
    (lastFormula(text) !== undefined && /\d/.test(finalLine) ? lastNumber(finalLine) : undefined) ??
    lastFormula(text) ??
    lastNumber(text)
  );
}

/** The answer in what follows "the answer is". */
function answerIn(rest: string): string | undefined {
  const formulas = /^\s*(?:approximately|about|equal to|that)?[\s"*:]*(\$|\\\(|\\\[)/i.exec(rest)
    ? firstFormulas(rest)
    : undefined;
  if (formulas) return formulas;
  const line = rest
    .trimStart()
    .split(/\n|(?<=[\s\S])\.(?=\s|$)/, 1)[0]
    .replace(/\*\*|["`]/g, "")
    .trim();
  if (line === "" || line.length > 400) return undefined;
  if (isBare(line)) return line;
  const result = /\bis\s+([^\s][\s\S]*)$/.exec(line.slice(line.lastIndexOf(" is ")));
  return result && isBare(result[1]) ? result[1] : (lastFormula(line) ?? firstNumber(line));
}

/** Formulas at the start of a text, with "and" or commas between them. */
function firstFormulas(text: string): string | undefined {
  const found: string[] = [];
  let end = 0;
  for (const match of text.slice(0, 3000).matchAll(formula)) {
    const between = text.slice(end, match.index);
    if (found.length > 0 && !connects(between)) break;
    found.push(contentOf(match));
    end = match.index + match[0].length;
  }
  return found.length > 0 ? found.join(", ") + percentBehind(text.slice(end)) : undefined;
}

const contentOf = ([, ...groups]: RegExpMatchArray) => (groups.find((group) => group !== undefined) ?? "").trim();

function lastFormula(text: string): string | undefined {
  const matches = [...text.matchAll(formula)];
  const last = matches.at(-1);
  if (!last) return undefined;
  const after = text.slice(last.index + last[0].length, last.index + last[0].length + 200);
  // "The largest $n$ is 34."
  const canonical = canonicalLatex(contentOf(last)) ?? "";
  const said = /^\s*(?:is|equals|=)\s+([-\d][\d.,/]*)/.exec(after);
  if (said && isName(canonical)) return said[1].replace(/[.,]$/, "");
  // A number in a later sentence stands nearer to the end.
  const later = lastNumber(/[.!?]\s([\s\S]*)$/.exec(text.slice(last.index + last[0].length))?.[1] ?? "");
  if (later !== undefined) return later;
  const row = [contentOf(last)];
  for (let index = matches.length - 1; index > 0; index--) {
    const [before, next] = [matches[index - 1], matches[index]];
    const between = text.slice(before.index + before[0].length, next.index);
    if (!connects(between) || between.trim() === "" || between.trim() === ".") break;
    row.unshift(contentOf(before));
  }
  return row.join(", ") + percentBehind(after);
}

const percentBehind = (text: string) => (/^\s*(?:%|percent\b|pct\b)/.test(text) ? "\\%" : "");

const numbersIn = (text: string) => [...text.matchAll(number)].map(([match]) => match.replace(/\s+(?=[\\%])/g, ""));
const firstNumber = (text: string) => numbersIn(text)[0];
const lastNumber = (text: string) => numbersIn(text).at(-1);

/** Mathematics or a few words and nothing else: the whole text is the answer. */
function isBare(text: string): boolean {
  if (text.length > 600 || /\n\s*\n/.test(text) || /[.!?]\s+[A-Z]/.test(text)) return false;
  const plain = text.replace(/\\(?:text|mbox|textbf|mathrm)\{[^{}]*\}|\\[a-zA-Z]+/g, " ");
  const words = plain.match(/[A-Za-z]{2,}/g) ?? [];
  const sentence = words.some((word) =>
    /^(?:the|is|are|was|so|thus|therefore|hence|then|we|that|because|since|have|has|it|this|which|not|number|get|gives)$/i.test(
      word,
    ),
  );
  if (sentence || words.length > 6 || /^[^$\\:]{2,40}[a-z]{3}\s?: /.test(text)) return false;
  // A formula or a number among several words is the answer, not the words with it.
  return !(/\$|\\\(|\\\[/.test(text) && words.length > 2) && !(/\d/.test(plain) && words.length > 3);
}
