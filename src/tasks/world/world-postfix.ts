/** A domain beside the sums: chains with the operators behind, "347 6 * 9 +". The steps are those of the sums; what is new is the notation. */
import type { Random } from "#kernel/seed.ts";
import { drawChain, drawPattern, type Step, type WorldOptions } from "./world.ts";

/** Steps and wording; undefined when the numbers ran out of range. */
export function drawPostfix(options: WorldOptions, random: Random): { steps: Step[]; question: string } | undefined {
  const length = random.integer(options.minSteps, options.maxSteps);
  const products = random.chance(options.hardShare) ? 1 : 0;
  const steps = drawChain(drawPattern(length, products, random), options, random);
  if (steps === undefined) return undefined;
  const rest = steps.map(({ right, operator }) => ` ${right} ${operator}`);
  return { steps, question: `${steps[0].left}${rest.join("")}` };
}
