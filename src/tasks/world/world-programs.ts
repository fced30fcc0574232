/**
 * A domain beside the sums: a chain as a small program, with a line at the end that does not matter. "a=347;b=a*6;c=b+9;k=58;c?" The
 * steps are those of the sums; what is new is to follow names and to leave a line out.
 */
import type { Random } from "#kernel/seed.ts";
import { drawChain, drawPattern, type Step, type WorldOptions } from "./world.ts";

const names = ["a", "b", "c", "d", "m", "n", "p", "q", "x", "y", "z", "k"];

/** Steps and wording; undefined when the numbers ran out of range. */
export function drawProgram(options: WorldOptions, random: Random): { steps: Step[]; question: string } | undefined {
  const length = random.integer(options.minSteps, options.maxSteps);
  const products = random.chance(options.hardShare) ? 1 : 0;
  const steps = drawChain(drawPattern(length, products, random), options, random);
  return steps && { steps, question: wordProgram(steps, random) };
}

function wordProgram(steps: readonly Step[], random: Random): string {
  const [idle, ...used] = random.shuffle([...names]).slice(0, steps.length + 2) as [string, ...string[]];
  const lines = [`${used[0]}=${steps[0].left}`];
  for (const [index, step] of steps.entries()) lines.push(`${used[index + 1]}=${used[index]}${step.operator}${step.right}`);
  lines.push(`${idle}=${random.integer(12, 999)}`);
  return `${lines.join(";")};${used.at(-1)}?`;
}
