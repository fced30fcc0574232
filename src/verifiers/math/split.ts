/** Cuts a canonical text where it stands open: outside of all brackets, braces and environments. */

const piece = /\\(?:begin|end)\{[^{}]*\}|\\[a-zA-Z]+|\\[\s\S]|[\s\S]/gy;
const opens = /^(?:[([{]|\\\{|\\langle|\\begin.*)$/;
const closes = /^(?:[)\]}]|\\\}|\\rangle|\\end.*)$/;

export interface Cut {
  parts: string[];
  /** separators[i] stands between parts[i] and parts[i + 1]. */
  separators: string[];
}

/** Parts between the separators that stand at depth 0. A half-open interval's brackets count as a pair. */
export function cut(text: string, isSeparator: (piece: string, before: string, rest: string) => boolean): Cut {
  const result: Cut = { parts: [], separators: [] };
  let depth = 0;
  let from = 0;
  let at = 0;
  piece.lastIndex = 0;
  for (const next of text.match(piece) ?? []) {
    const end = at + next.length;
    if (opens.test(next)) depth++;
    else if (closes.test(next)) depth = Math.max(0, depth - 1);
    else if (depth === 0 && isSeparator(next, text.slice(Math.max(from, at - 8), at), text.slice(end, end + 5))) {
      result.parts.push(text.slice(from, at).trim());
      result.separators.push(next);
      from = end;
    }
    at = end;
  }
  result.parts.push(text.slice(from).trim());
  return result;
}

export function cutAt(text: string, separators: ReadonlySet<string>): Cut {
  return cut(text, (next) => separators.has(next));
}

const beforeThousands = /(?:(?:^|[^\d.,])[1-9]\d{0,2}|,\d{3})$/;

/** Cuts at commas, except those that part thousands: "1,234". */
export function cutAtCommas(text: string): Cut {
  return cut(text, (next, before, rest) => next === "," && !(beforeThousands.test(before) && /^\d{3}(?!\d)/.test(rest)));
}

/** Kind of the bracket pair that encloses the whole text, with its inside; undefined when there is none. */
export function enclosed(text: string): { open: string; close: string; inside: string } | undefined {
  const open = /^(?:\\\{|\\langle|[([{])/.exec(text)?.[0];
  if (open === undefined) return undefined;
  let depth = 0;
  let at = 0;
  piece.lastIndex = 0;
  for (const next of text.match(piece) ?? []) {
    at += next.length;
    if (opens.test(next)) depth++;
    else if (closes.test(next) && --depth === 0) {
      return at === text.length ? { open, close: next, inside: text.slice(open.length, at - next.length).trim() } : undefined;
    }
  }
  return undefined;
}
