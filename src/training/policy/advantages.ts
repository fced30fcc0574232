/** Group advantages: how much better an answer is than its siblings to the same question. */
import { mean } from "#kernel/numbers.ts";

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
  if (rewards.length < 2 || range(rewards) < options.smallestRange) return undefined;
  const average = mean(rewards);
  const centred = rewards.map((reward) => reward - average);
  if (options.deviation === "none") return centred;
  const degrees = options.deviation === "sample" ? rewards.length - 1 : rewards.length;
  const deviation = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0) / degrees);
  return centred.map((value) => value / (deviation + options.epsilon));
}

function range(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}
