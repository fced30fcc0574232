/** Which items are listed, and in what order: filters and orders by the index alone, so that they hold for all items at once. */

/** @import { PageIndex } from "../report/page-shape.ts" */

/** The sums in an index, by name; `answerFlags` of the writer. */
export const flagsOf = { given: 1, right: 2, partly: 4, failed: 8, refined: 16, malformed: 32 };

/**
 * @typedef {object} Compared
 * @property {number} left flags @property {number} right flags
 * @property {boolean} same the two answers are one
 * @property {number[]} all flags of every set
 */

/** @param {number} flags */
const isGiven = (flags) => (flags & flagsOf.given) !== 0;
/** @param {number} flags */
const isRightOne = (flags) => (flags & flagsOf.right) !== 0;
/** @param {number} flags */
const isWrongOne = (flags) => isGiven(flags) && !isRightOne(flags);

/** @type {{ id: string, name: string, keep: (item: Compared) => boolean }[]} */
export const itemFilters = [
  { id: "all", name: "all", keep: () => true },
  { id: "wrong", name: "right one wrong", keep: ({ right }) => isWrongOne(right) },
  { id: "gained", name: "wrong → right", keep: ({ left, right }) => isWrongOne(left) && isRightOne(right) },
  { id: "lost", name: "right → wrong", keep: ({ left, right }) => isRightOne(left) && isWrongOne(right) },
  { id: "differ", name: "answers differ", keep: ({ left, right, same }) => isGiven(left) && isGiven(right) && !same },
  { id: "refined", name: "refined", keep: ({ right }) => (right & flagsOf.refined) !== 0 },
  { id: "malformed", name: "malformed", keep: ({ right }) => (right & flagsOf.malformed) !== 0 },
  { id: "errors", name: "failed", keep: ({ left, right }) => ((left | right) & flagsOf.failed) !== 0 },
  { id: "disagree", name: "any two disagree", keep: ({ all }) => all.some(isRightOne) && all.some(isWrongOne) },
];

/** @type {{ id: string, name: string, by?: (left: number | null, right: number | null) => number | null }[]} largest first */
export const itemOrders = [
  { id: "name", name: "name" },
  { id: "longest", name: "most tokens, right one", by: (_, right) => right },
  { id: "shortest", name: "fewest tokens, right one", by: (_, right) => (right === null ? null : -right) },
  {
    id: "dearer",
    name: "most tokens more than left",
    by: (left, right) => (left === null || right === null ? null : right - left),
  },
  {
    id: "cheaper",
    name: "most tokens fewer than left",
    by: (left, right) => (left === null || right === null ? null : left - right),
  },
];

/**
 * The items that pass every filter in order of the index, and how many pass each.
 * @param {PageIndex} index @param {readonly [number, number]} sides @param {(item: number) => boolean} isFound by the search
 */
export function filterItems({ ids, sets }, sides, isFound) {
  const [left, right] = sides.map((set) => sets[set]);
  /** @type {Record<string, number[]>} */
  const kept = Object.fromEntries(itemFilters.map(({ id }) => [id, []]));
  for (let item = 0; item < ids.length; item++) {
    if (!isFound(item)) continue;
    const compared = {
      left: left.flags[item],
      right: right.flags[item],
      same: left.answers[item] === right.answers[item],
      all: sets.map(({ flags }) => flags[item]),
    };
    for (const { id, keep } of itemFilters) if (keep(compared)) kept[id].push(item);
  }
  return kept;
}

/** What has no figure comes last. @param {number[]} items @param {PageIndex} index @param {readonly [number, number]} sides @param {string} order */
export function orderItems(items, { sets }, sides, order) {
  const by = itemOrders.find(({ id }) => id === order)?.by;
  if (!by) return items;
  const [left, right] = sides.map((set) => sets[set].tokens);
  const figures = new Map(items.map((item) => [item, by(left[item], right[item]) ?? Number.NEGATIVE_INFINITY]));
  const figureOf = (/** @type {number} */ item) => figures.get(item) ?? 0;
  return items.toSorted((first, second) => {
    const [a, b] = [figureOf(first), figureOf(second)];
    return a === b ? first - second : a > b ? -1 : 1;
  });
}
