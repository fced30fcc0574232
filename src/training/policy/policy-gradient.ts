/**
 * One step of policy-gradient training on twin groups (PASR, and GRPO where there are no plain answers): sample, score, advantages,
 * weights, accumulate, step. Everything it calls is a named pure function or one of the engine's calls.
 *
 * Log-probs stand at temperature 1 on both sides of the ratio, of the sampler and of the policy, whatever temperature the answers were drawn
 * at (and so do those of the reference): on-policy the ratio is 1 at every temperature, and what is trained is the model as it is at 1.
 */
import type { AdamWOptions, Engine, PolicyLossOptions, PolicySequence, Scorer, TokenSequence } from "#kernel/engine.ts";
import { bugError } from "#kernel/errors.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { type Normaliser, policyLoss, tokenScales } from "../losses.ts";
import { PhaseClock } from "../steps.ts";
import { type GroupAdvantageOptions, groupAdvantages } from "./advantages.ts";
import { type PolicyGradientMetrics, type PolicyPhase, policyMetrics, type Update } from "./policy-metrics.ts";
import {
  type Draw,
  type Grader,
  type Group,
  gradePlain,
  gradeRefined,
  type Question,
  type RolloutOptions,
  sampleAnswers,
} from "./rollouts.ts";

export interface PolicyGradientOptions {
  rollouts: RolloutOptions;
  advantages: GroupAdvantageOptions;
  loss: PolicyLossOptions;
  /** What plain answers are trained with beside being compared with; absent or all 0: they are not. */
  plain?: PlainLossOptions | undefined;
  normaliser: Normaliser;
  /** Answers cut at the largest length keep their place in the group, but their tokens carry no loss. */
  maskTruncated: boolean;
  /** Optimiser steps per batch of rollouts. */
  miniBatches: number;
  adamW: Omit<AdamWOptions, "learningRate">;
  /** `fused`: the engine computes the weights in the pass that needs the log-probs anyway; `two-pass`: log-probs first, then losses.ts. */
  path: "fused" | "two-pass";
}

export interface PlainLossOptions {
  /** Factor of the plain answers' advantages, which go by their accuracies within the group. */
  weight: number;
  /** Of their KL to the reference. */
  klCoefficient: number;
}

export interface PolicyGradientSetup<Subject> {
  engine: Engine;
  /** What writes the answers: the engine itself, or a frozen copy of its weights some steps ago. */
  sampler: Scorer;
  /** Frozen first weights; not asked when the KL coefficient is 0. */
  reference: Scorer | undefined;
  grader: Grader<Subject>;
  options: PolicyGradientOptions;
}

export interface PolicyGradientResult<Subject> {
  metrics: PolicyGradientMetrics;
  groups: Group<Subject>[];
}

/** An abort is heeded until the first optimiser step; from then on the step is finished, so that no step is ever half done. */
export async function policyGradientStep<Subject>(
  setup: PolicyGradientSetup<Subject>,
  questions: readonly Question<Subject>[],
  learningRate: number,
  draw: Draw,
): Promise<PolicyGradientResult<Subject>> {
  const { sampler, reference, grader, options } = setup;
  const { rollouts } = options;
  const clock = new PhaseClock<PolicyPhase>(["sample", "score", "reference", "train"]);

  const plain = await clock.time("sample", () => sampleAnswers("plain", sampler, questions, rollouts, draw));
  const screening = gradePlain(questions, plain, grader, rollouts.plainAccuracyWindow);
  // It is waited for below; where sampling fails first, that is what is told.
  screening.catch(() => {});
  // A judge model grades plain answers while the refined ones are sampled, unless it decides which are.
  const isScreened = rollouts.plainAccuracyWindow !== undefined;
  const asked = isScreened ? kept(await clock.time("score", () => screening)).map((group) => group.question) : questions;
  const sampled = await clock.time("sample", () => sampleAnswers("refined", sampler, asked, rollouts, draw));
  const screened = await clock.time("score", () => screening);
  const refined = isScreened ? sampled : sampled.filter((_, index) => !screened[index].dropped);
  const graded = await clock.time("score", () => gradeRefined(screened, refined, grader));
  draw.signal?.throwIfAborted();

  const { groups, datums } = toDatums(graded, { ...options.advantages, maskTruncated: options.maskTruncated });
  const referred = (own: readonly PolicyDatum[], { klCoefficient }: { klCoefficient: number }) =>
    klCoefficient === 0 ? own : clock.time("reference", () => withReference(reference, own, draw.signal));
  const trained = await referred(datums, options.loss);
  const plainTrained = options.plain ? await referred(plainDatums(groups, options), options.plain) : [];

  const updates: Update[] = [];
  const batches = miniBatchesOf(trained, options.miniBatches, draw.seed, draw.step);
  // Beside as many of the refined answers' batches as there are; alone where no refined answer teaches anything.
  const plainBatches = miniBatchesOf(plainTrained, Math.max(1, batches.length), draw.seed, draw.step);
  for (let index = 0; index < Math.max(batches.length, plainBatches.length); index++) {
    const signal = updates.length === 0 ? draw.signal : undefined;
    const both = { refined: batches[index] ?? [], plain: plainBatches[index] ?? [] };
    updates.push(await clock.time("train", () => update(setup, both, learningRate, signal)));
  }
  return { metrics: policyMetrics(groups, updates, options.loss, learningRate, clock), groups };
}

function kept<S>(groups: readonly Group<S>[]): Group<S>[] {
  return groups.filter((group) => !group.dropped);
}

async function withReference(
  reference: Scorer | undefined,
  datums: readonly PolicyDatum[],
  signal: AbortSignal | undefined,
): Promise<PolicyDatum[]> {
  if (reference === undefined) throw bugError("reference-missing", "a KL coefficient was set, but no reference was given");
  const logprobs = await reference.logprobs(datums.map(tokensOf), signal);
  return datums.map((datum, index) => ({ ...datum, referenceLogprobs: logprobs[index] }));
}

async function update(
  { engine, options }: PolicyGradientSetup<never>,
  { refined, plain }: Record<"refined" | "plain", readonly PolicyDatum[]>,
  learningRate: number,
  signal: AbortSignal | undefined,
): Promise<Update> {
  const accumulate = (sequences: readonly PolicySequence[], loss: PolicyLossOptions) =>
    options.path === "fused"
      ? engine.accumulatePolicy(sequences, loss, signal)
      : accumulateInTwoPasses(engine, sequences, loss, signal);
  const sequences = toSequences(refined, options.normaliser);
  const logprobs = sequences.length === 0 ? [] : await accumulate(sequences, options.loss);
  if (options.plain && plain.length > 0) {
    const { klCoefficient } = options.plain;
    await accumulate(toSequences(plain, options.normaliser), { ...options.loss, klCoefficient });
  }
  const result = await engine.step({ ...options.adamW, learningRate });
  return { sequences, logprobs, result };
}

async function accumulateInTwoPasses(
  engine: Engine,
  sequences: readonly PolicySequence[],
  loss: PolicyLossOptions,
  signal?: AbortSignal | undefined,
) {
  const logprobs = await engine.logprobs(sequences.map(tokensOf), signal);
  const weighted = sequences.map((sequence, index) => ({
    ...tokensOf(sequence),
    weights: policyLoss(logprobs[index], sequence, loss).weights,
  }));
  await engine.accumulate(weighted, signal);
  return logprobs;
}

function tokensOf({ ids, start }: TokenSequence): TokenSequence {
  return { ids, start };
}

/** A trained answer: ids of prompt and answer, and what the loss needs except the scales, which depend on the mini-batch. */
interface PolicyDatum extends TokenSequence {
  oldLogprobs: Float32Array;
  referenceLogprobs?: Float32Array;
  advantage: number;
  /** False: the answer counted in its group's mean, but its own tokens carry no loss. */
  isTrained: boolean;
}

/** Marks groups whose rewards are all the same as dropped, and lists the answers of the others; answers without tokens have nothing to train. */
function toDatums<S>(
  groups: readonly Group<S>[],
  options: GroupAdvantageOptions & { maskTruncated: boolean },
): { groups: Group<S>[]; datums: PolicyDatum[] } {
  const datums: PolicyDatum[] = [];
  const marked = groups.map((group): Group<S> => {
    if (group.dropped) return group;
    const advantages = groupAdvantages(
      group.refined.map((answer) => answer.reward),
      options,
    );
    if (advantages === undefined) return { ...group, dropped: { reason: "equal-rewards" } };
    const prompt = group.question.refinedPrompt;
    for (const [index, answer] of group.refined.entries()) {
      if (answer.ids.length === 0) continue;
      datums.push({
        ids: [...prompt, ...answer.ids],
        start: prompt.length,
        oldLogprobs: answer.logprobs,
        advantage: advantages[index],
        isTrained: !(options.maskTruncated && answer.stopReason === "length"),
      });
    }
    return group;
  });
  return { groups: marked, datums };
}

/** Plain answers with what pulls at them: their accuracies against each other, a KL, or both. None where neither does. */
function plainDatums<S>(groups: readonly Group<S>[], options: PolicyGradientOptions): PolicyDatum[] {
  const { weight, klCoefficient } = options.plain ?? { weight: 0, klCoefficient: 0 };
  return groups.flatMap(({ plain, question, dropped }) => {
    if (dropped?.reason === "failed-grading") return [];
    const accuracies = plain.map((answer) => answer.accuracy);
    const advantages = weight === 0 ? undefined : groupAdvantages(accuracies, options.advantages);
    if (advantages === undefined && klCoefficient === 0) return [];
    return plain.flatMap((answer, index): PolicyDatum[] => {
      if (answer.ids.length === 0) return [];
      return [
        {
          ids: [...question.plainPrompt, ...answer.ids],
          start: question.plainPrompt.length,
          oldLogprobs: answer.logprobs,
          advantage: weight * (advantages?.[index] ?? 0),
          isTrained: !(options.maskTruncated && answer.stopReason === "length"),
        },
      ];
    });
  });
}

/** The datums in `count` random parts of nearly the same size, one optimiser step each; fewer parts when there are fewer datums. */
function miniBatchesOf(datums: readonly PolicyDatum[], count: number, seed: number, step: number): PolicyDatum[][] {
  const parts = Math.min(count, datums.length);
  if (parts <= 1) return datums.length === 0 ? [] : [[...datums]];
  const shuffled = new Random(deriveSeed(seed, "mini-batches", step)).shuffle(datums);
  return Array.from({ length: parts }, (_, part) => shuffled.filter((_, index) => index % parts === part));
}

/** What `Engine.accumulatePolicy` takes: the scales average over this mini-batch. */
function toSequences(datums: readonly PolicyDatum[], normaliser: Normaliser): PolicySequence[] {
  const masks = datums.map((datum) => new Uint8Array(datum.ids.length - datum.start).fill(datum.isTrained ? 1 : 0));
  const scales = tokenScales(masks, normaliser);
  return datums.map((datum, index) => ({
    ids: datum.ids,
    start: datum.start,
    oldLogprobs: datum.oldLogprobs,
    referenceLogprobs: datum.referenceLogprobs,
    advantages: new Float32Array(scales[index].length).fill(datum.advantage),
    scales: scales[index],
  }));
}
