/** One answer's text with its think, refine and answer spans coloured and the steps marked that a reader looks for. */
import { element } from "./dom.js";

/** @import { PageMark, PageSpan } from "../report/answer-marks.ts" */
/** @import { Piece } from "./word-diff.js" */

const markNames = { wrong: "first wrong step", corrected: "slip, corrected below", spoiled: "was right, spoiled below" };
const markSigns = { wrong: "✗", corrected: "↺", spoiled: "✗" };

/**
 * Spans nest (refine in think, marks anywhere), so the text is cut at every border and pieces go into the innermost open span.
 * @param {string} text @param {readonly PageSpan[]} spans @param {readonly PageMark[]} marks
 * @param {readonly Piece[]} pieces what differs from another answer, in order; the whole text @param {"del" | "ins"} difference
 */
export function answerText(text, spans, marks, pieces, difference) {
  const inText = (/** @type {{ start: number }} */ { start }) => start < text.length;
  [spans, marks] = [spans.filter(inText), marks.filter(inText)];
  const root = element("div", { class: "answer-text", dir: "auto" });
  const edges = [...spans, ...marks].flatMap(({ start, end }) => [start, end]);
  const ranges = [
    ...spans.map(({ kind, start, end }) => ({
      start,
      end,
      make: () => element("span", { class: `span ${kind}`, "data-kind": kind }),
    })),
    ...marks.map(({ kind, start, end }) => ({ start, end, make: () => markElement(kind) })),
    ...changedRanges(pieces, edges)
      .filter(inText)
      .map(({ start, end }) => ({ start, end, make: () => element(difference) })),
  ].sort((first, second) => first.start - second.start || second.end - first.end);
  // A text may be the beginning of the one that was marked.
  const ends = ranges.flatMap(({ start, end }) => [start, Math.min(end, text.length)]);
  const borders = [...new Set([0, text.length, ...ends])].sort((first, second) => first - second);
  /** @type {{ end: number, node: HTMLElement }[]} */
  const open = [{ end: text.length + 1, node: root }];
  let next = 0;
  for (const [index, start] of borders.entries()) {
    while (open.length > 1 && open[open.length - 1].end <= start) open.pop();
    for (; next < ranges.length && ranges[next].start === start; next++) {
      const node = ranges[next].make();
      open[open.length - 1].node.append(node);
      // A range that sticks out of its parent ends with it.
      open.push({ end: Math.min(ranges[next].end, open[open.length - 1].end), node });
    }
    const end = borders[index + 1];
    if (end !== undefined) appendText(open[open.length - 1].node, text.slice(start, end));
  }
  return root;
}

/**
 * Where words differ, cut wherever a span or a mark begins or ends, so that neither is cut by them.
 * @param {readonly Piece[]} pieces @param {readonly number[]} edges
 */
function changedRanges(pieces, edges) {
  let at = 0;
  return pieces.flatMap(({ text, changed }) => {
    const [start, end] = [at, at + text.length];
    at = end;
    if (!changed) return [];
    const cuts = [start, ...[...new Set(edges)].filter((edge) => edge > start && edge < end).sort((a, b) => a - b), end];
    return cuts.slice(1).map((cut, index) => ({ start: cuts[index], end: cut }));
  });
}

/** @param {keyof typeof markNames} kind */
function markElement(kind) {
  // The name comes before the text for readers who hear the page, and as a badge for those who see it.
  return element("mark", { class: `mark ${kind}` }, element("span", { class: "badge" }, `${markSigns[kind]} ${markNames[kind]}`));
}

/** Tags are shown as small labels; they are the text's own characters, so that copying gives the answer as it was. @param {HTMLElement} node @param {string} text */
function appendText(node, text) {
  for (const part of text.split(/(<\/?(?:think|refine|answer)>)/)) {
    if (part === "") continue;
    node.append(/^<\/?(?:think|refine|answer)>$/.test(part) ? element("span", { class: "tag" }, part) : part);
  }
}
