/** A look at how a model refines in the small world while it trains: where refining was needed, where it was not, what it mended and broke. */

import { evaluateTask } from "#evaluation/records/evaluate.ts";
import type { EvaluationRecord } from "#evaluation/records/evaluation-record.ts";
import type { Item } from "#kernel/item.ts";
import type { Model } from "#kernel/model.ts";
import { meanOrZero } from "#kernel/numbers.ts";
import { pasrFormat } from "#methods/plain/pasr-format.ts";
import { gradeSteps } from "#verifiers/answers/steps.ts";
import type { ProbeOptions } from "../sources/source.ts";
import { askWorld, worldVerifier } from "./world-methods.ts";

/** Means per answer to the refine prompt; counts are of steps. */
export type RefinementCounts = {
  accuracy: number;
  tokens: number;
  formatRate: number;
  refinements: number;
  /** Refinements whose first attempt was right, and wrong; wrong attempts left alone. */
  needless: number;
  useful: number;
  missed: number;
  /** Needless ones on easy steps, where the plain policy hardly ever fails. */
  needlessEasy: number;
  /** Of steps that were refined: mended and spoiled. */
  wrongToRight: number;
  rightToWrong: number;
};

export type RefinementProbe = { greedy: RefinementCounts; sampled: RefinementCounts };

export async function probeRefinement(
  model: Model,
  items: readonly Item[],
  { maxTokens, prompts, temperature }: ProbeOptions,
  signal?: AbortSignal | undefined,
): Promise<RefinementProbe> {
  const at = async (chosen: number): Promise<RefinementCounts> => {
    const records = await evaluateTask({
      model,
      items,
      methods: [pasrFormat({ id: "probe", instruction: prompts.refine })],
      verify: worldVerifier,
      ask: askWorld,
      temperature: chosen,
      maxTokens,
      seed: 0,
      signal,
    });
    return countRefinements(records);
  };
  return { greedy: await at(0), sampled: await at(temperature) };
}

function countRefinements(records: readonly EvaluationRecord[]): RefinementCounts {
  const graded = records.map((record) => gradeSteps(record.text));
  return {
    accuracy: meanOrZero(records.map((record) => record.accuracy)),
    tokens: meanOrZero(records.map((record) => record.usage.outputTokens ?? 0)),
    formatRate: meanOrZero(records.map((record) => Number(record.verdict === "ok"))),
    refinements: meanOrZero(records.map((record) => record.refinements)),
    needless: meanOrZero(graded.map((answer) => answer.needless)),
    useful: meanOrZero(graded.map((answer) => answer.useful)),
    missed: meanOrZero(graded.map((answer) => answer.missed)),
    needlessEasy: meanOrZero(
      graded.map(({ steps }) => steps.filter((step) => step.refined && !step.needed && !step.hard).length),
    ),
    wrongToRight: meanOrZero(graded.map((answer) => answer.wrongToRight)),
    rightToWrong: meanOrZero(graded.map((answer) => answer.rightToWrong)),
  };
}
