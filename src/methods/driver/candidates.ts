/**
 * Attempts with what is known of their quality, and the choice among them: the best so far, not the last one, or the answer most of them agree
 * on.
 */
import type { AnswerForm } from "#kernel/answer-form.ts";

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

export interface Vote {
  /** Index of the first ballot of the winning group; undefined when no ballot holds an answer. */
  winner: number | undefined;
  /** Weight of the winning group; its size where every weight is 1. */
  votes: number;
  /** Ballots in all, those without an answer included. */
  voters: number;
  /** Ballots that agree, by index, in the order of first sight; ballots without an answer are in none. */
  groups: readonly (readonly number[])[];
}

/**
 * The group with the largest weight wins; a tie goes to the group seen first. A ballot without an answer has no vote, and a weight that is
 * not a number above 0 counts as 0. `same` need not be transitive: an answer joins the first group whose first answer it equals.
 */
export function countVotes(
  answers: readonly (string | undefined)[],
  same: (first: string, second: string) => boolean,
  weights?: readonly (number | undefined)[],
): Vote {
  const groups = groupAnswers(answers, same);
  let winner: number | undefined;
  let votes = 0;
  for (const group of groups) {
    const weight = group.reduce((sum, index) => sum + (weights ? usableWeight(weights[index]) : 1), 0);
    if (winner === undefined || weight > votes) [winner, votes] = [group[0], weight];
  }
  return { winner, votes, voters: answers.length, groups };
}

/** Indices of the answers that are the same one, in the order of first sight. */
export function groupAnswers(
  answers: readonly (string | undefined)[],
  same: (first: string, second: string) => boolean,
): number[][] {
  const groups: { answer: string; members: number[] }[] = [];
  // Equal texts are compared once: telling formulas apart can be dear.
  const groupOfText = new Map<string, number[]>();
  for (const [index, answer] of answers.entries()) {
    if (answer === undefined) continue;
    let members = groupOfText.get(answer) ?? groups.find((group) => same(group.answer, answer))?.members;
    if (!members) {
      members = [];
      groups.push({ answer, members });
    }
    groupOfText.set(answer, members);
    members.push(index);
  }
  return groups.map((group) => group.members);
}

function usableWeight(weight: number | undefined): number {
  return weight !== undefined && Number.isFinite(weight) && weight > 0 ? weight : 0;
}
