/** Sets of real numbers as sorted intervals, so that x > 5, (5, ∞) and ℝ ∖ (−∞, 5] are one thing. Endpoints are doubles. */
import { type Form, isName } from "./forms.ts";
import type { Values } from "./numbers.ts";

interface Interval {
  low: number;
  high: number;
  lowClosed: boolean;
  highClosed: boolean;
}

export interface RealSet {
  intervals: Interval[];
  /** The unknown of an inequality. */
  variable?: string | undefined;
}

/** Relative to the ends themselves; an infinite end is near to nothing but itself. */
const near = (a: number, b: number) =>
  a === b || (Number.isFinite(a) && Number.isFinite(b) && Math.abs(a - b) <= 1e-10 * Math.max(Math.abs(a), Math.abs(b)));
const everything: Interval = {
  low: Number.NEGATIVE_INFINITY,
  high: Number.POSITIVE_INFINITY,
  lowClosed: false,
  highClosed: false,
};

/** Undefined when the form is no set of reals, or an endpoint is not known. A two-tuple reads as an interval. */
export function realSetOf(form: Form, values: Values): RealSet | undefined {
  if (form.kind === "value") {
    if (form.latex === "\\emptyset") return { intervals: [] };
    return /^\\mathbb\{R\}$/.test(form.latex) ? { intervals: [everything] } : undefined;
  }
  if (form.kind === "named") {
    const set = realSetOf(form.value, values);
    return set && { ...set, variable: form.name };
  }
  if (form.kind === "tuple") return interval(form, values);
  if (form.kind === "set") return points(form.items, values);
  if (form.kind === "relation") return inequality(form.operators, form.sides, values);
  if (form.kind === "union") return operate(form.parts, form.operators, values);
  if (form.kind === "list" && form.joined !== "," && form.items.every((item) => item.kind === "relation")) {
    const operator = form.joined === "or" ? "\\cup" : "\\cap";
    return operate(
      form.items,
      form.items.slice(1).map(() => operator),
      values,
    );
  }
  return undefined;
}

export function sameRealSets(first: RealSet, second: RealSet): boolean {
  if (first.variable !== undefined && second.variable !== undefined && first.variable !== second.variable) return false;
  if (first.intervals.length !== second.intervals.length) return false;
  return first.intervals.every((one, index) => {
    const other = second.intervals[index];
    const ends = near(one.low, other.low) && near(one.high, other.high);
    return ends && one.lowClosed === other.lowClosed && one.highClosed === other.highClosed;
  });
}

function interval(form: Form & { kind: "tuple" }, values: Values): RealSet | undefined {
  const [low, high] = form.items.map((item) => (item.kind === "value" && !item.percent ? values.real(item.latex) : undefined));
  if (form.items.length !== 2 || low === undefined || high === undefined || !/[([]/.test(form.open) || !/[)\]]/.test(form.close))
    return undefined;
  const one = {
    low,
    high,
    lowClosed: form.open === "[" && Number.isFinite(low),
    highClosed: form.close === "]" && Number.isFinite(high),
  };
  return low <= high ? { intervals: tidy([one]) } : undefined;
}

function points(items: readonly Form[], values: Values): RealSet | undefined {
  const intervals: Interval[] = [];
  for (const item of items) {
    const number = item.kind === "value" && !item.percent ? values.real(item.latex) : undefined;
    if (number === undefined || !Number.isFinite(number)) return undefined;
    intervals.push({ low: number, high: number, lowClosed: true, highClosed: true });
  }
  return { intervals: tidy(intervals) };
}

const flipped = new Map([
  ["<", ">"],
  [">", "<"],
  ["\\le", "\\ge"],
  ["\\ge", "\\le"],
  ["\\ne", "\\ne"],
]);

/** a < x, x ≥ a, a ≤ x < b, x ≠ a and the same with |x| in the place of x. */
function inequality(operators: readonly string[], sides: readonly string[], values: Values): RealSet | undefined {
  if (!operators.every((operator) => flipped.has(operator))) return undefined;
  const place = sides.findIndex((side) => /^-?(?:\|.*\||.*)$/.test(side) && isName(side.replace(/^-/, "")));
  if (place < 0 || sides.length > 3 || (sides.length === 3 && place !== 1)) return undefined;
  const middle = sides[place];
  let intervals = [everything];
  for (let index = 0; index < operators.length; index++) {
    const left = index >= place;
    const bound = values.real(sides[left ? index + 1 : index]);
    if (bound === undefined) return undefined;
    const operator = left ? operators[index] : flipped.get(operators[index]);
    intervals = intersect(intervals, side(operator ?? "", bound));
  }
  const negative = middle.startsWith("-");
  const absolute = /^-?\|.*\|$/.test(middle);
  if (negative && absolute) return undefined;
  if (negative) intervals = mirror(intervals);
  if (absolute) {
    const positive = intersect(intervals, [{ ...everything, low: 0, lowClosed: true }]);
    intervals = tidy([...positive, ...mirror(positive)]);
  }
  return { intervals, variable: middle.replace(/^-/, "").replaceAll("|", "") };
}

function side(operator: string, bound: number): Interval[] {
  if (operator === "\\ne") return complement([{ low: bound, high: bound, lowClosed: true, highClosed: true }]);
  const closed = operator === "\\le" || operator === "\\ge";
  return operator === "<" || operator === "\\le"
    ? [{ ...everything, high: bound, highClosed: closed }]
    : [{ ...everything, low: bound, lowClosed: closed }];
}

const mirror = (intervals: readonly Interval[]) =>
  tidy(
    intervals.map(({ low, high, lowClosed, highClosed }) => ({
      low: -high,
      high: -low,
      lowClosed: highClosed,
      highClosed: lowClosed,
    })),
  );

function operate(parts: readonly Form[], operators: readonly string[], values: Values): RealSet | undefined {
  let intervals: Interval[] = [];
  let variable: string | undefined;
  for (const [index, part] of parts.entries()) {
    const set = realSetOf(part, values);
    if (!set || (variable !== undefined && set.variable !== undefined && set.variable !== variable)) return undefined;
    variable ??= set.variable;
    const operator = operators[index - 1];
    if (index === 0) intervals = set.intervals;
    else if (operator === "\\cup") intervals = tidy([...intervals, ...set.intervals]);
    else intervals = intersect(intervals, operator === "\\setminus" ? complement(set.intervals) : set.intervals);
  }
  return { intervals, variable };
}

/** Sorted, empty ones dropped, touching ones merged. */
function tidy(intervals: readonly Interval[]): Interval[] {
  const kept = intervals.filter(
    ({ low, high, lowClosed, highClosed }) => low < high || (low === high && lowClosed && highClosed),
  );
  kept.sort((a, b) => a.low - b.low || Number(b.lowClosed) - Number(a.lowClosed));
  const merged: Interval[] = [];
  for (const next of kept) {
    const last = merged.at(-1);
    const touches =
      last !== undefined && (next.low < last.high || (near(next.low, last.high) && (next.lowClosed || last.highClosed)));
    if (!touches) merged.push({ ...next });
    else if (next.high > last.high) Object.assign(last, { high: next.high, highClosed: next.highClosed });
    else if (next.high === last.high) last.highClosed ||= next.highClosed;
  }
  return merged;
}

function complement(intervals: readonly Interval[]): Interval[] {
  const gaps: Interval[] = [];
  let { low, lowClosed } = everything;
  for (const one of intervals) {
    gaps.push({ low, lowClosed, high: one.low, highClosed: !one.lowClosed && Number.isFinite(one.low) });
    low = one.high;
    lowClosed = !one.highClosed && Number.isFinite(one.high);
  }
  gaps.push({ ...everything, low, lowClosed });
  return tidy(gaps);
}

function intersect(first: readonly Interval[], second: readonly Interval[]): Interval[] {
  return tidy(
    first.flatMap((a) =>
      second.map((b) => ({
        low: Math.max(a.low, b.low),
        high: Math.min(a.high, b.high),
        lowClosed: a.low === b.low ? a.lowClosed && b.lowClosed : a.low > b.low ? a.lowClosed : b.lowClosed,
        highClosed: a.high === b.high ? a.highClosed && b.highClosed : a.high < b.high ? a.highClosed : b.highClosed,
      })),
    ),
  );
}
