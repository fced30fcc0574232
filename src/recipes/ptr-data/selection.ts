/** Which queries become examples: pure, from what the two models wrote. */
import { agreementOf, sameAnswers } from "#data/filters/filters.ts";
import { type Dropped, isDropped } from "#data/training-files/data-card.ts";
import { checkPtr, type PtrExample } from "#data/training-files/ptr-layout.ts";
import { visibleAnswer } from "#verifiers/answers/extract.ts";
import { sameNumber } from "#verifiers/answers/number.ts";
import { readNumber } from "#verifiers/answers/number-extract.ts";
import { type AgreementLine, type AnswerLine, type AttemptLine, candidates } from "./calls.ts";
import type { PtrDataSettings } from "./setup.ts";

export interface Selection {
  example: PtrExample;
  agreement: number | undefined;
  /** Attempts of it that were cut at their largest length. */
  cutAttempts: number;
}

export interface Material {
  question: string;
  attempts: AttemptLine | undefined;
  answers: AnswerLine | undefined;
  /** For agreement by embedding. */
  agreement: AgreementLine | undefined;
}

export function selectExample(id: string, material: Material, settings: PtrDataSettings): Selection | Dropped {
  const { question, attempts, answers } = material;
  if (attempts === undefined || attempts.failed !== undefined) return failed("attempt-failed", attempts?.failed);
  const texts = attempts.attempts.map(({ text }) => text);
  if (texts.every((text) => text.trim() === "")) return { dropped: "attempt-empty" };
  if (answers === undefined || answers.failed !== undefined) return failed("answer-failed", answers?.failed);
  const possible = candidates(answers);
  if (possible.length === 0) return { dropped: answers.samples.some(({ cut }) => cut) ? "answer-truncated" : "answer-empty" };

  const agreed = agree(possible, material, settings);
  if (isDropped(agreed)) return agreed;
  const { minimumAnswerCharacters, keepRepeats } = settings;
  const example = { id, question, attempts: texts, answer: possible[agreed.chosen] };
  const checked = checkPtr(example, { minimumAnswerCharacters, keepRepeats });
  if (isDropped(checked)) return checked;
  return { example: checked, agreement: agreed.agreement, cutAttempts: attempts.attempts.filter(({ cut }) => cut).length };
}

function agree(
  possible: readonly string[],
  { agreement: line }: Material,
  { agreement: by, threshold }: PtrDataSettings,
): { chosen: number; agreement: number | undefined } | Dropped {
  if (by === "none") return { chosen: 0, agreement: undefined };
  if (by === "embedding" && (line === undefined || line.failed !== undefined)) return failed("agreement-failed", line?.failed);
  const found = by === "embedding" ? { chosen: line!.chosen, agreement: line!.agreement } : answerAgreement(possible);
  // One answer that is left agrees with nobody.
  if (found.agreement === undefined) return { dropped: "inconsistent", detail: "a single usable answer" };
  if (!(found.agreement >= threshold)) return { dropped: "inconsistent", detail: found.agreement.toFixed(3) };
  return found;
}

/** Longer answers without a number are texts, of which no two are the same by accident. */
const longestAnswer = 200;

/** By the number an answer gives; where it gives none, by the words of a short answer. */
export function answerAgreement(texts: readonly string[]) {
  const answers = texts.map((text) => {
    const visible = visibleAnswer(text).trim();
    return (
      readNumber(visible)?.number ?? (visible.length <= longestAnswer ? visible.toLowerCase().replaceAll(/\s+/g, " ") : undefined)
    );
  });
  return agreementOf(texts.length, sameAnswers(answers, sameNumber));
}

function failed(dropped: "attempt-failed" | "answer-failed" | "agreement-failed", detail: string | undefined): Dropped {
  return { dropped, detail: detail?.slice(0, 200) };
}
