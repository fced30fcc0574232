/** What putting samples to the vote is worth, over all the ways to draw them. */
import type { Random } from "#kernel/seed.ts";

/**
 * Expected accuracy of the vote over k = 1 … largest samples; the credit of a tie is split. In one random order a vote's count only
 * grows, so the leaders are kept up to date sample by sample.
 */
export function expectedVotes(
  samples: readonly { vote: string; accuracy: number }[],
  largest: number,
  orders: number,
  random: Random,
): number[] {
  const names = [...new Set(samples.map((sample) => sample.vote).filter((vote) => vote !== ""))].sort();
  const places = new Map(names.map((name, place) => [name, place]));
  // In one order, so that the draws do not depend on the order in which the samples came.
  const classes = samples
    .map((sample) => ({ accuracy: sample.accuracy, vote: places.get(sample.vote) ?? -1 }))
    .sort((first, second) => first.vote - second.vote || first.accuracy - second.accuracy);
  const sums = new Array<number>(largest).fill(0);
  const counts = new Int32Array(names.length);
  const accuracies = new Float64Array(names.length);
  for (let order = 0; order < orders; order++) {
    counts.fill(0);
    let most = 0;
    let leaders = 0;
    let credit = 0;
    for (const [index, { vote, accuracy }] of random.shuffle(classes).slice(0, largest).entries()) {
      if (vote >= 0) {
        // Graded accuracies of one vote may differ: the first seen counts, as it would be the one returned.
        if (counts[vote] === 0) accuracies[vote] = accuracy;
        counts[vote]++;
        if (counts[vote] > most) [most, leaders, credit] = [counts[vote], 1, accuracies[vote]];
        else if (counts[vote] === most) [leaders, credit] = [leaders + 1, credit + accuracies[vote]];
      }
      if (leaders > 0) sums[index] += credit / leaders;
    }
  }
  return sums.map((sum) => sum / orders);
}
