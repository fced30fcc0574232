/**
 * One step of REINFORCE with a leave-one-out baseline (RLOO; Ahmadian et al. 2024, arXiv 2402.14740) on conversations of several turns:
 * sample, score, advantages, weights, accumulate, step. Strictly on-policy: the sampler is the policy, and each batch is used once.
 */
import type { AdamWOptions, Engine, Scorer, WeightedSequence } from "#kernel/engine.ts";
import { bugError } from "#kernel/errors.ts";
import { PhaseClock } from "../steps.ts";
import type { PolicyPhase } from "./policy-metrics.ts";
import {
  type ReinforceDatum,
  type ReinforceLossOptions,
  type TurnRewards,
  toReinforceDatums,
  toReinforceSequences,
} from "./reinforce-step-batch.ts";
import { type ReinforceMetrics, type ReinforceUpdate, reinforceMetrics } from "./reinforce-step-metrics.ts";
import type { Draw } from "./rollouts.ts";
import {
  type FollowUp,
  type GradedTurn,
  gradeTurns,
  sampleTurns,
  type TurnGrader,
  type TurnGroup,
  type TurnQuestion,
  type TurnRolloutOptions,
} from "./turn-rollouts.ts";

export interface ReinforceOptions extends ReinforceLossOptions {
  rollouts: TurnRolloutOptions;
  adamW: Omit<AdamWOptions, "learningRate">;
}

export interface ReinforceSetup<Subject> {
  engine: Engine;
  /** Frozen first weights; asked where a KL coefficient is not 0, or where they write first answers. */
  reference: Scorer | undefined;
  followUp: FollowUp<Subject>;
  grader: TurnGrader<Subject>;
  rewards: TurnRewards;
  options: ReinforceOptions;
}

export interface ReinforceResult<Subject> {
  metrics: ReinforceMetrics;
  groups: TurnGroup<Subject, GradedTurn>[];
  datums: ReinforceDatum[];
}

/** An abort is heeded until the optimiser's step begins; a step is never half done. */
export async function reinforceStep<Subject>(
  setup: ReinforceSetup<Subject>,
  questions: readonly TurnQuestion<Subject>[],
  learningRate: number,
  draw: Draw,
): Promise<ReinforceResult<Subject>> {
  const { engine, reference, followUp, grader, rewards, options } = setup;
  const clock = new PhaseClock<PolicyPhase>(["sample", "score", "reference", "train"]);

  const writers = { sampler: engine, reference };
  const sampled = await clock.time("sample", () => sampleTurns(writers, questions, followUp, options.rollouts, draw));
  const groups = await clock.time("score", () => gradeTurns(sampled, grader));

  const plain = toReinforceDatums(groups, rewards, options.credit);
  const isReferenced = options.klCoefficients.some((coefficient) => coefficient !== 0);
  const datums = isReferenced ? await clock.time("reference", () => withReference(reference, plain, draw.signal)) : plain;

  const sequences = toReinforceSequences(datums, options);
  const update = await clock.time("train", () => updateWith(setup, sequences, learningRate, draw.signal));
  return { metrics: reinforceMetrics(groups, datums, update, learningRate, clock), groups, datums };
}

async function withReference(
  reference: Scorer | undefined,
  datums: readonly ReinforceDatum[],
  signal: AbortSignal | undefined,
): Promise<ReinforceDatum[]> {
  if (reference === undefined) throw bugError("reference-missing", "a KL coefficient was set, but no reference was given");
  const sequences = datums.map(({ conversation: { ids, turns } }) => ({ ids, start: turns[0].start }));
  const logprobs = sequences.length === 0 ? [] : await reference.logprobs(sequences, signal);
  return datums.map((datum, index) => {
    const { turns } = datum.conversation;
    const from = turns[0].start;
    const referenceLogprobs = turns.map(({ start, ids }) => logprobs[index].slice(start - from, start - from + ids.length));
    return { ...datum, referenceLogprobs };
  });
}

/** Nothing to learn from is no step: the optimiser's memory would move the weights all the same. */
async function updateWith(
  { engine, options }: ReinforceSetup<never>,
  sequences: readonly WeightedSequence[],
  learningRate: number,
  signal: AbortSignal | undefined,
): Promise<ReinforceUpdate | undefined> {
  const taught = sequences.filter(({ weights }) => weights.some((weight) => weight !== 0));
  if (taught.length === 0) return undefined;
  const logprobs = await engine.accumulate(taught, signal);
  signal?.throwIfAborted();
  const result = await engine.step({ ...options.adamW, learningRate });
  return { sequences: taught, logprobs, result };
}
