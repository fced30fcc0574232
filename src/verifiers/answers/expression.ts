/** A safe calculator: numbers, + − * / and brackets, or the same in prefix form; exact fractions, bounded work, nothing is executed. */
import type { Item, Score, Verifier } from "#kernel/item.ts";
import { parseNumber } from "./number.ts";
import { combine, negative, type Rational, within } from "./rational.ts";

const longestExpression = 1000;
const token = /\s*(?:(\d+(?:\.\d*)?|\.\d+)|([-+*/()×·÷−–]))/y;
const operatorNames: Record<string, string> = { "×": "*", "·": "*", "÷": "/", "−": "-", "–": "-" };

/** Numbers and operators in order; undefined when something else stands in the text. */
function tokenise(text: string): (Rational | string)[] | undefined {
  const tokens: (Rational | string)[] = [];
  const trimmed = text.trim();
  if (trimmed.length > longestExpression) return undefined;
  token.lastIndex = 0;
  while (token.lastIndex < trimmed.length) {
    const match = token.exec(trimmed);
    if (match === null) return undefined;
    const value = match[1] === undefined ? (operatorNames[match[2]] ?? match[2]) : parseNumber(match[1]);
    if (value === undefined) return undefined;
    tokens.push(value);
  }
  return tokens;
}

/** Recursive descent over tokens. Every method returns undefined where the expression is not one, or cannot be computed. */
class Reader {
  readonly #tokens: readonly (Rational | string)[];
  #at = 0;

  constructor(tokens: readonly (Rational | string)[]) {
    this.#tokens = tokens;
  }

  whole(form: "infix" | "prefix"): Rational | undefined {
    const value = form === "infix" ? this.#sum() : this.#prefix();
    return this.#at === this.#tokens.length ? value : undefined;
  }

  #sum(): Rational | undefined {
    return this.#chain(["+", "-"], () => this.#chain(["*", "/"], () => this.#signed()));
  }

  #chain(operators: readonly string[], operand: () => Rational | undefined): Rational | undefined {
    let value = operand();
    while (value !== undefined) {
      const operator = this.#tokens[this.#at];
      if (typeof operator !== "string" || !operators.includes(operator)) return value;
      this.#at++;
      const right = operand();
      value = right && combine(value, operator, right);
    }
    return undefined;
  }

  #signed(): Rational | undefined {
    const next = this.#tokens[this.#at++];
    if (next === "-" || next === "+") {
      const value = this.#signed();
      return next === "-" && value ? negative(value) : value;
    }
    if (next !== "(") return typeof next === "string" ? undefined : next;
    const value = this.#sum();
    return this.#tokens[this.#at++] === ")" ? value : undefined;
  }

  #prefix(): Rational | undefined {
    const next = this.#tokens[this.#at++];
    if (next === undefined || typeof next !== "string") return next;
    const left = this.#prefix();
    const right = left && this.#prefix();
    return right && combine(left, next, right);
  }
}

/**
 * The value of "3 + 4 * (2 - 1)" or of "+ 3 * 4 - 2 1". Infix is tried first; no text is both, except that a lone signed number is infix.
 * Undefined for anything that is no expression, for division by zero and for numbers beyond 300 digits. Never throws.
 */
export function evaluateExpression(text: string, form: "infix" | "prefix" | "either" = "either"): Rational | undefined {
  const tokens = tokenise(text);
  if (tokens === undefined || tokens.length === 0) return undefined;
  if (form !== "either") return new Reader(tokens).whole(form);
  return new Reader(tokens).whole("infix") ?? new Reader(tokens).whole("prefix");
}

/** Accuracy 1 when the answer, a number or an expression, has the value of the item's answer. */
export function expressionVerifier(options: { tolerance?: string } = {}): Verifier {
  const tolerance = options.tolerance === undefined ? undefined : parseNumber(options.tolerance);
  return (item: Item, answer: string): Score => {
    const text = answer.trim();
    const extracted = text.length > 0 && text.length <= longestExpression ? text : undefined;
    const found = evaluateExpression(answer) ?? parseNumber(answer);
    const wanted = parseNumber(item.answer) ?? evaluateExpression(item.answer);
    return { accuracy: within(found, wanted, tolerance) ? 1 : 0, extracted };
  };
}
