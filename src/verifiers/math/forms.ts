/** What kind of answer a canonical text is: a quantity, words, a list, a tuple, a set, a union, an equation, an inequality, a matrix, … */
import { limits } from "./limits.ts";
import { canonicalLatex } from "./notation.ts";
import { cut, cutAt, cutAtCommas, enclosed } from "./split.ts";
import { withoutUnit } from "./units.ts";
import { numberOfWords } from "./vocabulary.ts";
import { enumerated, wordsOf } from "./words.ts";

export type Form =
  /** One expression; `latex` has no unit, per cent or degree sign left at its end. */
  | {
      kind: "value";
      latex: string;
      percent: boolean;
      degrees: boolean;
      unit?: string | undefined;
      words?: readonly string[] | undefined;
    }
  /** `enumerated` where it has several parts, which may stand in any order. */
  | { kind: "words"; words: string; enumerated?: string | undefined }
  /** Alternatives or several answers, in any order. */
  | { kind: "list"; items: Form[]; joined: "and" | "or" | "," }
  | { kind: "set"; items: Form[] }
  /** Ordered, with its brackets: a point, a vector or an interval. */
  | { kind: "tuple"; open: string; close: string; items: Form[] }
  /** Set operations over two or more parts. */
  | { kind: "union"; operators: string[]; parts: Form[] }
  /** `name = value`, `name ∈ value` and the like: the name may be left out. */
  | { kind: "named"; name: string; value: Form; sides: [string, string] }
  | { kind: "relation"; operators: string[]; sides: string[] }
  | { kind: "matrix"; rows: Form[][] }
  | { kind: "based"; digits: string; base: number }
  | { kind: "ratio"; parts: string[] };

const letter = String.raw`(?:[A-Za-z]|\\(?:alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|rho|sigma|tau|phi|varphi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Sigma|Phi|Psi|Omega|ell) ?)`;
const script = String.raw`(?:_\{[^{}]*\})?'{0,3}`;
const variable = `${letter}${script}`;
const points = String.raw`(?:m?\\(?:angle|triangle|measuredangle) ?)?[A-Z](?:_\{[^{}]*\})?(?:[A-Z]'?(?:_\{[^{}]*\})?)*`;
const application = String.raw`${letter}${script}(?:\^\{-?\d+\})?\([^()=<>]{1,40}\)`;
const trigonometric = String.raw`\\(?:sin|cos|tan|cot|sec|csc|ln|log) ?(?:${variable}|${points}|\(${variable}\))`;
const decorated = String.raw`(?:\\(?:overline|bar|vec|hat|overrightarrow|text|mathcal)\{[^{}]*\}${script}|\|${points}\||\[${points}\]|\|${variable}\|)`;
const composition = String.raw`\(?${letter}(?:\\circ ?${letter})+\)?(?:\([^()=<>]{1,40}\))?`;
const one = `(?:${points}|${variable}|${application}|${trigonometric}|${decorated}|${composition})`;
const name = new RegExp(
  String.raw`^(?:${one}|${one}[:/]${one}|\\frac\{${one}\}\{${one}\}|\(${variable}(?:, ?${variable})+\)|${one}\(${points}\))$`,
);

/** Whether a side of an equation only names what is asked for. */
export function isName(text: string): boolean {
  return text.length <= 80 && name.test(text);
}

/** A single letter, with or without index, that can be an unknown. */
export function isVariable(text: string): boolean {
  return new RegExp(`^${variable}$`).test(text);
}

/** The form of an answer as it was written; undefined beyond the limits. A currency sign before or behind it is a unit. */
export function readForm(raw: string, latex: string | undefined = canonicalLatex(raw)): Form | undefined {
  if (latex === undefined) return undefined;
  const form = formOf(latex);
  const currency = /^\s*\$?\s*(?:\\(\$)|([€£¥₹]))/.exec(raw) ?? /(?:\\(\$)|([€£¥₹]))\s{0,3}\}?\s{0,3}[.$]{0,2}$/.exec(raw);
  if (!currency || form.kind !== "value" || form.unit !== undefined) return form;
  const unit = currencies[currency[1] ?? currency[2]];
  return { ...form, unit, words: [unit] };
}

const currencies: Record<string, string> = { $: "dollar", "€": "euro", "£": "sterling", "¥": "yen", "₹": "rupee" };

const listSeparators = new Set([";", "\\or", "\\and"]);
const relations = new Set(["=", "<", ">", "\\le", "\\ge", "\\ne", "\\approx", "\\in", "\\equiv"]);
const setOperators = new Set(["\\cup", "\\cap", "\\setminus"]);

/** Depth is bounded by the nesting that `canonicalLatex` lets through. */
export function formOf(latex: string): Form {
  const words = wordsOf(latex);
  if (words !== undefined) return { kind: "words", words, enumerated: enumerated(latex) };
  const list = listOf(latex);
  if (list) return list;
  const related = cutAt(latex, relations);
  if (related.separators.length > 0 && related.parts.length <= limits.sides && related.parts.some((part) => part !== ""))
    return relationOf(related.parts, related.separators);
  const alternatives = latex.startsWith("\\{") && enclosed(latex) ? undefined : plusMinus(latex);
  if (alternatives) return { kind: "list", items: alternatives.map(formOf), joined: "," };
  const union = cutAt(latex, setOperators);
  if (union.separators.length > 0 && union.parts.every((part) => part !== "")) {
    return { kind: "union", operators: union.separators, parts: union.parts.map(formOf) };
  }
  return bracketed(latex) ?? based(latex) ?? ratio(latex) ?? quantity(latex);
}

function listOf(latex: string): Form | undefined {
  const groups = cutAt(latex, listSeparators);
  const items = groups.parts.flatMap((part) => {
    // "p=5,q=2; p=7,q=2": what a semicolon parts belongs together.
    const inner = cutAtCommas(part).parts.filter((one) => one !== "");
    const together =
      groups.separators.includes(";") && inner.length > 1 && inner.every((one) => cutAt(one, relations).separators.length === 1);
    return together ? [`(${inner.join(",")})`] : inner;
  });
  if (items.length < 2 || items.length > limits.elements) return undefined;
  const joined = groups.separators.includes("\\or") ? "or" : groups.separators.includes("\\and") ? "and" : ",";
  return { kind: "list", items: items.map(formOf), joined };
}

function relationOf(parts: string[], operators: string[]): Form {
  // What follows ≈ is a rounded value of what stands before it, unless only a name stands before it.
  const rounded = operators.indexOf("\\approx");
  if (rounded >= 0) {
    if (rounded === 0 && parts[0] === "" && parts.length === 2) return formOf(parts[1]);
    if (rounded > 0 || !isName(parts[0])) {
      return operators.slice(0, rounded).length > 0
        ? relationOf(parts.slice(0, rounded + 1), operators.slice(0, rounded))
        : formOf(parts[0]);
    }
    operators = operators.map((operator) => (operator === "\\approx" ? "=" : operator));
  }
  const first = parts[0];
  const last = parts[parts.length - 1];
  const sides: [string, string] = [first, last];
  if (operators.length === 1 && operators[0] === "\\in") return { kind: "named", name: first, value: formOf(last), sides };
  if (operators.length === 1 && operators[0] === "\\equiv" && isVariable(first)) return named(first, last, sides);
  if (operators.every((operator) => operator === "=")) {
    if (isName(first) || first === "") return named(first, last, sides);
    if (parts.length === 2 && isVariable(last)) return named(last, first, sides);
    // "2 + 3 = 5" states its last side.
    if (!parts.some((part) => /[a-zA-Z]/.test(part.replace(/\\(?:frac|sqrt|cdot|pi|binom|text\{[^{}]*\})/g, ""))))
      return formOf(last);
  }
  return { kind: "relation", operators, sides: parts };
}

function named(label: string, value: string, sides: [string, string]): Form {
  return { kind: "named", name: label, value: formOf(value), sides };
}

/** Both readings of ±; several signs vary together when ∓ stands among them, else each by itself. */
function plusMinus(latex: string): string[] | undefined {
  const signs = latex.match(/\\(?:pm|mp)(?![a-zA-Z])/g)?.length ?? 0;
  if (signs === 0 || signs > 3) return undefined;
  const together = /\\mp(?![a-zA-Z])/.test(latex);
  const count = together ? 2 : 2 ** signs;
  return Array.from({ length: count }, (_, choice) => {
    let index = 0;
    const written = latex.replace(/\\(pm|mp)(?![a-zA-Z]) ?/g, (_match, kind: string) => {
      const minus = together ? (kind === "pm") === (choice === 1) : Boolean((choice >> index++) & 1);
      return minus ? "-" : "+";
    });
    return written.replace(/(^|[({,])\+/g, "$1");
  });
}

function bracketed(latex: string): Form | undefined {
  const matrix = /^\\begin\{(?:[pbB]?matrix|smallmatrix)\}(.*)\\end\{(?:[pbB]?matrix|smallmatrix)\}$/s.exec(latex);
  if (matrix && !matrix[1].includes("\\begin")) return matrixOf(matrix[1]);
  const brackets = enclosed(latex);
  if (!brackets) {
    return transposed(latex) ?? scaled(latex);
  }
  const { open, close, inside } = brackets;
  if (/^\\begin\{/.test(inside) && (open === "[" || open === "(")) {
    const inner = bracketed(inside);
    if (inner?.kind === "matrix") return inner;
  }
  if (inside === "") return open === "\\{" ? { kind: "set", items: [] } : undefined;
  const items = cut(inside, (next) => next === "," || next === ";").parts;
  if (items.length > limits.elements || items.some((item) => item === "")) return undefined;
  const set = open === "\\{" || (open === "{" && items.length > 1);
  // Set-builder notation says by a relation which numbers are meant, and before it which ones there are.
  const builder = set ? /^([^|:]+?)(?:\\in ?([^|:]+))?[|:](.+)$/.exec(inside) : null;
  if (builder && isVariable(builder[1].trim()) && cutAt(builder[3], relations).separators.length > 0) {
    const members = formOf(builder[3].trim());
    const domain = builder[2]?.trim() ?? "\\mathbb{R}";
    return domain === "\\mathbb{R}" ? members : { kind: "union", operators: ["\\cap"], parts: [members, formOf(domain)] };
  }
  // {x > 2 | x ∈ ℝ}
  const domain = set ? /^([^|:]+)[|:] ?([a-zA-Z]) ?\\in ?([^|:]+)$/.exec(inside) : null;
  if (domain && cutAt(domain[1], relations).separators.length > 0)
    return formOf(`\\{${domain[2]}\\in ${domain[3]}|${domain[1]}\\}`);
  if (set) return { kind: "set", items: items.flatMap((item) => (plusMinus(item) ?? [item]).map(formOf)) };
  const rows = open === "[" && close === "]" ? items.map(rowOf) : [];
  if (rows.length > 1 && rows.every((row) => row !== undefined && row.length === rows[0]?.length)) {
    return { kind: "matrix", rows: rows.map((row) => (row ?? []).map(formOf)) };
  }
  if (items.length > 1) return { kind: "tuple", open: bracket(open), close: bracket(close), items: items.map(formOf) };
  return open === "(" || open === "{" || (open === "[" && close === "]") ? formOf(inside) : undefined;
}

const bracket = (sign: string) => (sign === "\\langle" ? "<" : sign === "\\rangle" ? ">" : sign);

/** [5,6] as a row of a matrix. */
function rowOf(text: string): string[] | undefined {
  const row = enclosed(text);
  return row?.open === "[" && row.close === "]" && row.inside !== "" ? cutAtCommas(row.inside).parts : undefined;
}

function transposed(latex: string): Form | undefined {
  const match = !latex.endsWith("}") ? null : /^(.+)\^\{(?:T|t|\\top ?|\\intercal ?|\\text\{T\})\}$/s.exec(latex);
  const inner = match && /\\begin|^\[|^\(/.test(match[1]) ? bracketed(match[1]) : undefined;
  if (inner?.kind === "tuple") return { kind: "matrix", rows: inner.items.map((item) => [item]) };
  return inner?.kind === "matrix"
    ? { kind: "matrix", rows: inner.rows[0].map((_, column) => inner.rows.map((row) => row[column])) }
    : undefined;
}

/** A number before a matrix multiplies every entry. */
function scaled(latex: string): Form | undefined {
  if (!latex.includes("\\begin")) return undefined;
  const match =
    /^([^a-zA-Z&]{1,40}|[^&]{0,40}?(?:\\frac|\\sqrt)[^&]{1,80}?)(?:\\cdot ?)?(\\begin\{.*\\end\{[a-z]*matrix\})$/is.exec(latex);
  if (!match || /\\begin|[=<>,;]/.test(match[1])) return undefined;
  const matrix = bracketed(match[2]);
  const factor = match[1].trim() === "-" ? "-1" : match[1];
  if (matrix?.kind !== "matrix") return undefined;
  const times = (entry: Form): Form =>
    entry.kind === "value" ? { ...entry, latex: `(${factor})\\cdot(${entry.latex})` } : entry;
  return matrix.rows.flat().every(({ kind }) => kind === "value")
    ? { kind: "matrix", rows: matrix.rows.map((row) => row.map(times)) }
    : undefined;
}

function matrixOf(inside: string): Form | undefined {
  const rows = cutAt(inside, new Set(["\\\\"])).parts.filter((row) => row !== "");
  const entries = rows.map((row) => cutAt(row, new Set(["&"])).parts);
  const columns = entries[0]?.length ?? 0;
  if (entries.length * columns > limits.elements || entries.some((row) => row.length !== columns)) return undefined;
  return { kind: "matrix", rows: entries.map((row) => row.map(formOf)) };
}

function based(latex: string): Form | undefined {
  const match =
    /^\(?([0-9A-Fa-f]+)\)?_\{(?:\\text\{)?([a-z]+|\d{1,2})\}{1,2}$/.exec(latex) ??
    /^([0-9A-Fa-f]+) ?(?:\\text\{|in )?\(?base ?(\d{1,2}|[a-z]+)\)?\}?$/.exec(latex);
  if (!match || !/\d/.test(match[1])) return undefined;
  const base = Number(numberOfWords(match[2]) ?? match[2]);
  return base >= 2 && base <= 36 ? { kind: "based", digits: match[1].toUpperCase().replace(/^0+(?=.)/, ""), base } : undefined;
}

function ratio(latex: string): Form | undefined {
  const { parts } = cutAt(latex, new Set([":"]));
  return parts.length > 1 && parts.length <= 8 && parts.every((part) => part !== "") ? { kind: "ratio", parts } : undefined;
}

function quantity(latex: string): Form {
  let text = latex.replace(/^\+/, "");
  const percent = /%$/.test(text);
  if (percent) text = text.replace(/%+$/, "").trim();
  const cutUnit = withoutUnit(text);
  text = cutUnit.rest;
  const degrees = /\\degree ?$/.test(text) && !/\\(?:sin|cos|tan|cot|sec|csc)/.test(text);
  if (degrees) text = text.replace(/\\degree ?$/, "").trim();
  // The unit may have stood behind another thing to unwrap.
  if (text !== latex && text !== "") {
    const inner = formOf(text);
    if (inner.kind !== "value") return inner;
    return {
      ...inner,
      percent: percent || inner.percent,
      degrees: degrees || inner.degrees,
      unit: inner.unit ?? cutUnit.unit,
      words: inner.words ?? cutUnit.words,
    };
  }
  return { kind: "value", latex: text, percent, degrees, unit: cutUnit.unit, words: cutUnit.words };
}
