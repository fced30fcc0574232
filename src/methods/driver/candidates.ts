/**
 * Attempts with what is known of their quality, and the choice among them: the best so far, not the last one, or the answer most of them agree
 * on.
 */
import { type AnswerForm, groupAnswers } from "#kernel/answer-form.ts";

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
 * The highest score; among equals the one whose answer most candidates agree on, then the one whose answer comes first by its characters, then
 * the earlier. Without any score it is the plain vote. Undefined for an empty list.
 */
export function bestScoredByVote<C extends Candidate>(candidates: readonly C[], form: AnswerForm): C | undefined {
  const top = Math.max(...candidates.map(rank));
  const answers = candidates.map((candidate) => form.read(candidate.text));
  const groups = groupAnswers(answers, form.same);
  const places = [...candidates.keys()].map((index) => ({
    index,
    votes: groups.find((group) => group.includes(index))?.length ?? 0,
    text: answers[index] ?? "",
  }));
  const best = foremost(places.filter(({ index }) => rank(candidates[index]) === top))?.index;
  return best === undefined ? undefined : candidates[best];
}

/** The first of those whose answer has the most votes; undefined when none has an answer. */
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
 * The group with the largest weight wins, whatever the order of the ballots: of tied groups the one whose answer comes first by its characters,
 * an answer being known by the spelling that has the most weight. A ballot without an answer has no vote, and a weight that is not a number
 * above 0 counts as 0.
 */
export function countVotes(
  answers: readonly (string | undefined)[],
  same: (first: string, second: string) => boolean,
  weights?: readonly (number | undefined)[],
): Vote {
  const groups = groupAnswers(answers, same);
  const weightOf = (indices: readonly number[]) =>
    weights ? sumOf(indices.map((index) => usableWeight(weights[index]))) : indices.length;
  const best = foremost(groups.map((group) => ({ ...usualSpelling(group, answers, weightOf), votes: weightOf(group) })));
  return { winner: best?.index, votes: best?.votes ?? 0, voters: answers.length, groups };
}

/** Sums of the same weights in another order are one sum. */
const rounding = 1e-12;

/** The most votes; of tied ones the text that comes first by its characters, then the earlier. */
function foremost<T extends { votes: number; text: string }>(entries: readonly T[]): T | undefined {
  const most = Math.max(...entries.map(({ votes }) => votes));
  const [first, ...others] = entries.filter(({ votes }) => votes >= most * (1 - rounding));
  return first && others.reduce((best, next) => (next.text < best.text ? next : best), first);
}

/** The spelling of most weight in a group, and the first ballot that has it. */
function usualSpelling(
  group: readonly number[],
  answers: readonly (string | undefined)[],
  weightOf: (indices: readonly number[]) => number,
): { index: number; text: string } {
  const bySpelling = [...Map.groupBy(group, (index) => answers[index] ?? "")];
  const spellings = bySpelling.map(([text, indices]) => ({ text, index: indices[0], votes: weightOf(indices) }));
  return foremost(spellings) ?? { text: "", index: group[0] };
}

/** The same whatever the order: the smallest first. */
function sumOf(weights: number[]): number {
  return weights.sort((first, second) => first - second).reduce((sum, weight) => sum + weight, 0);
}

function usableWeight(weight: number | undefined): number {
  return weight !== undefined && Number.isFinite(weight) && weight > 0 ? weight : 0;
}
