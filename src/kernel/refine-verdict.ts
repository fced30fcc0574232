/** What can be said about a completion's format: a closed set of named verdicts with one sentence each, and which one wins. */

export const verdictReasons = {
  ok: "The format holds.",
  empty: "There is nothing but white space.",
  "missing-think": "There is no <think> tag.",
  "missing-answer": "The thinking is closed, but no <answer> tag follows.",
  "unclosed-think": "The answer begins before </think>.",
  "unclosed-refine": "The thinking ends or the answer begins before </refine>.",
  "doubled-think": "There is a second <think> tag.",
  "doubled-answer": "There is a second <answer> tag.",
  "nested-refine": "A <refine> tag stands inside a refinement.",
  "refine-outside-think": "A <refine> tag stands outside the thinking.",
  reordered: "The answer stands before the thinking.",
  "text-outside": "There is text outside the thinking and the answer.",
  "stray-close": "A closing tag closes nothing.",
  truncated: "The text ends inside a span or inside the tag that was due.",
} as const;

export type Verdict = keyof typeof verdictReasons;

export interface Violation {
  verdict: Verdict;
  at: number;
}

/** What the parser knows at the end of the text; offsets in UTF-16 units. */
export interface Evidence {
  isBlank: boolean;
  sawThink: boolean;
  /** The first thing that broke the grammar, in reading order. */
  violation: Violation | undefined;
  /** Where the text ends inside the tag that was due. */
  cutTagAt: number | undefined;
  /** Start of the innermost span that is still open. */
  openAt: number | undefined;
  /** End of the thinking where it is closed and no answer was ever opened. */
  answerMissingAt: number | undefined;
}

/** What is absent explains most other faults, so it comes first; then the first fault in reading order; then a cut end. */
export function verdictOf(evidence: Evidence): { verdict: Verdict; at?: number } {
  if (evidence.isBlank) return { verdict: "empty", at: 0 };
  if (evidence.cutTagAt !== undefined) return { verdict: "truncated", at: evidence.cutTagAt };
  if (!evidence.sawThink) return { verdict: "missing-think", at: 0 };
  if (evidence.answerMissingAt !== undefined) return { verdict: "missing-answer", at: evidence.answerMissingAt };
  if (evidence.violation) return evidence.violation;
  if (evidence.openAt !== undefined) return { verdict: "truncated", at: evidence.openAt };
  return { verdict: "ok" };
}
