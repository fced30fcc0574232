/**
 * What n samples of one item say about drawing k of them: unbiased expectations over all k-subsets, never the plug-in 1 − (1 − c/n)^k,
 * which is too low (Chen et al. 2021, arXiv 2107.03374).
 */

/** Probability that k of n samples drawn without replacement hold a right one, when `right` of the n are right. */
export function passAtK(samples: number, right: number, k: number): number {
  let allWrong = 1;
  for (let drawn = 0; drawn < k; drawn++) allWrong *= Math.max(0, samples - right - drawn) / (samples - drawn);
  return 1 - allWrong;
}

/** Probability that all of k samples drawn without replacement are right (pass^k): reliability instead of luck. */
export function passAllK(samples: number, right: number, k: number): number {
  let allRight = 1;
  for (let drawn = 0; drawn < k; drawn++) allRight *= Math.max(0, right - drawn) / (samples - drawn);
  return allRight;
}

/**
 * Expected accuracy of the best-scored of k samples: Σ_i C(n−1−i, k−1)·α_i / C(n, k) over accuracies α in descending order of score
 * (V-STaR, arXiv 2402.06457). Samples of equal score share the credit: which of them is drawn as the best is chance.
 */
export function bestOfK(samples: readonly { accuracy: number; score: number }[], k: number): number {
  const sorted = [...samples].sort((first, second) => second.score - first.score);
  const size = sorted.length;
  let expected = 0;
  // Probability that sample i is the best of the subset; C(n−1−i, k−1)/C(n, k) by its ratio from one i to the next.
  let weight = k / size;
  for (let start = 0; start < size; ) {
    let end = start;
    let accuracy = 0;
    let weights = 0;
    for (; end < size && sorted[end].score === sorted[start].score; end++) {
      accuracy += sorted[end].accuracy;
      weights += weight;
      const left = size - 1 - end;
      weight = left === 0 ? 0 : (weight * Math.max(0, left - (k - 1))) / left;
    }
    expected += weights * (accuracy / (end - start));
    start = end;
  }
  return expected;
}
