/**
 * A domain beside the sums: a chain in figures with three results to choose from. "347*6+9? 2081 A, 2091 B, 2191 C". The wrong options are
 * what slips give, so that the chain has to be worked out.
 */
import type { Random } from "#kernel/seed.ts";
import { canonicalChain, drawChain, drawPattern, type Step, type WorldOptions } from "./world.ts";
import { corruptResult } from "./world-solutions.ts";

/** Steps, options and wording; undefined when the numbers ran out of range. */
export function drawChoice(
  options: WorldOptions,
  random: Random,
): { steps: Step[]; question: string; choices: { letter: string; text: string }[] } | undefined {
  const length = random.integer(options.minSteps, options.maxSteps);
  const products = random.chance(options.hardShare) ? 1 : 0;
  const steps = drawChain(drawPattern(length, products, random), options, random);
  if (steps === undefined) return undefined;
  const last = steps.at(-1)!;
  const results = new Set([last.result]);
  while (results.size < 3) results.add(corruptResult(last, random).result);
  const choices = random.shuffle([...results]).map((result, index) => ({ letter: "ABC"[index]!, text: String(result) }));
  const shown = choices.map(({ letter, text }) => `${text} ${letter}`).join(", ");
  return { steps, question: `${canonicalChain(steps)}? ${shown}`, choices };
}
