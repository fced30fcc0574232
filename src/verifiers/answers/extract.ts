/**
 * Where in a completion its answer is stated. What all readers of answers share: reasoning is left out, and then the last clause such as
 * "the answer is …" and the last line are found (boxes: `boxes.ts`). Work is linear in the text.
 */
import type { Item } from "#kernel/item.ts";
import { answerCues } from "./cues.ts";
import { blank, withoutDenied } from "./denials.ts";
import { withoutThoughts } from "./thoughts.ts";

const tagSigns = ["<", "[", "◁"];
const channelWord = /^\s{0,40}analysis/i;
const answerTag = /<\s?(\/?)\s?(?:final[_ -]?)?answer\b[^<>]{0,40}>/gi;
const grammarTag = /<\s?\/?\s?(?:think|(?:final[_ -]?)?answer|refine|solution|response|output|result|conclusion)\b[^<>]{0,40}>/gi;

/**
 * What the reader of a completion sees as its answer: the last answer span where there is one, else what stands outside of the thoughts, else
 * everything. Empty when thoughts were begun and never ended: what stands in them was not yet the answer.
 */
export function visibleAnswer(completion: string): string {
  return visibleText(completion).trim();
}

/** The same with the white space around it, which programs need. */
export function visibleText(completion: string): string {
  if (!tagSigns.some((sign) => completion.includes(sign)) && !channelWord.test(completion)) return completion;
  const { text, isUnended } = withoutThoughts(completion);
  // An answer span ends thoughts that nothing else ended.
  const said = answerSpan(isUnended ? completion : text);
  if (said === undefined && isUnended) return "";
  return (said ?? text).replace(grammarTag, "");
}

/** The last complete answer span, else what follows the last that was begun. */
function answerSpan(text: string): string | undefined {
  let open: number | undefined;
  let last: number | undefined;
  let complete: string | undefined;
  for (const { index, 0: tag, 1: slash } of text.matchAll(answerTag)) {
    if (slash === "") {
      open ??= index + tag.length;
      last = index + tag.length;
    } else if (open !== undefined) {
      complete = text.slice(open, index);
      open = undefined;
    }
  }
  return complete ?? (last === undefined ? undefined : text.slice(last));
}

/** The text a grader reads: the answer a method gave, unless its completion never came out of its thoughts. */
export function gradedText(answer: string, completion: string): string {
  const whole = visibleAnswer(completion);
  if (answer === completion || (whole === "" && completion.trim() !== "")) return whole;
  return answer.trim() === "" ? whole : visibleAnswer(answer);
}

/** What an answer clause says: up to the end of its sentence, and up to the end of its line. */
export interface AnswerClause {
  /** What stands before it in its sentence, "the answer is" included, as it is written. */
  lead: string;
  sentence: string;
  line: string;
  /** Where it begins in the text. */
  start: number;
  /** The line as it is written, what is denied included. */
  written: string;
  /** It begins with a denial. */
  isDenied: boolean;
  /** It stands on a line below the words that announce it. */
  isNextLine: boolean;
}

/** A full stop ends a sentence where white space or nothing follows, so that 3.5 is whole. */
const sentenceEnd = /[.!?](?=["'”’)\]*_]*(?:\s|$))|[。！？।]/;

/** Clauses looked at, and characters of each: an answer is short and stands late. */
const mostClauses = 20;
const longestLine = 2000;
const longestLead = 200;

/**
 * "The (final) answer is …", "Answer: …" and the like, last first. A clause at the end of its line goes on in the next line with text. What
 * the text denies there is blanked (see `withoutDenied`).
 */
export function* answerClauses(text: string): Generator<AnswerClause> {
  for (const { cue, start } of answerCues(text).slice(-mostClauses).reverse()) {
    const lead = text.slice(leadStart(text, cue), start);
    const said = restOfLine(text, start);
    const line = withoutDenied(`${lead} ${said}`).slice(lead.length + 1);
    const end = sentenceEnd.exec(line);
    const sentence = end === null ? line : line.slice(0, end.index);
    const isNextLine = !says.test(text.slice(start, start + longestLine).split("\n", 1)[0]);
    yield { lead, line, sentence, start, written: said, isDenied: line.startsWith(blank), isNextLine };
  }
}

/** Where the sentence begins in which something stands. */
export function leadStart(text: string, at: number): number {
  const from = Math.max(0, at - longestLead);
  for (let place = at - 1; place >= from; place--) {
    const sign = text[place];
    if (sign === "\n" || (".!?。！？।".includes(sign) && (sign > "?" || /\s/.test(text[place + 1] ?? "")))) return place + 1;
  }
  return from;
}

const says = new RegExp(`[\\p{L}\\p{N}${blank}]`, "u");

function restOfLine(text: string, from: number): string {
  let start = from;
  for (let lines = 0; lines < 3; lines++) {
    const piece = text.slice(start, start + longestLine);
    const end = piece.indexOf("\n");
    const line = (end < 0 ? piece : piece.slice(0, end)).trim();
    if (end < 0 || says.test(line)) return line;
    start += end + 1;
  }
  return "";
}

/** The last line that says anything. */
export function lastLine(text: string): string {
  const whole = text.trimEnd();
  for (let end = whole.length; end > 0; ) {
    const start = whole.lastIndexOf("\n", end - 1) + 1;
    const line = whole.slice(Math.max(start, end - longestLine), end).trim();
    if (says.test(line)) return line;
    end = start - 1;
  }
  return "";
}

/** Of a line; a full stop at its end does not begin another. */
export function lastSentence(line: string): string {
  const whole = line.trim();
  let start = 0;
  for (const { index } of whole.matchAll(/[.!?]\s/g)) start = index + 2;
  return whole.slice(start);
}

const styled = /<(b|i|u|em|strong|code|mark|span|p|div|big|center)>([^<>]{0,400})<\/\1>/g;

/** Without the marks of Markdown and LaTeX around words: `**C**`, `$C$`, `\text{C}`, `\(C\)` are C. */
export function withoutMarkup(text: string): string {
  const plain = text.includes("</") ? text.replace(styled, "$2") : text;
  return plain
    .replace(/\\(?:text|textbf|textit|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}/g, "$1")
    .replace(/\\[()[\]]/g, "")
    .replace(/\*\*|__|`/g, "")
    .replace(/(?<!\\)\$(?!\s?\d)/g, "")
    .trim();
}

/** Every reference answer of an item; each is as good as the first. */
export function referencesOf(item: Pick<Item, "answer" | "alternatives">): readonly string[] {
  return [item.answer, ...(item.alternatives ?? [])];
}

/** Without these characters at its end, in one pass. */
export function withoutEnd(text: string, ends: RegExp): string {
  let end = text.length;
  while (end > 0 && ends.test(text[end - 1])) end--;
  return text.slice(0, end);
}
