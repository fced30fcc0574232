/** What became of answers: right or wrong before, right or wrong after. A mean alone hides answers that were made worse. */

/** Counts of answers; `rightToWrong` were right before and are wrong after. */
export interface Transitions {
  rightToRight: number;
  rightToWrong: number;
  wrongToRight: number;
  wrongToWrong: number;
}

/** Graded accuracies count as right from this on. */
const rightFrom = 1 - 1e-9;

export function isRight(accuracy: number): boolean {
  return accuracy >= rightFrom;
}

export function countTransitions(pairs: Iterable<readonly [before: number, after: number]>): Transitions {
  const counts: Transitions = { rightToRight: 0, rightToWrong: 0, wrongToRight: 0, wrongToWrong: 0 };
  for (const [before, after] of pairs) {
    if (isRight(before)) counts[isRight(after) ? "rightToRight" : "rightToWrong"]++;
    else counts[isRight(after) ? "wrongToRight" : "wrongToWrong"]++;
  }
  return counts;
}

/** The same as shares of all answers; all 0 for none. */
export function transitionShares(counts: Transitions): Transitions {
  const total = counts.rightToRight + counts.rightToWrong + counts.wrongToRight + counts.wrongToWrong;
  const share = (count: number) => (total === 0 ? 0 : count / total);
  return {
    rightToRight: share(counts.rightToRight),
    rightToWrong: share(counts.rightToWrong),
    wrongToRight: share(counts.wrongToRight),
    wrongToWrong: share(counts.wrongToWrong),
  };
}
