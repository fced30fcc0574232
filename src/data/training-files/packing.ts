/**
 * Which examples share an optimiser step: every step filled close to its number of tokens, no example cut. This is batching by length, not
 * packing into one row: neither engine has attention masks that keep the examples of one row apart, so each example stays a sequence of its
 * own and its tokens see nothing of the others. Within a step the engine pads sequences of similar length together.
 */
import { Random } from "#kernel/seed.ts";

export interface Packing {
  /** Indices of examples, those of one step together; every example that fits comes exactly once. */
  steps: number[][];
  /** Examples longer than a step. */
  tooLong: number[];
  /** Tokens over the room of all steps, in (0, 1]; undefined for no steps. */
  fill: number | undefined;
}

/**
 * First fit, longest first: at most 11/9 of the fewest steps plus one (Johnson 1973). A tree over the free room finds the first step with
 * enough of it, so the work is n·log n.
 */
export function packByTokens(lengths: readonly number[], tokensPerStep: number): Packing {
  const order = [...lengths.keys()].sort((first, second) => lengths[second] - lengths[first] || first - second);
  const tooLong = order.filter((index) => !(lengths[index] <= tokensPerStep)).sort((first, second) => first - second);
  const fitting = order.filter((index) => lengths[index] <= tokensPerStep);
  const room = new RoomTree(fitting.length, tokensPerStep);
  const steps: number[][] = [];
  let tokens = 0;
  for (const index of fitting) {
    const step = room.take(lengths[index]);
    steps[step] ??= [];
    steps[step].push(index);
    tokens += lengths[index];
  }
  return { steps, tooLong, fill: steps.length === 0 ? undefined : tokens / (steps.length * tokensPerStep) };
}

/** The order to train in: steps in a seeded order, so that long and short ones are spread. */
export function stepOrder({ steps }: Packing, seed: number): number[][] {
  return new Random(seed).shuffle(steps);
}

/** So many examples to a step, in a seeded order; the last step holds what is left. */
export function stepsOfExamples(examples: number, perStep: number, seed: number): number[][] {
  const order = new Random(seed).shuffle(Array.from({ length: examples }, (_, index) => index));
  return Array.from({ length: Math.ceil(examples / perStep) }, (_, step) => order.slice(step * perStep, (step + 1) * perStep));
}

/** Share of padding when sequences go through the engine `perCall` tokens at a time in this order, each call padded to its longest. */
export function paddingShare(lengths: readonly number[], perCall: number): number {
  let padded = 0;
  let tokens = 0;
  for (let start = 0; start < lengths.length; ) {
    let longest = 0;
    let end = start;
    while (end < lengths.length) {
      const next = Math.max(longest, lengths[end]);
      if (end > start && next * (end - start + 1) > perCall) break;
      longest = next;
      tokens += lengths[end];
      end++;
    }
    padded += longest * (end - start);
    start = end;
  }
  return padded === 0 ? 0 : 1 - tokens / padded;
}

/** Free room of the steps: a complete binary tree whose nodes hold the largest room below them. */
class RoomTree {
  readonly #largest: Float64Array;
  readonly #leaves: number;

  constructor(steps: number, room: number) {
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(1, steps)));
    this.#largest = new Float64Array(2 * this.#leaves).fill(room);
  }

  /** The first step with this much room, which it then has less. */
  take(amount: number): number {
    let node = 1;
    while (node < this.#leaves) node = this.#largest[2 * node] >= amount ? 2 * node : 2 * node + 1;
    const step = node - this.#leaves;
    this.#largest[node] -= amount;
    for (node >>= 1; node >= 1; node >>= 1) {
      this.#largest[node] = Math.max(this.#largest[2 * node], this.#largest[2 * node + 1]);
    }
    return step;
  }
}
