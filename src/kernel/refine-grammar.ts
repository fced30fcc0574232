/**
 * The answer format of PASR (arXiv 2508.12903, section 3) as one streaming parser that reward, evaluation, gateway and dashboard share:
 * `<think> … <refine> … </refine> … </think><answer> … </answer>`. Think and answer stand exactly once, in this order; any number of
 * refine spans stand inside think, none inside another; outside of the spans there is nothing but white space.
 *
 * It reads what the model wrote and nothing else: tags in a question, a system message or a chat template are never given to it, so
 * they cannot count. White space before `<think>` is accepted like white space after it, since some chat templates leave a first line
 * break to the model.
 */
import { type Tag, type TagKind, TagReader, withoutTags } from "./refine-tags.ts";

/** What can be said about a completion's format: a closed set of names with one sentence each. */
export const verdictReasons = {
  ok: "The format holds.",
  empty: "There is nothing but white space.",
  "missing-think": "There is no <think> tag.",
  "missing-answer": "The thinking is closed, but no <answer> tag follows.",
  "unclosed-think": "The answer begins before </think>.",
  "unclosed-refine": "The thinking ends or the answer begins before </refine>.",
  "doubled-think": "There is a second <think> tag.",
  "doubled-answer": "There is a second <answer> tag.",
  "nested-refine": "A <refine> tag stands inside a refinement.",
  "refine-outside-think": "A <refine> tag stands outside the thinking.",
  reordered: "The answer stands before the thinking.",
  "text-outside": "There is text outside the thinking and the answer.",
  "stray-close": "A closing tag closes nothing.",
  truncated: "The text ends inside a span or inside the tag that was due.",
} as const;

export type Verdict = keyof typeof verdictReasons;

/** Half-open range. In this file: UTF-16 offsets into the completion, as `String.prototype.slice` takes them. */
export interface Span {
  start: number;
  end: number;
}

/** A complete span with its tags [start, end) and without them [innerStart, innerEnd). */
export interface TaggedSpan extends Span {
  kind: TagKind;
  innerStart: number;
  innerEnd: number;
}

/** Text comes in pieces as it arrives; joined text events of one place are the same however the stream was split. */
export type GrammarEvent =
  | ({ type: "open" | "close"; kind: TagKind } & Span)
  | ({ type: "text"; within: TagKind | "outside"; text: string } & Span);

export interface ParsedAnswer {
  /** True exactly when the grammar holds. */
  ok: boolean;
  verdict: Verdict;
  /** Where the verdict's reason was met, an offset; absent when nothing is wrong. */
  at?: number | undefined;
  /** Inner text of the first complete think span. */
  think?: string | undefined;
  /** Inner text of the first complete answer span; only to be graded strictly when `ok`. */
  answer?: string | undefined;
  /** Inner ranges of the complete refine spans inside think, in order. */
  refines: Span[];
  /** Complete spans in order of their start. */
  spans: TaggedSpan[];
  /** Spans still open at the end, outermost first: what a viewer colours while the text is still arriving. */
  open: { kind: TagKind; start: number; innerStart: number }[];
  /**
   * The best guess at the answer, trimmed, even when the format is broken: the last complete answer span, else what follows an unclosed
   * `<answer>`, else what follows the last `</think>`, else the whole text; tags removed. For graders that are marked as lenient.
   */
  answerText: string;
}

interface Violation {
  verdict: Verdict;
  at: number;
}

/** What the parser knows at the end of the text; offsets in UTF-16 units. */
interface Evidence {
  isBlank: boolean;
  sawThink: boolean;
  /** The first thing that broke the grammar, in reading order. */
  violation: Violation | undefined;
  /** Where the text ends inside the tag that was due. */
  cutTagAt: number | undefined;
  /** Start of the innermost span that is still open. */
  openAt: number | undefined;
  /** End of the thinking where it is closed and no answer was ever opened. */
  answerMissingAt: number | undefined;
}

/** What is absent explains most other faults, so it comes first; then the first fault in reading order; then a cut end. */
function verdictOf(evidence: Evidence): { verdict: Verdict; at?: number } {
  if (evidence.isBlank) return { verdict: "empty", at: 0 };
  if (evidence.cutTagAt !== undefined) return { verdict: "truncated", at: evidence.cutTagAt };
  if (!evidence.sawThink) return { verdict: "missing-think", at: 0 };
  if (evidence.answerMissingAt !== undefined) return { verdict: "missing-answer", at: evidence.answerMissingAt };
  if (evidence.violation) return evidence.violation;
  if (evidence.openAt !== undefined) return { verdict: "truncated", at: evidence.openAt };
  return { verdict: "ok" };
}

/** Where the parser is: `start` before think, `think`, `refine`, `between` think and answer, `answer`, `done` after the answer. */
type Place = "start" | "think" | "refine" | "between" | "answer" | "done";

/** Feed chunks of one completion in order, then call `end` once. Work is linear in the length of the text, whatever it holds. */
export class RefineParser {
  readonly #reader = new TagReader();
  #chunks: string[] = [];
  /** Offset of the first character not yet handed out as an event. */
  #offset = 0;
  #place: Place = "start";
  #depth = 0;
  #sawThink = false;
  #sawTag = false;
  #sawText = false;
  #violation: Violation | undefined;
  /** Where the text ends inside the tag that was due. */
  #cutTagAt: number | undefined;
  #spans: TaggedSpan[] = [];
  #openThink: Opened | undefined;
  #openRefine: Opened | undefined;
  #openAnswer: Opened | undefined;
  #lastAnswerStart = -1;
  #lastThinkEnd = -1;

  /** Takes the next piece of the completion and returns what is now certain. */
  push(chunk: string): GrammarEvent[] {
    this.#chunks.push(chunk);
    const events: GrammarEvent[] = [];
    for (const lexeme of this.#reader.push(chunk)) {
      if (typeof lexeme === "string") this.#addText(lexeme, events);
      else this.#addTag(lexeme, events);
    }
    return events;
  }

  /** Hands out a held-back beginning of a tag as the text it turned out to be. For viewers; `end` does it too. */
  flush(): GrammarEvent[] {
    const held = this.#reader.rest();
    const expected = this.#place === "start" ? "<think>" : this.#place === "between" ? "<answer>" : "";
    const events: GrammarEvent[] = [];
    if (held !== "" && this.#violation === undefined && expected.startsWith(held)) this.#cutTagAt = this.#offset;
    this.#addText(held, events);
    return events;
  }

  /** The parsed whole. Nothing may be pushed afterwards. */
  end(): ParsedAnswer {
    this.flush();
    const text = this.#chunks.join("");
    const open = [this.#openThink, this.#openRefine, this.#openAnswer].filter((opened) => opened !== undefined);
    open.sort((first, second) => first.start - second.start);
    const spans = this.#spans.sort((first, second) => first.start - second.start);
    const inner = (kind: TagKind) => {
      const span = spans.find((candidate) => candidate.kind === kind);
      return span && text.slice(span.innerStart, span.innerEnd);
    };
    const { verdict, at } = verdictOf({
      isBlank: !this.#sawTag && !this.#sawText,
      sawThink: this.#sawThink,
      violation: this.#violation,
      cutTagAt: this.#cutTagAt,
      openAt: open.at(-1)?.start,
      answerMissingAt: this.#place === "between" && this.#lastAnswerStart < 0 ? this.#lastThinkEnd : undefined,
    });
    return {
      ok: verdict === "ok",
      verdict,
      at,
      think: inner("think"),
      answer: inner("answer"),
      refines: spans.filter((span) => span.kind === "refine").map((span) => ({ start: span.innerStart, end: span.innerEnd })),
      spans,
      open,
      answerText: this.#guessAnswer(text, spans),
    };
  }

  #addText(text: string, events: GrammarEvent[]): void {
    if (text === "") return;
    const outside = this.#place === "start" || this.#place === "between" || this.#place === "done";
    const start = this.#offset;
    this.#offset += text.length;
    events.push({
      type: "text",
      within: outside ? "outside" : (this.#place as TagKind),
      text,
      start,
      end: this.#offset,
    });
    const visible = text.search(/\S/);
    if (visible < 0) return;
    this.#sawText = true;
    if (outside) this.#object("text-outside", start + visible);
  }

  #addTag({ kind, open, text }: Tag, events: GrammarEvent[]): void {
    const start = this.#offset;
    this.#offset += text.length;
    this.#sawTag = true;
    events.push({ type: open ? "open" : "close", kind, start, end: this.#offset });
    if (open) this.#openTag(kind, { kind, start, innerStart: this.#offset });
    else this.#closeTag(kind, start);
  }

  #openTag(kind: TagKind, opened: Opened): void {
    const place = this.#place;
    if (kind === "think") {
      if (this.#sawThink) this.#object("doubled-think", opened.start);
      const inside = place === "think" || place === "refine" || (place === "answer" && this.#sawThink);
      this.#sawThink = true;
      if (inside) return;
      this.#openThink = opened;
      this.#place = "think";
    } else if (kind === "refine") {
      if (place === "think") {
        this.#openRefine = opened;
        this.#place = "refine";
        this.#depth = 1;
      } else if (place === "refine") {
        this.#object("nested-refine", opened.start);
        this.#depth += 1;
      } else this.#object("refine-outside-think", opened.start);
    } else {
      if (this.#lastAnswerStart >= 0) this.#object("doubled-answer", opened.start);
      else if (place === "refine") this.#object("unclosed-refine", this.#openRefine?.start ?? opened.start);
      else if (place === "think") this.#object("unclosed-think", this.#openThink?.start ?? opened.start);
      else if (place === "start") this.#object("reordered", opened.start);
      this.#lastAnswerStart = opened.innerStart;
      this.#openAnswer = opened;
      this.#place = "answer";
    }
  }

  #closeTag(kind: TagKind, start: number): void {
    const place = this.#place;
    if (kind === "refine" && place === "refine") {
      this.#depth -= 1;
      if (this.#depth > 0) return;
      this.#finish(this.#openRefine, start);
      this.#openRefine = undefined;
      this.#place = "think";
    } else if (kind === "think" && (place === "think" || place === "refine")) {
      if (place === "refine") this.#object("unclosed-refine", this.#openRefine?.start ?? start);
      this.#finish(this.#openThink, start);
      this.#openThink = undefined;
      this.#openRefine = undefined;
      this.#lastThinkEnd = this.#offset;
      this.#place = "between";
    } else if (kind === "answer" && place === "answer") {
      this.#finish(this.#openAnswer, start);
      this.#openAnswer = undefined;
      this.#place = "done";
    } else {
      this.#object("stray-close", start);
      if (kind === "think") this.#lastThinkEnd = this.#offset;
    }
  }

  /** Only the first objection in reading order is kept: what follows it is often its consequence. */
  #object(verdict: Verdict, at: number): void {
    this.#violation ??= { verdict, at };
  }

  #finish(opened: Opened | undefined, innerEnd: number): void {
    if (opened) this.#spans.push({ ...opened, innerEnd, end: this.#offset });
  }

  #guessAnswer(text: string, spans: readonly TaggedSpan[]): string {
    const complete = spans.findLast((span) => span.kind === "answer");
    const guess = complete
      ? text.slice(complete.innerStart, complete.innerEnd)
      : text.slice(Math.max(this.#lastAnswerStart >= 0 ? this.#lastAnswerStart : this.#lastThinkEnd, 0));
    return withoutTags(guess).trim();
  }
}

interface Opened {
  kind: TagKind;
  start: number;
  innerStart: number;
}

/** Parses a whole completion. Never throws: any text has a verdict. */
export function parseRefine(text: string): ParsedAnswer {
  const parser = new RefineParser();
  parser.push(text);
  return parser.end();
}
