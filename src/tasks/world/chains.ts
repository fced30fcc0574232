/** The small world: problems that are chains of arithmetic steps, some easy and some hard by their looks, in three disjoint streams. */
import { deriveSeed, type Random } from "#kernel/seed.ts";

export type Operator = "+" | "-" | "*";

export interface Step {
  left: number;
  operator: Operator;
  right: number;
  result: number;
}

export type Split = "train" | "validation" | "test";

export interface WorldOptions {
  /** Fewest and most steps in a chain. */
  minSteps: number;
  maxSteps: number;
  /** Probability that a problem has at least one product (a hard step); the others are sums and differences only. */
  hardShare: number;
  /** Smallest and largest number that a product may multiply; the factor is one digit, 3 to 9. */
  minMultiplicand: number;
  maxMultiplicand: number;
  /** Smallest and largest number that a sum or difference adds or takes away. */
  minAddend: number;
  maxAddend: number;
}

export const defaultWorldOptions: WorldOptions = {
  minSteps: 2,
  maxSteps: 3,
  hardShare: 0.6,
  minMultiplicand: 100,
  maxMultiplicand: 999,
  minAddend: 2,
  maxAddend: 9,
};

/** A product is hard to write down in one go; a sum or difference with a short number is not. Visible from the step's surface. */
export function isHard(step: Pick<Step, "operator">): boolean {
  return step.operator === "*";
}

export function applyOperator(left: number, operator: Operator, right: number): number {
  if (operator === "+") return left + right;
  return operator === "-" ? left - right : left * right;
}

/** The problem itself, whatever words are put around it: "347*6+58". Evaluated from left to right. */
export function canonicalChain(steps: readonly Step[]): string {
  return steps.reduce((text, step) => `${text}${step.operator}${step.right}`, String(steps[0].left));
}

/** "347*6=2082" */
export function writeStep(step: Step): string {
  return `${step.left}${step.operator}${step.right}=${step.result}`;
}

/** What a chain comes to. */
export function resultOf(steps: readonly Step[]): number {
  return steps[steps.length - 1].result;
}

/** The stream a problem belongs to: a hash of the problem decides, so no problem is ever in two of them. 8 : 1 : 1. */
export function splitOf(steps: readonly Step[]): Split {
  const bucket = deriveSeed(0, "world-split", canonicalChain(steps)) % 10;
  if (bucket === 0) return "test";
  return bucket === 1 ? "validation" : "train";
}

export type StepPattern = readonly Operator[];

/** Draws numbers for a pattern of operators; undefined when the draw ran out of range, and the caller draws again. */
export function drawChain(
  pattern: StepPattern,
  options: WorldOptions,
  random: Random,
  largestStart = options.maxMultiplicand,
): Step[] | undefined {
  const productFirst = pattern[0] === "*";
  let value = productFirst ? random.integer(options.minMultiplicand, options.maxMultiplicand) : random.integer(12, largestStart);
  const steps: Step[] = [];
  for (const operator of pattern) {
    const right = operator === "*" ? random.integer(3, 9) : random.integer(options.minAddend, options.maxAddend);
    const result = applyOperator(value, operator, right);
    if (operator === "*" && (value < options.minMultiplicand || value > options.maxMultiplicand)) return undefined;
    if (result < 3 || result > 9999) return undefined;
    steps.push({ left: value, operator, right, result });
    value = result;
  }
  return steps;
}

/** A random pattern: `products` products and sums or differences elsewhere. */
export function drawPattern(length: number, products: number, random: Random): Operator[] {
  const places = random.shuffle([...Array(length).keys()]).slice(0, products);
  return Array.from({ length }, (_, index) => (places.includes(index) ? "*" : random.chance(0.5) ? "+" : "-"));
}
