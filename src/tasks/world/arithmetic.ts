/**
 * Chains of two to four arithmetic steps in words: "Start with 347. Multiply by 6. Add 58." Each step works on the result of the one
 * before; sums and differences are easy, products are hard to write down in one go.
 */
import type { Random } from "#kernel/seed.ts";
import { drawChain, drawPattern, type Operator, type Step, type WorldOptions } from "./world.ts";

const openings = ["Start with", "Take", "Begin with"];
const phrases: Record<Operator, readonly string[]> = {
  "+": ["Add", "Then add", "Plus"],
  "-": ["Subtract", "Then subtract", "Minus"],
  "*": ["Multiply by", "Then multiply by", "Times"],
};

/** Steps and wording of one chain; undefined when the numbers ran out of range. */
export function drawArithmetic(options: WorldOptions, random: Random): { steps: Step[]; question: string } | undefined {
  const length = random.integer(options.minSteps, options.maxSteps);
  const products = random.chance(options.hardShare) ? 1 : 0;
  const steps = drawChain(drawPattern(length, products, random), options, random);
  return steps && { steps, question: wordArithmetic(steps, random) };
}

function wordArithmetic(steps: readonly Step[], random: Random): string {
  const sentences = steps.map((step) => ` ${random.pick(phrases[step.operator])} ${step.right}.`);
  return `${random.pick(openings)} ${steps[0].left}.${sentences.join("")}`;
}
