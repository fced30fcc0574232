/** Writes the answer format of PASR from its parts: the inverse of the parser in refine-grammar.ts. */
import { userError } from "./errors.ts";
import { type ParsedAnswer, parseRefine } from "./refine-grammar.ts";

/** Thinking in order: text, and refinements within it. */
export type ThinkPart = string | { refine: string };

export interface RefineParts {
  think: readonly ThinkPart[];
  answer: string;
  /** White space before, between and after the two spans; nothing when left out. */
  before?: string;
  between?: string;
  after?: string;
}

/** Throws a user error when the parts hold a tag or text that would make the result parse otherwise than it was written. */
export function renderRefine(parts: RefineParts): string {
  const think = parts.think.map((part) => (typeof part === "string" ? part : `<refine>${part.refine}</refine>`)).join("");
  const text = `${parts.before ?? ""}<think>${think}</think>${parts.between ?? ""}<answer>${parts.answer}</answer>${parts.after ?? ""}`;
  const parsed = parseRefine(text);
  const refinements = parts.think.filter((part) => typeof part !== "string").length;
  if (!parsed.ok || parsed.refines.length !== refinements || parsed.answer !== parts.answer) {
    throw userError(
      "format-not-writable",
      `An answer cannot be written in the refine format, because its parts hold tags or stray text (verdict ${parsed.verdict})`,
      "Give the thinking, the refinements and the answer without think, refine and answer tags.",
    );
  }
  return text;
}

/** The parts of a well-formed completion: `renderRefine(refineParts(text, parseRefine(text)))` is the text again. */
export function refineParts(text: string, parsed: ParsedAnswer): RefineParts {
  const think = parsed.spans.find((span) => span.kind === "think");
  const answer = parsed.spans.find((span) => span.kind === "answer");
  if (!parsed.ok || !think || !answer) {
    throw userError(
      "format-broken",
      `A completion cannot be taken apart: its format has the verdict ${parsed.verdict}`,
      "Take apart only completions whose format holds.",
    );
  }
  const parts: ThinkPart[] = [];
  let from = think.innerStart;
  for (const span of parsed.spans.filter((candidate) => candidate.kind === "refine")) {
    if (span.start > from) parts.push(text.slice(from, span.start));
    parts.push({ refine: text.slice(span.innerStart, span.innerEnd) });
    from = span.end;
  }
  if (think.innerEnd > from) parts.push(text.slice(from, think.innerEnd));
  return {
    think: parts,
    answer: text.slice(answer.innerStart, answer.innerEnd),
    before: text.slice(0, think.start),
    between: text.slice(think.end, answer.start),
    after: text.slice(answer.end),
  };
}
