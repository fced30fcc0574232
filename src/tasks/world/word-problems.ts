/**
 * Short stories whose solution is a chain of arithmetic steps: "A box holds 347 pens. Mia buys 6 boxes. She loses 58 pens. How many pens
 * does she have?" A product stands first (boxes) or last (a price for each).
 */
import type { Random } from "#kernel/seed.ts";
import { drawChain, type Operator, type Step, type WorldOptions } from "./world.ts";

const people = ["Mia", "Tom", "Ana", "Ben", "Eva", "Sam", "Lea", "Max"];
const things = ["pens", "shells", "books", "cards", "coins", "apples", "stamps", "beads"];
const containers: readonly (readonly [one: string, many: string])[] = [
  ["box", "boxes"],
  ["bag", "bags"],
  ["case", "cases"],
];
const gains = ["buys", "finds", "gets"];
const losses = ["sells", "loses", "gives away"];

/** Steps and wording of one story; undefined when the numbers ran out of range. */
export function drawWordProblem(options: WorldOptions, random: Random): { steps: Step[]; question: string } | undefined {
  const length = random.integer(options.minSteps, options.maxSteps);
  const pattern: Operator[] = Array.from({ length }, () => (random.chance(0.5) ? "+" : "-"));
  if (random.chance(options.hardShare)) pattern[random.chance(0.5) ? 0 : length - 1] = "*";
  const steps = drawChain(pattern, options, random);
  return steps && { steps, question: wordStory(steps, random) };
}

function wordStory(steps: readonly Step[], random: Random): string {
  const person = random.pick(people);
  const thing = random.pick(things);
  const sentences: string[] = [];
  let ending = `How many ${thing} does ${person} have?`;
  steps.forEach((step, index) => {
    if (index === 0 && step.operator === "*") {
      const [one, many] = random.pick(containers);
      sentences.push(`A ${one} holds ${step.left} ${thing}. ${person} buys ${step.right} ${many}.`);
      return;
    }
    if (index === 0) sentences.push(`${person} has ${step.left} ${thing}.`);
    if (step.operator === "*") {
      ending = `Each costs ${step.right} dollars. How many dollars for all?`;
      return;
    }
    const verb = random.pick(step.operator === "+" ? gains : losses);
    sentences.push(`${person} ${verb} ${step.right} ${random.chance(0.5) ? `${thing}.` : "more."}`);
  });
  return [...sentences, ending].join(" ");
}
