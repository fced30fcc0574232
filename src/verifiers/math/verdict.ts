/** Whether a mathematical answer is the reference answer, whatever way either is written. */
import { sameForms } from "./compare.ts";
import { type Form, formOf, readForm } from "./forms.ts";
import { canonicalLatex } from "./notation.ts";
import { numberFromElsewhere, quickValues, readRational, sameNumbers, type Values } from "./numbers.ts";
import { optionLetter, withoutLabel } from "./words.ts";

/** How a verdict came about. `engine`: expressions were parsed and evaluated. `time` and `memory`: the limit was reached, counted as different. */
export type DecidedBy = "exact" | "words" | "rational" | "form" | "engine" | "undecided" | "limits" | "time" | "memory";

export interface MathVerdict {
  equal: boolean;
  by: DecidedBy;
}

/** All stages over one source of values. Never throws for `quickValues`. */
export function decide(gold: string, answer: string, values: Values): { equal: boolean | undefined; by: DecidedBy } {
  if (gold.trim() === answer.trim()) return { equal: gold.trim() !== "", by: "exact" };
  const [first, second] = [canonicalLatex(gold), canonicalLatex(answer)];
  if (first === undefined || second === undefined) return { equal: false, by: "limits" };
  if (first === "" || second === "") return { equal: false, by: "exact" };
  const [one, other] = [readForm(gold, first), readForm(answer, second)];
  if (one === undefined || other === undefined) return { equal: false, by: "limits" };
  // What is written in another country's way stands against a plain number of ours; the reference itself is written in one way.
  const written = /^\s*\$?\\?[$€£].*\dk\b/.test(answer) ? second.replace(/k$/, "K") : second;
  const number = /\d[ ,.'_KMBT]/.test(written) && readRational(first) ? numberFromElsewhere(written) : undefined;
  if (number !== undefined && sameNumbers(first, number) === true) return { equal: true, by: "rational" };
  // $10 and €10 are spelt the same once their signs are gone.
  if (first === second) return { equal: sameForms(one, other, quickValues) !== false, by: "exact" };
  const by: DecidedBy =
    one.kind === "words" || other.kind === "words"
      ? "words"
      : values === quickValues
        ? numeric(one, other)
          ? "rational"
          : "form"
        : "engine";
  const equal = sameForms(one, other, values);
  if (equal === true) return { equal, by };
  // "(B) 42" says 42 too.
  const labelled = one.kind === "words" ? undefined : withoutLabel(second);
  if (labelled !== undefined) {
    const inside = sameForms(one, formOf(labelled), values);
    if (inside !== false) return { equal: inside, by: inside === true ? by : "undecided" };
  }
  if (/^[A-J]$/.test(first) && optionLetter(second) === first.toLowerCase()) return { equal: true, by: "words" };
  if (one.kind === "words" && optionLetter(second) === one.words) return { equal: true, by: "words" };
  if (other.kind === "words" && optionLetter(first) === other.words) return { equal: true, by: "words" };
  return { equal, by: equal === undefined ? "undecided" : by };
}

const numeric = (one: Form, other: Form) => one.kind === "value" && other.kind === "value";

/**
 * The cheap stages alone: the same text, the same words, the same exact number, or lists, tuples and sets of these. In-process, bounded,
 * never throws. Undefined where only the engine can tell.
 */
export function compareMathQuick(gold: string, answer: string): boolean | undefined {
  return decide(gold, answer, quickValues).equal;
}

/**
 * For votes and convergence in methods: true only where the cheap stages say so, either way round. 2√2 and √8 stay two answers; ½ and 0.5
 * are one.
 */
export function sameMath(first: string, second: string): boolean {
  return compareMathQuick(first, second) === true && compareMathQuick(second, first) === true;
}
