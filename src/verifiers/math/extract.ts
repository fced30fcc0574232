/** The mathematical answer in a completion. Linear in the completion's length, whatever it holds. */
import { parseRefine } from "#kernel/refine-grammar.ts";
import { withoutAsides } from "../answers/asides.ts";
import { connects, lastBoxes } from "../answers/boxes.ts";
import { answerCues } from "../answers/cues.ts";
import { blank, withoutDenied } from "../answers/denials.ts";
import { plainDigits } from "../answers/digits.ts";
import { leadStart, visibleAnswer } from "../answers/extract.ts";
import { plainNumbers, quantitiesIn } from "../answers/quantity.ts";
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
  const content = boxed && inBox(visible, boxed);
  const isSpan = !boxed && visible.length <= longest && completion.includes("<answer>") && parseRefine(completion).ok;
  const asked = boxed ? content : isSpan ? visible : undefined;
  const unboxed = boxed ? withoutBox(visible, boxed.end) : visible;
  const flexible = (boxed ? restated(visible.slice(boxed.end)) : undefined) ?? content ?? stated(unboxed.slice(-tail));
  return { strict: asked || undefined, flexible: flexible || undefined };
}

/**
 * The reference in a text, read as answers are where the text states it: in a box, in an answer span, or by "the answer is". Any other text
 * is the reference itself.
 */
export function mathReference(text: string): string {
  const { strict, flexible = text } = extractMath(text);
  return strict !== undefined || cuesIn(text).length > 0 ? flexible : text;
}

/** The same text or the same plain number: "15\frac{39}{40} or \frac{639}{40}". */
function sameAnswer(first: string, second: string): boolean {
  return first === second || sameNumbers(canonicalLatex(first) ?? "", canonicalLatex(second) ?? "") === true;
}

/** Text whose last box, which ends there, says nothing: the box is denied, or too long, and then nothing else is looked at. */
function withoutBox(text: string, end: number): string {
  const from = Math.max(0, end - longest - 100);
  const start = text.slice(from, end).lastIndexOf("boxed");
  return start < 0 || end - from - start > longest ? "" : `${text.slice(0, from + start).replace(/\\$/, "")} ${text.slice(end)}`;
}

/** What a box says: what it states in words, and the fraction, root or power that it is a part of. Undefined where it says nothing. */
function inBox(text: string, { content, end }: { content: string; end: number }): string | undefined {
  if (content === "") return undefined;
  if (/^\\(?:text|mbox|textbf|textrm|mathrm)\s?\{/.test(content)) {
    const words = content.replace(/\\(?:text|mbox|textbf|textrm|mathrm)\s?\{([^{}]*)\}/g, "$1");
    const cues = cuesIn(words);
    if (cues.length > 0) return clauseAnswer(words, cues[cues.length - 1]);
  }
  const before = text.slice(Math.max(0, end - longest), end);
  const start = Math.max(before.lastIndexOf("\\boxed"), before.lastIndexOf("\\fbox"));
  const lead = start < 0 ? "" : before.slice(Math.max(0, start - 200), start);
  const open = /(\\(?:[dtc]?frac\s?(?:\{[^{}]{1,100}\}\s?)?|sqrt\s?(?:\[[^\][]{1,9}\])?)\{)\s?$/.exec(lead)?.[1];
  const rest = text.slice(end, end + 200);
  const close = open === undefined ? undefined : /^\s?\}(?:\s?\{[^{}]{1,100}\})?/.exec(rest)?.[0];
  if (open !== undefined && close !== undefined) return `${open}${content}${close}`;
  const power = /^\^(?:\d|\{[^{}]{1,40}\})/.exec(rest)?.[0];
  return power === undefined || /\\circ/.test(power) ? content : `(${content})${power}`;
}

/** "The final answer is 7" behind the last box: the box held a result on the way. */
function restated(rest: string): string | undefined {
  const end = rest.slice(-tail);
  const last = [...end.matchAll(/final answer(?:\*\*)?[^\S\n]{0,3}(?:is|:)[*:\s]{0,8}/gi)].at(-1);
  const found = last && clauseAnswer(end, { cue: last.index, start: last.index + last[0].length });
  return found !== undefined && /\d/.test(found) ? found : undefined;
}

const clause =
  /(?:\banswers?(?:\*\*)?[^\S\n]{0,3}(?:is|are|was|=|:)|####|\banswers?(?=[^\S\n]{0,3}(?:\$|\\\(|\\\[)))[*:\s]{0,8}/gi;
const formula = /\$\$([^$]{1,2000})\$\$|\$([^$\n]{1,1000})\$|\\\(([\s\S]{1,2000}?)\\\)|\\\[([\s\S]{1,2000}?)\\\]/g;
const number = /(?<![A-Za-z\d.])[-−]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+|(?=\.\d))(?:[.,]\d+)?(?:\s?\/\s?\d+)?(?:\s?\\?%)?/g;

interface Cue {
  /** Where its words begin. */
  cue: number;
  /** Where the answer begins. */
  start: number;
}

const mostCues = 20;

/** Where a text states an answer, in order; of very many the last. */
function cuesIn(text: string): Cue[] {
  const own = [...text.matchAll(clause)].map(({ index, 0: words }) => ({ cue: index, start: index + words.length }));
  return [...own, ...answerCues(text)].sort((first, second) => first.start - second.start).slice(-mostCues);
}

const denied = new RegExp(`${blank}+`, "g");
/** What was denied holds a number or a formula; words that deny are an answer: "not convergent". */
const deniesMathematics = (text: string, blanked: string) =>
  [...blanked.matchAll(denied)].some(({ index, 0: run }) => /[\p{N}$\\]/u.test(text.slice(index, index + run.length)));

/** "but it is", "no, wait," before what is said instead. */
const turning =
  /^[\s.,;:…，；、]{0,12}(?:(?:but|sondern|sino|mais|pero|ma|maar|men|utan|а|но|wait|no|actually|sorry|oops|correction|scratch that|strike that|make that|it is|it['’]s|that is|rather|instead|而是)(?![\p{Script=Latin}\p{Script=Cyrillic}])[\s,.:;]{0,6}){0,4}/iu;

/** What is said behind the words that announce an answer, without what is denied there. */
function clauseAnswer(text: string, { cue, start }: Cue): string | undefined {
  const from = leadStart(text, cue);
  const lead = text.slice(from, start);
  const rest = text.slice(start).replace(/^[*:：\s]{1,8}/, "");
  const near = rest.slice(0, 400);
  const blanked = withoutDenied(`${lead} ${near}`).slice(lead.length + 1);
  if (!deniesMathematics(near, blanked)) return answerIn(rest);
  const left = blanked.replace(denied, " ").replace(turning, "");
  return /[\p{L}\p{N}]/u.test(left) ? answerIn(left) : undefined;
}

/** Where nothing announces an answer it is the last thing said: what is denied long before does not matter. */
const deniedTail = 600;

function stated(whole: string): string | undefined {
  const text = withoutAsides(whole)
    .replace(/\*\*(?=\S)([^*\n]{1,400}?)\*\*(?![\d{(])/g, "$1")
    .replace(/\n[^\p{L}\p{N}$\\\])}]{0,20}$/u, "")
    .trim();
  let isDenied = false;
  for (const cue of cuesIn(text).reverse()) {
    const found = clauseAnswer(text, cue);
    if (found !== undefined) return found;
    isDenied = true;
  }
  const end = text.slice(-deniedTail);
  const blanked = text.slice(0, -deniedTail) + withoutDenied(end);
  if (!isDenied && !deniesMathematics(text, blanked)) return unannounced(text);
  // Of a text that denies something only what is mathematics is read.
  const left = blanked.replace(denied, " ").trim();
  return lastFormula(left) ?? lastNumber(left);
}

function unannounced(text: string): string | undefined {
  if (text === "") return undefined;
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

/** Several numbers in one go: "5, or 7 if both ends count" is not 5. */
const several = new RegExp(
  `^(?:either |between )?${number.source}(?:(?:,? (?:or|and|to|and/or) |, )(?:possibly |maybe |perhaps )?${number.source})+`,
);

/** The answer in what follows "the answer is". */
function answerIn(rest: string): string | undefined {
  const formulas = /^\s*(?:approximately|about|equal to|that)?[\s"*:]*(\$|\\\(|\\\[)/i.exec(rest)
    ? firstFormulas(rest)
    : undefined;
  if (formulas) return formulas;
  const line = rest
    .trimStart()
    .split(/\n|(?<=[^.])\.(?=\s|$)|[。！？]/, 1)[0]
    .replace(/(?<!\d\s?)\*\*|\*\*(?!\s?-?\d)|["`]/g, "")
    .replace(/^(?:either|both)\s(?=.{1,80}\b(?:or|and)\b)/i, "")
    .trim();
  if (line === "" || line.length > 400) return undefined;
  const later = /\.{2,}|…/.test(line) && /(?:\.{2,}|…)\s?(?:no|wait|actually|sorry|rather|oops|hmm)\b[\s\S]*$/i.exec(line)?.[0];
  if (later) return lastNumber(later);
  if (isBare(line)) return line;
  const result = /\bis\s+([^\s][\s\S]*)$/.exec(line.slice(line.lastIndexOf(" is ")));
  if (result && isBare(result[1])) return result[1];
  const hedged = /\b(?:could|might|may) (?:also|as well|equally|just as well) be\b/i.test(line);
  const list = hedged ? line : several.exec(line)?.[0];
  return list === undefined ? (lastFormula(line) ?? firstNumber(line)) : numbersIn(list).join(", ");
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

const numbersIn = (text: string) => [...plainDigits(text).matchAll(number)].map(([match]) => match.replace(/\s+(?=[\\%])/g, ""));
/** A number as a whole; none where it is a part of what is written there, such as 3√2 or x > 3. */
function quantityIn(text: string, place: 0 | -1): string | undefined {
  const plain = plainNumbers(text);
  const quantity = quantitiesIn(plain).at(place);
  if (quantity?.text === undefined) return undefined;
  const written = plain.slice(quantity.start, quantity.end);
  return (/^-?[\d.,]+$/.test(written) ? written : quantity.text) + percentBehind(plain.slice(quantity.end, quantity.end + 12));
}
const firstNumber = (text: string) => quantityIn(text, 0);
const lastNumber = (text: string) => quantityIn(text, -1);

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
  // Scripts without spaces, or other words: a number or a formula among them is the answer.
  if (/[^\P{L}\p{Script=Latin}\p{Script=Greek}]{3}/u.test(plain) && /[\p{N}$]/u.test(text)) return false;
  if (sentence || words.length > 6 || /^[^$\\:]{2,40}[a-z]{3}\s?: /.test(text)) return false;
  // A formula or a number among several words is the answer, not the words with it.
  return !(/\$|\\\(|\\\[/.test(text) && words.length > 2) && !(/\d/.test(plain) && words.length > 3);
}
