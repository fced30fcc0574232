/** How answers to mathematics benchmarks are read and told apart. */
import type { Grader, Verifier } from "#kernel/item.ts";
import { answerClauses, gradedText, lastBoxed, visibleAnswer, withoutMarkup } from "#verifiers/extract.ts";
import { compareMathQuick } from "#verifiers/math.ts";
import { parseNumber } from "#verifiers/number.ts";
import { readNumber } from "#verifiers/number-extract.ts";

export { sameMath } from "#verifiers/math.ts";

export function readMath(completion: string): string | undefined {
  return readStatement(visibleAnswer(completion))?.answer;
}

function readStatement(text: string): { answer: string; strict: boolean } | undefined {
  const box = lastBoxed(text);
  if (box !== undefined && box !== "") return { answer: box, strict: true };
  for (const { sentence } of answerClauses(text)) {
    const answer = withoutMarkup(sentence)
      .replace(/^[\s:=]+/, "")
      .trim();
    if (answer !== "") return { answer, strict: false };
  }
  const isShort = text.trim() !== "" && text.length <= 200 && !text.includes("\n");
  return isShort ? { answer: withoutMarkup(text), strict: true } : undefined;
}

export function gradeMath(): Grader {
  return (item, answer, completion) => {
    const reading = readStatement(gradedText(answer, completion));
    if (reading === undefined) return { accuracy: 0, extracted: undefined, strictAccuracy: 0, status: "no-answer" };
    const references = [item.answer, ...(item.alternatives ?? [])];
    const accuracy = references.some((reference) => compareMathQuick(reference, reading.answer) === true) ? 1 : 0;
    return { accuracy, extracted: reading.answer, strictAccuracy: reading.strict ? accuracy : 0 };
  };
}

/** The integer in a completion, without leading zeros. */
export function readInteger(completion: string): string | undefined {
  return integerIn(visibleAnswer(completion))?.integer;
}

export function sameInteger(first: string, second: string): boolean {
  const [one, other] = [integerOf(first), integerOf(second)];
  return one !== undefined && one === other;
}

/** A box asked for counts as strict; any clear statement of an integer counts. 33.0 is 33, and 33.5 is none. */
export const gradeInteger: Verifier = (item, answer, completion) => {
  const reading = integerIn(gradedText(answer, completion));
  if (reading === undefined) return { accuracy: 0, extracted: undefined, strictAccuracy: 0, status: "no-answer" };
  const accuracy = sameInteger(reading.integer, item.answer) ? 1 : 0;
  return { accuracy, extracted: reading.integer, strictAccuracy: reading.strict ? accuracy : 0 };
};

function integerIn(text: string): { integer: string; strict: boolean } | undefined {
  const reading = readNumber(text);
  const integer = reading && integerOf(reading.number);
  return integer === undefined ? undefined : { integer, strict: reading?.by === "boxed" || reading?.by === "whole" };
}

function integerOf(text: string): string | undefined {
  const value = parseNumber(text);
  return value?.denominator === 1n ? String(value.numerator) : undefined;
}
