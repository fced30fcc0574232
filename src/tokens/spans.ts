/** Character spans of a completion as token spans, and the counts a training step logs, from the sampled ids themselves. */
import { type ParsedAnswer, parseRefine, type Span, type TaggedSpan } from "#kernel/refine-grammar.ts";

/**
 * Character span → the tokens that touch it, both half-open. `pieces` is the text each token adds; a token that adds nothing yet (the
 * first bytes of a character) goes with the token that completes the character.
 */
export function tokensTouching(pieces: readonly string[], spans: readonly Span[]): Span[] {
  const { starts, ends } = characterRanges(pieces);
  return spans.map((span) => {
    // The first token that ends after the span begins, and the first that begins where the span has ended.
    const start = firstAbove(ends, span.start);
    return { start, end: span.end > span.start ? firstAbove(starts, span.end - 1) : start };
  });
}

export interface RefineCounts {
  parsed: ParsedAnswer;
  /** Complete refine spans inside think. */
  refineSpans: number;
  /** Tokens that touch the inside of a refine span; the tags themselves do not count. */
  refineTokens: number;
  /** All ids given, end token included. */
  tokens: number;
}

/** Something that can say what text each id adds; `Tokenizer` is one. */
interface PieceSource {
  tokenPieces(ids: readonly number[]): string[];
}

/** Parses sampled ids and counts in tokens, without turning text into ids again. */
export function countRefinements(tokenizer: PieceSource, sampledIds: readonly number[]): RefineCounts {
  const pieces = tokenizer.tokenPieces(sampledIds);
  const parsed = parseRefine(pieces.join(""));
  let refineTokens = 0;
  for (const span of tokensTouching(pieces, parsed.refines)) refineTokens += span.end - span.start;
  return { parsed, refineSpans: parsed.refines.length, refineTokens, tokens: sampledIds.length };
}

/** The complete spans of a parsed completion in tokens: [start, end) with the tags, [innerStart, innerEnd) without them. */
export function tokenSpans(pieces: readonly string[], spans: readonly TaggedSpan[]): TaggedSpan[] {
  const outer = tokensTouching(pieces, spans);
  const inner = tokensTouching(
    pieces,
    spans.map((span) => ({ start: span.innerStart, end: span.innerEnd })),
  );
  return spans.map(({ kind }, index) => ({
    kind,
    ...outer[index],
    innerStart: inner[index].start,
    innerEnd: inner[index].end,
  }));
}

/** Character range of the text of each token, or of the token that completes its character. Both arrays never fall. */
function characterRanges(pieces: readonly string[]): { starts: number[]; ends: number[] } {
  const starts = new Array<number>(pieces.length);
  const ends = new Array<number>(pieces.length);
  let offset = 0;
  let firstOpen = 0;
  for (const [index, piece] of pieces.entries()) {
    starts[index] = offset;
    offset += piece.length;
    ends[index] = offset;
    if (piece === "") continue;
    ends.fill(offset, firstOpen, index);
    firstOpen = index + 1;
  }
  return { starts, ends };
}

/** Index of the first value above `limit` in values that never fall; their number when there is none. */
function firstAbove(values: readonly number[], limit: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
