/** How answers to questions from a file are graded: equations by their value, numbers as numbers, other text by normalised exact match. */
import { evaluatePrefix, type WordProblemItem } from "#data/files/word-problem-file.ts";
import type { Item, Score, Verifier } from "#kernel/item.ts";
import { expressionVerifier } from "#verifiers/answers/expression.ts";
import { withoutEnd } from "#verifiers/answers/extract.ts";
import { numberVerifier, parseNumber } from "#verifiers/answers/number.ts";

/**
 * How far a value may be from the reference, since published references are rounded to two decimals in places. The evaluation published
 * with the word problem files allows 0.1, which also lets some wrong equations over small numbers pass.
 */
const equationTolerance = 0.01;

/** Longer texts are no equations; reading stops here so that no answer is slow. */
const longestEquation = 1000;

const byValue = expressionVerifier({ tolerance: String(equationTolerance) });

/**
 * Accuracy 1 when the answer has the value of the item's answer: a prefix equation over number0, number1 … and constants, or any
 * expression over them. Never throws; what is no equation scores 0.
 */
export const equationVerifier: Verifier = (item: Item, answer: string, completion: string): Score => {
  const equation = answer.trim();
  if (equation === "" || equation.length > longestEquation) return { accuracy: 0, extracted: undefined };
  const numbers = (item as Partial<WordProblemItem>).numbers ?? [];
  const value = evaluatePrefix(equation.split(/\s+/), numbers.map(Number));
  if (value !== undefined) {
    // The margin is for the binary fractions of a difference that is the tolerance itself.
    const isRight = Math.abs(value - Number(item.answer)) <= equationTolerance + 1e-9;
    return { accuracy: isRight ? 1 : 0, extracted: equation };
  }
  return { accuracy: byValue(item, fillIn(equation, numbers), completion).accuracy, extracted: equation };
};

/** Numbers stand apart from what is written beside the placeholders, so that `number0number1` is no number. */
function fillIn(equation: string, numbers: readonly string[]): string {
  return equation.replaceAll(/number(0|[1-9]\d*)/g, (placeholder, index) => ` ${numbers[Number(index)] ?? placeholder} `);
}

const byNumber = numberVerifier();

/** A number where the reference is one; else the same words in the same order. */
export const answerVerifier: Verifier = (item: Item, answer: string, completion: string): Score => {
  if (parseNumber(item.answer) !== undefined) return byNumber(item, answer, completion);
  const found = normaliseAnswer(answer);
  return { accuracy: found !== "" && found === normaliseAnswer(item.answer) ? 1 : 0, extracted: answer.trim() || undefined };
};

/** Case, spacing, quotation marks around and a full stop behind an answer do not count. */
function normaliseAnswer(text: string): string {
  const plain = text.normalize("NFKC").toLowerCase().replaceAll(/\s+/g, " ").trim();
  return withoutEnd(plain.replace(/^["'“”‘’`]+/, ""), /["'“”‘’`.\s]/);
}
