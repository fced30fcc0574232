/** A look at how a model refines in the small world while it trains: where refining was needed, where it was not, what it mended and broke. */

import { evaluate } from "#evaluation/run.ts";
import type { Item } from "#kernel/item.ts";
import type { Model } from "#kernel/model.ts";
import { pasrFormat } from "#methods/pasr-format.ts";
import { gradeSteps } from "#verifiers/steps.ts";
import type { PasrOptions } from "./pasr-options.ts";
import { askWorld, worldVerifier } from "./world-methods.ts";

/** Means per answer over greedy answers to the refine prompt; counts are of steps. */
export type RefinementProbe = {
  greedyAccuracy: number;
  greedyTokens: number;
  formatRate: number;
  refinements: number;
  /** Refinements whose first attempt was right, and wrong; wrong attempts left alone. */
  needless: number;
  useful: number;
  missed: number;
  /** Of steps that were refined: mended and spoiled. */
  wrongToRight: number;
  rightToWrong: number;
};

export async function probeRefinement(
  model: Model,
  items: readonly Item[],
  { maxTokens, prompts }: Pick<PasrOptions, "maxTokens" | "prompts">,
  signal?: AbortSignal,
): Promise<RefinementProbe> {
  const { records } = await evaluate({
    model,
    items,
    methods: [pasrFormat({ id: "probe", instruction: prompts.refine })],
    verify: worldVerifier,
    ask: askWorld,
    temperature: 0,
    maxTokens,
    seed: 0,
    ...(signal ? { signal } : {}),
  });
  signal?.throwIfAborted();
  const graded = records.map((record) => gradeSteps(record.text));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return {
    greedyAccuracy: mean(records.map((record) => record.accuracy)),
    greedyTokens: mean(records.map((record) => record.usage.outputTokens ?? 0)),
    formatRate: mean(records.map((record) => Number(record.verdict === "ok"))),
    refinements: mean(records.map((record) => record.refinements)),
    needless: mean(graded.map((answer) => answer.needless)),
    useful: mean(graded.map((answer) => answer.useful)),
    missed: mean(graded.map((answer) => answer.missed)),
    wrongToRight: mean(graded.map((answer) => answer.wrongToRight)),
    rightToWrong: mean(graded.map((answer) => answer.rightToWrong)),
  };
}
