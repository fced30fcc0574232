/**
 * Word problems in the layout of the SVAMP paper (Patel et al., NAACL 2021): a question with number0, number1 … in place of its numbers,
 * the numbers, an equation in prefix form, and the answer. Seq2Seq, GTS and Graph2Tree were measured with the placeholders kept and the
 * equation evaluated with the numbers; the same is done here, so figures can stand side by side.
 */
import { basename } from "node:path";
import { type CharacterRange, type TrainingConversation, taughtAnswer } from "#kernel/conversation.ts";
import { userError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
import type { Random } from "#kernel/seed.ts";
import { type Row, readRows } from "./rows.ts";

export interface WordProblem {
  id: string;
  /** With number0, number1 … */
  template: string;
  numbers: readonly string[];
  /** Prefix form over placeholders and constants: ["-", "number1", "number0"]. */
  equation: readonly string[];
  answer: string;
  group?: string;
}

/** An item whose answer may be given as an expression over number0, number1 …: the numbers to put in. */
export interface WordProblemItem extends Item {
  numbers: readonly string[];
}

export const wordProblemPrompts = { plain: "Write the equation.", refine: "Write the equation. Refine it." } as const;

/** True when the first row has the columns of this layout. */
export function isWordProblemLayout(rows: readonly Row[]): boolean {
  const first = rows[0]?.values;
  return first !== undefined && ["Question", "Numbers", "Equation", "Answer"].every((name) => typeof first[name] === "string");
}

export async function readWordProblems(path: string): Promise<WordProblem[]> {
  return wordProblemsFromRows(path, await readRows(path));
}

/** Throws a user error naming the line when an equation does not parse or names a number that is not there. */
export function wordProblemsFromRows(path: string, rows: readonly Row[]): WordProblem[] {
  return rows.map((row) => {
    const fail = (what: string) =>
      userError("data-word-problem", `${path}, line ${row.line}: ${what}.`, "Correct or remove this row.");
    const text = (name: string): string => {
      const value = row.values[name];
      if (typeof value !== "string" || value.trim() === "") throw fail(`the column "${name}" is empty or missing`);
      return value.trim();
    };
    const numbers = text("Numbers").split(/\s+/);
    const equation = text("Equation").split(/\s+/);
    if (numbers.some((value) => !Number.isFinite(Number(value)))) throw fail(`"${text("Numbers")}" is no list of numbers`);
    if (evaluatePrefix(equation, numbers.map(Number)) === undefined)
      throw fail(`the equation "${text("Equation")}" cannot be computed with ${numbers.length} numbers`);
    const group = typeof row.values.Type === "string" ? row.values.Type : undefined;
    const id = `${basename(path)}:${row.line}`;
    return { id, template: text("Question"), numbers, equation, answer: text("Answer"), ...(group ? { group } : {}) };
  });
}

/** Value of a prefix equation; undefined when it does not parse, names a missing number or divides by zero. */
export function evaluatePrefix(equation: readonly string[], numbers: readonly number[]): number | undefined {
  let at = 0;
  const read = (): number => {
    const token = equation[at++];
    if (token === undefined) return Number.NaN;
    if (/^[-+*/]$/.test(token)) {
      const [left, right] = [read(), read()];
      if (token === "+") return left + right;
      if (token === "-") return left - right;
      return token === "*" ? left * right : left / right;
    }
    const placeholder = /^number(0|[1-9]\d*)$/.exec(token);
    if (placeholder) return numbers[Number(placeholder[1])] ?? Number.NaN;
    return /^-?(?:\d+\.?\d*|\.\d+)$/.test(token) ? Number(token) : Number.NaN;
  };
  const value = read();
  return at === equation.length && Number.isFinite(value) ? value : undefined;
}

/** "18.0" → "18"; other texts stay. */
const shortNumber = (text: string): string => text.replace(/^(-?\d+)\.0+$/, "$1");

/** The problem as the model sees it: placeholders kept (the published setting), or the numbers put in. */
export function wordProblemItem(problem: WordProblem, options: { placeholders: boolean }): WordProblemItem {
  return {
    id: problem.id,
    question: options.placeholders ? problem.template : substituteNumbers(problem.template, problem.numbers),
    answer: problem.answer,
    numbers: problem.numbers,
    ...(problem.group === undefined ? {} : { group: problem.group }),
  };
}

/** Puts numbers in place of number0, number1 …; a placeholder without a number stays. */
export function substituteNumbers(text: string, numbers: readonly string[]): string {
  return text.replace(/number(\d+)/g, (whole, index) => shortNumber(numbers[Number(index)] ?? whole));
}

/** The equation as the model shall write it, with placeholders or with numbers. */
export function writeEquation(equation: readonly string[], problem: WordProblem, placeholders: boolean): string {
  const text = equation.join(" ");
  return placeholders ? text : substituteNumbers(text, problem.numbers);
}

/**
 * New numbers for the same story: integers stay integers of the same magnitude, fractions keep their places, the order of size stays, and
 * the answer stays positive (and whole when it was whole). Undefined after 50 vain draws. Only useful without placeholders.
 */
export function resampleNumbers(problem: WordProblem, random: Random): WordProblem | undefined {
  const values = problem.numbers.map(Number);
  const before = evaluatePrefix(problem.equation, values)!;
  for (let attempt = 0; attempt < 50; attempt++) {
    const drawn = values.map((value) => drawLike(value, random));
    if (values.some((value, i) => values.some((other, j) => Math.sign(value - other) !== Math.sign(drawn[i] - drawn[j]))))
      continue;
    const after = evaluatePrefix(problem.equation, drawn);
    if (after === undefined || Math.sign(after) !== Math.sign(before)) continue;
    if (Number.isInteger(before) && !Number.isInteger(after)) continue;
    return { ...problem, numbers: drawn.map(String), answer: String(Number(after.toPrecision(12))) };
  }
  return undefined;
}

function drawLike(value: number, random: Random): number {
  if (value <= 1) return value;
  const places = Number.isInteger(value) ? 0 : (String(value).split(".")[1]?.length ?? 0);
  const largest = 10 ** Math.ceil(Math.log10(value + 1));
  return Number((random.integer(2 * 10 ** places, (largest - 1) * 10 ** places) / 10 ** places).toFixed(places));
}

export interface EquationSolutionOptions {
  placeholders: boolean;
  /** Probability that the equation in the thought is followed by a refinement. */
  refineShare: number;
  /** Probability that the attempt before a refinement is wrong; it then carries no loss. */
  wrongShare: number;
}

/** Plain: the equation once as thought and once as answer. */
export function plainEquationConversation(problem: WordProblem, placeholders: boolean): TrainingConversation {
  const equation = writeEquation(problem.equation, problem, placeholders);
  const { question } = wordProblemItem(problem, { placeholders });
  const text = `<think>${equation}</think><answer>${equation}</answer>`;
  return taughtAnswer(`${problem.id}-plain`, wordProblemPrompts.plain, question, text);
}

/** Refined: now and then the equation is written again inside `<refine>`, after a wrong attempt or a right one. */
export function refinedEquationConversation(
  problem: WordProblem,
  options: EquationSolutionOptions,
  random: Random,
): TrainingConversation {
  const equation = writeEquation(problem.equation, problem, options.placeholders);
  const wrong = random.chance(options.wrongShare) ? corruptEquation(problem, random) : undefined;
  const attempt = wrong === undefined ? equation : writeEquation(wrong, problem, options.placeholders);
  const refined = random.chance(options.refineShare);
  const first = refined ? attempt : equation;
  const opening = "<think>";
  const text = `${opening}${first}${refined ? `<refine>${equation}</refine>` : ""}</think><answer>${equation}</answer>`;
  const masked: CharacterRange[] = refined && first !== equation ? [[opening.length, opening.length + first.length]] : [];
  const { question } = wordProblemItem(problem, options);
  return taughtAnswer(`${problem.id}-refine`, wordProblemPrompts.refine, question, text, masked);
}

/** A believable wrong equation: one operator is another, or two operands are exchanged. Undefined when its value stays the same. */
export function corruptEquation(problem: WordProblem, random: Random): string[] | undefined {
  const values = problem.numbers.map(Number);
  const right = evaluatePrefix(problem.equation, values);
  for (let attempt = 0; attempt < 20; attempt++) {
    const changed = [...problem.equation];
    const place = random.integer(0, changed.length - 1);
    const isOperator = /^[-+*/]$/.test(changed[place]);
    if (isOperator) changed[place] = random.pick(["+", "-", "*", "/"].filter((operator) => operator !== changed[place]));
    else {
      const operands = changed.map((_, index) => index).filter((index) => index !== place && !/^[-+*/]$/.test(changed[index]));
      const other = operands.length > 0 ? random.pick(operands) : place;
      [changed[place], changed[other]] = [changed[other], changed[place]];
    }
    const value = evaluatePrefix(changed, values);
    if (value !== undefined && value !== right) return changed;
  }
  return undefined;
}
