/** What a policy-gradient step reports about itself. Rates over nothing are absent, never 0. */
import type { PolicyLossOptions, PolicySequence, Sample, StepResult } from "#kernel/engine.ts";
import { mean, sum } from "#kernel/numbers.ts";
import { isClipped, k3 } from "../losses.ts";
import type { DropReason, Group } from "./rollouts.ts";

export type PolicyPhase = "sample" | "score" | "reference" | "train";

export interface PolicyGradientMetrics {
  questions: number;
  /** Mean over all refined answers that were graded, trained or not. */
  reward?: number | undefined;
  /** Mean of each term of the reward. */
  rewardTerms: Record<string, number>;
  accuracyRefined?: number | undefined;
  /** Over all questions; `accuracyPlainCompared`: over those that also have refined answers, to be set beside `accuracyRefined`. */
  accuracyPlain?: number | undefined;
  accuracyPlainCompared?: number | undefined;
  formatRate?: number | undefined;
  /** Complete refine spans per refined answer. */
  refinements?: number | undefined;
  /** The same, weighted by the question's mean plain accuracy, and by one minus it: needless, and needed, refining. */
  refinementsWherePlainRight?: number | undefined;
  refinementsWherePlainWrong?: number | undefined;
  tokensRefined?: number | undefined;
  tokensPlain?: number | undefined;
  /** Share of refined answers cut at the largest length. */
  truncatedShare?: number | undefined;
  /** Share of the questions that taught nothing, whole and by reason. */
  droppedShare: number;
  dropped: Record<DropReason, number>;
  learningRate: number;
  /** Optimiser steps made, and those left out because their gradient was not finite. */
  updates: number;
  skippedUpdates: number;
  /** Of the last update, before clipping. */
  gradientNorm?: number | undefined;
  /** Mean over trained tokens of the k3 estimate of KL(policy ‖ reference), before each update. */
  kl?: number | undefined;
  /**
   * Mean of −log p over every sampled token of the refined answers, with the log-probs they had when sampled, at temperature 1: an estimate
   * of the policy's entropy per token in nats, as good as the samples are drawn at temperature 1 and of all tokens.
   */
  entropyEstimate?: number | undefined;
  /** Share of trained tokens where the clip held. */
  clipFraction?: number | undefined;
  timing: { seconds: number; tokensPerSecond: number } & Record<PolicyPhase, number>;
}

/** One optimiser step as it went: log-probs are those seen before it. */
export interface Update {
  sequences: readonly PolicySequence[];
  logprobs: readonly Float32Array[];
  result: StepResult;
}

export function policyMetrics<S>(
  groups: readonly Group<S>[],
  updates: readonly Update[],
  options: PolicyLossOptions,
  learningRate: number,
  timing: { total: number; seconds: Record<PolicyPhase, number> },
): PolicyGradientMetrics {
  const refined = groups.flatMap((group) =>
    group.refined.map((answer) => ({ ...answer, plain: meanOf(group.plain, (each) => each.accuracy) })),
  );
  const plain = groups.flatMap((group) => group.plain);
  const compared = groups.filter((group) => group.refined.length > 0).flatMap((group) => group.plain);
  const share = (reason: DropReason) =>
    groups.filter((group) => group.dropped?.reason === reason).length / Math.max(1, groups.length);
  const dropped = {
    "plain-accuracy": share("plain-accuracy"),
    "equal-rewards": share("equal-rewards"),
    "failed-grading": share("failed-grading"),
  };
  const sampled = sum([...refined, ...plain].map((answer) => answer.ids.length));
  return {
    questions: groups.length,
    reward: meanOf(refined, (answer) => answer.reward),
    rewardTerms: Object.fromEntries(
      Object.keys(refined[0]?.terms ?? {}).map((name) => [name, mean(refined.map((answer) => answer.terms[name]))]),
    ),
    accuracyRefined: meanOf(refined, (answer) => answer.accuracy),
    accuracyPlain: meanOf(plain, (answer) => answer.accuracy),
    accuracyPlainCompared: meanOf(compared, (answer) => answer.accuracy),
    formatRate: meanOf(refined, (answer) => (answer.wellFormed ? 1 : 0)),
    refinements: meanOf(refined, (answer) => answer.refinements),
    refinementsWherePlainRight: refinementsWeighted(refined, ({ plain = 0 }) => plain),
    refinementsWherePlainWrong: refinementsWeighted(refined, ({ plain = 1 }) => 1 - plain),
    tokensRefined: meanOf(refined, (answer) => answer.ids.length),
    tokensPlain: meanOf(plain, (answer) => answer.ids.length),
    truncatedShare: meanOf(refined, (answer) => (answer.stopReason === "length" ? 1 : 0)),
    droppedShare: dropped["plain-accuracy"] + dropped["equal-rewards"] + dropped["failed-grading"],
    dropped,
    learningRate,
    updates: updates.length,
    skippedUpdates: updates.filter((update) => !update.result.applied).length,
    gradientNorm: updates.at(-1)?.result.gradientNorm,
    entropyEstimate: surprise(refined),
    ...tokenMetrics(updates, options),
    timing: { seconds: timing.total, tokensPerSecond: sampled / timing.total, ...timing.seconds },
  };
}

/** Mean −log p of sampled tokens; undefined where there are none. */
export function surprise(samples: readonly Pick<Sample, "logprobs">[]): number | undefined {
  let [total, tokens] = [0, 0];
  for (const { logprobs } of samples) {
    for (const logprob of logprobs) total -= logprob;
    tokens += logprobs.length;
  }
  return tokens === 0 ? undefined : total / tokens;
}

function tokenMetrics(
  updates: readonly Update[],
  options: PolicyLossOptions,
): Pick<PolicyGradientMetrics, "kl" | "clipFraction"> {
  let tokens = 0;
  let clipped = 0;
  let kl = 0;
  let referenced = 0;
  for (const { sequences, logprobs } of updates) {
    for (const [s, sequence] of sequences.entries()) {
      for (const [t, logprob] of logprobs[s].entries()) {
        if (sequence.scales[t] === 0) continue;
        tokens += 1;
        if (isClipped(Math.exp(logprob - sequence.oldLogprobs[t]), sequence.advantages[t], options)) clipped += 1;
        if (sequence.referenceLogprobs === undefined) continue;
        referenced += 1;
        kl += k3(logprob - sequence.referenceLogprobs[t]);
      }
    }
  }
  return { kl: referenced > 0 ? kl / referenced : undefined, clipFraction: tokens > 0 ? clipped / tokens : undefined };
}

function meanOf<T>(values: readonly T[], of: (value: T) => number): number | undefined {
  return values.length === 0 ? undefined : mean(values.map(of));
}

function refinementsWeighted<T extends { refinements: number }>(answers: readonly T[], weight: (answer: T) => number) {
  const total = sum(answers.map(weight));
  return total === 0 ? undefined : sum(answers.map((answer) => weight(answer) * answer.refinements)) / total;
}
