/** Attempts with what is known of their quality, and the choice among them: the best so far, not the last one. */
import type { AnswerForm } from "#kernel/answer-form.ts";
import { countVotes } from "./vote.ts";

export interface Candidate {
  /** Its number in the trace. */
  attempt: number;
  text: string;
  /** Larger is better; undefined where nobody scored it, which is worse than any score. */
  score?: number | undefined;
  /** The model's words about it, where the steps keep them. */
  feedback?: string | undefined;
}

/** The highest score; the later of equals, so that without any score it is the last candidate. Undefined for an empty list. */
export function bestScored<C extends Candidate>(candidates: readonly C[]): C | undefined {
  let best: C | undefined;
  for (const candidate of candidates) {
    if (best === undefined || rank(candidate) >= rank(best)) best = candidate;
  }
  return best;
}

/**
 * The highest score; among equals the one whose answer most candidates agree on, then the earlier. Without any score it is the plain vote.
 * Undefined for an empty list.
 */
export function bestScoredByVote<C extends Candidate>(candidates: readonly C[], form: AnswerForm): C | undefined {
  const top = Math.max(...candidates.map(rank));
  const { groups } = countVotes(
    candidates.map((candidate) => form.read(candidate.text)),
    form.same,
  );
  const agreement = candidates.map((_, index) => groups.find((group) => group.includes(index))?.length ?? 0);
  let best: number | undefined;
  for (const [index, candidate] of candidates.entries()) {
    if (rank(candidate) === top && (best === undefined || agreement[index] > agreement[best])) best = index;
  }
  return best === undefined ? undefined : candidates[best];
}

/** The first of those whose answer has the most votes; `otherwise` when none has an answer. */
export function mostAgreed<C extends Candidate>(
  candidates: readonly C[],
  form: AnswerForm,
  weights?: readonly (number | undefined)[],
): { winner: C | undefined; votes: number; voters: number } {
  const answers = candidates.map((candidate) => form.read(candidate.text));
  const { winner, votes, voters } = countVotes(answers, form.same, weights);
  return { winner: winner === undefined ? undefined : candidates[winner], votes, voters };
}

function rank({ score }: Candidate): number {
  return score === undefined || Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score;
}
