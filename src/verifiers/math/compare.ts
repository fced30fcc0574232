/** Whether two forms are the same answer, given a source of what expressions are worth. `undefined` where the source cannot tell. */
import { combine, type Rational, rational } from "../answers/rational.ts";
import { type Form, formOf, isVariable } from "./forms.ts";
import { readRational, type Values } from "./numbers.ts";
import { realSetOf, sameRealSets } from "./real-sets.ts";
import { cut } from "./split.ts";
import { partOfWhole, unitsDiffer } from "./units.ts";
import { numberOfWords } from "./vocabulary.ts";
import { comparable, nothing } from "./words.ts";

export type Verdict = boolean | undefined;
type Of<Kind extends Form["kind"]> = Form & { kind: Kind };

/** False if one is false, else undefined if one is, else true. */
function every(verdicts: Iterable<Verdict>): Verdict {
  let result: Verdict = true;
  for (const verdict of verdicts) {
    if (verdict === false) return false;
    if (verdict === undefined) result = undefined;
  }
  return result;
}

/** Lazily true if one is true, else undefined if one is, else false. */
function some(...verdicts: (() => Verdict)[]): Verdict {
  let result: Verdict = false;
  for (const verdict of verdicts) {
    const value = verdict();
    if (value === true) return true;
    if (value === undefined) result = undefined;
  }
  return result;
}

export function sameForms(gold: Form, answer: Form, values: Values): Verdict {
  if (gold.kind === "named" || answer.kind === "named") return sameNamed(gold, answer, values);
  if (gold.kind === "relation" && answer.kind === "relation") return sameRelations(gold, answer, values);
  if (gold.kind === "value" && answer.kind === "value") return sameQuantities(gold, answer, values);
  if (gold.kind === "words" || answer.kind === "words") return sameWords(gold, answer, values);
  if (gold.kind === "tuple" && answer.kind === "tuple") return sameTuples(gold, answer, values);
  if (gold.kind === "matrix" && answer.kind === "matrix") return sameMatrices(gold, answer, values);
  if (gold.kind === "based" || answer.kind === "based") {
    return gold.kind === "based" && answer.kind === "based" && gold.digits === answer.digits && gold.base === answer.base;
  }
  if (gold.kind === "ratio" || answer.kind === "ratio") return sameRatios(gold, answer, values);
  if ((gold.kind === "list" || gold.kind === "set") && (answer.kind === "list" || answer.kind === "set")) {
    return some(
      () => sameCollections(gold, answer, values),
      () => sameSets(gold, answer, values),
    );
  }
  return some(
    () => mixed(gold, answer, values),
    () => mixed(answer, gold, values),
    () => sameSets(gold, answer, values),
  );
}

/** Kinds that differ and yet can be the same answer; called both ways round. */
function mixed(one: Form, other: Form, values: Values): Verdict {
  if (one.kind === "matrix" && other.kind === "tuple" && one.rows.every((row) => row.length === 1)) {
    return other.open === "(" || other.open === "<" ? inOrder(one.rows.flat(), other.items, values) : false;
  }
  if (one.kind === "matrix" && other.kind === "tuple" && one.rows.length === 1) {
    return other.open === "[" && other.close === "]" && inOrder(one.rows[0], other.items, values);
  }
  if (one.kind === "list" && other.kind === "tuple") {
    const names = one.items.map((item) => (item.kind === "named" ? item.name : ""));
    const distinct = new Set(names).size === names.length && !names.includes("");
    return distinct ? inOrder(one.items, other.items, values) : false;
  }
  if (one.kind === "list" && other.kind === "value") {
    // "100,200" can be read as one number; against a list it is two.
    const read = /^\d{1,3}(?:,\d{3})+$/.test(other.latex) ? formOf(other.latex.replaceAll(",", ", ")) : undefined;
    if (read) return sameForms(one, read, values);
    // "1/8 or 0.125" says one thing twice.
    if (one.joined === "or") return every(one.items.map((item) => sameForms(item, other, values)));
    return one.joined === "and" ? compound(one.items, other, values) : false;
  }
  if (one.kind === "set" && other.kind === "value") {
    // A set that holds nothing but the empty set holds something.
    if (one.items.length === 0 || other.latex === "\\emptyset") return one.items.length === 0 && other.latex === "\\emptyset";
    return one.items.length === 1 ? sameForms(one.items[0], other, values) : false;
  }
  if (one.kind === "value" && (other.kind === "tuple" || other.kind === "matrix")) return vector(one, other, values);
  if (one.kind === "union" && other.kind === "union") return unionParts(one, other, values);
  if (
    one.kind === "union" &&
    (other.kind === "set" || other.kind === "list") &&
    one.parts.every((part) => part.kind === "set") &&
    one.operators.every((operator) => operator === "\\cup")
  ) {
    return sameCollections({ kind: "set", items: one.parts.flatMap((part) => (part as Of<"set">).items) }, other, values);
  }
  return false;
}

/** "2 hours and 30 minutes" is 2.5 hours, or 150 minutes; without a unit it is counted in its first. */
function compound(items: readonly Form[], other: Of<"value">, values: Values): Verdict {
  const parts = items.map((item) => (item.kind === "value" ? partOfWhole(item.unit) : undefined));
  if (items.length > 3 || parts.some((part) => part === undefined || part[0] !== parts[0]?.[0])) return false;
  const [kind, whole] = partOfWhole(other.unit) ?? parts[0] ?? [];
  if (kind !== parts[0]?.[0] || parts.some((part, index) => index > 0 && (part?.[1] ?? 0) >= (parts[index - 1]?.[1] ?? 0)))
    return false;
  const sum = items.map((item, index) => `\\frac{${(item as Of<"value">).latex}\\cdot${parts[index]?.[1]}}{${whole}}`).join("+");
  const numbers = items.map((item) => readRational((item as Of<"value">).latex));
  if (numbers.some((number) => number === undefined)) return values.same(sum, other.latex);
  const total = numbers.reduce<Rational | undefined>((all, number, index) => {
    const scaled = number && combine(number, "*", rational(BigInt(parts[index]?.[1] ?? 0), BigInt(whole ?? 1)) ?? number);
    return all && scaled && combine(all, "+", scaled);
  }, rational(0n));
  return total && values.same(`\\frac{${total.numerator}}{${total.denominator}}`, other.latex);
}

/** A(1,2) is the point (1,2); i + 2j is the vector of 1 and 2. */
function vector(one: Of<"value">, other: Of<"tuple" | "matrix">, values: Values): Verdict {
  const point = /^[A-Z](?:_\{[^{}]*\})?'{0,3}(\(.*\))$/.exec(one.latex);
  if (point && other.kind === "tuple") {
    const tuple = formOf(point[1]);
    return tuple.kind === "tuple" && sameTuples(tuple, other, values);
  }
  const coordinates = other.kind === "tuple" ? other.items : other.rows.every((row) => row.length === 1) ? other.rows.flat() : [];
  const parts = coordinates.length === 2 || coordinates.length === 3 ? basisParts(one.latex, coordinates.length) : undefined;
  if (!parts || (other.kind === "tuple" && !/[(<]/.test(other.open))) return false;
  return every(parts.map((part, index) => sameForms(formOf(part), coordinates[index], values)));
}

function basisParts(latex: string, size: number): string[] | undefined {
  const { parts, separators } = cut(latex, (next, before) => (next === "+" || next === "-") && before.trim() !== "");
  const found = new Map<string, string>();
  for (const [index, part] of parts.entries()) {
    const term = /^(.*?)(?:\\cdot ?)?(?:\\(?:vec|hat|overrightarrow|bar|widehat)\{\\?([ijk])(?:math)?\}|([ijk]))$/.exec(part);
    const name = term?.[2] ?? term?.[3];
    if (!term || name === undefined || found.has(name) || /[ijk]$/.test(term[1])) return undefined;
    const factor = /^[-+]?$/.test(term[1]) ? `${term[1]}1` : term[1];
    found.set(name, separators[index - 1] === "-" ? `-(${factor})` : factor);
  }
  if (!found.has("j") || (size === 2 && found.has("k"))) return undefined;
  return ["i", "j", "k"].slice(0, size).map((name) => found.get(name) ?? "0");
}

function unionParts(one: Of<"union">, other: Of<"union">, values: Values): Verdict {
  const plain = [...one.operators, ...other.operators].every((operator) => operator === "\\cup");
  return plain
    ? matched(one.parts, other.parts, values)
    : one.operators.join() === other.operators.join() && inOrder(one.parts, other.parts, values);
}

/** As sets of reals, where both are and at least one cannot be anything else. */
function sameSets(one: Form, other: Form, values: Values): Verdict {
  const ambiguous = (form: Form) =>
    form.kind === "tuple" || (form.kind === "list" && !form.items.every((item) => item.kind === "relation"));
  const sets = (form: Form) =>
    ["tuple", "set", "union", "relation"].includes(form.kind) ||
    (form.kind === "value" && /^\\(?:emptyset|mathbb\{R\})$/.test(form.latex)) ||
    (form.kind === "list" && form.items.every((item) => item.kind === "relation"));
  if (!sets(one) || !sets(other) || (ambiguous(one) && ambiguous(other))) return false;
  const [first, second] = [realSetOf(one, values), realSetOf(other, values)];
  return first && second ? sameRealSets(first, second) : undefined;
}

function sameQuantities(one: Of<"value">, other: Of<"value">, values: Values): Verdict {
  const unitOf = (form: Of<"value">) => (form.degrees ? { unit: "degree", words: ["degree"] } : form);
  if (unitsDiffer(unitOf(one), unitOf(other))) return false;
  // Functions that are composed keep their order; nothing else is known of them.
  if (/\\circ/.test(one.latex + other.latex)) return composed(one.latex) === composed(other.latex);
  const plain = () => values.same(one.latex, other.latex);
  if (one.percent !== other.percent) {
    const [percentage, number] = one.percent ? [one, other] : [other, one];
    return some(plain, () => values.same(`\\frac{${percentage.latex}}{100}`, number.latex));
  }
  return plain();
}

const circle = "\\circ";

/** (f ∘ g)(x) as f(g(x)). */
function composed(latex: string): string {
  const plain = latex.replace(/\s/g, "");
  const [, names = "", argument = ""] = /^\(?([^()]+)\)?(\([^()]*\))$/.exec(plain) ?? [];
  const at = names.indexOf(circle, 1);
  if (at < 0 || at + circle.length === names.length) return plain;
  return names
    .split(circle)
    .reduceRight((inner, name) => `(${name}${inner})`, argument)
    .slice(1, -1);
}

function sameWords(one: Form, other: Form, values: Values): Verdict {
  if (one.kind === "words" && other.kind === "words") {
    return one.words === other.words || (one.enumerated !== undefined && one.enumerated === other.enumerated);
  }
  const [words, form] = one.kind === "words" ? [one.words, other] : [(other as Of<"words">).words, one];
  if (words === nothing && form.kind === "set") return form.items.length === 0;
  if (form.kind !== "value") return false;
  if (words === nothing) return form.latex === "\\emptyset";
  const number = numberOfWords(words);
  return number === undefined
    ? comparable(form.latex).replaceAll(" ", "") === words.replaceAll(" ", "")
    : sameQuantities({ ...form, latex: number }, form, values);
}

function inOrder(first: readonly Form[], second: readonly Form[], values: Values): Verdict {
  if (first.length !== second.length) return false;
  return every(first.map((item, index) => sameForms(item, second[index], values)));
}

function sameTuples(one: Of<"tuple">, other: Of<"tuple">, values: Values): Verdict {
  const plain = (sign: string) => sign.replace("<", "(").replace(">", ")");
  const interval = one.items.length === 2 && (plain(one.open) !== plain(other.open) || plain(one.close) !== plain(other.close));
  return interval ? false : inOrder(one.items, other.items, values);
}

function sameMatrices(one: Of<"matrix">, other: Of<"matrix">, values: Values): Verdict {
  if (one.rows.length !== other.rows.length || one.rows[0]?.length !== other.rows[0]?.length) return false;
  return inOrder(one.rows.flat(), other.rows.flat(), values);
}

function sameRatios(one: Form, other: Form, values: Values): Verdict {
  if (one.kind === "ratio" && other.kind === "ratio") {
    if (one.parts.length !== other.parts.length) return false;
    const clock = [one, other].some(({ parts }) => parts.some((part) => /^0\d$/.test(part)));
    const times = () => {
      const [a, b] = [one, other].map(({ parts }) => parts.map(readRational).filter((number) => number !== undefined));
      if (clock || a.length < one.parts.length || b.length < other.parts.length) return false;
      return a.every(
        ({ numerator, denominator }, index) =>
          numerator * a[0].denominator * b[0].numerator * b[index].denominator ===
          b[index].numerator * b[0].denominator * a[0].numerator * denominator,
      );
    };
    return some(() => every(one.parts.map((part, index) => sameForms(formOf(part), formOf(other.parts[index]), values))), times);
  }
  const [ratio, form] = one.kind === "ratio" ? [one, other] : [other as Of<"ratio">, one];
  const zero = readRational(ratio.parts[1])?.numerator === 0n;
  if (form.kind !== "value" || ratio.parts.length !== 2 || zero || /^0\d/.test(ratio.parts[1])) return false;
  return values.same(`\\frac{${ratio.parts[0]}}{${ratio.parts[1]}}`, form.latex);
}

const unwrapped = (form: Form) => (form.kind === "named" ? form.value : form);
const flattened = (items: readonly Form[]): Form[] =>
  items.flatMap((item): Form[] => {
    if (item.kind === "list") return flattened(item.items);
    return item.kind === "named" && item.value.kind === "list"
      ? flattened(item.value.items).map((value) => ({ ...item, value }))
      : [item];
  });

function sameCollections(one: Of<"list" | "set">, other: Of<"list" | "set">, values: Values): Verdict {
  let [first, second] = [flattened(one.items), flattened(other.items)];
  const distinctNames = (items: readonly Form[]) => {
    const names = items.map((item) => (item.kind === "named" ? item.name : ""));
    return new Set(names).size === names.length && !names.includes("") && items.length > 1;
  };
  const anyName = (items: readonly Form[]) => items.some((item) => item.kind === "named");
  // "AB = 4, CD = 5" against "4, 5": the order says which is which.
  if (distinctNames(first) !== distinctNames(second) && !(anyName(first) && anyName(second))) {
    // x_1 and x_2 are two values of one unknown.
    const named = distinctNames(first) ? first : second;
    const letters = new Set(named.map((item) => /^(.+)_\{\d+\}$/.exec((item as Of<"named">).name)?.[1]));
    const unordered = letters.size === 1 && !letters.has(undefined);
    return (unordered ? matched : inOrder)(first.map(unwrapped), second.map(unwrapped), values);
  }
  const names = (items: readonly Form[]) => items.map((item) => (item as Of<"named">).name).sort();
  if (distinctNames(first) && distinctNames(second) && names(first).join(" ") === names(second).join(" ")) {
    const byName = (items: readonly Form[]) => [...(items as Of<"named">[])].sort((a, b) => (a.name < b.name ? -1 : 1));
    return inOrder(byName(first), byName(second), values);
  }
  // A point named twice is one point; a number listed twice may be meant so, as among data.
  const repeatable = one.kind === "list" && other.kind === "list" && ![...first, ...second].every(({ kind }) => kind === "tuple");
  if (!repeatable) [first, second] = [withoutRepeats(first, values), withoutRepeats(second, values)];
  return matched(first, second, values);
}

function withoutRepeats(items: readonly Form[], values: Values): Form[] {
  const kept: Form[] = [];
  for (const item of items) if (!kept.some((earlier) => sameForms(earlier, item, values) === true)) kept.push(item);
  return kept;
}

/** Same members in any order. */
function matched(first: readonly Form[], second: readonly Form[], values: Values): Verdict {
  if (first.length !== second.length) return false;
  const left = [...second];
  for (const item of first) {
    let unsure = false;
    const place = left.findIndex((candidate) => {
      const verdict = sameForms(item, candidate, values);
      unsure ||= verdict === undefined;
      return verdict === true;
    });
    if (place < 0) return unsure ? undefined : false;
    left.splice(place, 1);
  }
  return true;
}

function sameNamed(gold: Form, answer: Form, values: Values): Verdict {
  if (gold.kind === "named" && answer.kind === "named") {
    if (gold.name === answer.name || gold.name === "" || answer.name === "") return sameForms(gold.value, answer.value, values);
    const called = (label: string) => /^[a-zA-Z](?:_\{[^{}]*\})?\(.*\)$/.test(label);
    const letters = /[a-zA-Z]/.test(gold.sides[1].replace(/\\[a-z]+/g, ""));
    const graph = letters && ((called(gold.name) && answer.name === "y") || (called(answer.name) && gold.name === "y"));
    if (graph || !isVariable(gold.name) || !isVariable(answer.name)) {
      return called(gold.name) && called(answer.name) ? false : sameForms(gold.value, answer.value, values);
    }
    return values.proportional(gold.sides, answer.sides, false);
  }
  const [named, other] = gold.kind === "named" ? [gold, answer] : [answer as Of<"named">, gold];
  if (other.kind === "relation" && other.operators.every((operator) => operator === "=") && other.sides.length === 2) {
    return values.proportional(named.sides, [other.sides[0], other.sides[1]], false);
  }
  if (other.kind === "relation") {
    const [first, second] = [realSetOf(named, values), realSetOf(other, values)];
    return first && second ? sameRealSets(first, second) : undefined;
  }
  return gold.kind === "named" ? sameForms(gold.value, answer, values) : sameForms(gold, (answer as Of<"named">).value, values);
}

const turned = new Map([
  [">", "<"],
  ["\\ge", "\\le"],
]);

function sameRelations(one: Of<"relation">, other: Of<"relation">, values: Values): Verdict {
  const [first, second] = [oriented(one), oriented(other)];
  if (first.operators.join(" ") === second.operators.join(" ")) {
    const sides = every(first.sides.map((side, index) => sameForms(formOf(side), formOf(second.sides[index]), values)));
    if (sides === true) return true;
    if (first.operators.length === 1 && first.operators[0] !== "\\equiv") {
      const pair = (relation: Of<"relation">) => [relation.sides[0], relation.sides[1]] as const;
      return values.proportional(pair(first), pair(second), first.operators[0] === "<" || first.operators[0] === "\\le");
    }
    if (sides === undefined) return undefined;
  }
  const inequalities = [...first.operators, ...second.operators].every((operator) => operator !== "=" && operator !== "\\equiv");
  const [a, b] = inequalities ? [realSetOf(one, values), realSetOf(other, values)] : [];
  if (!inequalities) return false;
  return a && b ? sameRealSets(a, b) : undefined;
}

/** With < and ≤ in the place of > and ≥. */
function oriented(relation: Of<"relation">): Of<"relation"> {
  const { operators, sides } = relation;
  if (!operators.every((operator) => turned.has(operator))) return relation;
  return {
    kind: "relation",
    operators: operators.map((operator) => turned.get(operator) ?? operator).reverse(),
    sides: [...sides].reverse(),
  };
}
