/** Answers in words: names, "even", option letters. Compared as lower-case text, never as products of letters. */
import { plainWords } from "./vocabulary.ts";

/** The words of an answer that is no mathematics; undefined when it is. Canonical text in. */
export function wordsOf(latex: string): string | undefined {
  const option = /^(?:\\text\{)?\(([A-Za-z])\)\}?[.:]?$/.exec(latex);
  if (option) return latex.startsWith("\\text") || /[A-J]/.test(option[1]) ? option[1].toLowerCase() : undefined;
  if (functions.test(latex)) return undefined;
  const marked = /\\text\{[^{}]*[A-Za-z\u00c0-\uffff]{2}[^{}]*\}/.test(latex);
  const plain = latex
    .replace(/\\text\{([^{}]*)\}/g, " $1 ")
    .replace(/\\(or|and|in)(?![a-zA-Z])/g, " $1 ")
    .replace(/\\[a-z]+(?![a-zA-Z])/g, (command) => ` ${spelled.get(command) ?? command} `);
  if (/[\\=<>^_{}[\]|+*/]/.test(plain) || !/[A-Za-z\u00c0-\uffff]{2}/.test(plain)) return undefined;
  if (/\d/.test(plain) && !(marked ? /^ *[A-Za-z]/.test(plain) : /^ *[A-Za-z]{4}/.test(plain))) return undefined;
  // A lone \text behind nothing is words; bare letters are when they are too long, or too many, to be a product.
  if (!marked && !/[A-Za-z\u00c0-\uffff]{4}/.test(plain))
    return shortWords.has(plain.trim().toLowerCase()) ? plain.trim().toLowerCase() : undefined;
  return comparable(plain);
}

/** "B and A" is "A and B": the parts of an enumeration in words, in one order; undefined where there is one part. */
export function enumerated(latex: string): string | undefined {
  const plain = latex.replace(/\\text\{([^{}]*)\}/g, " $1 ").replace(/\\(or|and)(?![a-zA-Z])/g, " $1 ");
  const parts = plain.split(/\s*(?:[,;&]|(?<![\p{L}])(?:and|or)(?![\p{L}]))+\s*(?:(?:and|or)(?![\p{L}]))?/iu).map(comparable);
  const said = parts.filter((part) => part !== "");
  const choice = /(?<![\p{L}])or(?![\p{L}])/iu.test(plain) ? "or" : "and";
  return said.length > 1 ? `${choice}: ${said.sort().join(", ")}` : undefined;
}

const spelled = new Map(Object.entries(plainWords).map(([word, command]) => [command, word]));
const functions = /\\(?:arc|ar)?(?:sin|cos|tan|cot|sec|csc)h?(?![a-z])/;
const shortWords = new Set(["yes", "no", "odd", "red", "all", "one", "two", "six", "ten", "up", "none"]);

/** "No solution", "no solutions" and "empty set" say one thing, which is also ∅. */
export const nothing = "no solution";

/** Case, punctuation, spacing and a leading article do not tell words apart. */
export function comparable(text: string): string {
  return text
    .toLowerCase()
    .replace(/[.,;:!?'"()-]/g, " ")
    .replace(/\s+/g, " ")
    .trim()
    .replace(/^(?:the|an|a) (?=.)/, "")
    .replace(/^(?:no (?:solutions?|such (?:number|value)s?)|empty set)$/, nothing)
    .replace(/^(?:dne|(?:limit )?does(?: not|n t) exist)$/, "does not exist");
}

/** The letter an answer opens with, as options do: "(C) 5", "C. east"; undefined when it does not. Canonical text in. */
export function optionLetter(latex: string): string | undefined {
  return /^(?:\\text\{)?\(?([A-J])\)?[).:]\}?\s*\S/.exec(latex)?.[1]?.toLowerCase();
}

/** What stands behind the letter of an option: "(B) 42" is 42; undefined where there is no letter. Canonical text in. */
export function withoutLabel(latex: string): string | undefined {
  const [, words, rest] =
    /^\\text\{\(?[A-J][).:]+ ?([^{}]*)\}(.*)$/s.exec(latex) ??
    /^\([A-J]\)()(.+)$/s.exec(latex) ??
    /^[A-J][).]()(.+)$/s.exec(latex) ??
    [];
  const plain = `${words ?? ""}${rest ?? ""}`.trim();
  return plain === "" || plain.startsWith("(") ? undefined : plain;
}
