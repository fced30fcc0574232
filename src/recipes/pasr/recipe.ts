/**
 * PASR: “A Stitch in Time Saves Nine: Proactive Self-Refinement for Language Models”, Jinyi Han, Xinyi Wang, Haiquan Zhao, Tingyun Li,
 * Zishang Jiang, Sihang Jiang, Jiaqing Liang, Xin Lin, Weikang Zhou, Zeye Sun, Fei Yu, Yanghua Xiao; arXiv 2508.12903, 2025; ICLR 2026.
 *
 * Claims: one pass of generation in which the model itself decides whether, when and how to refine beats plain answers and post-hoc
 * refinement: averages over ten tasks 55.9 → 61.7 (Qwen2.5-7B) and 60.9 → 69.1 (Qwen3-8B), with 41.6 % fewer tokens than plain
 * generation on Qwen3-8B (Table 1, 3.2.2).
 *
 * Algorithm (section 2):
 *   1. For each question sample G refined answers under the refine prompt and n plain answers under the plain prompt (2.2, 2.3).
 *   2. r_format is +1 where the answer is `<think> … <refine>…</refine> … </think><answer> … </answer>`, else −1 (eq. 4).
 *   3. r_acc in [0, 1] is a judge's or a rule's score of the answer (eq. 5); ā is its mean over the plain answers.
 *   4. r_refine: +1 above ā + ζ, −1 below ā − ζ, −0.5 between (eq. 6), 0 where nothing was refined.
 *   5. R = r_format + r_acc + r_refine (eq. 7); A = (R − mean) / (std + ξ) within the refined group (eq. 2).
 *   6. Clipped surrogate against the log-probs when sampled, plus β times the k3 estimate of KL to the frozen first weights (eq. 3);
 *      mean over the tokens of an answer, then over answers; AdamW. Only refined answers are trained.
 *   7. Every few steps the sampler takes over the policy's weights.
 *
 * Where this differs from the paper or from the authors' code, on purpose:
 *   - Eq. 3 prints A·min(r, clip(r)), which does not bound a negative advantage; the code's min(rA, clip(r)A) is used.
 *   - Eq. 6 as printed also pays answers that refine nothing; the code's 0 for them is used.
 *   - The code's format test joins its two tag counts with `and` where `or` was meant, so an answer given twice, with text between, passes;
 *     and it looks at refine spans only where they close. Here a parser decides, and every way to be malformed has a name.
 *   - The code scores with the last number in the judge's reply, whatever it says; here a reply that is no score drops the group.
 *   - The code hands the judge the whole completion, tags or not; here the accuracy of a refined completion is 0 unless it has exactly one
 *     answer span (strictAnswer).
 *   - The code turns sampled text into tokens again and never trains the end token; here the sampled ids are trained, end included.
 *   - refineReward=none, plainWeight and plainKlCoefficient are controls of ours and off in the paper's setting: format and accuracy alone,
 *     and what keeps plain answers from getting worse.
 *   - The code pays a refine term for equal counts of opening and closing tags anywhere; here for a complete span inside the thinking, an
 *     empty one included, as there. By rounding it takes eight equal grades for better or worse than their mean, 12 of the 21 values i/20;
 *     here they are equal.
 *   - The code drops batches of more than 2,200 tokens; here none is dropped for its length.
 *   - A step here is one optimiser step on fresh rollouts; the code's steps are batches of two answers, four to an optimiser step.
 */
import type { JsonObject } from "#files/json-lines.ts";
import { userError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { EmbeddedModel } from "#models/embedded.ts";
import { fixed, percentSign } from "#text/numbers.ts";
import type { Tokenizer } from "#tokens/tokenizer.ts";
import { type LoopResult, runTrainingLoop, type StepContext } from "#training/loop.ts";
import { type PolicyGradientOptions, policyGradientStep } from "#training/policy/policy-gradient.ts";
import type { PolicyGradientMetrics } from "#training/policy/policy-metrics.ts";
import type { Group, Question } from "#training/policy/rollouts.ts";
import { learningRateAt } from "#training/steps.ts";
import { defineRecipe, modelWhenFinished } from "../recipe-card.ts";
import { checkedOptions } from "../recipe-options.ts";
import { keepingBest, restoreBest } from "../shared/best-validation.ts";
import { earlyWarning } from "../shared/early-warning.ts";
import { asking } from "../shared/graded-samples.ts";
import { judgeMeter, noteUngraded, type PolicyTraining, ungradedFigure } from "../shared/policy-training.ts";
import { comparesWithPlain } from "../shared/refinement-reward.ts";
import { methodsOf, probeSource } from "../shared/source-evaluation.ts";
import type { Source } from "../sources/source.ts";
import { type PasrOptions, pasrOptions, smallWorldPasrOptions } from "./options.ts";
import { pasrGrader } from "./reward.ts";

export interface PasrTraining extends PolicyTraining<PasrOptions, PolicyGradientMetrics> {
  tokenizer: Pick<Tokenizer, "encodeConversation" | "decode" | "stopIds"> & Partial<Pick<Tokenizer, "openedThought">>;
}

/** Trains from the newest checkpoint of the run, or from the start. Metrics go to metrics.jsonl, one line a step. */
export async function trainPasr(training: PasrTraining): Promise<LoopResult<JsonObject>> {
  const { engine, tokenizer, judge, options, seed, run, checkpointEvery = 20, rolloutsEvery = 10 } = training;
  checkPasrOptions(options);
  const stepOptions = policyGradientOptions(options, tokenizer.stopIds);

  const takeStep = async ({ step, sampler, reference, state, signal }: StepContext<JsonObject>) => {
    const judgeCost = judgeMeter(training.judgeSpent);
    const rate = learningRateOf(step, options);
    const questions = questionsOf(step, training);
    // A tag that the template opens is part of what is graded, or no answer would keep the format.
    const opened = tokenizer.openedThought?.(questions[0].refinedPrompt) ?? "";
    const grader = pasrGrader((ids) => `${opened}${tokenizer.decode(ids)}`, judge, options);
    const setup = { engine, sampler, reference, grader, options: stepOptions };
    const { metrics, groups } = await policyGradientStep(setup, questions, rate, { seed, step, signal });
    noteUngraded(run, step + 1, groups);
    if (rolloutsEvery > 0 && step % rolloutsEvery === 0) run.append("rollouts", { step: step + 1, ...describe(groups) });
    return { metrics: { ...metrics, ...judgeCost() }, state };
  };

  return runTrainingLoop<PolicyGradientMetrics, JsonObject>({
    ...training,
    steps: options.steps,
    checkpointEvery,
    initialState: {},
    takeStep,
    samplerRefresh: options.samplerRefresh,
    openReference: needsReference(options) ? (training.openReference ?? "freeze-initial") : undefined,
  });
}

function needsReference({ klCoefficient, plainKlCoefficient }: PasrOptions): boolean {
  return klCoefficient !== 0 || plainKlCoefficient !== 0;
}

function questionsOf(step: number, { items, tokenizer, options }: PasrTraining): Question<Item>[] {
  return Array.from({ length: options.questionsPerStep }, (_, offset) => {
    const index = step * options.questionsPerStep + offset;
    const subject = items(index);
    const prompt = (system: string) =>
      tokenizer.encodeConversation(asking(system, subject.question), { addGenerationPrompt: true });
    return { index, subject, refinedPrompt: prompt(options.prompts.refine), plainPrompt: prompt(options.prompts.plain) };
  });
}

function policyGradientOptions(options: PasrOptions, stopIds: readonly number[]): PolicyGradientOptions {
  const { refinedSamples, plainSamples, temperature, topP, topK, maxTokens, plainAccuracyWindow } = options;
  const { clipLow, clipHigh, klCoefficient, normaliser, maskTruncated, miniBatches, adamW, path } = options;
  return {
    rollouts: { refinedSamples, plainSamples, temperature, topP, topK, maxTokens, stopIds, plainAccuracyWindow },
    advantages: {
      epsilon: options.advantageEpsilon,
      smallestRange: options.smallestRewardRange,
      deviation: options.advantageDeviation,
    },
    loss: { clipLow, clipHigh, klCoefficient },
    plain: { weight: options.plainWeight, klCoefficient: options.plainKlCoefficient },
    normaliser,
    maskTruncated,
    miniBatches,
    adamW,
    path,
  };
}

function learningRateOf(step: number, { schedule, learningRate, warmupSteps, steps }: PasrOptions): number {
  return learningRateAt(step, { shape: schedule, peak: learningRate, floor: 0, warmupSteps, totalSteps: steps });
}

/** One group for reading: the first that was trained, else the first. */
function describe(groups: readonly Group<Item>[]) {
  const group = groups.find((each) => !each.dropped) ?? groups[0];
  return {
    item: { id: group.question.subject.id, question: group.question.subject.question, answer: group.question.subject.answer },
    dropped: group.dropped?.reason,
    plain: group.plain.map(({ text, accuracy }) => ({ text, accuracy })),
    refined: group.refined.map(({ text, reward, terms }) => ({ text, reward, terms })),
  };
}

function checkPasrOptions(options: PasrOptions): void {
  const checked = checkedOptions("pasr", pasrOptions, options);
  const { refineReward, plainAccuracyWindow, plainSamples, plainWeight, plainKlCoefficient } = checked;
  const isCompared = comparesWithPlain(refineReward) || plainAccuracyWindow !== undefined;
  const isTrained = plainWeight > 0 || plainKlCoefficient > 0;
  if (plainSamples > 0 || !(isCompared || isTrained)) return;
  const why = isCompared ? "refinements are compared with them" : "plain answers are to be trained too";
  const message = `pasr: plainSamples must be at least 1, because ${why}`;
  throw userError("option-value", message, "Change that option.");
}

function pasrFigures(metrics: PolicyGradientMetrics): Record<string, string> {
  return {
    reward: fixed(metrics.reward, 2),
    refined: percentSign(metrics.accuracyRefined, 0),
    plain: percentSign(metrics.accuracyPlain, 0),
    refinements: fixed(metrics.refinements, 2),
    ...ungradedFigure(metrics),
    "tokens/s": fixed(metrics.timing.tokensPerSecond, 0),
  };
}

/** Problems that are looked at while it trains. */
const probeItems = 100;

const small = ({ prompts: { refine, plain } }: Source) => ({ ...smallWorldPasrOptions, prompts: { refine, plain } });

export const pasr = defineRecipe({
  id: "pasr",
  name: "PASR",
  paper: { title: "A Stitch in Time Saves Nine: Proactive Self-Refinement for Language Models", arxiv: "2508.12903", year: 2025 },
  status: "stable",
  summary: "reinforcement learning that compares refined with plain answers",
  options: pasrOptions,
  presets: { small, "small-world": small, paper: {} },
  flags: { "--steps <number>": { option: "steps" } },
  check: checkPasrOptions,
  learnsFrom: "questions",
  baseMethods: (options) => methodsOf(options),
  methods: (options) => methodsOf(options, { plain: "pasr-plain-prompt", refined: "pasr" }),
  async train({ options, engine, tokenizer, run, seed, source, signal, onSteps, onNote }) {
    const { probe } = source;
    const isKeepingBest = options.keep === "best-validation";
    const warn = earlyWarning(run, onNote);
    const watched = probe === undefined ? [] : source.validation(probeItems, deriveSeed(seed, "probe"));
    const look = probe
      ? (_done: number, stop: AbortSignal | undefined) => probe(new EmbeddedModel(engine, tokenizer), watched, options, stop)
      : (_done: number, stop: AbortSignal | undefined) => probeSource(source, engine, tokenizer, seed, stop);
    const result = await trainPasr({
      engine,
      tokenizer,
      run,
      options,
      seed,
      items: source.problems(deriveSeed(seed, "problems")),
      judge: source.verify,
      judgeSpent: source.judge?.spent,
      evaluate: isKeepingBest ? keepingBest(engine, run, look) : probe && look,
      evaluateEvery: Math.max(1, Math.round(options.steps / 10)),
      signal,
      onProgress: (progress) => {
        const { accuracyRefined = 0, accuracyPlain = 0, droppedShare } = progress.metrics;
        warn({ someRight: accuracyRefined > 0 || accuracyPlain > 0, someTaught: droppedShare < 1 });
        onSteps(progress, { figures: pasrFigures(progress.metrics) });
      },
    });
    const kept = isKeepingBest && result.finished ? await restoreBest(engine, run) : undefined;
    const model = await modelWhenFinished(result, engine, run);
    if (kept === undefined) return { model };
    const words = `step ${kept.step}, ${percentSign(kept.accuracy, 0)} of the validation problems right`;
    return { model, report: () => ({ results: { kept }, lines: () => [`kept     ${words}`] }) };
  },
  costs: ({ steps, questionsPerStep, refinedSamples, plainSamples, miniBatches }) => ({
    answers: steps * questionsPerStep * (refinedSamples + plainSamples),
    steps: steps * miniBatches,
  }),
  examples: [
    "midcourse train pasr --out runs/pasr",
    "midcourse train pasr --set refineReward=any-refinement --out runs/any-refinement      the reward-hacking control",
    "midcourse train pasr --set refineReward=none --out runs/no-refine-reward      the same optimiser with format and accuracy alone",
    "midcourse train pasr --model runs/base/model --data train.csv --test test.csv --out runs/mine",
    "midcourse train pasr --model qwen --data alpaca.jsonl --judge qwen2.5-32b-instruct --judge-base-url http://127.0.0.1:8000/v1      free-text answers",
  ],
});
