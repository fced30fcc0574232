/** Votes over answers that were read from completions: answers that are the same one vote together. */

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
