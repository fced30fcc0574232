/**
 * Rollouts with a twin group: to each question the policy writes plain answers, which only say how good it is without refining, and
 * refined answers, which are graded against them and trained. A failure of a grader drops one group; only what a person has to mend, such as
 * a judge's wrong key, ends the step.
 */
import type { Sample, SampleOptions, Scorer } from "#kernel/engine.ts";
import { MidcourseError, messageOf } from "#kernel/errors.ts";
import { meanOrZero } from "#kernel/numbers.ts";
import { deriveSeed } from "#kernel/seed.ts";

/** A question with its two prompts as ids. `index` names it in every seed, so that a batch may be cut anywhere. */
export interface Question<Subject> {
  index: number;
  subject: Subject;
  refinedPrompt: readonly number[];
  plainPrompt: readonly number[];
}

export interface Grade {
  /** The sum of the terms. */
  reward: number;
  /** Each part of the reward by name, for the record. */
  terms: Readonly<Record<string, number>>;
  /** In [0, 1]. */
  accuracy: number;
  /** The answer keeps the format. */
  wellFormed: boolean;
  /** Complete refine spans. */
  refinements: number;
  text: string;
}

/** What makes rewards out of samples. May call a judge model; a rejection drops the group, one that a person has to mend ends the step. */
export interface Grader<Subject> {
  /** Accuracy of a plain answer in [0, 1], with its text. */
  plain(subject: Subject, sample: Sample): PlainGrade | Promise<PlainGrade>;
  /** `plainAccuracies`: of the plain answers to the same question. */
  refined(subject: Subject, sample: Sample, plainAccuracies: readonly number[]): Grade | Promise<Grade>;
}

export type PlainGrade = Pick<Grade, "accuracy" | "text">;

export interface RolloutOptions {
  /** G: refined answers per question. */
  refinedSamples: number;
  /** n: plain answers per question; 0 for rewards that need no twin group. */
  plainSamples: number;
  temperature: number;
  topP: number;
  topK: number;
  /** Largest number of new tokens per answer. */
  maxTokens: number;
  stopIds: readonly number[];
  /**
   * Questions whose mean plain accuracy is not strictly between the two are dropped before anything refined is sampled: [0, 1] drops
   * the always-wrong and the always-right ones. Absent: every question is used.
   */
  plainAccuracyWindow?: readonly [low: number, high: number] | undefined;
}

/** Why a question taught nothing in a step. */
export type DropReason = "plain-accuracy" | "equal-rewards" | "failed-grading";

export interface Group<Subject> {
  question: Question<Subject>;
  plain: (Sample & PlainGrade)[];
  refined: (Sample & Grade)[];
  dropped?: { reason: DropReason; message?: string };
}

export interface Draw {
  seed: number;
  step: number;
  signal?: AbortSignal | undefined;
}

/** Plain or refined answers to every question; the samples of one question are the same whichever questions stand beside it. */
export async function sampleAnswers<S>(
  kind: "plain" | "refined",
  sampler: Scorer,
  questions: readonly Question<S>[],
  options: RolloutOptions,
  { seed, step, signal }: Draw,
): Promise<Sample[][]> {
  const n = kind === "plain" ? options.plainSamples : options.refinedSamples;
  if (n === 0 || questions.length === 0) return questions.map(() => []);
  const prompts = questions.map((question) => (kind === "plain" ? question.plainPrompt : question.refinedPrompt));
  const promptSeeds = questions.map((question) => deriveSeed(seed, "rollout", step, kind, question.index));
  const { temperature, topP, topK, maxTokens, stopIds } = options;
  const sampling: SampleOptions = { n, temperature, topP, topK, maxTokens, stopIds, seed, promptSeeds };
  return sampler.sample(prompts, sampling, signal);
}

/** Groups with graded plain answers; those outside the accuracy window are marked as dropped. */
export async function gradePlain<S>(
  questions: readonly Question<S>[],
  samples: readonly Sample[][],
  grader: Grader<S>,
  window: RolloutOptions["plainAccuracyWindow"],
): Promise<Group<S>[]> {
  return Promise.all(
    questions.map(async (question, index): Promise<Group<S>> => {
      const grades = await allOrFailure(samples[index], (sample) => grader.plain(question.subject, sample));
      if ("message" in grades) return { question, plain: [], refined: [], dropped: { reason: "failed-grading", ...grades } };
      const group = { question, plain: samples[index].map((sample, s) => ({ ...sample, ...grades.results[s] })), refined: [] };
      const average = meanOrZero(group.plain.map((answer) => answer.accuracy));
      const isOutside = window !== undefined && !(average > window[0] && average < window[1]);
      return isOutside ? { ...group, dropped: { reason: "plain-accuracy" } } : group;
    }),
  );
}

/** Fills in the refined answers of groups that are not dropped; `samples` are theirs, in order. */
export async function gradeRefined<S>(
  groups: readonly Group<S>[],
  samples: readonly Sample[][],
  grader: Grader<S>,
): Promise<Group<S>[]> {
  let next = 0;
  const own = groups.map((group) => (group.dropped ? undefined : samples[next++]));
  return Promise.all(
    groups.map(async (group, index): Promise<Group<S>> => {
      const answers = own[index];
      if (answers === undefined) return group;
      const plainAccuracies = group.plain.map((sample) => sample.accuracy);
      const grades = await allOrFailure(answers, (sample) => grader.refined(group.question.subject, sample, plainAccuracies));
      if ("message" in grades) return { ...group, dropped: { reason: "failed-grading", ...grades } };
      return { ...group, refined: answers.map((sample, s) => ({ ...sample, ...grades.results[s] })) };
    }),
  );
}

/** Every grade, or the message of the first one that failed or is not a number. */
async function allOrFailure<G extends { accuracy: number; reward?: number }>(
  samples: readonly Sample[],
  grade: (sample: Sample) => G | Promise<G>,
): Promise<{ results: G[] } | { message: string }> {
  try {
    const results = await Promise.all(samples.map(async (sample) => grade(sample)));
    const odd = results.find((each) => !(each.accuracy >= 0 && each.accuracy <= 1) || !Number.isFinite(each.reward ?? 0));
    return odd === undefined ? { results } : { message: `accuracy ${odd.accuracy}, reward ${odd.reward}` };
  } catch (error) {
    if (endsTheStep(error)) throw error;
    return { message: messageOf(error) };
  }
}

/** Nothing that is graded after it would fare better: a wrong key, a server that is gone, Ctrl-C. */
export function endsTheStep(error: unknown): boolean {
  if (MidcourseError.isInstance(error)) return error.family === "user";
  return error instanceof Error && error.name === "AbortError";
}
