/**
 * Self-agreement of several samples of one answer, PTR's consistency filter: the sample that the others agree with most, and how far they
 * do. Pure: what two samples have in common is given as a function, the cosine of embeddings or the equality of their answers.
 */

export interface Agreement {
  /** Index of the sample that agrees most with the others; the earliest of equals. */
  chosen: number;
  /** Its mean agreement with the others, in the unit of `similarity`; undefined for fewer than two samples. */
  agreement: number | undefined;
}

/** `similarity` is symmetric and asked once for each pair of the `count` samples. */
export function agreementOf(count: number, similarity: (first: number, second: number) => number): Agreement {
  const sums = new Array<number>(count).fill(0);
  for (let first = 0; first < count; first++) {
    for (let second = first + 1; second < count; second++) {
      const value = similarity(first, second);
      sums[first] += value;
      sums[second] += value;
    }
  }
  let chosen = 0;
  for (const [index, sum] of sums.entries()) if (sum > sums[chosen]) chosen = index;
  return { chosen, agreement: count < 2 ? undefined : sums[chosen] / (count - 1) };
}

/** Similarity 1 where two samples give the same answer, else 0; a sample without an answer agrees with none. */
export function sameAnswers(
  answers: readonly (string | undefined)[],
  isSame: (first: string, second: string) => boolean,
): (first: number, second: number) => number {
  return (first, second) => {
    const [one, other] = [answers[first], answers[second]];
    return one !== undefined && other !== undefined && (one === other || isSame(one, other)) ? 1 : 0;
  };
}
