/**
 * How much better an answer is than its siblings to the same question: group advantages (PASR, GRPO), and the leave-one-out baseline (RLOO;
 * Kool et al. 2019, Ahmadian et al. 2024, arXiv 2402.14740), which compares an answer with the mean of the others. That does not depend on
 * the answer itself, so the gradient stays without bias; nothing is divided by a deviation.
 */
import { mean, sum } from "#kernel/numbers.ts";

export interface GroupAdvantageOptions {
  /** Added to the standard deviation. */
  epsilon: number;
  /** A group whose rewards differ by less than this teaches nothing and is dropped. */
  smallestRange: number;
  /** `sample`: divide by G − 1 (what PASR's released code does); `population`: by G; `none`: only subtract the mean (Dr. GRPO). */
  deviation: "sample" | "population" | "none";
}

/** (R − mean) / (std + epsilon) for each reward of one group, or undefined when the group is to be dropped (PASR eq. 2). */
export function groupAdvantages(rewards: readonly number[], options: GroupAdvantageOptions): number[] | undefined {
  if (rewards.length < 2 || Math.max(...rewards) - Math.min(...rewards) < options.smallestRange) return undefined;
  const average = mean(rewards);
  const centred = rewards.map((reward) => reward - average);
  if (options.deviation === "none") return centred;
  const degrees = options.deviation === "sample" ? rewards.length - 1 : rewards.length;
  const deviation = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0) / degrees);
  return centred.map((value) => value / (deviation + options.epsilon));
}

/**
 * reward − mean of the other rewards, for each reward of one group; undefined for a group of fewer than two, which has no siblings to be
 * compared with. Equals n/(n − 1) times reward − mean of all.
 */
export function leaveOneOut(rewards: readonly number[]): number[] | undefined {
  if (rewards.length < 2) return undefined;
  const total = sum(rewards);
  return rewards.map((reward) => reward - (total - reward) / (rewards.length - 1));
}

/**
 * Which rewards a turn answers for. `own-turn`: the reward of that turn alone. `to-go`: its own and those of all later turns, the exact
 * gradient of the expected sum of rewards.
 */
export type Credit = "own-turn" | "to-go";

/** The return of each turn of one conversation from the rewards of its turns. */
export function turnReturns(rewards: readonly number[], credit: Credit): number[] {
  if (credit === "own-turn") return [...rewards];
  let later = 0;
  return rewards
    .toReversed()
    .map((reward) => {
      later += reward;
      return later;
    })
    .reverse();
}

/** Leave-one-out advantages turn by turn: `rewards[j][turn]` of conversation j of one group in, the same shape out. */
export function turnAdvantages(rewards: readonly (readonly number[])[], credit: Credit): number[][] | undefined {
  if (rewards.length < 2) return undefined;
  const returns = rewards.map((each) => turnReturns(each, credit));
  const advantages = returns[0].map((_, turn) => leaveOneOut(returns.map((each) => each[turn])) as number[]);
  return returns.map((each, j) => each.map((_, turn) => advantages[turn][j]));
}
