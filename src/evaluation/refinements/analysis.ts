/**
 * What refining did, counted over the answers of one method: kinds of refinements, steps before and after, answers before and after
 * (PASR, arXiv 2508.12903, Figure 4: of 267 first answers that were wrong, 235 were corrected). Types, coherence and alignment are those
 * of `text.ts`, by rule.
 *
 * Steps: a step was refined or left alone; its first attempt and its last result are right or wrong by its own left side.
 *
 * Answers, in one pass: what the answer would have been without its refinements cannot be computed, since later steps go on from the
 * refined results. The first thought is therefore taken to be
 * - the answer as it is, where no refinement changed a result: nothing would be different without them;
 * - wrong, where one did, and the first attempt of that step or of one before it was wrong;
 * - right, where one did, and every first attempt up to there was right.
 * We know of no description of how the paper reads the first answer out of a pass.
 *
 * Answers, over turns (attempts stand in the records): the first attempt and the last, and the first and what the method gave in the end,
 * which differ where it votes. A record without attempts is an answer that was not tried again: first and last are the same.
 */
import type { EvaluationRecord } from "../records/evaluation-record.ts";
import { countTransitions, isRight, type Transitions } from "../statistics/transitions.ts";
import { type ReadAnswer, type ReadRefinement, type RefinementType, readRefinements, refinementTypes } from "./text.ts";

export interface RefinementCounts {
  refinements: number;
  /** They add up to `refinements`. */
  types: Record<RefinementType, number>;
  /** Of all refinements; absent where there are none. */
  shares?: Record<RefinementType, number>;
  /** Refinements with a step; the figures below are counts among these, and their shares are absent where there are none. */
  attached: number;
  /** The result that was refined was wrong. */
  needed: number;
  neededShare?: number;
  coherent: number;
  coherentShare?: number;
  aligned: number;
  alignedShare?: number;
}

/** `refined` and `left` together are all `steps`. */
export interface StepTransitions {
  steps: number;
  /** First attempt and last result of the steps with a refinement that says something. */
  refined: Transitions;
  left: { right: number; wrong: number };
}

/** In one pass; `refined` (answers with a refinement) and `unrefined` together are all answers. */
export interface PassTransitions {
  refined: Transitions;
  unrefined: { right: number; wrong: number };
  /** Answers whose first thought was wrong, refined or not, and those of them that ended right. */
  wrongFirst: number;
  corrected: number;
  correctedShare?: number;
}

/** Over turns; each of the two adds up to all answers. */
export interface TurnTransitions {
  /** Answers with more than one attempt. */
  retried: number;
  firstToLast: Transitions;
  firstToFinal: Transitions;
  /** First attempts that were wrong, and those of them whose last attempt is right. */
  wrongFirst: number;
  corrected: number;
  correctedShare?: number;
}

/** Plain JSON. A share whose whole is empty is absent. */
export interface RefinementAnalysis {
  answers: number;
  /** Answers with a call that failed; they count with what there was. */
  failed: number;
  /** Answers of which only the beginning could be read. */
  cut: number;
  /** Answers with at least one refinement. */
  refinedAnswers: number;
  refinements: RefinementCounts;
  /** Of hard steps (a product or a quotient) and of easy ones; without the unattached. */
  hard: RefinementCounts;
  easy: RefinementCounts;
  /** Means; absent without answers. */
  perAnswer?: { refinements: number; types: Record<RefinementType, number> };
  steps: StepTransitions;
  hardSteps: StepTransitions;
  easySteps: StepTransitions;
  /** Absent where answers were made over turns. */
  pass?: PassTransitions;
  /** Present where they were. */
  turns?: TurnTransitions;
}

export type AnalysedRecord = Pick<EvaluationRecord, "text" | "accuracy" | "attempts" | "error">;

/**
 * Over the records of one method. Attempts are taken for turns, so samples of a vote do not belong here. `overTurns` where it is known how
 * the method answers; when left out, it does if any record holds attempts (a method of turns that stopped at once everywhere has none).
 */
export function analyseRefinements(
  records: readonly AnalysedRecord[],
  options: { overTurns?: boolean } = {},
): RefinementAnalysis {
  const all: ReadRefinement[] = [];
  const steps: ReadAnswer["steps"] = [];
  const passes: Pass[] = [];
  let cut = 0;
  for (const record of records) {
    const answer = readRefinements(record.text);
    for (const refinement of answer.refinements) all.push(refinement);
    for (const step of answer.steps) steps.push(step);
    passes.push({ refined: answer.refinements.length > 0, first: firstThought(answer, record.accuracy), final: record.accuracy });
    if (answer.cut) cut++;
  }
  const counts = countRefinements(all);
  const overTurns = options.overTurns ?? records.some(({ attempts }) => attempts !== undefined && attempts.length > 0);
  const perAnswer = { refinements: all.length / records.length, types: mapTypes((type) => counts.types[type] / records.length) };
  return {
    answers: records.length,
    failed: records.filter(({ error }) => error !== undefined).length,
    cut,
    refinedAnswers: passes.filter(({ refined }) => refined).length,
    refinements: counts,
    hard: countRefinements(all.filter(({ attached }) => attached?.hard === true)),
    easy: countRefinements(all.filter(({ attached }) => attached?.hard === false)),
    ...(records.length === 0 ? {} : { perAnswer }),
    steps: stepTransitions(steps),
    hardSteps: stepTransitions(steps.filter(({ hard }) => hard)),
    easySteps: stepTransitions(steps.filter(({ hard }) => !hard)),
    ...(overTurns ? { turns: turnTransitions(records) } : { pass: passTransitions(passes) }),
  };
}

interface Pass {
  refined: boolean;
  /** Accuracies. */
  first: number;
  final: number;
}

function firstThought({ steps, refinements }: ReadAnswer, accuracy: number): number {
  const change = refinements.find(({ attached }) => attached?.changed)?.attached;
  if (change === undefined) return accuracy;
  return steps.slice(0, change.step + 1).some((step) => step.needed) ? 0 : 1;
}

function countRefinements(refinements: readonly ReadRefinement[]): RefinementCounts {
  const total = refinements.length;
  const types = mapTypes(() => 0);
  for (const { type } of refinements) types[type]++;
  const attached = refinements.flatMap((refinement) => refinement.attached ?? []);
  const needed = attached.filter(({ rightBefore }) => !rightBefore).length;
  const coherent = attached.filter((refinement) => refinement.coherent).length;
  const aligned = attached.filter((refinement) => refinement.aligned).length;
  const share = (count: number) => count / attached.length;
  const shares = { neededShare: share(needed), coherentShare: share(coherent), alignedShare: share(aligned) };
  return {
    refinements: total,
    types,
    ...(total === 0 ? {} : { shares: mapTypes((type) => types[type] / total) }),
    attached: attached.length,
    needed,
    coherent,
    aligned,
    ...(attached.length === 0 ? {} : shares),
  };
}

function mapTypes(value: (type: RefinementType) => number): Record<RefinementType, number> {
  return Object.fromEntries(refinementTypes.map((type) => [type, value(type)])) as Record<RefinementType, number>;
}

function stepTransitions(steps: ReadAnswer["steps"]): StepTransitions {
  const left = steps.filter(({ refined }) => !refined);
  const right = left.filter((step) => step.right).length;
  return {
    steps: steps.length,
    refined: countTransitions(
      steps.filter(({ refined }) => refined).map((step) => [Number(!step.needed), Number(step.right)] as const),
    ),
    left: { right, wrong: left.length - right },
  };
}

function passTransitions(passes: readonly Pass[]): PassTransitions {
  const refined = countTransitions(passes.filter((pass) => pass.refined).map(({ first, final }) => [first, final] as const));
  const others = passes.filter((pass) => !pass.refined);
  const right = others.filter(({ final }) => isRight(final)).length;
  const unrefined = { right, wrong: others.length - right };
  return { refined, unrefined, ...correction(refined, unrefined.wrong) };
}

function turnTransitions(records: readonly AnalysedRecord[]): TurnTransitions {
  const first = ({ attempts, accuracy }: AnalysedRecord) => attempts?.[0]?.accuracy ?? accuracy;
  const last = ({ attempts, accuracy }: AnalysedRecord) => attempts?.at(-1)?.accuracy ?? accuracy;
  const firstToLast = countTransitions(records.map((record) => [first(record), last(record)] as const));
  return {
    retried: records.filter(({ attempts }) => attempts !== undefined && attempts.length > 1).length,
    firstToLast,
    firstToFinal: countTransitions(records.map((record) => [first(record), record.accuracy] as const)),
    ...correction(firstToLast, 0),
  };
}

function correction({ wrongToRight, wrongToWrong }: Transitions, otherWrong: number) {
  const wrongFirst = wrongToRight + wrongToWrong + otherWrong;
  const share = wrongFirst === 0 ? {} : { correctedShare: wrongToRight / wrongFirst };
  return { wrongFirst, corrected: wrongToRight, ...share };
}
