/** What a step on conversations of several turns reports about itself. Rates over nothing are absent, never 0. */
import type { StepResult, WeightedSequence } from "#kernel/engine.ts";
import { mean, sum } from "#kernel/numbers.ts";
import { k3 } from "../losses.ts";
import { type PolicyPhase, surprise } from "./policy-metrics.ts";
import type { ReinforceDatum } from "./reinforce-step-batch.ts";
import type { Conversation, GradedTurn, TurnDropReason, TurnGroup } from "./turn-rollouts.ts";

/** How one turn went, over all conversations that were graded. */
export interface TurnFigures {
  accuracy: number;
  reward: number;
  tokens: number;
  truncatedShare: number;
  /** Mean over its sampled tokens of δ and of the k3 estimate of KL(policy ‖ reference), before the update. */
  klMean?: number;
  kl?: number;
}

export interface ReinforceMetrics {
  questions: number;
  conversations: number;
  /**
   * Accuracy of the first and of the last turn, over conversations that the policy wrote itself; their difference; the share that went
   * from wrong to right and from right to wrong (for accuracies between 0 and 1: the mean rise and the mean fall).
   */
  accuracyFirst?: number;
  accuracyLast?: number;
  accuracyGain?: number;
  wrongToRight?: number;
  rightToWrong?: number;
  /** Share of conversations whose last answer is another than the first: near 0, the last turn only repeats. */
  answerChangeRate?: number;
  /** Sum of the rewards of a conversation. */
  reward?: number;
  /** `turn1`, `turn2`, …; of every conversation, those whose first turn the reference wrote included. */
  turns: Record<string, TurnFigures>;
  /** Share of the questions whose conversations all have the same advantage, so that only the KL term teaches. */
  equalRewardsShare?: number;
  droppedShare: number;
  dropped: Record<TurnDropReason, number>;
  learningRate: number;
  updates: number;
  skippedUpdates: number;
  gradientNorm?: number;
  /** Mean −log p over the sampled tokens of the policy's own turns, at temperature 1: an estimate of its entropy per token, in nats. */
  entropyEstimate?: number | undefined;
  /** Largest difference on a trained token between the log-prob when sampled and when trained; on-policy it is rounding alone. */
  samplerGap?: number;
  timing: { seconds: number; tokensPerSecond: number } & Record<PolicyPhase, number>;
}

/** The optimiser step as it went: log-probs are those seen before it. */
export interface ReinforceUpdate {
  sequences: readonly WeightedSequence[];
  logprobs: readonly Float32Array[];
  result: StepResult;
}

export function reinforceMetrics<S>(
  groups: readonly TurnGroup<S, GradedTurn>[],
  datums: readonly ReinforceDatum[],
  update: ReinforceUpdate | undefined,
  learningRate: number,
  timing: { total: number; seconds: Record<PolicyPhase, number> },
): ReinforceMetrics {
  const share = (reason: TurnDropReason) =>
    groups.filter((group) => group.dropped?.reason === reason).length / Math.max(1, groups.length);
  const dropped = {
    "follow-up": share("follow-up"),
    "context-full": share("context-full"),
    "failed-grading": share("failed-grading"),
  };
  const conversations = datums.map((datum) => datum.conversation);
  const sampled = conversations.flatMap(({ turns }) => turns.map((turn) => turn.ids.length));
  const kept = groups.filter((group) => !group.dropped);
  return {
    questions: groups.length,
    conversations: conversations.length,
    ...correctionFigures(conversations.filter(({ turns }) => turns.every((turn) => turn.isOwn))),
    ...(datums.length === 0 ? {} : { reward: mean(datums.map(({ rewards }) => sum(rewards))) }),
    turns: turnFigures(datums),
    ...(kept.length === 0 ? {} : { equalRewardsShare: mean(kept.map((group) => (isLevel(group, datums) ? 1 : 0))) }),
    droppedShare: dropped["follow-up"] + dropped["context-full"] + dropped["failed-grading"],
    dropped,
    learningRate,
    updates: update === undefined ? 0 : 1,
    skippedUpdates: update === undefined || update.result.applied ? 0 : 1,
    ...(update === undefined ? {} : { gradientNorm: update.result.gradientNorm, samplerGap: samplerGap(update, conversations) }),
    entropyEstimate: surprise(conversations.flatMap(({ turns }) => turns.filter((turn) => turn.isOwn))),
    timing: { seconds: timing.total, tokensPerSecond: sum(sampled) / timing.total, ...timing.seconds },
  };
}

function correctionFigures(conversations: readonly Conversation<GradedTurn>[]): Partial<ReinforceMetrics> {
  if (conversations.length === 0) return {};
  const pairs = conversations.map(({ turns }) => ({ first: turns[0], last: turns[turns.length - 1] }));
  const average = (of: (pair: (typeof pairs)[number]) => number) => mean(pairs.map(of));
  return {
    accuracyFirst: average(({ first }) => first.accuracy),
    accuracyLast: average(({ last }) => last.accuracy),
    accuracyGain: average(({ first, last }) => last.accuracy - first.accuracy),
    wrongToRight: average(({ first, last }) => Math.max(0, last.accuracy - first.accuracy)),
    rightToWrong: average(({ first, last }) => Math.max(0, first.accuracy - last.accuracy)),
    answerChangeRate: average(({ first, last }) => (first.answer === last.answer ? 0 : 1)),
  };
}

function turnFigures(datums: readonly ReinforceDatum[]): Record<string, TurnFigures> {
  const count = datums[0]?.conversation.turns.length ?? 0;
  const figures = Array.from({ length: count }, (_, turn): [string, TurnFigures] => {
    const turns = datums.map(({ conversation }) => conversation.turns[turn]);
    const shifts = datums.flatMap(({ conversation, referenceLogprobs }) => {
      const { logprobs, isOwn } = conversation.turns[turn];
      return isOwn && referenceLogprobs ? [...logprobs].map((own, t) => own - referenceLogprobs[turn][t]) : [];
    });
    return [
      `turn${turn + 1}`,
      {
        accuracy: mean(turns.map((each) => each.accuracy)),
        reward: mean(datums.map(({ rewards }) => rewards[turn])),
        tokens: mean(turns.map((each) => each.ids.length)),
        truncatedShare: mean(turns.map((each) => (each.stopReason === "length" ? 1 : 0))),
        ...(shifts.length === 0 ? {} : { klMean: mean(shifts), kl: mean(shifts.map(k3)) }),
      },
    ];
  });
  return Object.fromEntries(figures);
}

/** Advantages of equal rewards are 0 but for rounding. */
function isLevel<S>(group: TurnGroup<S, GradedTurn>, datums: readonly ReinforceDatum[]): boolean {
  const own = new Set(group.conversations);
  return datums.every(
    ({ conversation, advantages }) => !own.has(conversation) || advantages.every((each) => Math.abs(each) < 1e-9),
  );
}

function samplerGap({ sequences, logprobs }: ReinforceUpdate, conversations: readonly Conversation[]): number {
  const byIds = new Map(conversations.map((each) => [each.ids, each]));
  let gap = 0;
  for (const [index, { ids, start, weights }] of sequences.entries()) {
    for (const turn of byIds.get(ids)?.turns ?? []) {
      for (const [t, sampled] of turn.logprobs.entries()) {
        const at = turn.start - start + t;
        if (weights[at] !== 0) gap = Math.max(gap, Math.abs(logprobs[index][at] - sampled));
      }
    }
  }
  return gap;
}
