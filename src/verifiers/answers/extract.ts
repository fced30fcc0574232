/**
 * Where in a completion its answer is stated. What all readers of answers share: reasoning is left out, and then the last clause such as
 * "the answer is …" and the last line are found (boxes: `boxes.ts`). Work is linear in the text.
 */
import type { Item } from "#kernel/item.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";

const refineTag = /<\/?(?:think|answer|refine)\b/i;
const thinkOpen = /<think\b[^>]{0,40}>/i;

/**
 * What the reader of a completion sees as its answer: the answer span where there is one, else what follows the thoughts, else everything.
 * Empty when thoughts were begun and never ended: what stands in them was not yet the answer.
 */
export function visibleAnswer(completion: string): string {
  if (!refineTag.test(completion)) return completion.trim();
  const parsed = parseRefine(completion);
  const hasAnswer = parsed.spans.some(({ kind }) => kind === "answer") || parsed.open.some(({ kind }) => kind === "answer");
  if (!hasAnswer && thinkOpen.test(completion) && !/<\/think\s*>/i.test(completion)) return "";
  return parsed.answerText;
}

/** The text a grader reads: the answer a method gave, unless its completion never came out of its thoughts. */
export function gradedText(answer: string, completion: string): string {
  const whole = visibleAnswer(completion);
  if (completion.trim() !== "" && whole === "") return "";
  return answer.trim() === "" ? whole : visibleAnswer(answer);
}

/** What an answer clause says: up to the end of its sentence, and up to the end of its line. */
export interface AnswerClause {
  sentence: string;
  line: string;
}

const clauseStart =
  /\b(?:answer|(?:correct|right|best)[ \t]+(?:option|choice|statement))\b(?:[ \t]+[^\s.:=?!]{1,20}){0,6}?[ \t]*[*_]{0,3}[ \t]*(?:\b(?:is|are|was|be)\b|:|=)/giu;

/** A full stop ends a sentence where white space or nothing follows, so that 3.5 is whole. */
const sentenceEnd = /[.!?](?=["'”’)\]*_]*(?:\s|$))/;

/** Clauses looked at, and characters of each: an answer is short and stands late. */
const mostClauses = 20;
const longestLine = 2000;

/** "The (final) answer is …", "Answer: …" and the like, last first. A clause at the end of its line goes on in the next line with text. */
export function answerClauses(text: string): AnswerClause[] {
  const starts: number[] = [];
  for (const match of text.matchAll(clauseStart)) starts.push(match.index + match[0].length);
  return starts
    .slice(-mostClauses)
    .reverse()
    .map((start) => {
      const line = restOfLine(text, start);
      const end = sentenceEnd.exec(line);
      return { line, sentence: end === null ? line : line.slice(0, end.index) };
    });
}

function restOfLine(text: string, from: number): string {
  let start = from;
  for (let lines = 0; lines < 3; lines++) {
    const piece = text.slice(start, start + longestLine);
    const end = piece.indexOf("\n");
    const line = (end < 0 ? piece : piece.slice(0, end)).trim();
    if (end < 0 || /[\p{L}\p{N}]/u.test(line)) return line;
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
    if (/[\p{L}\p{N}]/u.test(line)) return line;
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

/** Without the marks of Markdown and LaTeX around words: `**C**`, `$C$`, `\text{C}`, `\(C\)` are C. */
export function withoutMarkup(text: string): string {
  return text
    .replace(/\\(?:text|textbf|textit|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}/g, "$1")
    .replace(/\\[()[\]]/g, "")
    .replace(/\*\*|__|`/g, "")
    .replace(/(?<!\\)\$(?!\s?\d)/g, "")
    .trim();
}

/** Every kind of dash as a minus sign, and the narrow and unbreakable spaces as plain ones. */
export function plainSigns(text: string): string {
  return text.replace(/[−‒–—﹣－]/g, "-").replace(/[\u00a0\u2009\u202f]/g, " ");
}

/** Every reference answer of an item; each is as good as the first. */
export function referencesOf(item: Pick<Item, "answer" | "alternatives">): readonly string[] {
  return [item.answer, ...(item.alternatives ?? [])];
}
