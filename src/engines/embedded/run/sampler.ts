/** Chooses a token from a row of probabilities: greedy, plain, top-k and top-p, one uniform draw per token. */
import { userError } from "#kernel/errors.ts";

export interface Truncation {
  /** Keep the k most likely tokens; 0 keeps all. */
  topK: number;
  /** Then keep the smallest set of tokens with this share of what is left; 1 keeps all. */
  topP: number;
}

/** Index of the largest of row[from, to); the first of equals. */
export function largestIndex(row: Float32Array, from: number, to: number): number {
  let best = from;
  for (let index = from + 1; index < to; index++) if (row[index] > row[best]) best = index;
  if (!Number.isFinite(row[best]) || Number.isNaN(row[from])) throw notFinite();
  return best - from;
}

/** Inverse transform sampling from row[from, to), which sums to about 1; a token of probability 0 is never chosen. */
export function drawIndex(row: Float32Array, from: number, to: number, uniform: number): number {
  let sum = 0;
  let last = -1;
  for (let index = from; index < to; index++) {
    const probability = row[index];
    if (probability === 0) continue;
    sum += probability;
    last = index;
    if (sum > uniform) return index - from;
  }
  // Rounding may leave the sum a little under 1, and a draw may fall in the gap.
  if (last < 0 || !(sum > 0.99)) throw notFinite();
  return last - from;
}

/** The same among the tokens that truncation keeps, their probabilities scaled to sum to 1. */
export function drawTruncated(row: Float32Array, from: number, to: number, truncation: Truncation, uniform: number): number {
  const kept = keptTokens(row, from, to, truncation);
  let total = 0;
  for (const index of kept) total += row[index];
  let sum = 0;
  for (const index of kept) {
    sum += row[index];
    if (sum > uniform * total) return index - from;
  }
  return kept[kept.length - 1] - from;
}

/** Indices into the row, most likely first; equals in order of id. */
function keptTokens(row: Float32Array, from: number, to: number, { topK, topP }: Truncation): number[] {
  // Tokens under this bound sum to less than 1 − topP, so they are never needed and need not be sorted.
  const bound = topK > 0 ? 0 : (1 - topP) / (to - from);
  const candidates: number[] = [];
  let total = 0;
  for (let index = from; index < to; index++) {
    total += row[index];
    if (row[index] > bound) candidates.push(index);
  }
  if (!Number.isFinite(total) || candidates.length === 0) throw notFinite();
  candidates.sort((first, second) => row[second] - row[first] || first - second);
  if (topK > 0 && candidates.length > topK) {
    candidates.length = topK;
    total = candidates.reduce((sum, index) => sum + row[index], 0);
  }
  if (topP >= 1) return candidates;
  let sum = 0;
  for (let count = 0; count < candidates.length; count++) {
    sum += row[candidates[count]];
    if (sum >= topP * total) return candidates.slice(0, count + 1);
  }
  return candidates;
}

function notFinite(): Error {
  return userError(
    "engine-not-finite",
    "The model's probabilities are not finite numbers: its weights hold NaN or infinity, or have grown too large.",
    "Go back to an earlier checkpoint and train with a lower learning rate.",
  );
}
