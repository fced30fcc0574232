/** Which words two texts share: the shortest script of insertions and deletions (Myers 1986), bounded in work. */

/** @typedef {{ text: string, changed: boolean }} Piece */

/** More changed words than this are not worth marking, and would take long to find. */
const mostChanges = 700;

/**
 * Both texts in pieces, those without a counterpart marked; undefined when they differ too much.
 * @param {string} left @param {string} right
 * @returns {{ left: Piece[], right: Piece[] } | undefined}
 */
export function wordDiff(left, right) {
  const [first, second] = [left, right].map((text) => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? []);
  let start = 0;
  while (start < first.length && start < second.length && first[start] === second[start]) start++;
  let end = 0;
  while (
    end < first.length - start &&
    end < second.length - start &&
    first[first.length - 1 - end] === second[second.length - 1 - end]
  )
    end++;
  const kept = commonWords(first.slice(start, first.length - end), second.slice(start, second.length - end));
  if (!kept) return undefined;
  /** @param {string[]} words @param {Set<number>} shared */
  const pieces = (words, shared) =>
    joinPieces(
      words.map((text, at) => ({
        text,
        changed: at >= start && at < words.length - end && !shared.has(at - start),
      })),
    );
  return { left: pieces(first, kept.first), right: pieces(second, kept.second) };
}

/**
 * Positions of the words both lists keep. Diagonal d holds how far the first list is read after as many changes as steps.
 * @param {string[]} first @param {string[]} second
 */
function commonWords(first, second) {
  const most = Math.min(mostChanges, first.length + second.length);
  const reach = new Int32Array(2 * most + 3);
  /** @type {Int32Array[]} */
  const steps = [];
  for (let changes = 0; changes <= most; changes++) {
    steps.push(reach.slice());
    for (let diagonal = -changes; diagonal <= changes; diagonal += 2) {
      const at = diagonal + most + 1;
      const down = diagonal === -changes || (diagonal !== changes && reach[at - 1] < reach[at + 1]);
      let x = down ? reach[at + 1] : reach[at - 1] + 1;
      while (x < first.length && x - diagonal < second.length && first[x] === second[x - diagonal]) x++;
      reach[at] = x;
      if (x >= first.length && x - diagonal >= second.length) return walkBack(steps, first.length, second.length, most);
    }
  }
  return undefined;
}

/** @param {Int32Array[]} steps @param {number} x @param {number} y @param {number} most */
function walkBack(steps, x, y, most) {
  const kept = { first: new Set(), second: new Set() };
  for (let changes = steps.length - 1; changes >= 0; changes--) {
    const reach = steps[changes];
    const diagonal = x - y;
    const at = diagonal + most + 1;
    const down = diagonal === -changes || (diagonal !== changes && reach[at - 1] < reach[at + 1]);
    const fromX = down ? reach[at + 1] : reach[at - 1];
    const fromY = fromX - (down ? diagonal + 1 : diagonal - 1);
    while (x > fromX && y > fromY && x > 0 && y > 0) {
      kept.first.add(--x);
      kept.second.add(--y);
    }
    if (changes > 0) [x, y] = [fromX, fromY];
  }
  return kept;
}

/** Neighbours of one kind become one piece. @param {Piece[]} pieces */
function joinPieces(pieces) {
  /** @type {Piece[]} */
  const joined = [];
  for (const piece of pieces) {
    const last = joined[joined.length - 1];
    if (last && last.changed === piece.changed) last.text += piece.text;
    else joined.push({ ...piece });
  }
  return joined;
}
