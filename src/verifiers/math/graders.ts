/** Graders of answers in LaTeX (MATH, MATH-500) and of integers (AIME). */
import { type CallSpecs, checkCall, thing } from "#kernel/call-options.ts";
import type { Grader, Item, Score, Verifier } from "#kernel/item.ts";
import { isRecord } from "#kernel/values.ts";
import { gradedText, referencesOf } from "../answers/extract.ts";
import { MathComparer } from "./comparer.ts";
import { extractMath, type MathExtraction } from "./extract.ts";
import { readForm } from "./forms.ts";
import { readRational } from "./numbers.ts";
import { type MathVerdict, sameMath } from "./verdict.ts";
import { numberOfWords } from "./vocabulary.ts";

interface MathGraderOptions {
  comparer?: MathComparer | undefined;
}

const specs: CallSpecs<MathGraderOptions> = {
  comparer: thing("compares the answers", "a MathComparer", (value) => isRecord(value) && typeof value.compare === "function"),
};

/**
 * Accuracy 1 when the answer is mathematically the reference, or one of its alternatives; strict accuracy reads the box (or the answer
 * span) alone. `status` is `no-answer`, or `time`, `memory` or `limits` where the comparison met one. The comparer's threads start with
 * the first comparison that needs the engine, and do not keep the process alive.
 */
export function mathGrader(options: MathGraderOptions = {}): Grader {
  checkCall("mathGrader", specs, options);
  const { comparer = new MathComparer() } = options;
  return async (item: Item, answer: string, completion: string, signal?: AbortSignal): Promise<Score> => {
    const { strict, flexible } = readings(answer, completion);
    if (flexible === undefined) return { accuracy: 0, extracted: undefined, strictAccuracy: 0, status: "no-answer" };
    const verdict = await best(item, (gold) => comparer.compare(gold, flexible, signal));
    const inForm =
      strict === undefined || strict === flexible ? verdict : await best(item, (gold) => comparer.compare(gold, strict, signal));
    const status = !verdict.equal && ["time", "memory", "limits"].includes(verdict.by) ? { status: verdict.by } : {};
    // A box that the text took back later counts no more.
    const strictAccuracy = strict !== undefined && inForm.equal && verdict.equal ? 1 : 0;
    return { accuracy: verdict.equal ? 1 : 0, extracted: flexible, strictAccuracy, ...status };
  };
}

/** Against the references one after the other, up to one that is equal; else how it compares with the first. */
async function best(item: Item, compare: (gold: string) => Promise<MathVerdict>): Promise<MathVerdict> {
  let first: MathVerdict | undefined;
  for (const gold of referencesOf(item)) {
    const verdict = await compare(gold);
    if (verdict.equal) return verdict;
    first ??= verdict;
  }
  return first ?? { equal: false, by: "exact" };
}

/** The answer a method gave comes first; the form is looked for in its completion where the answer is cut out already. */
function readings(answer: string, completion: string): MathExtraction {
  const given = extractMath(gradedText(answer, completion));
  if (given.strict !== undefined || given.flexible === undefined) return given;
  const { strict } = extractMath(completion);
  const same = strict !== undefined && (strict === given.flexible || sameMath(strict, given.flexible));
  return same ? { strict, flexible: given.flexible } : given;
}

/** Accuracy 1 when the answer is the reference integer: 004 and 4.0 are 4, "m + n = 33" is 33. Strict accuracy as for `mathGrader`. */
export const integerGrader: Verifier = (item: Item, answer: string, completion: string): Score => {
  const { strict, flexible } = readings(answer, completion);
  if (flexible === undefined) return { accuracy: 0, extracted: undefined, strictAccuracy: 0, status: "no-answer" };
  const wanted = referencesOf(item)
    .map(readInteger)
    .filter((integer) => integer !== undefined);
  const right = (text: string | undefined) => {
    const found = text === undefined ? undefined : readInteger(text);
    return found !== undefined && wanted.includes(found) ? 1 : 0;
  };
  return { accuracy: right(flexible), extracted: flexible, strictAccuracy: right(strict) };
};

/** The integer a text is, whatever way it is written without arithmetic; undefined when it is none. */
export function readInteger(text: string): bigint | undefined {
  let form = readForm(text);
  // "m + n = 25 + 8 = 33" states its last side.
  if (form?.kind === "relation" && form.operators.every((operator) => operator === "="))
    form = readForm(form.sides[form.sides.length - 1]);
  while (form?.kind === "named") form = form.value;
  const said = form?.kind === "words" ? numberOfWords(form.words) : undefined;
  if (said !== undefined) return BigInt(said);
  if (form?.kind !== "value" || form.percent) return undefined;
  const value = readRational(form.latex);
  return value?.denominator === 1n ? value.numerator : undefined;
}
