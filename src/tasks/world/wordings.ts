/**
 * Four ways to put a chain of steps into words: sums ("Start with 347. Multiply by 6. Add 58."), stories, and two that training never sees,
 * programs and chains with the operators behind. The steps are the same; each works on the result of the one before. Sums and differences
 * are easy, products are hard to write down in one go.
 */
import type { Random } from "#kernel/seed.ts";
import { drawChain, drawPattern, type Operator, type Step, type WorldOptions } from "./chains.ts";

/** A chain in words; `group` says in which. */
export interface Worded {
  steps: Step[];
  question: string;
  group: string;
}

/** A chain with one product or none; undefined when the numbers ran out of range. */
function drawSteps(options: WorldOptions, random: Random): Step[] | undefined {
  const length = random.integer(options.minSteps, options.maxSteps);
  const products = random.chance(options.hardShare) ? 1 : 0;
  return drawChain(drawPattern(length, products, random), options, random);
}

const openings = ["Start with", "Take", "Begin with"];
const phrases: Record<Operator, readonly string[]> = {
  "+": ["Add", "Then add", "Plus"],
  "-": ["Subtract", "Then subtract", "Minus"],
  "*": ["Multiply by", "Then multiply by", "Times"],
};

/** Steps and wording of one chain; undefined when the numbers ran out of range. */
export function drawArithmetic(options: WorldOptions, random: Random): Worded | undefined {
  const steps = drawSteps(options, random);
  return steps && { steps, question: wordArithmetic(steps, random), group: "chain" };
}

function wordArithmetic(steps: readonly Step[], random: Random): string {
  const sentences = steps.map((step) => ` ${random.pick(phrases[step.operator])} ${step.right}.`);
  return `${random.pick(openings)} ${steps[0].left}.${sentences.join("")}`;
}

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
export function drawStory(options: WorldOptions, random: Random): Worded | undefined {
  const length = random.integer(options.minSteps, options.maxSteps);
  const pattern: Operator[] = Array.from({ length }, () => (random.chance(0.5) ? "+" : "-"));
  if (random.chance(options.hardShare)) pattern[random.chance(0.5) ? 0 : length - 1] = "*";
  const steps = drawChain(pattern, options, random);
  return steps && { steps, question: wordStory(steps, random), group: "story" };
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

const names = ["a", "b", "c", "d", "m", "n", "p", "q", "x", "y", "z", "k"];

/** Steps and wording; undefined when the numbers ran out of range. */
export function drawProgram(options: WorldOptions, random: Random): Worded | undefined {
  const steps = drawSteps(options, random);
  return steps && { steps, question: wordProgram(steps, random), group: "programs" };
}

function wordProgram(steps: readonly Step[], random: Random): string {
  const [idle, ...used] = random.shuffle([...names]).slice(0, steps.length + 2) as [string, ...string[]];
  const lines = [`${used[0]}=${steps[0].left}`];
  for (const [index, step] of steps.entries()) lines.push(`${used[index + 1]}=${used[index]}${step.operator}${step.right}`);
  lines.push(`${idle}=${random.integer(12, 999)}`);
  return `${lines.join(";")};${used.at(-1)}?`;
}

/** Steps and wording; undefined when the numbers ran out of range. */
export function drawPostfix(options: WorldOptions, random: Random): Worded | undefined {
  const steps = drawSteps(options, random);
  if (steps === undefined) return undefined;
  const rest = steps.map(({ right, operator }) => ` ${right} ${operator}`);
  return { steps, question: `${steps[0].left}${rest.join("")}`, group: "postfix" };
}
